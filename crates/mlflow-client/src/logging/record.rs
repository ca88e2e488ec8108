//! One record of a spool file: a line of a checksum and JSON, so that a torn one is known and a person can read the rest.

use mlflow_types::RunId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Entry;

/// A line of a spool file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// The first: whose file it is.
    Run(Header),
    /// An accepted entry.
    Entry(Entry),
    /// All entries before the one of this number, from 0, may have been sent.
    Sending(u64),
    /// All entries before the one of this number are with the store, or were refused for good.
    Sent(u64),
    /// So many bytes had the file of refused entries; the oldest waiting entry is about to be added to it.
    Rejecting(u64),
    /// When its process, which is gone, wrote last: milliseconds since the Unix epoch.
    Left(i64),
}

/// Whose file it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// The version of the format: 1.
    pub(crate) format: u32,
    /// The run.
    pub(crate) run_id: RunId,
    /// The store's address, without secrets.
    pub(crate) address: String,
}

/// Characters of the checksum: the first 8 bytes of a SHA-256.
const SUM: usize = 16;

impl Record {
    /// Appends the record's line.
    pub(crate) fn write(&self, lines: &mut Vec<u8>) -> serde_json::Result<()> {
        let json = serde_json::to_vec(self)?;
        lines.extend_from_slice(&checksum(&json));
        lines.push(b' ');
        lines.extend_from_slice(&json);
        lines.push(b'\n');
        Ok(())
    }

    /// Reads a line without its end; nothing if it is damaged.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let (sum, rest) = line.split_at_checked(SUM)?;
        let json = rest.strip_prefix(b" ")?;
        if sum != checksum(json) {
            return None;
        }
        serde_json::from_slice(json).ok()
    }
}

fn checksum(json: &[u8]) -> [u8; SUM] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(json);
    let mut sum = [0; SUM];
    for (pair, byte) in sum.chunks_exact_mut(2).zip(digest) {
        if let [high, low] = pair {
            *high = DIGITS[usize::from(byte >> 4)];
            *low = DIGITS[usize::from(byte & 15)];
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use mlflow_types::metrics::Metric;
    use mlflow_types::tags::Tag;

    use super::*;

    fn line(record: &Record) -> Vec<u8> {
        let mut lines = Vec::new();
        record.write(&mut lines).unwrap();
        lines
    }

    #[test]
    fn a_record_reads_as_it_was_written() {
        for value in
            [0.1, 1.0 / 3.0, f64::INFINITY, f64::MIN_POSITIVE, -0.0, 1e300, 5e-324, 0.300_000_000_000_000_04]
        {
            let record = Record::Entry(Entry::Metric(Metric::new("loss", value, 1, 2)));
            let line = line(&record);
            assert_eq!(Record::read(line.strip_suffix(b"\n").unwrap()), Some(record));
        }
        let record = Record::Entry(Entry::Tag(Tag::new("note", "two\nlines, \u{2028} and \"quotes\"")));
        let line = line(&record);
        assert_eq!(line.split(|&byte| byte == b'\n').count(), 2);
        assert_eq!(Record::read(line.strip_suffix(b"\n").unwrap()), Some(record));
    }

    #[test]
    fn a_changed_byte_is_seen() {
        let whole = line(&Record::Sent(7));
        for index in 0..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[index] ^= 1;
            assert_eq!(Record::read(changed.strip_suffix(b"\n").unwrap()), None, "byte {index}");
        }
    }
}
