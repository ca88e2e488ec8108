//! Vectors as wide as a vocabulary, of which nearly all is zero.

use std::fmt;

use crate::setters::setters;
use crate::{BoxError, Overlong, Prompt, ShapeError, Similarity, Task};

/// Sparse vectors, row by row: for each the dimensions that are not zero, ascending, and their values.
///
/// ```
/// use st_core::SparseVectors;
///
/// let mut vectors = SparseVectors::new(5);
/// vectors.push([(3, 1.5), (0, 2.0)]);
/// vectors.push([]);
/// assert_eq!(vectors.row(0), (&[0, 3][..], &[2.0, 1.5][..]));
/// assert_eq!((vectors.len(), vectors.dim(), vectors.active_dims(1)), (2, 5, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVectors {
    dim: usize,
    /// Where each row ends in the two lists.
    ends: Vec<usize>,
    dimensions: Vec<u32>,
    values: Vec<f32>,
}

impl SparseVectors {
    /// No rows of that width.
    pub fn new(dim: usize) -> Self {
        Self { dim, ..Self::default() }
    }

    /// Joins the parts of a matrix in compressed rows: `ends[i]` is where row `i` ends in the two lists.
    ///
    /// # Errors
    ///
    /// [`ShapeError::Sparse`] if the parts do not fit, or the dimensions of a row do not ascend below `dim`.
    pub fn from_parts(
        dim: usize,
        ends: Vec<usize>,
        dimensions: Vec<u32>,
        values: Vec<f32>,
    ) -> Result<Self, ShapeError> {
        let vectors = Self { dim, ends, dimensions, values };
        let whole = vectors.ends.last().copied().unwrap_or(0) == vectors.dimensions.len()
            && vectors.dimensions.len() == vectors.values.len()
            && vectors.ends.is_sorted();
        let ascends = |row: usize| {
            let (dimensions, _) = vectors.row(row);
            dimensions.is_sorted_by(|left, right| left < right)
                && dimensions.last().is_none_or(|last| (*last as usize) < dim)
        };
        if whole && (0..vectors.len()).all(ascends) { Ok(vectors) } else { Err(ShapeError::Sparse { dim }) }
    }

    /// Adds a row; its entries may come in any order.
    ///
    /// # Panics
    ///
    /// If a dimension is beyond the width or comes twice.
    pub fn push(&mut self, entries: impl IntoIterator<Item = (u32, f32)>) {
        let start = self.dimensions.len();
        let mut entries: Vec<(u32, f32)> = entries.into_iter().collect();
        entries.sort_unstable_by_key(|(dimension, _)| *dimension);
        for (dimension, value) in entries {
            assert!((dimension as usize) < self.dim, "dimension {dimension} of {}", self.dim);
            let last = self.dimensions[start..].last();
            assert!(last != Some(&dimension), "dimension {dimension} twice in a row");
            self.dimensions.push(dimension);
            self.values.push(value);
        }
        self.ends.push(self.dimensions.len());
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Width of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The dimensions of a row that are not zero, ascending, and their values; empty beyond the last row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before).copied()).unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(start);
        let part = start..end.max(start);
        (self.dimensions.get(part.clone()).unwrap_or(&[]), self.values.get(part).unwrap_or(&[]))
    }

    /// All rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&[u32], &[f32])> {
        (0..self.len()).map(|row| self.row(row))
    }

    /// How many dimensions of a row are not zero.
    pub fn active_dims(&self, row: usize) -> usize {
        self.row(row).0.len()
    }

    /// Where rows end, all dimensions, all values: a matrix in compressed rows.
    pub fn parts(&self) -> (&[usize], &[u32], &[f32]) {
        (&self.ends, &self.dimensions, &self.values)
    }
}

