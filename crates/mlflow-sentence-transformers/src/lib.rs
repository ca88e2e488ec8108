//! Sentence-transformers models in MLflow, without Python: one address for the family, and the guided tour.
//!
//! # From a folder to a served alias
//!
//! A model folder goes to MLflow, becomes a version of a registered model, gets an alias, and is loaded by that alias.
//! With no server named, MLflow's embedded store is used: `mlflow.db` and `mlruns` in the working directory, where
//! `mlflow ui` shows it. Python loads what is logged here, and the other way round.
//!
//! ```no_run
//! use mlflow_sentence_transformers::{
//!     Client, EncodeOptions, Encoder, LoadOptions, LogOptions, ModelCache, Places, Registration, SentenceTransformer,
//!     Settings, fetch_model, log_model,
//! };
//!
//! # async fn tour() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let environment = |name: &str| std::env::var(name).ok();
//! let client = Client::connect(&Settings::from_environment(&environment)?)?;
//! let registration = Registration::new("encoder".parse()?).with_alias("champion".parse()?);
//! let options = LogOptions::new("0".parse()?).with_registration(registration);
//! log_model(&client, "all-MiniLM-L6-v2".as_ref(), &options).await?;
//!
//! let places = Places::from_env(|name| std::env::var_os(name));
//! let cache = ModelCache::new(places.cache.clone().ok_or("no folder to keep models in")?.join("mlflow"));
//! let champion = fetch_model(&client, &"models:/encoder@champion".parse()?, &cache).await?;
//! let model = SentenceTransformer::load(&champion.data_path, &LoadOptions::new(places))?;
//! let vectors = model.encode(&["A man plays the guitar."], &EncodeOptions::default())?.vectors;
//! # drop(vectors);
//! # Ok(())
//! # }
//! ```
//!
//! # The rooms behind it
//!
//! [`client`] is MLflow's tracking, registry and artifacts; [`flavor`] is the MLflow folder itself, and needs no server;
//! [`encoder`] is the whole of `sentence-transformers`, and knows nothing of MLflow. With the feature `hub`, `hub` makes a
//! folder of a model's name.

pub use mlflow_client as client;
pub use mlflow_flavor as flavor;
pub use sentence_transformers as encoder;
#[cfg(feature = "hub")]
pub use st_hub as hub;

pub use mlflow_client::{Client, Settings};
pub use mlflow_flavor::{
    LogOptions, ModelCache, ModelInfo, Registration, fetch_model, log_model, register_model,
};
pub use sentence_transformers::{EncodeOptions, Encoder, LoadOptions, Places, SentenceTransformer};
