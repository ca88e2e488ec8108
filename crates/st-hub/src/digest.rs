//! Names of contents: the hub names large files by SHA-256, small ones as git does.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// The digest of a file; as text it is the name of a blob in the cache, and the `ETag` of the hub.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Digest {
    /// Of the bytes.
    Sha256(String),
    /// Of the bytes behind git's header, with SHA-1.
    Git(String),
}

impl Digest {
    /// A digest by its length; `None` for what is none of the two.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match text.len() {
            64 if is_hex => Some(Self::Sha256(text.to_owned())),
            40 if is_hex => Some(Self::Git(text.to_owned())),
            _ => None,
        }
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::Git(digits) => digits,
        }
    }

    /// What the digits are, in words.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "SHA-256",
            Self::Git(_) => "git digest",
        }
    }

    /// Begins to compute a digest of the same kind over `size` bytes.
    pub(crate) fn digester(&self, size: u64) -> Digester {
        match self {
            Self::Sha256(_) => Digester::Sha256(Sha256::new()),
            Self::Git(_) => Digester::Git(Sha1::new_with_prefix(format!("blob {size}\0"))),
        }
    }

    /// The digest of the same kind of a file on disk.
    pub(crate) fn of_file(&self, path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut digester = self.digester(file.metadata()?.len());
        digester.update_from(&mut file)?;
        Ok(digester.finish())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A digest that is being computed.
#[derive(Clone, Debug)]
pub(crate) enum Digester {
    Sha256(Sha256),
    Git(Sha1),
}

impl Digester {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(state) => state.update(bytes),
            Self::Git(state) => state.update(bytes),
        }
    }

    /// Everything that can still be read; says how many bytes that were.
    pub(crate) fn update_from(&mut self, reader: &mut impl Read) -> io::Result<u64> {
        let mut piece = vec![0; PIECE];
        let mut total = 0;
        loop {
            let read = reader.read(&mut piece)?;
            if read == 0 {
                return Ok(total);
            }
            self.update(&piece[..read]);
            total += read as u64;
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(state) => Digest::Sha256(hex(&state.finalize())),
            Self::Git(state) => Digest::Git(hex(&state.finalize())),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_git_and_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "hello\n").unwrap();
        let check = |expected: &str| {
            let expected = Digest::parse(expected).unwrap();
            assert_eq!(expected.of_file(&path).unwrap(), expected);
        };
        check("ce013625030ba8dba906f756967f9e9ca394464a");
        check("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    }

    #[test]
    fn other_texts_are_no_digests() {
        for text in ["", "abc", "W/\"x\"", &"g".repeat(40), &"A".repeat(64)] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
