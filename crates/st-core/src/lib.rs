//! The vocabulary of sentence embeddings: shapes, checked views, options and the traits [`Encoder`] and
//! [`Reranker`].
//!
//! Every other crate of the family meets here and nowhere else. [`TokenView`] is what a kernel of
//! `st-pooling` reads, [`PoolingMode`] is what `st-export` writes into a graph, [`EncodeOptions`] is what
//! `st-cli` and `mlflow-flavor` ask for, and [`Encoder`] and [`Reranker`] are the only things that evaluation,
//! search and the MLflow flavor know of a model.
//!
//! ```
//! use ndarray::array;
//! use st_core::{EncodeOptions, PoolingMode, Precision, TokenView};
//!
//! let hidden = array![[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]];
//! let mask = array![[1, 1, 0]]; // the last token is padding
//! let view = TokenView::new(hidden.view(), mask.view())?;
//! assert_eq!(view.shape().tokens, 3);
//!
//! assert_eq!("weightedmean".parse::<PoolingMode>()?, PoolingMode::WeightedMean);
//! let options = EncodeOptions::default().with_truncate_dim(128).with_precision(Precision::Uint8);
//! assert!(!options.normalize);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It does no work: no file is read, no thread is started, nothing is computed. It depends on `ndarray` and
//! `thiserror` only.

mod encoder;
mod error;
mod multi_vector;
mod names;
mod options;
mod reranker;
mod setters;
mod sparse;
mod tokens;
mod vectors;

pub use encoder::{Encoded, Encoder, Overlong, TokenEmbeddings};
pub use error::{BoxError, NameError, ShapeError};
pub use multi_vector::{LateInteraction, MultiVectorEncoder};
pub use names::{Activation, Mode, PoolingMode, Precision, Similarity};
pub use options::{EncodeOptions, LongText, Prompt, Ranges, Task};
pub use reranker::{PredictOptions, RankOptions, Ranked, Reranker, Scores};
pub use sparse::{SparseEncoded, SparseEncoder, SparseOptions, SparseVectors};
pub use tokens::{Shape3, TokenView};
pub use vectors::Vectors;