/// Options of one call of [`SparseEncoder::encode`].
///
/// ```
/// use st_core::SparseOptions;
/// let options = SparseOptions::default().with_threads(2).with_max_tokens_per_batch(4096);
/// assert_eq!((options.threads, options.max_tokens_per_batch), (Some(2), Some(4096)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SparseOptions {
    /// Which prompt stands before each text.
    pub prompt: Prompt,
    /// What the texts are; decides the way through a model that has several.
    pub task: Option<Task>,
    /// Keep only so many of the largest values of each vector, instead of what the model says.
    pub max_active_dims: Option<usize>,
    /// Use at most this many of the encoder's workers; all of them by default.
    pub threads: Option<usize>,
    /// Padded tokens in one batch of the runtime; the encoder's measured default if not given.
    pub max_tokens_per_batch: Option<usize>,
}

impl SparseOptions {
    setters! {
        /// Sets the prompt.
        with_prompt(prompt: Prompt);
        /// Says what the texts are.
        with_task(task: Task);
        /// Keeps only so many values of each vector.
        with_max_active_dims(max_active_dims: usize);
        /// Uses at most `threads` workers.
        with_threads(threads: usize);
        /// Sets the token budget of a batch.
        with_max_tokens_per_batch(max_tokens_per_batch: usize);
    }
}

/// The answer of [`SparseEncoder::encode`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SparseEncoded {
    /// One row a text, in the order of the texts.
    pub vectors: SparseVectors,
    /// How many texts were longer than the model's limit and lost their end.
    pub truncated: usize,
    /// Tokens that the model read, special tokens included, padding not.
    pub tokens: usize,
    /// The texts that were longer than the model's limit, in order.
    pub overlong: Vec<Overlong>,
}

impl SparseEncoded {
    /// Joins the parts.
    pub fn new(vectors: SparseVectors, truncated: usize, tokens: usize) -> Self {
        Self { vectors, truncated, tokens, overlong: Vec::new() }
    }

    /// Adds which texts were too long.
    #[must_use]
    pub fn with_overlong(mut self, overlong: Vec<Overlong>) -> Self {
        self.overlong = overlong;
        self
    }
}

/// Turns texts into sparse vectors.
pub trait SparseEncoder: fmt::Debug + Send + Sync {
    /// Width of the vectors: the size of the vocabulary, or of the model's own code.
    fn dim(&self) -> usize;

    /// Longest text in tokens, special tokens included; the rest is cut off and counted.
    fn max_tokens(&self) -> Option<usize>;

    /// How vectors of this model are meant to be compared.
    fn similarity(&self) -> Similarity;

    /// Encodes `texts`.
    ///
    /// # Errors
    ///
    /// Options that the model cannot follow, and whatever the backend reports.
    fn encode(&self, texts: &[&str], options: &SparseOptions) -> Result<SparseEncoded, BoxError>;

    /// For each row its tokens and their weights, the largest first, at most `top_k`.
    ///
    /// A dimension that is no token is called by its number.
    fn decode(&self, vectors: &SparseVectors, top_k: Option<usize>) -> Vec<Vec<(String, f32)>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let make = |ends: &[usize], dimensions: &[u32], values: usize| {
            SparseVectors::from_parts(4, ends.to_vec(), dimensions.to_vec(), vec![1.0; values])
        };
        assert!(make(&[1, 3], &[3, 0, 2], 3).is_ok());
        for (ends, dimensions, values) in [
            (&[1, 3][..], &[3, 2, 0][..], 3), // descends
            (&[1, 3], &[3, 0, 4], 3),         // beyond the width
            (&[1, 2], &[3, 0, 2], 3),         // an entry of no row
            (&[2, 1, 3], &[1, 2, 3], 3),      // a row that ends before it starts
            (&[3], &[0, 1, 2], 2),            // a dimension without a value
        ] {
            let error = make(ends, dimensions, values).unwrap_err();
            assert_eq!(error.to_string(), "not a sparse matrix of 4 dimensions in compressed rows");
        }
    }
}
