//! The MLflow `sentence_transformers` flavor: save, load and predict, without Python.
//!
//! [`save_model`] puts a sentence-transformers folder into an MLflow model folder that Python's
//! `mlflow.sentence_transformers` and `mlflow.pyfunc` load as their own; [`load_model`] opens such a folder, no
//! matter which side wrote it; [`PyFunc`] is `mlflow.pyfunc`'s `predict` over any [`st_core::Encoder`], with the
//! schema enforcement, the parameters and the error codes of MLflow; [`scoring`] reads and writes the bodies of
//! MLflow's scoring protocol. [`MlModel`] is the file `MLmodel` itself: what it does not know it keeps.
//!
//! ```
//! use mlflow_flavor::{MlModel, ModelSignature};
//!
//! let text = "flavors:\n  python_function:\n    loader_module: mlflow.sentence_transformers\nowner: search\n";
//! let mut model = MlModel::parse(text, "MLmodel")?;
//! assert_eq!(model.unknown["owner"], "search");
//!
//! model.signature = Some(ModelSignature::default_for_encoders());
//! assert!(model.to_yaml().contains(r#"inputs: '[{"type": "string", "required": true}]'"#));
//! # Ok::<(), mlflow_flavor::Error>(())
//! ```
//!
//! Where Python's flavor leaves a part of the input out without a word (a second column, rows after a cell that
//! holds a list), this crate refuses and says so. What Python warns of comes back as a [`Warning`] value.
//!
//! It loads no weights, runs nothing of a model's `code/` folder, reads no environment variable and prints nothing.
//! A value of JSON is `serde_json`'s [`Value`], the type that the field has agreed on; YAML stays inside.

#[cfg(feature = "client")]
mod cache;
mod certificate;
mod digests;
mod environment;
mod error;
mod facts;
#[cfg(test)]
mod golden;
mod hex;
mod input_example;
mod load;
#[cfg(feature = "client")]
mod log;
mod mlmodel;
mod model_folder;
mod predict;
mod python_json;
mod python_repr;
mod requirements;
mod safe_path;
mod save;
pub mod scoring;
mod signature;
mod tree;
mod yaml;

#[cfg(feature = "client")]
pub use cache::{CachedModel, Lease, ModelCache};
pub use certificate::{Certificate, CertificateReport, Comparison, MadeBy, Reference};
pub use digests::{Digester, Digests, FileDigest, Sha256Digest};
pub use environment::{CondaEnv, Environment, Requirements};
pub use error::{Error, ErrorCode};
pub use facts::{FACT_TAGS, ModelFacts, Profile};
pub use input_example::InputExample;
pub use load::{DigestPolicy, LoadOptions, LoadedModel, load_model, load_model_with};
#[cfg(feature = "client")]
pub use log::{
    FetchedModel, InvalidPromptUri, LogError, LogOptions, ModelInfo, PromptUri, Registration, StopSwitch,
    download_model, fetch_files_with, fetch_model, fetch_model_with, log_model, register_model,
};
pub use mlmodel::{
    CROSS_ENCODER_FLAVOR, ExampleInfo, ExtraFile, Flavors, MLFLOW_VERSION, MULTI_VECTOR_ENCODER_FLAVOR,
    MlModel, ONNX_FLAVOR, PythonFunctionFlavor, SPARSE_ENCODER_FLAVOR, SentenceTransformersFlavor,
    TASK_EMBEDDINGS,
};
pub use predict::{Answer, Array, ColumnName, Frame, PredictInput, Prediction, Predictor, PyFunc, Warning};
pub use save::{
    FileSource, LoggedAs, OnnxGraph, PlannedFile, SaveOptions, SavePlan, SignatureOption, save_model,
    staging_beside,
};
pub use serde_json::{Map, Value};
pub use signature::{
    ColSpec, ColType, DataType, ModelSignature, ParamSpec, ParamType, Property, Schema, SchemaKind,
    TensorSpec,
};
