//! The one view that pooling kernels read, checked once.

use ndarray::{ArrayView2, ArrayView3};

use crate::ShapeError;

/// The three sizes of a batch of token embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape3 {
    /// Texts in the batch.
    pub batch: usize,
    /// Tokens of the longest text; shorter ones are padded.
    pub tokens: usize,
    /// Width of a token embedding.
    pub dim: usize,
}

/// Token embeddings `[batch, tokens, dim]` with the mask `[batch, tokens]` that fits them.
///
/// A mask value other than zero marks a token that counts; padding may stand on either side.
#[derive(Clone, Copy, Debug)]
pub struct TokenView<'a> {
    hidden: ArrayView3<'a, f32>,
    mask: ArrayView2<'a, i64>,
}

impl<'a> TokenView<'a> {
    /// Joins embeddings and mask.
    ///
    /// # Errors
    ///
    /// [`ShapeError::Mask`] if the first two axes differ.
    pub fn new(hidden: ArrayView3<'a, f32>, mask: ArrayView2<'a, i64>) -> Result<Self, ShapeError> {
        let (texts, tokens, dim) = hidden.dim();
        let (mask_texts, mask_tokens) = mask.dim();
        if (texts, tokens) == (mask_texts, mask_tokens) {
            Ok(Self { hidden, mask })
        } else {
            Err(ShapeError::Mask { mask_texts, mask_tokens, texts, tokens, dim })
        }
    }

    /// The three sizes.
    pub fn shape(&self) -> Shape3 {
        let (batch, tokens, dim) = self.hidden.dim();
        Shape3 { batch, tokens, dim }
    }

    /// The embeddings, `[batch, tokens, dim]`.
    pub fn hidden(&self) -> ArrayView3<'a, f32> {
        self.hidden
    }

    /// The mask, `[batch, tokens]`.
    pub fn mask(&self) -> ArrayView2<'a, i64> {
        self.mask
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3};

    use super::*;

    #[test]
    fn a_mask_of_another_shape_is_refused() {
        let hidden = Array3::zeros((4, 32, 384));
        let mask = Array2::zeros((3, 32));
        let error = TokenView::new(hidden.view(), mask.view()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "attention mask is [3 texts, 32 tokens] but the embeddings are [4 texts, 32 tokens, 384 dims]"
        );
    }
}
