//! Parquet with a column of fixed-size lists, or of lists for sparse vectors.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float32Array, Int8Array, ListArray, RecordBatch, StringArray,
    UInt8Array, UInt32Array, UInt64Array,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use st_core::{SparseVectors, Vectors};
use st_model::Provenance;

use super::{Labels, Sink, Stream};
use crate::error::Error;
use crate::input::Chunk;

/// Rows that are held in memory before they are written.
const GROUP_ROWS: usize = 8192;

/// Columns `id` and `text`, where asked for, and `embedding`, or `indices`, `values` and `tokens`.
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

    /// Appends the sparse vectors of a chunk; `tokens` are those of each, where asked for.
    pub(super) fn write_sparse(
        &mut self,
        chunk: &Chunk,
        vectors: &SparseVectors,
        tokens: &[Vec<(String, f32)>],
    ) -> Result<(), Error> {
        let columns = sparse_columns(vectors, self.labels.tokens.then_some(tokens));
        let batch = columns.and_then(|columns| self.batch(chunk, columns));
        let batch = batch.map_err(|error| self.fail(error.into()))?;
        self.append(&batch).map_err(|error| self.fail(error))
    }

    fn batch(
        &self,
        chunk: &Chunk,
        answers: Vec<(&'static str, ArrayRef)>,
    ) -> Result<RecordBatch, ArrowError> {
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
        for (name, column) in answers {
            fields.push(Field::new(name, column.data_type().clone(), false));
            columns.push(column);
        }
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
        let lists = lists(vectors);
        let batch = lists.and_then(|lists| self.batch(chunk, vec![("embedding", Arc::new(lists))]));
        let batch = batch.map_err(|error| self.fail(error.into()))?;
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

/// Lists of unequal length; tokens come the largest first, and stand beside their dimensions here.
fn sparse_columns(
    vectors: &SparseVectors,
    tokens: Option<&[Vec<(String, f32)>]>,
) -> Result<Vec<(&'static str, ArrayRef)>, ArrowError> {
    let list = |values: ArrayRef| -> Result<ArrayRef, ArrowError> {
        let field = Arc::new(Field::new("item", values.data_type().clone(), false));
        let lengths = (0..vectors.len()).map(|row| vectors.active_dims(row));
        Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, None)?))
    };
    let (_, indices, values) = vectors.parts();
    let mut columns = vec![
        ("indices", list(Arc::new(UInt32Array::from_iter_values(indices.iter().copied())))?),
        ("values", list(Arc::new(Float32Array::from_iter_values(values.iter().copied())))?),
    ];
    if let Some(tokens) = tokens {
        let beside = vectors.rows().zip(tokens).flat_map(|((indices, values), tokens)| {
            let mut places: Vec<usize> = (0..indices.len()).collect();
            places.sort_by(|&left, &right| values[right].total_cmp(&values[left]).then(left.cmp(&right)));
            let mut beside: Vec<_> = places.into_iter().zip(tokens).collect();
            beside.sort_unstable_by_key(|(place, _)| *place);
            beside.into_iter().map(|(_, (token, _))| token)
        });
        // The column wants to know how many there are.
        let tokens: Vec<&String> = beside.collect();
        columns.push(("tokens", list(Arc::new(StringArray::from_iter_values(tokens)))?));
    }
    Ok(columns)
}

/// Numbers of vectors neither repeat nor sort: a dictionary or statistics would only cost.
fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS));
    for column in ["embedding", "values"] {
        let numbers = ColumnPath::from(vec![column.to_owned(), "list".to_owned(), "item".to_owned()]);
        properties = properties
            .set_column_dictionary_enabled(numbers.clone(), false)
            .set_column_compression(numbers.clone(), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(numbers, EnabledStatistics::None);
    }
    properties.build()
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
