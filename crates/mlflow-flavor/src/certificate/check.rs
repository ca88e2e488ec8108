//! Comparing an encoder with a certificate.

use st_core::{BoxError, Encoder, Mode};

use super::{Certificate, Reference, encode};
use crate::Error;

/// The least cosine to the exact vector that an encoder of reduced precision may show.
///
/// Eight-bit layers keep 0.99 and more for sentences; single letters and scripts that the model hardly knows fall
/// lower. What is below is another model, not another precision.
const COSINE_FLOOR: f32 = 0.9;

/// How vectors were compared with those of a [`Certificate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Element by element, within the tolerance of the certificate.
    Elements,
    /// By their direction only: the encoder does not compute in the numbers of the certificate.
    Direction,
}

/// What [`Certificate::check`] found; that all is well, else there would be an error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CertificateReport {
    /// How vectors were compared.
    pub comparison: Comparison,
    /// Texts that were compared.
    pub compared: usize,
    /// Texts that were not, because the encoder cuts them at another length than the one of the certificate.
    pub skipped: usize,
    /// Largest absolute difference of one element of one vector.
    pub largest_difference: f32,
    /// Smallest cosine between two vectors of one text.
    pub smallest_cosine: f32,
}

impl Certificate {
    /// Asks an encoder the texts and compares.
    ///
    /// With [`Mode::Exact`] each element has to agree within [`tolerance`](Self::tolerance); in any other mode, or
    /// if it is not known (a graph that somebody else made), only directions are compared, with a floor of 0.9 for
    /// the cosine. Texts that are longer in tokens than one of the two limits, where those differ, are skipped.
    ///
    /// # Errors
    ///
    /// [`Error::CertificateDifference`], [`Error::CertificateDirection`] and [`Error::CertificateWidth`] if the
    /// encoder answers otherwise; [`Error::Encode`] if it fails.
    pub fn check(&self, encoder: &dyn Encoder, mode: Option<Mode>) -> Result<CertificateReport, Error> {
        let comparison = match mode {
            Some(Mode::Exact) => Comparison::Elements,
            _ => Comparison::Direction,
        };
        let (expected, found) = (self.dimension(), encoder.dim());
        if expected != found {
            return Err(Error::CertificateWidth { expected, found });
        }
        let references = self.comparable(encoder)?;
        let texts: Vec<&str> = references.iter().map(|reference| reference.text.as_str()).collect();
        let vectors = encode(encoder, &texts)?;
        let mut report = CertificateReport {
            comparison,
            compared: references.len(),
            skipped: self.references.len() - references.len(),
            largest_difference: 0.0,
            smallest_cosine: 1.0,
        };
        let mut worst: Option<(f32, Error)> = None;
        for (reference, vector) in references.iter().zip(&vectors) {
            if vector.len() != expected {
                return Err(Error::CertificateWidth { expected, found: vector.len() });
            }
            let agreement = Agreement::new(&reference.vector, vector, self.tolerance);
            report.largest_difference = report.largest_difference.max(agreement.difference);
            report.smallest_cosine = report.smallest_cosine.min(agreement.cosine);
            let (off, error) = agreement.problem(comparison, &reference.text);
            if off > 0.0 && worst.as_ref().is_none_or(|(most, _)| off > *most) {
                worst = Some((off, error));
            }
        }
        worst.map_or(Ok(report), |(_, error)| Err(error))
    }

    /// The references that the encoder reads as whole as the one of the certificate did.
    fn comparable(&self, encoder: &dyn Encoder) -> Result<Vec<&Reference>, Error> {
        let limits = (self.max_tokens, encoder.max_tokens());
        if limits.0 == limits.1 {
            return Ok(self.references.iter().collect());
        }
        let limit = limits.0.unwrap_or(usize::MAX).min(limits.1.unwrap_or(usize::MAX));
        let texts: Vec<&str> = self.references.iter().map(|reference| reference.text.as_str()).collect();
        let counts = encoder.count_tokens(&texts).map_err(|source: BoxError| Error::Encode { source })?;
        let short = self.references.iter().zip(counts).filter(|(_, count)| *count <= limit);
        Ok(short.map(|(reference, _)| reference).collect())
    }
}

/// How near two vectors of one width are.
#[derive(Clone, Copy, Debug)]
struct Agreement {
    /// Largest absolute difference of one element; infinite where one is not a number.
    difference: f32,
    /// What is allowed where the allowance is exceeded by most.
    tolerance: f32,
    /// By how much; not above zero if all is well.
    excess: f32,
    cosine: f32,
}

impl Agreement {
    fn new(expected: &[f32], found: &[f32], tolerance: f32) -> Self {
        let mut agreement = Self { difference: 0.0, tolerance, excess: f32::NEG_INFINITY, cosine: 1.0 };
        for (expected, found) in expected.iter().zip(found) {
            let difference = (expected - found).abs();
            let difference = if difference.is_nan() { f32::INFINITY } else { difference };
            let allowed = tolerance + tolerance * expected.abs();
            if difference - allowed > agreement.excess {
                agreement.excess = difference - allowed;
                agreement.tolerance = allowed;
            }
            agreement.difference = agreement.difference.max(difference);
        }
        agreement.cosine = cosine(expected, found);
        agreement
    }

    /// By how much this is off, not above zero if it is not; and what to say then.
    fn problem(self, comparison: Comparison, text: &str) -> (f32, Error) {
        let text = text.to_owned();
        match comparison {
            Comparison::Elements => {
                let (difference, tolerance) = (self.difference, self.tolerance);
                (self.excess, Error::CertificateDifference { text, difference, tolerance })
            }
            Comparison::Direction => {
                let (cosine, floor) = (self.cosine, COSINE_FLOOR);
                (floor - cosine, Error::CertificateDirection { text, cosine, floor })
            }
        }
    }
}

/// The cosine; 1 for equal vectors without a direction, and -1 where there is none.
fn cosine(left: &[f32], right: &[f32]) -> f32 {
    let product = |left: &[f32], right: &[f32]| -> f64 {
        left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum()
    };
    let lengths = (product(left, left) * product(right, right)).sqrt();
    let cosine = product(left, right) / lengths;
    if cosine.is_finite() {
        #[expect(clippy::cast_possible_truncation, reason = "six digits are plenty for a cosine")]
        return cosine as f32;
    }
    if left == right { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_as_far_off_as_can_be() {
        let agreement = Agreement::new(&[1.0, 0.0], &[f32::NAN, 0.0], 1e-5);
        assert!(agreement.excess.is_infinite() && agreement.difference.is_infinite());
        assert!((agreement.cosine + 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_allowance_grows_with_the_element() {
        assert!(Agreement::new(&[100.0], &[100.0009], 1e-5).excess <= 0.0);
        assert!(Agreement::new(&[100.0], &[100.0012], 1e-5).excess > 0.0);
        assert!(Agreement::new(&[0.0], &[0.000_011], 1e-5).excess > 0.0);
    }

    #[test]
    fn a_vector_without_direction_is_like_its_equal_only() {
        assert!((cosine(&[0.0, 0.0], &[0.0, 0.0]) - 1.0).abs() < 1e-6);
        assert!((cosine(&[0.0, 0.0], &[1.0, 0.0]) + 1.0).abs() < 1e-6);
        assert!((cosine(&[2.0, 0.0], &[3.0, 3.0]) - 0.707_106_77).abs() < 1e-6);
    }
}
