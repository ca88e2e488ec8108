//! Scores of texts that have a vector for each token.

use ndarray::{Array2, ArrayView2, Axis};
use st_core::{LateInteraction, ShapeError};

/// The reference's stand-in for a document without any token.
const NO_TOKEN: f64 = -1e9;

/// Scores of every question against every document, `[queries, documents]`; each is `[its tokens, dim]`.
///
/// # Errors
///
/// [`ShapeError::Width`] if two of them have vectors of different widths.
pub fn late_interaction(
    queries: &[Array2<f32>],
    documents: &[Array2<f32>],
    interaction: LateInteraction,
) -> Result<Array2<f32>, ShapeError> {
    let width = queries.first().or_else(|| documents.first()).map_or(0, Array2::ncols);
    if let Some(other) = queries.iter().chain(documents).find(|text| text.ncols() != width) {
        return Err(ShapeError::Width { left: width, right: other.ncols() });
    }
    let score = |(query, document): (usize, usize)| {
        max_sim(queries[query].view(), documents[document].view(), interaction)
    };
    Ok(Array2::from_shape_fn((queries.len(), documents.len()), score))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "summed in double precision"
)]
fn max_sim(query: ArrayView2<'_, f32>, document: ArrayView2<'_, f32>, interaction: LateInteraction) -> f32 {
    let products = query.dot(&document.t());
    let largest = products.axis_iter(Axis(0)).map(|row| {
        row.iter().fold(None, |best: Option<f64>, value| {
            Some(best.map_or(f64::from(*value), |best| best.max(f64::from(*value))))
        })
    });
    let sum: f64 = largest.map(|best| best.unwrap_or(NO_TOKEN)).sum();
    (match interaction {
        LateInteraction::MaxSim => sum,
        LateInteraction::MeanMaxSim => sum / query.nrows().max(1) as f64,
    }) as f32
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_largest_of_each_question_token_is_summed() {
        let query = array![[1.0, 0.0], [0.0, 2.0]];
        let document = array![[0.5, 0.5], [0.0, 1.0], [-1.0, 0.0]];
        let empty = Array2::zeros((0, 2));
        let score = |document: &Array2<f32>, interaction| {
            let [query, document] = [&query, document].map(std::slice::from_ref);
            late_interaction(query, document, interaction).unwrap()
        };
        assert_eq!(score(&document, LateInteraction::MaxSim), array![[2.5]]);
        assert_eq!(score(&document, LateInteraction::MeanMaxSim), array![[1.25]]);
        assert_eq!(score(&empty, LateInteraction::MeanMaxSim), array![[-1e9]]);
    }

    #[test]
    fn widths_must_agree() {
        let error =
            late_interaction(&[Array2::zeros((1, 2))], &[Array2::zeros((1, 3))], LateInteraction::MaxSim);
        assert_eq!(error, Err(ShapeError::Width { left: 2, right: 3 }));
    }
}
