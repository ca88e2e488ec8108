//! Vectors that were written before, a chunk at a time, and where they come from.

mod npy;
mod parquet;

use std::fs;
use std::path::Path;

use ndarray::Array2;
use st_core::{Precision, Ranges, Vectors};
use st_model::{Provenance, SpaceDifference};
use st_pooling::restore;

use crate::error::Error;
use crate::input::{Chunk, extension};
use crate::output::side::{SideFile, beside};
use crate::report;

/// Vectors that are in memory at a time.
const CHUNK_ROWS: usize = 4096;

/// Wider vectors are a mistake, or meant to fill the memory.
const MAX_DIM: usize = 1 << 20;

/// An open file with vectors.
pub(crate) struct Saved {
    /// What messages call it.
    pub(crate) name: String,
    /// What it says of itself.
    pub(crate) provenance: Option<Provenance>,
    /// Vectors in it.
    pub(crate) rows: usize,
    /// Dimensions of each.
    pub(crate) dim: usize,
    ranges: Option<Ranges>,
    reader: Box<dyn Reader>,
}

/// Some of the vectors as they are stored, with their texts and ids where the file has them.
struct Part {
    vectors: Vectors,
    labels: Chunk,
}

/// A format of files.
trait Reader {
    /// The next vectors; none at the end.
    fn next_part(&mut self) -> Result<Option<Part>, Error>;
}

/// What a format finds out when a file is opened.
struct Opened {
    provenance: Option<Provenance>,
    rows: usize,
    /// Numbers of a vector as they are stored.
    stored: usize,
    reader: Box<dyn Reader>,
}

impl Saved {
    /// Opens an array or a Parquet file; vectors of unknown origin only if they are `trusted`.
    pub(crate) fn open(path: &Path, trusted: bool) -> Result<Self, Error> {
        let name = path.display().to_string();
        let opened = match extension(path).as_str() {
            "npy" => npy::open(path, &name)?,
            "parquet" => parquet::open(path, &name)?,
            _ => return Err(Error::UnknownFormat { file: name, known: ".npy and .parquet" }),
        };
        let Opened { provenance, rows, stored, reader } = opened;
        if provenance.is_none() && !trusted {
            return Err(Error::NoProvenance { file: name });
        }
        let wrong = |problem: String| Error::VectorFile { file: name.clone(), problem };
        if stored == 0 || stored > MAX_DIM {
            return Err(wrong(format!("vectors of {stored} numbers are none of a model")));
        }
        let dim = provenance.as_ref().map_or(stored, |provenance| provenance.dimension);
        let packed = provenance.as_ref().is_some_and(|provenance| is_packed(provenance.precision));
        let expected = if packed { dim.div_ceil(8) } else { dim };
        if stored != expected {
            return Err(wrong(format!(
                "it holds {stored} numbers a vector, and says that it holds {expected}"
            )));
        }
        let ranges = provenance.as_ref().and_then(|provenance| provenance.calibration.as_ref());
        let ranges = ranges.map(|calibrated| {
            let rows = [calibrated.minima.as_slice(), calibrated.maxima.as_slice()].concat();
            Array2::from_shape_vec((2, dim), rows).map(Ranges)
        });
        let ranges = ranges.transpose().map_err(|_| wrong("its calibration has another width".to_owned()))?;
        Ok(Self { name, provenance, rows, dim, ranges, reader })
    }

    /// The next vectors as numbers, with their texts and ids where the file has them; none at the end.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<(Array2<f32>, Chunk)>, Error> {
        let Some(Part { vectors, labels }) = self.reader.next_part()? else { return Ok(None) };
        let rows = restore(&vectors, self.ranges.as_ref(), self.dim)
            .map_err(|error| Error::VectorFile { file: self.name.clone(), problem: error.to_string() })?;
        Ok(Some((rows, labels)))
    }

    /// Refuses vectors of another space than those of `other`; if they are trusted, it is only said.
    pub(crate) fn check(
        &self,
        difference: Option<SpaceDifference>,
        other: &str,
        trusted: bool,
    ) -> Result<(), Error> {
        let Some(difference) = difference else { return Ok(()) };
        let error = Error::OtherSpace { one: self.name.clone(), other: other.to_owned(), difference };
        if trusted {
            report::note("warning", &error.to_string());
            return Ok(());
        }
        Err(error)
    }
}

fn is_packed(precision: Precision) -> bool {
    matches!(precision, Precision::Binary | Precision::Ubinary)
}

/// Floats can only be float vectors.
fn floats(rows: Array2<f32>, precision: Option<Precision>) -> Option<Vectors> {
    matches!(precision, None | Some(Precision::Float32)).then_some(Vectors::Float32(rows))
}

/// Signed bytes without a word on them may be codes or bits.
fn signed(rows: Array2<i8>, precision: Option<Precision>) -> Option<Vectors> {
    match precision {
        Some(Precision::Int8) => Some(Vectors::Int8(rows)),
        Some(Precision::Binary) => Some(Vectors::Binary(rows)),
        _ => None,
    }
}

/// As [`signed`].
fn unsigned(rows: Array2<u8>, precision: Option<Precision>) -> Option<Vectors> {
    match precision {
        Some(Precision::Uint8) => Some(Vectors::Uint8(rows)),
        Some(Precision::Ubinary) => Some(Vectors::Ubinary(rows)),
        _ => None,
    }
}

/// A failure to make sense of the numbers.
fn not_as_said(file: &str, stored: &str, precision: Option<Precision>) -> Error {
    let problem = match precision {
        Some(precision) => format!("it holds {stored} numbers, and says that its precision is {precision}"),
        None => format!("it holds {stored} numbers, and nothing says whether they are codes or bits"),
    };
    Error::VectorFile { file: file.to_owned(), problem }
}

/// What the file beside `path` says, if there is one.
fn read_side(path: &Path) -> Result<Option<SideFile>, Error> {
    let path = beside(path);
    let file = path.display().to_string();
    match fs::read_to_string(&path) {
        Ok(text) => {
            let parse = || -> Result<SideFile, st_core::BoxError> {
                let mut side: serde_json::Value = serde_json::from_str(&text)?;
                // Read by the one who knows its versions.
                let provenance = Provenance::from_json(&side["provenance"].to_string())?;
                let content = serde_json::from_value(side["content"].take())?;
                Ok(SideFile { provenance, content })
            };
            parse().map(Some).map_err(|source| Error::Provenance { file, source })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { file, source }),
    }
}

#[cfg(test)]
mod tests;
