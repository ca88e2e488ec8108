//! What happens to the rows after the model: truncation, normalisation, number format.

use ndarray::Array2;
use st_core::{EncodeOptions, Vectors};

use crate::{Error, ModelSpec};

/// How many dimensions are handed out: the caller's wish, else the model's, else all.
pub(crate) fn truncate_dim(spec: &ModelSpec, options: &EncodeOptions) -> Result<usize, Error> {
    match options.truncate_dim.or(spec.sentence.truncate_dim) {
        Some(0) => Err(Error::option("truncate_dim", 0, "at least one dimension is needed")),
        Some(dim) => Ok(dim.min(spec.dim())),
        None => Ok(spec.dim()),
    }
}

/// Truncates, then normalises, then quantises: the order of the reference.
pub(crate) fn vectors(rows: Array2<f32>, dim: usize, options: &EncodeOptions) -> Result<Vectors, Error> {
    let mut rows = if dim < rows.ncols() { st_pooling::truncate(rows.view(), dim).to_owned() } else { rows };
    if options.normalize {
        st_pooling::normalize_in_place(rows.view_mut());
    }
    st_pooling::quantize(rows.view(), options.precision, options.ranges.as_ref())
        .map_err(|source| Error::Quantize { source })
}
