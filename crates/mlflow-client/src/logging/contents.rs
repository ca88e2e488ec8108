//! What a spool file says, as far as its records are whole.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use super::Entry;
use super::record::{Header, Record};
use super::spool_file::failure;
use crate::{Error, Result};

/// What a file says.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) header: Header,
    pub(crate) written: u64,
    pub(crate) sent: u64,
    pub(crate) sending: u64,
    pub(crate) ended: bool,
    /// When its process wrote last, if a replay before this one found it out: milliseconds since the Unix epoch.
    pub(crate) left: Option<i64>,
    /// How long the file of refused entries was, if one was added that is not settled.
    pub(super) rejecting: Option<u64>,
    /// Where the first record ends.
    pub(super) header_end: u64,
    /// Where the whole records end; what follows is torn.
    pub(crate) whole: u64,
    pub(crate) torn: u64,
}

/// Reads what a file says, without a lock; nothing if its process died before the first record was whole.
pub(crate) fn scan(path: &Path, file: &File) -> Result<Option<Contents>> {
    let mut reader = BufReader::new(file);
    let unreadable = |source| failure(path, "read", source);
    reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut contents: Option<Contents> = None;
    let (mut position, mut torn, mut line) = (0_u64, None, Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(unreadable)?;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        if length == 0 {
            break;
        }
        let record = line.strip_suffix(b"\n").and_then(Record::read);
        match (record, &mut contents, torn) {
            // A whole record behind a damaged one: no crash leaves that, and what stood there is lost.
            (Some(_), _, Some(from)) => return Err(damaged(path, from)),
            (Some(Record::Run(header)), contents @ None, None) => {
                *contents = Some(Contents::new(header, length));
            }
            (Some(record), Some(contents), None) => contents.add(&record, position + length),
            (Some(_), None, None) => return Err(damaged(path, position)),
            (None, ..) => torn = torn.or(Some(position)),
        }
        position += length;
    }
    Ok(contents.map(|mut contents| {
        contents.torn = position - contents.whole;
        contents
    }))
}

impl Contents {
    fn new(header: Header, end: u64) -> Self {
        let (written, sent, sending, torn) = (0, 0, 0, 0);
        let (left, rejecting) = (None, None);
        let (header_end, whole, ended) = (end, end, false);
        Self { header, written, sent, sending, ended, left, rejecting, header_end, whole, torn }
    }

    fn add(&mut self, record: &Record, end: u64) {
        match record {
            Record::Run(_) => {}
            Record::Entry(entry) => {
                self.written += 1;
                self.ended |= matches!(entry, Entry::End { .. });
            }
            Record::Sending(number) => self.sending = *number,
            Record::Sent(number) => {
                self.sent = (*number).min(self.written);
                self.rejecting = None;
            }
            // The first that is not settled: what stands behind it counts for nothing.
            Record::Rejecting(length) => self.rejecting = self.rejecting.or(Some(*length)),
            Record::Left(time) => self.left = Some(*time),
        }
        self.whole = end;
    }
}

/// A file was changed after it was written.
pub(super) fn damaged(path: &Path, position: u64) -> Error {
    Error::Damaged {
        artifact: path.display().to_string(),
        problem: format!("the record at byte {position} was changed after it was written"),
    }
}
