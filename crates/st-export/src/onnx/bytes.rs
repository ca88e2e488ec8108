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
    window_bytes: usize,
}

impl FileBytes {
    /// The bytes of an open file.
    pub(super) fn new(file: File) -> io::Result<Self> {
        Self::with_window(file, WINDOW)
    }

    fn with_window(file: File, window_bytes: usize) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes, start: 0, window: Vec::new(), window_bytes })
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
            let wanted = out.len().max(self.window_bytes) as u64;
            (&mut self.file).take(wanted).read_to_end(&mut self.window)?;
        }
        let found = self.in_window(position, out.len());
        if let Some(found) = found {
            out.copy_from_slice(found);
        }
        Ok(found.is_some())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_file_reads_like_memory(
            content in prop::collection::vec(any::<u8>(), 0..200),
            reads in prop::collection::vec((0_u64..250, 0_usize..30), 1..20),
            window in 1_usize..50,
        ) {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, &content).unwrap();
            let mut file = FileBytes::with_window(file, window).unwrap();
            let mut memory = content.as_slice();
            prop_assert_eq!(Bytes::len(&file), Bytes::len(&memory));
            for (position, length) in reads {
                let (mut left, mut right) = (vec![0; length], vec![0; length]);
                let found = file.read_at(position, &mut left).unwrap();
                // An empty read beyond the end is nobody's concern.
                if length > 0 {
                    prop_assert_eq!(found, memory.read_at(position, &mut right).unwrap());
                    prop_assert_eq!(left, right);
                }
            }
        }
    }
}
