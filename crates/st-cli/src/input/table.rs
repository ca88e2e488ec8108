//! Comma- and tab-separated tables with a header.

use std::io::BufRead;

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::{Columns, Record, Records, position};
use crate::error::Error;

/// Finds the columns in the header; rows follow one by one.
pub(super) fn records(
    reader: impl BufRead + 'static,
    file: String,
    delimiter: u8,
    columns: &Columns,
) -> Result<Records, Error> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(reader);
    let header = header(&mut reader, &file)?;
    let text = match (&columns.text, header.as_slice()) {
        (None, [_only]) => 0,
        _ => position(&header, columns.text(), &file)?,
    };
    let id = columns.id.as_deref().map(|id| position(&header, id, &file)).transpose()?;
    Ok(Box::new(Rows { reader, file, text, id }))
}

fn header<R: BufRead>(reader: &mut Reader<R>, file: &str) -> Result<Vec<String>, Error> {
    let header = reader.byte_headers().map_err(|source| Error::Table { file: file.to_owned(), source })?;
    if header.is_empty() {
        return Err(Error::Empty { file: file.to_owned() });
    }
    let names = header.iter().map(|name| {
        let name =
            std::str::from_utf8(name).map_err(|_| Error::NotUtf8 { file: file.to_owned(), line: 1 })?;
        Ok(name.trim_start_matches('\u{feff}').to_owned())
    });
    names.collect()
}

struct Rows<R> {
    reader: Reader<R>,
    file: String,
    text: usize,
    id: Option<usize>,
}

impl<R: BufRead> Rows<R> {
    fn read_row(&mut self) -> Result<Option<Record>, Error> {
        let mut row = ByteRecord::new();
        let more = self.reader.read_byte_record(&mut row);
        if !more.map_err(|source| Error::Table { file: self.file.clone(), source })? {
            return Ok(None);
        }
        let text = self.cell(&row, self.text)?;
        let id = self.id.map(|id| self.cell(&row, id)).transpose()?;
        Ok(Some(Record { text, id }))
    }

    /// A cell that the header promised; the reader refuses rows of another length.
    fn cell(&self, row: &ByteRecord, column: usize) -> Result<String, Error> {
        let bytes = row.get(column).unwrap_or_default();
        let line = row.position().map_or(0, csv::Position::line);
        String::from_utf8(bytes.to_vec()).map_err(|_| Error::NotUtf8 { file: self.file.clone(), line })
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_row().transpose()
    }
}
