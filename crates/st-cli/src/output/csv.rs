//! Comma-separated values.

use csv::Writer;
use ndarray::ArrayView1;
use st_core::Vectors;
use st_model::Provenance;

use super::{Labels, Sink, Stream, label, with_rows};
use crate::error::Error;
use crate::input::Chunk;

/// A header `id,text,dim_0,dim_1,…`, then one row a text.
pub(crate) struct CsvSink {
    writer: Writer<Stream>,
    /// Waits for the stream: the writer of tables lends it for reading only.
    provenance: Option<Provenance>,
    labels: Labels,
    started: bool,
}

impl CsvSink {
    pub(super) fn new(stream: Stream, labels: Labels) -> Self {
        Self { writer: Writer::from_writer(stream), provenance: None, labels, started: false }
    }

    fn header(&mut self, dim: usize) -> csv::Result<()> {
        let span = self.labels.span;
        let names = [(self.labels.id, "id"), (self.labels.text, "text"), (span, "start"), (span, "end")];
        for (_, name) in names.iter().filter(|(wanted, _)| *wanted) {
            self.writer.write_field(name)?;
        }
        for index in 0..dim {
            self.writer.write_field(format!("dim_{index}"))?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    fn row(&mut self, chunk: &Chunk, row: usize, values: ArrayView1<'_, impl ToString>) -> csv::Result<()> {
        let labels = [label(self.labels.id, &chunk.ids, row), label(self.labels.text, &chunk.texts, row)];
        for text in labels.into_iter().flatten() {
            self.writer.write_field(text)?;
        }
        if self.labels.span {
            let (start, end) = chunk.spans.get(row).copied().flatten().unzip();
            for place in [start, end] {
                self.writer.write_field(place.map(|place: u64| place.to_string()).unwrap_or_default())?;
            }
        }
        for value in values {
            self.writer.write_field(value.to_string())?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    fn chunk(&mut self, chunk: &Chunk, vectors: &Vectors) -> csv::Result<()> {
        if !self.started {
            self.started = true;
            self.header(vectors.dim().1)?;
        }
        with_rows!(vectors, rows => {
            for (row, values) in rows.outer_iter().enumerate() {
                self.row(chunk, row, values)?;
            }
        });
        Ok(())
    }
}

impl Sink for CsvSink {
    fn describe(&mut self, provenance: &Provenance) -> Result<(), Error> {
        self.provenance = Some(provenance.clone());
        Ok(())
    }

    fn write(&mut self, chunk: &Chunk, vectors: &Vectors) -> Result<(), Error> {
        self.chunk(chunk, vectors).map_err(|error| self.writer.get_ref().fail(io_error(error)))
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.writer.flush().map_err(|source| self.writer.get_ref().fail(source))?;
        match self.writer.into_inner() {
            Ok(mut stream) => {
                if let Some(provenance) = &self.provenance {
                    stream.describe(provenance);
                }
                stream.finish()
            }
            Err(error) => Err(Error::Stdout { source: error.into_error() }),
        }
    }
}

/// The system's own reason, where there is one.
fn io_error(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => std::io::Error::other(format!("{other:?}")),
    }
}
