//! The arithmetic between a model's token embeddings and the vectors that a caller stores or compares.
//!
//! Everything here is a free function over views. [`pool()`] reads a [`TokenView`](st_core::TokenView), whose
//! mask was checked when it was made, and gives one row a text; [`truncate`] and [`normalize()`] finish the
//! rows in that order; [`quantize()`] shrinks them to bytes or bits, with ranges that a [`Calibration`] gathers
//! from as many chunks as there are; [`restore()`] reads those as numbers again; [`similarity()`] and [`similarity_pairwise`] compare them. Each number is
//! the one that Python's sentence-transformers gives: to the bit for quantisation, to rounding elsewhere.
//!
//! ```
//! use ndarray::array;
//! use st_core::{PoolingMode, Precision, Similarity, TokenView, Vectors};
//! use st_pooling::{normalize, pool, quantize, similarity};
//!
//! let hidden = array![[[1.0, 5.0], [5.0, 3.0], [9.0, 9.0]], [[0.0, -2.0], [9.0, 9.0], [9.0, 9.0]]];
//! let mask = array![[1, 1, 0], [1, 0, 0]]; // what is masked is padding and never read
//! let tokens = TokenView::new(hidden.view(), mask.view())?;
//!
//! let rows = pool(tokens, &[PoolingMode::Mean], &[]);
//! assert_eq!(rows, array![[3.0, 4.0], [0.0, -2.0]]);
//! let rows = normalize(rows.view());
//! assert_eq!(rows, array![[0.6, 0.8], [0.0, -1.0]]);
//!
//! let scores = similarity(rows.view(), rows.view(), Similarity::Dot)?;
//! assert!((scores[[0, 1]] + 0.8).abs() < 1e-6);
//! let bits = quantize(rows.view(), Precision::Ubinary, None)?;
//! assert_eq!(bits, Vectors::Ubinary(array![[0b1100_0000], [0]]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every kernel has a form ending in `_into` that writes to the caller's buffer and allocates nothing (the
//! matrix product behind the dot and cosine scores keeps a scratch of constant size); the short form is
//! two lines on top of it. The row of a text never depends on the texts beside it nor on its padding, bit
//! for bit. No thread is started. A buffer of the wrong shape is a mistake in the program and panics, as it
//! does in `ndarray`; whatever depends on data is an error.

/// The vocabulary that the kernels speak, so that they can be used without naming another crate.
pub use st_core as core;

mod activate;
mod calibrate;
mod error;
mod late_interaction;
mod normalize;
mod pool;
mod quantize;
mod restore;
mod similarity;
mod sparse;

pub use activate::activate_in_place;
pub use calibrate::{Buckets, Calibration, STEADY_ROWS};
pub use error::QuantizeError;
pub use late_interaction::late_interaction;
pub use normalize::{normalize, normalize_in_place, normalize_into, truncate};
pub use pool::{pool, pool_into};
pub use quantize::{binary_into, int8_into, quantize, ubinary_into, uint8_into};
pub use restore::restore;
pub use similarity::{similarity, similarity_into, similarity_pairwise, similarity_pairwise_into};
pub use sparse::{sparse_entries, sparse_similarity};
