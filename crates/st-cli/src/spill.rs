//! Eight-bit vectors of an input that is read once: float vectors wait on disk until all are known.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use ndarray::Array2;
use st_core::{Precision, Ranges};
use st_pooling::{Calibration, quantize};

use crate::error::Error;
use crate::input::Chunk;
use crate::output::{Labels, Sink};

/// What messages call the file that has no name.
const NAME: &str = "a temporary file";

/// Vectors that wait, in files without a name that vanish with the process.
pub(crate) struct Spill {
    rows: BufWriter<File>,
    /// Texts and ids of each chunk as a line of JSON, where they go into the output.
    labels: BufWriter<File>,
    wanted: Labels,
    calibration: Option<Calibration>,
    /// Rows and width of each chunk.
    chunks: Vec<(usize, usize)>,
}

impl Spill {
    /// Begins two files in the system's folder for temporary ones.
    pub(crate) fn new(wanted: Labels) -> Result<Self, Error> {
        let file = || tempfile::tempfile().map(BufWriter::new).map_err(fail);
        Ok(Self { rows: file()?, labels: file()?, wanted, calibration: None, chunks: Vec::new() })
    }

    /// Appends the vectors of a chunk and widens the ranges by them.
    pub(crate) fn write(&mut self, chunk: &Chunk, rows: &Array2<f32>) -> anyhow::Result<()> {
        self.calibration.get_or_insert_with(|| Calibration::new(rows.ncols())).extend(rows.view())?;
        self.chunks.push(rows.dim());
        self.append(chunk, rows).map_err(fail)?;
        Ok(())
    }

    fn append(&mut self, chunk: &Chunk, rows: &Array2<f32>) -> io::Result<()> {
        let bytes: Vec<u8> = rows.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.rows.write_all(&bytes)?;
        let texts = if self.wanted.text { chunk.texts.as_slice() } else { &[] };
        let ids = if self.wanted.id { chunk.ids.as_slice() } else { &[] };
        serde_json::to_writer(&mut self.labels, &(texts, ids))?;
        self.labels.write_all(b"\n")
    }

    /// How many vectors wait.
    pub(crate) fn rows(&self) -> usize {
        self.calibration.as_ref().map_or(0, Calibration::rows)
    }

    /// The ranges of all vectors so far.
    pub(crate) fn ranges(&self) -> Option<Ranges> {
        self.calibration.as_ref().and_then(Calibration::ranges)
    }

    /// Quantises all vectors within the ranges of all of them.
    pub(crate) fn quantize_into(self, precision: Precision, sink: &mut dyn Sink) -> anyhow::Result<()> {
        let ranges = self.ranges();
        let mut rows = rewind(self.rows).map_err(fail)?;
        let mut labels = rewind(self.labels).map_err(fail)?;
        for (texts, dim) in self.chunks {
            let vectors = read_rows(&mut rows, texts, dim).map_err(fail)?;
            let chunk = read_labels(&mut labels).map_err(fail)?;
            sink.write(&chunk, &quantize(vectors.view(), precision, ranges.as_ref())?)?;
        }
        Ok(())
    }
}

fn fail(source: io::Error) -> Error {
    Error::Write { file: NAME.to_owned(), source }
}

fn rewind(writer: BufWriter<File>) -> io::Result<BufReader<File>> {
    let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::new(file))
}

fn read_rows(reader: &mut impl Read, texts: usize, dim: usize) -> io::Result<Array2<f32>> {
    let mut bytes = vec![0; texts * dim * size_of::<f32>()];
    reader.read_exact(&mut bytes)?;
    let values = bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    Array2::from_shape_vec((texts, dim), values).map_err(io::Error::other)
}

fn read_labels(reader: &mut impl BufRead) -> io::Result<Chunk> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (texts, ids) = serde_json::from_str(&line)?;
    Ok(Chunk { texts, ids, ..Chunk::default() })
}

#[cfg(test)]
mod tests {
    use ndarray::{Axis, array, concatenate};
    use st_core::Vectors;

    use super::*;

    /// Keeps what it is given.
    #[derive(Default)]
    struct Kept {
        rows: Vec<Array2<i8>>,
        texts: Vec<String>,
    }

    impl Sink for Kept {
        fn describe(&mut self, _provenance: &st_model::Provenance) -> Result<(), Error> {
            Ok(())
        }

        fn write(&mut self, chunk: &Chunk, vectors: &Vectors) -> Result<(), Error> {
            self.texts.extend(chunk.texts.clone());
            if let Vectors::Int8(rows) = vectors {
                self.rows.push(rows.clone());
            }
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn chunks_are_quantised_as_if_they_were_one() {
        let chunks = [array![[1.0, 20.0], [4.0, 5.0]], array![[-1.0, 15.0]]];
        let mut spill = Spill::new(Labels { text: true, id: false, ..Labels::default() }).unwrap();
        for (index, rows) in chunks.iter().enumerate() {
            let texts = (0..rows.nrows()).map(|row| format!("{index}.{row}")).collect();
            spill.write(&Chunk { texts, ..Chunk::default() }, rows).unwrap();
        }
        assert_eq!(spill.rows(), 3);
        let mut kept = Kept::default();
        spill.quantize_into(Precision::Int8, &mut kept).unwrap();

        let all = concatenate(Axis(0), &chunks.each_ref().map(|rows| rows.view())).unwrap();
        let together = quantize(all.view(), Precision::Int8, None).unwrap();
        let views: Vec<_> = kept.rows.iter().map(|rows| rows.view()).collect();
        assert_eq!(Vectors::Int8(concatenate(Axis(0), &views).unwrap()), together);
        assert_eq!(kept.texts, ["0.0", "0.1", "1.0"]);
    }
}
