//! Parquet with a column of fixed-size lists.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float32Array, Int8Array, RecordBatch, StringArray, UInt8Array,
    UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use st_core::Vectors;
use st_model::Provenance;

use super::{Labels, Sink, Stream};
use crate::error::Error;
use crate::input::Chunk;

/// Rows that are held in memory before they are written.
const GROUP_ROWS: usize = 8192;

/// Columns `id` and `text`, where asked for, and `embedding`.
pub(crate) struct ParquetSink {
    state: State,
    labels: Labels,
    name: String,
    provenance: Option<Provenance>,
}

/// The key in the metadata of the file.
pub(crate) const PROVENANCE_KEY: &str = "st.provenance";

/// The schema is known with the first vectors only.
enum State {
    Waiting(Option<Stream>),
    Writing(Box<ArrowWriter<Stream>>),
}

impl ParquetSink {
    pub(super) fn new(stream: Stream, labels: Labels, name: String) -> Self {
        Self { state: State::Waiting(Some(stream)), labels, name, provenance: None }
    }

    fn batch(&self, chunk: &Chunk, vectors: &Vectors) -> Result<RecordBatch, ArrowError> {
        let mut fields = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (wanted, name, texts) in
            [(self.labels.id, "id", &chunk.ids), (self.labels.text, "text", &chunk.texts)]
        {
            if wanted {
                fields.push(Field::new(name, DataType::Utf8, false));
                columns.push(Arc::new(StringArray::from_iter_values(texts)));
            }
        }
        if self.labels.span {
            let spans = chunk.spans.iter().map(|span| span.unzip());
            let (starts, ends): (Vec<Option<u64>>, Vec<Option<u64>>) = spans.unzip();
            for (name, places) in [("start", starts), ("end", ends)] {
                fields.push(Field::new(name, DataType::UInt64, true));
                columns.push(Arc::new(UInt64Array::from(places)));
            }
        }
        let vectors = lists(vectors)?;
        fields.push(Field::new("embedding", vectors.data_type().clone(), false));
        columns.push(Arc::new(vectors));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }

    fn append(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        if let State::Waiting(stream) = &mut self.state
            && let Some(stream) = stream.take()
        {
            let mut writer = ArrowWriter::try_new(stream, batch.schema(), Some(properties()))?;
            if let Some(provenance) = &self.provenance {
                let entry = KeyValue::new(PROVENANCE_KEY.to_owned(), provenance.to_json());
                writer.append_key_value_metadata(entry);
            }
            self.state = State::Writing(Box::new(writer));
        }
        match &mut self.state {
            State::Writing(writer) => writer.write(batch),
            State::Waiting(_) => Err(ParquetError::General("the file could not be begun".to_owned())),
        }
    }

    fn fail(&self, error: ParquetError) -> Error {
        Error::Write { file: self.name.clone(), source: io_error(error) }
    }
}

impl Sink for ParquetSink {
    fn describe(&mut self, provenance: &Provenance) -> Result<(), Error> {
        self.provenance = Some(provenance.clone());
        Ok(())
    }

    fn write(&mut self, chunk: &Chunk, vectors: &Vectors) -> Result<(), Error> {
        let batch = self.batch(chunk, vectors).map_err(|error| self.fail(error.into()))?;
        self.append(&batch).map_err(|error| self.fail(error))
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        let Self { state, name, .. } = *self;
        let stream = match state {
            State::Waiting(stream) => stream,
            State::Writing(writer) => {
                let fail = |error| Error::Write { file: name, source: io_error(error) };
                Some(writer.into_inner().map_err(fail)?)
            }
        };
        stream.map_or(Ok(()), Stream::finish)
    }
}

/// A fixed-size list a row.
fn lists(vectors: &Vectors) -> Result<FixedSizeListArray, ArrowError> {
    let values: ArrayRef = match vectors {
        Vectors::Float32(rows) => Arc::new(Float32Array::from_iter_values(rows.iter().copied())),
        Vectors::Int8(rows) | Vectors::Binary(rows) => {
            Arc::new(Int8Array::from_iter_values(rows.iter().copied()))
        }
        Vectors::Uint8(rows) | Vectors::Ubinary(rows) => {
            Arc::new(UInt8Array::from_iter_values(rows.iter().copied()))
        }
    };
    let field = Arc::new(Field::new("item", values.data_type().clone(), false));
    let dim =
        i32::try_from(vectors.dim().1).map_err(|error| ArrowError::from_external_error(error.into()))?;
    FixedSizeListArray::try_new(field, dim, values, None)
}

/// Numbers of vectors neither repeat nor sort: a dictionary or statistics would only cost.
fn properties() -> WriterProperties {
    let embedding = ColumnPath::from(vec!["embedding".to_owned(), "list".to_owned(), "item".to_owned()]);
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_column_dictionary_enabled(embedding.clone(), false)
        .set_column_compression(embedding.clone(), Compression::UNCOMPRESSED)
        .set_column_statistics_enabled(embedding, EnabledStatistics::None)
        .build()
}

/// The system's own reason, where there is one.
fn io_error(error: ParquetError) -> std::io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => *source,
            Err(source) => std::io::Error::other(source),
        },
        other => std::io::Error::other(other),
    }
}
