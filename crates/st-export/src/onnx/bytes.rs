//! Reading at any place of a file, without holding the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes that are read from a file at once.
const WINDOW: usize = 64 << 10;

/// Something with bytes at positions.
pub(super) trait Bytes {
    /// How many there are.
    fn len(&self) -> u64;

    /// Fills `out` from `position` on; false when there are not enough bytes.
    fn read_at(&mut self, position: u64, out: &mut [u8]) -> io::Result<bool>;
}

impl Bytes for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&mut self, position: u64, out: &mut [u8]) -> io::Result<bool> {
        let found =
            usize::try_from(position).ok().and_then(|start| self.get(start..start.checked_add(out.len())?));
        if let Some(found) = found {
            out.copy_from_slice(found);
        }
        Ok(found.is_some())
    }
}

/// A file behind a small window that moves forward with the reader.
pub(super) struct FileBytes {
    file: File,
    bytes: u64,
    start: u64,
    window: Vec<u8>,
}

impl FileBytes {
    /// The bytes of an open file.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes, start: 0, window: Vec::new() })
    }

    fn in_window(&self, position: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(position.checked_sub(self.start)?).ok()?;
        self.window.get(start..start.checked_add(length)?)
    }
}

impl Bytes for FileBytes {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn read_at(&mut self, position: u64, out: &mut [u8]) -> io::Result<bool> {
        if self.in_window(position, out.len()).is_none() {
            self.file.seek(SeekFrom::Start(position))?;
            self.window.clear();
            self.start = position;
            let wanted = out.len().max(WINDOW) as u64;
            (&mut self.file).take(wanted).read_to_end(&mut self.window)?;
        }
        let found = self.in_window(position, out.len());
        if let Some(found) = found {
            out.copy_from_slice(found);
        }
        Ok(found.is_some())
    }
}
