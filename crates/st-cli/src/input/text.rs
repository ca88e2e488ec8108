//! Lines of UTF-8, with their numbers.

use std::io::BufRead;

use crate::error::Error;

/// What some editors put before the first line.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Lines without their ends; a blank line is a text, so that rows keep the numbers of lines.
pub(super) struct Lines<R> {
    reader: R,
    file: String,
    line: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, file: String) -> Self {
        Self { reader, file, line: 0 }
    }

    fn read_line(&mut self) -> Result<Option<(u64, String)>, Error> {
        let mut bytes = Vec::new();
        let read = self.reader.read_until(b'\n', &mut bytes);
        if read.map_err(|source| Error::Read { file: self.file.clone(), source })? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::NotUtf8 { file: self.file.clone(), line: self.line })?;
        Ok(Some((self.line, without_mark(text, self.line))))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<(u64, String), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_line().transpose()
    }
}

fn without_mark(text: String, line: u64) -> String {
    match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) if line == 1 => rest.to_owned(),
        _ => text,
    }
}
