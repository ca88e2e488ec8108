//! SHA-256 of files, and of what is being written.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

const BUFFER: usize = 1 << 18;

/// The digest of a file, in lower-case hexadecimal.
pub(crate) fn of_file(path: &Path) -> Result<String> {
    let digest = File::open(path).and_then(|mut file| copy(&mut file, &mut io::sink()));
    digest.with_context(|| format!("cannot read {}", path.display()))
}

/// The digest of some text.
pub(crate) fn of_text(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// Copies everything and returns the digest of what went through.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        hasher.update(chunk);
        to.write_all(chunk)?;
    }
    Ok(hexadecimal(&hasher.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_whole_and_its_digest_is_known() {
        let mut to = Vec::new();
        let digest = copy(&mut &b"abc"[..], &mut to).unwrap();
        assert_eq!(to, b"abc");
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(of_text("abc"), digest);
    }
}
