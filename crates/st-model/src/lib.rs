//! A sentence-transformers model folder becomes an encoder or a cross-encoder on ONNX Runtime.
//!
//! [`ModelSpec::read`] parses the folder into a value; [`SentenceTransformer::load`] takes the weights to an
//! ONNX graph (through `st-export`, kept in the cache), opens sessions as they are needed and answers
//! [`Encoder`](st_core::Encoder) calls: tokenise everything in parallel, plan batches by token budget over
//! the order of lengths, run, and put the rows back into the order of the texts.
//!
//! ```no_run
//! use st_core::{EncodeOptions, Encoder};
//! use st_model::{LoadOptions, Places, SentenceTransformer};
//!
//! # fn main() -> Result<(), st_core::BoxError> {
//! let places = Places::from_env(|name| std::env::var_os(name));
//! let model = SentenceTransformer::load("all-MiniLM-L6-v2".as_ref(), &LoadOptions::new(places))?;
//! let answer = model.encode(&["A man plays the guitar."], &EncodeOptions::default())?;
//! assert_eq!(answer.vectors.dim(), (1, model.dim()));
//! # Ok(())
//! # }
//! ```
//!
//! [`CrossEncoder`] is the same for models that read two texts at once, behind [`Reranker`](st_core::Reranker);
//! [`Model::load`] says which of them a folder holds.
//!
//! ```no_run
//! use st_core::{RankOptions, Reranker};
//! use st_model::{CrossEncoder, LoadOptions, Places};
//!
//! # fn main() -> Result<(), st_core::BoxError> {
//! let places = Places::from_env(|name| std::env::var_os(name));
//! let model = CrossEncoder::load("ms-marco-MiniLM-L6-v2".as_ref(), &LoadOptions::new(places))?;
//! let documents = ["The Broncos won.", "It rained."];
//! let ranked = model.rank("Who won?", &documents, &RankOptions::default())?;
//! println!("{}: {}", documents[ranked[0].corpus_id], ranked[0].score);
//! # Ok(())
//! # }
//! ```
//!
//! Vectors equal those of Python sentence-transformers for the same folder, element by element within 1e-5,
//! and do not depend on the company of a text, on the number of threads or on the order, within 1e-6.
//! [`LoadOptions::with_mode`] trades that equality for speed, per model and only when asked:
//! [`Mode::Fast`](st_core::Mode::Fast) makes an 8-bit graph from the same weights.
//!
//! Texts are padded on the right whatever the tokenizer's configuration says: that is what the reference
//! computes for a text alone.
//!
//! It never touches the network, never unpickles, never runs code of a repository, and starts no more threads
//! than it was given. One file names `ort`, one names `tokenizers`.

/// The vocabulary that the encoder speaks, so that it can be used without naming another crate.
pub use st_core as core;

mod bag;
mod batch;
mod calibration;
mod cross_encoder;
mod digest;
mod encoder;
mod engine;
mod error;
mod finish;
mod graph;
mod late;
mod long_text;
mod lookup;
mod model;
mod multi_vector;
mod options;
mod places;
mod pool;
mod prepared;
mod prompt;
mod provenance;
mod runtime;
mod sparse_encoder;
mod spec;
mod support;
mod table;
mod tail;
mod tokenizer;
mod way;

pub use calibration::{StoredCalibration, StoredCalibrations};
pub use cross_encoder::CrossEncoder;
pub use encoder::SentenceTransformer;
pub use error::Error;
pub use graph::{GraphInfo, GraphState};
pub use late::{LateChunk, LateChunking, LateChunks};
pub use model::Model;
pub use multi_vector::MultiVectorEncoder;
pub use options::LoadOptions;
pub use places::Places;
pub use provenance::{
    Calibrated, LongTextUsed, ModelIdentity, PromptUsed, Provenance, RangesFrom, SpaceDifference,
};
pub use runtime::RuntimeInfo;
pub use sparse_encoder::SparseEncoder;
pub use spec::{
    ActivationSource, CrossEncoderSpec, Defaults, InputSpec, ModelKind, ModelSpec, ModuleEntry, ModuleKind,
    MultiVectorSpec, PoolingSpec, QueryExpansion, Refusal, RouteSpec, RouterSpec, SentenceSpec,
    TokenizerSpec, TransformerConfig, TransformerSpec, WordsSpec,
};
pub use support::{Support, support};
pub use tokenizer::{Tokenized, Tokenizer, read_tokenizer};
