//! Files with the certificates of those who are trusted.

use std::fs;
use std::io;
use std::path::Path;

/// The content of a file, or of each file of a folder that has a name as `openssl rehash` gives: OpenSSL reads no other.
pub(crate) fn texts(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    if !path.is_dir() {
        return Ok(vec![fs::read(path)?]);
    }
    let mut texts = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_hash) {
            texts.push(fs::read(entry.path())?);
        }
    }
    Ok(texts)
}

/// Whether a name is eight digits of a hash and a number, such as `9d66eef0.0`.
fn is_hash(name: &str) -> bool {
    name.split_once('.').is_some_and(|(hash, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_folder_only_hashes_are_read() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["9d66eef0.0", "9d66eef0.10", "9d66eef0", "9d66eef0.r0", "9d66eef0.", "ca.pem", "README"]
        {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let mut read = texts(folder.path()).unwrap();
        read.sort();
        assert_eq!(read, [b"9d66eef0.0".to_vec(), b"9d66eef0.10".to_vec()]);
        assert_eq!(texts(&folder.path().join("ca.pem")).unwrap(), [b"ca.pem"]);
        assert!(texts(&folder.path().join("absent")).is_err());
    }
}
