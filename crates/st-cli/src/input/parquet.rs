//! Parquet files, a batch of rows at a time.

use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::{Columns, Gauge, Record, Records, position};
use crate::error::Error;

const BATCH_ROWS: usize = 1024;

/// Finds the columns in the schema; only they are read.
pub(super) fn records(file: File, name: String, columns: &Columns) -> Result<(Records, Gauge), Error> {
    let fail = |source| Error::Parquet { file: name.clone(), source };
    // Without the Arrow schema in the file, dictionaries and views come as plain texts.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(fail)?;
    let header: Vec<_> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let text = match (&columns.text, header.as_slice()) {
        (None, [_only]) => 0,
        _ => position(&header, columns.text(), &name)?,
    };
    let id = columns.id.as_deref().map(|id| position(&header, id, &name)).transpose()?;
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
    let gauge = Gauge { total: Some(rows), ..Gauge::default() };
    let mask = ProjectionMask::roots(builder.parquet_schema(), id.into_iter().chain([text]));
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(fail)?;
    let wanted = Wanted {
        text: header.get(text).cloned().unwrap_or_default(),
        id: id.and_then(|id| header.get(id).cloned()),
        file: name,
    };
    let counter = gauge.clone();
    let mut row = 0;
    let records = reader.flat_map(move |batch| {
        let batch = batch.map_err(|source| Error::Parquet {
            file: wanted.file.clone(),
            source: ParquetError::from(source),
        });
        let rows = batch.and_then(|batch| {
            let rows = wanted.rows(&batch, row);
            row += batch.num_rows() as u64;
            counter.add(batch.num_rows() as u64);
            rows
        });
        match rows {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    });
    Ok((Box::new(records), gauge))
}

/// The columns to read, by name.
struct Wanted {
    text: String,
    id: Option<String>,
    file: String,
}

impl Wanted {
    fn rows(&self, batch: &RecordBatch, first: u64) -> Result<Vec<Record>, Error> {
        let texts = self.column(batch, &self.text, first, false)?;
        let Some(id) = &self.id else {
            return Ok(texts.into_iter().map(|text| Record { text, id: None }).collect());
        };
        let ids = self.column(batch, id, first, true)?;
        Ok(texts.into_iter().zip(ids).map(|(text, id)| Record { text, id: Some(id) }).collect())
    }

    fn column(
        &self,
        batch: &RecordBatch,
        column: &str,
        first: u64,
        numbers: bool,
    ) -> Result<Vec<String>, Error> {
        let not_text = |row: usize, found: &str| Error::NotText {
            file: self.file.clone(),
            row: first + row as u64 + 1,
            column: column.to_owned(),
            found: found.to_owned(),
        };
        let Some(array) = batch.column_by_name(column) else { return Err(not_text(0, "nothing")) };
        if let Some(row) = (0..array.len()).find(|row| array.is_null(*row)) {
            return Err(not_text(row, "null"));
        }
        match array.data_type() {
            DataType::Utf8 => {
                Ok(array.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect())
            }
            DataType::Int32 if numbers => Ok(texts_of(array.as_primitive::<Int32Type>().values())),
            DataType::Int64 if numbers => Ok(texts_of(array.as_primitive::<Int64Type>().values())),
            other => Err(not_text(0, &format!("{other} values"))),
        }
    }
}

fn texts_of(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
