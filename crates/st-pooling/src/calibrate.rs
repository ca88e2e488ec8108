//! Where the 256 values of the eight-bit precisions lie.

use ndarray::{Array1, ArrayView2, Axis, Zip, stack};
use st_core::{Ranges, ShapeError};

use crate::QuantizeError;

/// The reference warns when ranges come from fewer vectors than this.
pub const STEADY_ROWS: usize = 100;

/// Gathers the smallest and largest value of each dimension, chunk by chunk.
///
/// ```
/// use ndarray::array;
/// use st_pooling::Calibration;
///
/// let mut calibration = Calibration::new(2);
/// calibration.extend(array![[1.0, 5.0], [3.0, -5.0]].view())?;
/// calibration.extend(array![[2.0, 9.0]].view())?;
/// assert_eq!(calibration.ranges().map(|ranges| ranges.0), Some(array![[1.0, -5.0], [3.0, 9.0]]));
/// # Ok::<(), st_core::ShapeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Calibration {
    minima: Array1<f32>,
    maxima: Array1<f32>,
    rows: usize,
}

impl Calibration {
    /// Starts with no vectors of width `dim`.
    pub fn new(dim: usize) -> Self {
        let minima = Array1::from_elem(dim, f32::INFINITY);
        Self { maxima: -&minima, minima, rows: 0 }
    }

    /// Widens the ranges to hold `rows` as well; a NaN makes its dimension NaN for good, as NumPy does.
    ///
    /// # Errors
    ///
    /// [`ShapeError::Ranges`] if `rows` have another width.
    pub fn extend(&mut self, rows: ArrayView2<'_, f32>) -> Result<(), ShapeError> {
        same_width(self.minima.len(), rows.ncols())?;
        for row in rows.outer_iter() {
            Zip::from(&mut self.minima).and(&mut self.maxima).and(&row).for_each(
                |minimum, maximum, &value| {
                    *minimum = if value < *minimum || value.is_nan() { value } else { *minimum };
                    *maximum = if value > *maximum || value.is_nan() { value } else { *maximum };
                },
            );
        }
        self.rows += rows.nrows();
        Ok(())
    }

    /// How many vectors were seen; fewer than [`STEADY_ROWS`] make unsteady ranges.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The ranges of all vectors so far, if there were any.
    pub fn ranges(&self) -> Option<Ranges> {
        let ranges = stack(Axis(0), &[self.minima.view(), self.maxima.view()]).ok()?;
        (self.rows > 0).then_some(Ranges(ranges))
    }
}

/// [`Ranges`] made ready for quantising: the start and the width of the buckets of each dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    pub(crate) starts: Array1<f32>,
    pub(crate) steps: Array1<f32>,
}

impl Buckets {
    /// Cuts each range into 255 steps; a dimension without extent gets steps of one.
    ///
    /// # Errors
    ///
    /// [`QuantizeError::Rows`] if `ranges` are not `[2, dim]`, [`QuantizeError::NotFinite`] if they are no numbers.
    pub fn new(ranges: &Ranges) -> Result<Self, QuantizeError> {
        let Ranges(ranges) = ranges;
        if ranges.nrows() != 2 {
            return Err(QuantizeError::Rows { rows: ranges.nrows() });
        }
        if let Some(dimension) =
            ranges.axis_iter(Axis(1)).position(|range| range.iter().any(|end| !end.is_finite()))
        {
            return Err(QuantizeError::NotFinite { dimension });
        }
        let (starts, ends) = (ranges.row(0), ranges.row(1));
        let steps = Zip::from(&starts).and(&ends).map_collect(|&start, &end| {
            let step = (end - start) / 255.0;
            if step == 0.0 { 1.0 } else { step }
        });
        Ok(Self { starts: starts.to_owned(), steps })
    }

    /// The buckets of `ranges`, for vectors of width `dim`.
    pub(crate) fn for_width(ranges: &Ranges, dim: usize) -> Result<Self, QuantizeError> {
        same_width(ranges.0.ncols(), dim)?;
        Self::new(ranges)
    }

    /// Width of the vectors that these buckets are for.
    pub fn dim(&self) -> usize {
        self.starts.len()
    }
}

fn same_width(ranges: usize, dim: usize) -> Result<(), ShapeError> {
    if ranges == dim { Ok(()) } else { Err(ShapeError::Ranges { ranges, dim }) }
}

/// The ranges of `rows` alone, if there are any.
pub(crate) fn own_ranges(rows: ArrayView2<'_, f32>) -> Result<Option<Ranges>, ShapeError> {
    let mut calibration = Calibration::new(rows.ncols());
    calibration.extend(rows)?;
    Ok(calibration.ranges())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn nothing_seen_gives_no_ranges() {
        let mut calibration = Calibration::new(3);
        calibration.extend(Array2::zeros((0, 3)).view()).unwrap();
        assert_eq!(calibration.ranges(), None);
    }

    #[test]
    fn chunks_of_another_width_are_refused() {
        let error = Calibration::new(3).extend(Array2::zeros((1, 4)).view()).unwrap_err();
        assert_eq!(error.to_string(), "calibration ranges have 3 columns but the vectors have 4 dimensions");
    }

    #[test]
    fn a_nan_stays() {
        let mut calibration = Calibration::new(1);
        calibration.extend(array![[1.0], [f32::NAN], [2.0]].view()).unwrap();
        assert!(calibration.ranges().unwrap().0.iter().all(|value| value.is_nan()));
    }

    #[test]
    fn ranges_of_one_row_are_refused() {
        let error = Buckets::new(&Ranges(array![[1.0, 2.0]])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "calibration ranges have 1 rows but need one of minima and one of maxima"
        );
    }
}
