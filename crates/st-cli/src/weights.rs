//! The tensors of a model folder, from the headers of its weight files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use st_export::checkpoint::{SafetensorsHeader, read_safetensors_header};

use crate::error::Error;

/// A header that is longer is no header: the largest models need a few megabytes.
const HEADER_LIMIT: u64 = 100 << 20;

/// How the small file begins that Git keeps in place of a large one.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/";

/// What the headers of the weight files say.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    files: Vec<PathBuf>,
    tensors: u64,
    /// Numbers.
    pub(crate) parameters: u64,
    /// How many tensors there are of each number format.
    formats: BTreeMap<String, u64>,
    /// Bytes of all tensors.
    pub(crate) bytes: u64,
}

/// Nothing but the headers is read.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Weights> {
    let files = files(folder).map_err(|source| read_error(folder, source))?;
    let mut weights = Weights::default();
    for path in &files {
        for entry in header(path)?.tensors.values() {
            let elements = entry.shape.iter().map(|&length| length as u64).product::<u64>();
            weights.tensors += 1;
            // Whole numbers are indices that were stored beside the parameters.
            weights.parameters += if is_float(&entry.dtype) { elements } else { 0 };
            weights.bytes += entry.bytes;
            *weights.formats.entry(entry.dtype.clone()).or_default() += 1;
        }
    }
    Ok(Weights { files, ..weights })
}

/// Files, tensors, parameters and number formats as a section of a report; null where there are no files.
pub(crate) fn section(folder: &Path) -> anyhow::Result<Value> {
    let Weights { files, tensors, parameters, formats, bytes } = read(folder)?;
    if files.is_empty() {
        return Ok(Value::Null);
    }
    let names: Vec<_> =
        files.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy()).collect();
    Ok(
        json!({"files": names, "tensors": tensors, "parameters": parameters, "formats": formats, "bytes": bytes}),
    )
}

/// `F32`, `F16`, `BF16`, `F8_E4M3` and so on.
fn is_float(dtype: &str) -> bool {
    dtype.starts_with('F') || dtype.starts_with("BF")
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn header(path: &Path) -> anyhow::Result<SafetensorsHeader> {
    let (start, length) = start(path).map_err(|source| read_error(path, source))?;
    if start.starts_with(LFS_POINTER) {
        return Err(st_export::Error::LfsPointer { path: path.to_owned() }.into());
    }
    read_safetensors_header(&start, length)
        .map_err(|problem| anyhow::Error::new(problem).context(format!("cannot read {}", path.display())))
}

/// The length of the header, the header, and how long the file is.
fn start(path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start)?;
    if let Some(prefix) = start.first_chunk::<8>() {
        let header = u64::from_le_bytes(*prefix).min(length).min(HEADER_LIMIT);
        file.take(header).read_to_end(&mut start)?;
    }
    Ok((start, length))
}

fn read_error(path: &Path, source: io::Error) -> Error {
    Error::Read { file: path.display().to_string(), source }
}
