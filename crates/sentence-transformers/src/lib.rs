//! Sentence embeddings in Rust: one address for the crates of the family, and the guided tour.
//!
//! # From folder to vectors
//!
//! A folder as sentence-transformers saves it is all that is needed. [`Places`] says where ONNX Runtime and
//! the cache are, [`SentenceTransformer::load`] does the rest: the weights become an ONNX graph once, kept in
//! the cache.
//!
//! ```no_run
//! use sentence_transformers::{EncodeOptions, Encoder, LoadOptions, Places, SentenceTransformer};
//! use sentence_transformers::{core::Similarity, pooling::similarity};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let places = Places::from_env(|name| std::env::var_os(name));
//! let model = SentenceTransformer::load("all-MiniLM-L6-v2".as_ref(), &LoadOptions::new(places))?;
//! let texts = ["A man plays the guitar.", "Someone performs music.", "The tax report is due."];
//! let answer = model.encode(&texts, &EncodeOptions::default())?;
//! let rows = answer.vectors.as_float32().ok_or("quantised")?.view();
//! println!("{:.2}", similarity(rows, rows, Similarity::Cosine)?);
//! # Ok(())
//! # }
//! ```
//!
//! # What the folder says
//!
//! [`ModelSpec`] is a value, made by pure parsing; nothing is loaded for it.
//!
//! ```no_run
//! # fn main() -> Result<(), sentence_transformers::model::Error> {
//! let spec = sentence_transformers::ModelSpec::read("all-MiniLM-L6-v2".as_ref())?;
//! println!("a {} of {} dimensions, prompts {:?}", spec.kind.name(), spec.dim(), spec.sentence.prompts);
//! # Ok(())
//! # }
//! ```
//!
//! # Faster, and nearly the same
//!
//! The default computes what Python computes. [`Mode::Fast`](core::Mode::Fast) computes linear layers in eight bits:
//! about twice as fast, with a cosine of 0.9986 to the exact vectors on the STS sentences. What it costs another
//! model is worth a measurement before it is used.
//!
//! ```no_run
//! use sentence_transformers::{LoadOptions, Places, SentenceTransformer, core::Mode};
//!
//! # fn main() -> Result<(), sentence_transformers::model::Error> {
//! let options = LoadOptions::new(Places::from_env(|name| std::env::var_os(name))).with_mode(Mode::Fast);
//! let model = SentenceTransformer::load("all-MiniLM-L6-v2".as_ref(), &options)?;
//! assert_eq!(model.mode(), Some(Mode::Fast));
//! # Ok(())
//! # }
//! ```
//!
//! # Two texts at once
//!
//! A cross-encoder scores pairs: slower than comparing vectors, and usually better. It sorts what a search found.
//!
//! ```no_run
//! use sentence_transformers::{CrossEncoder, LoadOptions, Places, Reranker, core::RankOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let options = LoadOptions::new(Places::from_env(|name| std::env::var_os(name)));
//! let model = CrossEncoder::load("ms-marco-MiniLM-L6-v2".as_ref(), &options)?;
//! let best = model.rank("Who won?", &["The Broncos won.", "It rained."], &RankOptions::default().with_top_k(1))?;
//! println!("document {} with {}", best[0].corpus_id, best[0].score);
//! # Ok(())
//! # }
//! ```
//!
//! # Smaller vectors
//!
//! Truncation, normalisation and the small number formats are options of the call, with the arithmetic of the
//! reference, bit for bit.
//!
//! ```
//! use sentence_transformers::{EncodeOptions, core::Precision};
//! let options = EncodeOptions::default().with_truncate_dim(128).with_normalize(true).with_precision(Precision::Ubinary);
//! assert_eq!(options.precision.name(), "ubinary");
//! ```
//!
//! # Only the kernels
//!
//! Whoever has token embeddings already takes [`pooling`], which needs nothing but `ndarray`.
//!
//! ```
//! use ndarray::array;
//! use sentence_transformers::{core::{PoolingMode, TokenView}, pooling};
//! let hidden = array![[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]];
//! let mask = array![[1, 1, 0]];
//! let tokens = TokenView::new(hidden.view(), mask.view())?;
//! assert_eq!(pooling::pool(tokens, &[PoolingMode::Mean], &[]), array![[2.0, 3.0]]);
//! # Ok::<(), sentence_transformers::core::ShapeError>(())
//! ```
//!
//! # A graph for another runtime
//!
//! [`export`] writes the ONNX graph of a checkpoint, pooling and normalisation included.

pub use st_core as core;
pub use st_export as export;
pub use st_model as model;
pub use st_pooling as pooling;

pub use st_core::{EncodeOptions, Encoded, Encoder, Reranker};
pub use st_model::{CrossEncoder, LoadOptions, ModelSpec, Places, SentenceTransformer};
