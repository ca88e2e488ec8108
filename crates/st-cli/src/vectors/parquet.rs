//! Parquet files with a column `embedding`, as `st encode` writes them.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int8Type, UInt8Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field};
use ndarray::Array2;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use st_core::{Precision, Vectors};
use st_model::Provenance;

use super::{CHUNK_ROWS, Opened, Part, Reader, floats, not_as_said, signed, unsigned};
use crate::error::Error;
use crate::input::Chunk;
use crate::output::parquet::PROVENANCE_KEY;

/// The column with the vectors.
const COLUMN: &str = "embedding";

/// Reads the footer.
pub(super) fn open(path: &Path, name: &str) -> Result<Opened, Error> {
    let fail = |source| Error::Parquet { file: name.to_owned(), source };
    let file = File::open(path).map_err(|source| Error::Read { file: name.to_owned(), source })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(fail)?;
    let metadata = builder.metadata().file_metadata();
    let rows = usize::try_from(metadata.num_rows()).unwrap_or_default();
    let entries = metadata.key_value_metadata().into_iter().flatten();
    let text = entries.filter(|entry| entry.key == PROVENANCE_KEY).find_map(|entry| entry.value.clone());
    let provenance = text.map(|text| Provenance::from_json(&text)).transpose();
    let provenance =
        provenance.map_err(|source| Error::Provenance { file: name.to_owned(), source: source.into() })?;
    let wrong = |problem: String| Error::VectorFile { file: name.to_owned(), problem };
    let schema = builder.schema();
    let stored = match schema.field_with_name(COLUMN).map(Field::data_type) {
        Ok(DataType::FixedSizeList(_, width)) => usize::try_from(*width).unwrap_or_default(),
        Ok(other) => {
            return Err(wrong(format!("its column `{COLUMN}` holds {other}, not lists of one width")));
        }
        Err(_) => {
            let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(Error::NoColumn {
                file: name.to_owned(),
                column: COLUMN.to_owned(),
                columns: names.join(", "),
            });
        }
    };
    let reader = builder.with_batch_size(CHUNK_ROWS).build().map_err(fail)?;
    let precision = provenance.as_ref().map(|provenance| provenance.precision);
    let reader = Table { reader, name: name.to_owned(), precision, stored };
    Ok(Opened { provenance, rows, stored, reader: Box::new(reader) })
}

struct Table {
    reader: ParquetRecordBatchReader,
    name: String,
    precision: Option<Precision>,
    stored: usize,
}

impl Table {
    fn part(&self, batch: &RecordBatch) -> Result<Part, Error> {
        let wrong =
            |problem: &str| Error::VectorFile { file: self.name.clone(), problem: problem.to_owned() };
        let lists = batch.column_by_name(COLUMN).and_then(|column| column.as_fixed_size_list_opt());
        let lists = lists.ok_or_else(|| wrong("its column `embedding` changed while it was read"))?;
        // What of the child belongs to these rows.
        let start = usize::try_from(lists.value_offset(0)).unwrap_or_default();
        let values = lists.values().slice(start, batch.num_rows() * self.stored);
        if lists.null_count() > 0 || values.null_count() > 0 {
            return Err(wrong("its column `embedding` has gaps"));
        }
        let vectors = self.vectors(&values, batch.num_rows());
        let stored = values.data_type().to_string().to_lowercase();
        let vectors = vectors.ok_or_else(|| not_as_said(&self.name, &stored, self.precision))?;
        let labels = Chunk { texts: texts(batch, "text"), ids: texts(batch, "id"), ..Chunk::default() };
        Ok(Part { vectors, labels })
    }

    fn vectors(&self, values: &ArrayRef, rows: usize) -> Option<Vectors> {
        let shape = (rows, self.stored);
        match values.data_type() {
            DataType::Float32 => {
                let values = values.as_primitive::<Float32Type>().values().to_vec();
                floats(Array2::from_shape_vec(shape, values).ok()?, self.precision)
            }
            DataType::Int8 => {
                let values = values.as_primitive::<Int8Type>().values().to_vec();
                signed(Array2::from_shape_vec(shape, values).ok()?, self.precision)
            }
            DataType::UInt8 => {
                let values = values.as_primitive::<UInt8Type>().values().to_vec();
                unsigned(Array2::from_shape_vec(shape, values).ok()?, self.precision)
            }
            _ => None,
        }
    }
}

impl Reader for Table {
    fn next_part(&mut self) -> Result<Option<Part>, Error> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let batch = batch.map_err(|source| Error::Parquet {
            file: self.name.clone(),
            source: ParquetError::from(source),
        })?;
        self.part(&batch).map(Some)
    }
}

/// A column of texts without gaps; none if there is no such column.
fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
    let texts = batch.column_by_name(column).and_then(|column| column.as_string_opt::<i32>());
    texts
        .map(|texts| texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
        .unwrap_or_default()
}
