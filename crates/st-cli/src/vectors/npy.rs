//! Arrays of `NumPy`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ndarray::Array2;
use st_core::{Precision, Vectors};

use super::{CHUNK_ROWS, Opened, Part, Reader, floats, not_as_said, read_side, signed, unsigned};
use crate::error::Error;
use crate::input::Chunk;
use crate::output::npy::shape;
use crate::output::side::{Content, ContentDigest, beside};

/// Longer headers are no arrays of vectors.
const MAX_HEADER: usize = 1 << 16;

/// Bytes that are reserved before they were seen.
const MAX_RESERVED: usize = 1 << 24;

/// What a number of the array is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    F4,
    F8,
    I1,
    U1,
}

impl Kind {
    fn of(dict: &str) -> Option<Self> {
        let kinds = [("'<f4'", Self::F4), ("'<f8'", Self::F8), ("'|i1'", Self::I1), ("'|u1'", Self::U1)];
        kinds.into_iter().find(|(name, _)| dict.contains(name)).map(|(_, kind)| kind)
    }

    fn bytes(self) -> usize {
        match self {
            Self::F4 => 4,
            Self::F8 => 8,
            Self::I1 | Self::U1 => 1,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::F4 => "float32",
            Self::F8 => "float64",
            Self::I1 => "int8",
            Self::U1 => "uint8",
        }
    }
}

/// Reads the header, and what stands beside the file.
pub(super) fn open(path: &Path, name: &str) -> Result<Opened, Error> {
    let side = read_side(path)?;
    let fail = |source| Error::Read { file: name.to_owned(), source };
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(fail)?);
    let wrong = |problem: &str| Error::VectorFile { file: name.to_owned(), problem: problem.to_owned() };
    let dict = header(&mut file).map_err(fail)?.ok_or_else(|| wrong("it is not an array of NumPy"))?;
    let kind =
        Kind::of(&dict).ok_or_else(|| wrong("its numbers are neither float32 nor float64, int8 or uint8"))?;
    if dict.contains("'fortran_order': True") {
        return Err(wrong("it is in Fortran order"));
    }
    let Some(&[rows, stored]) = shape(&dict).as_deref().and_then(|shape| shape.first_chunk::<2>()) else {
        return Err(wrong("its shape is not [vectors, dim]"));
    };
    let (provenance, content) = side.map(|side| (side.provenance, side.content)).unzip();
    let precision = provenance.as_ref().map(|provenance| provenance.precision);
    let beside = beside(path).display().to_string();
    let expected = content.map(|content| (content, beside));
    let reader = Array {
        file,
        name: name.to_owned(),
        kind,
        precision,
        left: rows,
        stored,
        content: Content::default(),
        expected,
    };
    Ok(Opened { provenance, rows, stored, reader: Box::new(reader) })
}

/// The dictionary; none if this is no array.
fn header(file: &mut impl Read) -> std::io::Result<Option<String>> {
    let mut start = [0; 8];
    file.read_exact(&mut start)?;
    let [magic @ .., major, _minor] = start;
    if &magic != b"\x93NUMPY" {
        return Ok(None);
    }
    let length = if major == 1 {
        let mut length = [0; 2];
        file.read_exact(&mut length)?;
        usize::from(u16::from_le_bytes(length))
    } else {
        let mut length = [0; 4];
        file.read_exact(&mut length)?;
        usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX)
    };
    if length > MAX_HEADER {
        return Ok(None);
    }
    let mut dict = vec![0; length];
    file.read_exact(&mut dict)?;
    Ok(String::from_utf8(dict).ok())
}

struct Array {
    file: BufReader<File>,
    name: String,
    kind: Kind,
    precision: Option<Precision>,
    left: usize,
    stored: usize,
    content: Content,
    /// What the content should be, and who says so.
    expected: Option<(ContentDigest, String)>,
}

impl Array {
    fn vectors(&self, bytes: &[u8], rows: usize) -> Option<Vectors> {
        let shape = (rows, self.stored);
        match self.kind {
            Kind::F4 => {
                let values =
                    bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
                floats(Array2::from_shape_vec(shape, values).ok()?, self.precision)
            }
            Kind::F8 => {
                #[expect(clippy::cast_possible_truncation, reason = "vectors are float32 everywhere here")]
                let values =
                    bytes.as_chunks::<8>().0.iter().map(|value| f64::from_le_bytes(*value) as f32).collect();
                floats(Array2::from_shape_vec(shape, values).ok()?, self.precision)
            }
            Kind::I1 => {
                let values = bytes.iter().map(|byte| byte.cast_signed()).collect();
                signed(Array2::from_shape_vec(shape, values).ok()?, self.precision)
            }
            Kind::U1 => unsigned(Array2::from_shape_vec(shape, bytes.to_vec()).ok()?, self.precision),
        }
    }

    /// What stands beside the file has to be of this file.
    fn end(&mut self) -> Result<(), Error> {
        let mut more = [0];
        let fail = |source| Error::Read { file: self.name.clone(), source };
        let longer = self.file.read(&mut more).map_err(fail)? > 0;
        let wrong = |problem: String| Error::VectorFile { file: self.name.clone(), problem };
        if longer {
            return Err(wrong("it is longer than its shape says".to_owned()));
        }
        match self.expected.take() {
            Some((expected, beside)) if expected != self.content.digest() => {
                Err(wrong(format!("{beside} was written beside other vectors")))
            }
            _ => Ok(()),
        }
    }
}

impl Reader for Array {
    fn next_part(&mut self) -> Result<Option<Part>, Error> {
        let rows = self.left.min(CHUNK_ROWS);
        if rows == 0 {
            return self.end().map(|()| None);
        }
        let wanted = rows.saturating_mul(self.stored).saturating_mul(self.kind.bytes());
        // What the shape claims is no reason to reserve it.
        let mut bytes = Vec::with_capacity(wanted.min(MAX_RESERVED));
        let mut rest = (&mut self.file).take(u64::try_from(wanted).unwrap_or(u64::MAX));
        let read = rest.read_to_end(&mut bytes);
        if read.map_err(|source| Error::Read { file: self.name.clone(), source })? < wanted {
            let problem = "it is shorter than its shape says".to_owned();
            return Err(Error::VectorFile { file: self.name.clone(), problem });
        }
        self.content.pass(&bytes);
        self.left -= rows;
        let vectors = self.vectors(&bytes, rows);
        let vectors = vectors.ok_or_else(|| not_as_said(&self.name, self.kind.name(), self.precision))?;
        Ok(Some(Part { vectors, labels: Chunk::default() }))
    }
}
