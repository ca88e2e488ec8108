//! The array format of `NumPy`, version 1.0.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use ndarray::Array2;
use st_core::{Ranges, Vectors};
use st_model::Provenance;

use super::{Sink, Stream, with_rows};
use crate::error::Error;
use crate::input::Chunk;

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// Bytes before the numbers: enough for any shape, so that the header can be written last.
const HEADER: usize = 128;

/// An array whose number of rows is known only at the end.
pub(crate) struct NpySink {
    stream: Stream,
    rows: usize,
    dim: usize,
    descr: &'static str,
    buffer: Vec<u8>,
}

impl NpySink {
    pub(super) fn new(mut stream: Stream) -> Result<Self, Error> {
        stream.write_all(&[b' '; HEADER]).map_err(|source| stream.fail(source))?;
        stream.unseal();
        Ok(Self { stream, rows: 0, dim: 0, descr: "<f4", buffer: Vec::new() })
    }

    fn write_header(&mut self) -> std::io::Result<()> {
        self.stream.seal();
        self.stream.seek(SeekFrom::Start(0))?;
        self.stream.write_all(&header(self.descr, &[self.rows, self.dim]))
    }
}

impl Sink for NpySink {
    fn describe(&mut self, provenance: &Provenance) -> Result<(), Error> {
        self.stream.describe(provenance);
        Ok(())
    }

    fn write(&mut self, _chunk: &Chunk, vectors: &Vectors) -> Result<(), Error> {
        let (rows, dim) = vectors.dim();
        self.rows += rows;
        self.dim = dim;
        self.descr = descr(vectors);
        self.buffer.clear();
        with_rows!(vectors, rows => self.buffer.extend(rows.iter().flat_map(|value| value.to_le_bytes())));
        self.stream.write_all(&self.buffer).map_err(|source| self.stream.fail(source))
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.write_header().map_err(|source| self.stream.fail(source))?;
        self.stream.finish()
    }
}

fn descr(vectors: &Vectors) -> &'static str {
    match vectors {
        Vectors::Float32(_) => "<f4",
        Vectors::Int8(_) | Vectors::Binary(_) => "|i1",
        Vectors::Uint8(_) | Vectors::Ubinary(_) => "|u1",
    }
}

/// What stands before the numbers of an array, always [`HEADER`] bytes.
pub(crate) fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let shape = match shape {
        // A tuple of one has a comma.
        [length] => format!("{length},"),
        shape => shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    // The longest dictionary, with two numbers of 20 digits, has 104 characters.
    let length = HEADER - MAGIC.len() - 2;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(u16::try_from(length).unwrap_or_default().to_le_bytes());
    bytes.extend(format!("{dict:<width$}\n", width = length - 1).into_bytes());
    bytes
}

/// Reads calibration ranges `[2, dim]` of float32 or float64.
pub(crate) fn read_ranges(path: &Path) -> Result<Ranges, Error> {
    let file = path.display().to_string();
    let bytes = fs::read(path).map_err(|source| Error::Read { file: file.clone(), source })?;
    parse_ranges(&bytes).map_err(|problem| Error::Ranges { file, problem })
}

fn parse_ranges(bytes: &[u8]) -> Result<Ranges, String> {
    let (dict, data) = split(bytes).ok_or("not a NumPy array")?;
    let values: Vec<f32> = if dict.contains("'<f4'") {
        data.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect()
    } else if dict.contains("'<f8'") {
        #[expect(clippy::cast_possible_truncation, reason = "ranges are compared with float32 vectors")]
        data.as_chunks::<8>().0.iter().map(|value| f64::from_le_bytes(*value) as f32).collect()
    } else {
        return Err("ranges must be float32 or float64".to_owned());
    };
    if dict.contains("'fortran_order': True") {
        return Err("ranges must be in C order".to_owned());
    }
    let shape = shape(dict).ok_or("not a NumPy array")?;
    match shape.as_slice() {
        [2, dim] => Array2::from_shape_vec((2, *dim), values)
            .map(Ranges)
            .map_err(|_| "the file is shorter or longer than its shape says".to_owned()),
        _ => Err(format!("ranges must have the shape [2, dim], not {shape:?}")),
    }
}

/// The dictionary of the header, and the numbers.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (version, rest) = rest.split_at_checked(2)?;
    let (length, rest) = match version.first()? {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        _ => {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
        }
    };
    let (dict, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(dict).ok()?, data))
}

/// The lengths in the dictionary of a header.
pub(crate) fn shape(dict: &str) -> Option<Vec<usize>> {
    let (_, rest) = dict.split_once("'shape': (")?;
    let (shape, _) = rest.split_once(')')?;
    let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
    lengths.map(|length| length.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_one_length_for_any_shape() {
        for (rows, dim) in [(0, 0), (1, 384), (usize::MAX, usize::MAX)] {
            let header = header("<f4", &[rows, dim]);
            assert_eq!(header.len(), HEADER);
            assert_eq!(header.last(), Some(&b'\n'));
            let (dict, data) = split(&header).unwrap();
            assert_eq!((shape(dict).unwrap(), data.len()), (vec![rows, dim], 0));
        }
    }

    #[test]
    fn ranges_of_another_form_are_refused() {
        let array = |descr: &str, rows: usize, dim: usize, bytes: usize| {
            let mut file = header(descr, &[rows, dim]);
            file.extend(vec![0; bytes]);
            parse_ranges(&file).map(|Ranges(ranges)| ranges.dim())
        };
        assert_eq!(array("<f4", 2, 3, 24), Ok((2, 3)));
        assert_eq!(array("<f8", 2, 3, 48), Ok((2, 3)));
        assert_eq!(array("<f4", 3, 3, 36).unwrap_err(), "ranges must have the shape [2, dim], not [3, 3]");
        assert_eq!(array("|i1", 2, 3, 6).unwrap_err(), "ranges must be float32 or float64");
        assert_eq!(array("<f4", 2, 3, 20).unwrap_err(), "the file is shorter or longer than its shape says");
        assert_eq!(parse_ranges(b"\x93NUMPY\x01").unwrap_err(), "not a NumPy array");
    }
}
