//! JSON files of a model folder, with a limit on their size.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::{DeserializeOwned, Error as _};

use crate::{Error, lfs};

/// Largest JSON file that is read; the index of a model with 100,000 tensors takes a fifth of it.
const LIMIT: u64 = 64 << 20;

/// Reads a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|source| Error::io("read", path, source))?;
    if lfs::is_pointer(&bytes) {
        return Err(Error::LfsPointer { path: path.to_path_buf() });
    }
    let parsed = if bytes.len() as u64 > LIMIT {
        Err(serde_json::Error::custom(format!("the file is longer than {LIMIT} bytes")))
    } else {
        serde_json::from_slice(&bytes)
    };
    parsed.map_err(|source| Error::Json { path: path.to_path_buf(), source })
}
