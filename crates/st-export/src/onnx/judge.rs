//! What an ONNX file of someone else may ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::OnnxProblem;
use super::header::{ExternalLocation, GraphHeader, InitializerHeader};
use crate::file_name::is_plain;
use crate::{Error, lfs};

/// Domains whose operators ONNX Runtime brings along; `ai.onnx` is spelled as the empty one by now.
const DOMAINS: [&str; 2] = ["", "com.microsoft"];

/// Refuses operators that need a library of their own; functions that the file itself defines need none.
pub(super) fn operators(
    operators: &BTreeMap<String, BTreeMap<String, usize>>,
    functions: &BTreeSet<(String, String)>,
) -> Result<(), OnnxProblem> {
    for (domain, names) in operators {
        if DOMAINS.contains(&domain.as_str()) {
            continue;
        }
        for operator in names.keys() {
            if !functions.contains(&(domain.clone(), operator.clone())) {
                return Err(OnnxProblem::CustomOperator {
                    operator: operator.clone(),
                    domain: domain.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Reads where a tensor's data lies, from the entries of its `external_data`.
pub(super) fn external(
    tensor: &str,
    is_external: bool,
    entries: Vec<(String, String)>,
) -> Result<Option<ExternalLocation>, OnnxProblem> {
    let (mut location, mut offset, mut length) = (None, 0, None);
    for (key, value) in entries {
        match key.as_str() {
            "location" if is_plain(&value) => location = Some(value),
            "location" => return Err(OnnxProblem::Location { tensor: tensor.to_owned(), location: value }),
            "offset" => offset = number(tensor, "offset", value)?,
            "length" => length = Some(number(tensor, "length", value)?),
            _ => {}
        }
    }
    match location {
        Some(location) => Ok(Some(ExternalLocation { location, offset, length })),
        None if is_external => Err(OnnxProblem::LocationMissing { tensor: tensor.to_owned() }),
        None => Ok(None),
    }
}

fn number(tensor: &str, key: &'static str, value: String) -> Result<u64, OnnxProblem> {
    value.parse().map_err(|_| OnnxProblem::LocationNumber { tensor: tensor.to_owned(), key, value })
}

/// Checks that `bytes` of data are what the dimensions need, where the number format says how much that is.
pub(super) fn length(tensor: &InitializerHeader, bytes: u64) -> Result<(), OnnxProblem> {
    let Some(bits) = tensor.element_type.bits() else { return Ok(()) };
    if needed(tensor, bits) == Some(bytes) {
        return Ok(());
    }
    Err(OnnxProblem::DataLength {
        tensor: tensor.name.clone(),
        dims: tensor.dims.clone(),
        element_type: tensor.element_type.to_string(),
        bytes,
    })
}

fn needed(tensor: &InitializerHeader, bits: u64) -> Option<u64> {
    let bits =
        tensor.dims.iter().try_fold(bits, |product, &size| product.checked_mul(u64::try_from(size).ok()?))?;
    Some(bits.div_ceil(8))
}

/// Checks that all external data lies beside `path`, in regular files that are long enough.
pub(super) fn external_files(path: &Path, header: &GraphHeader) -> Result<(), Error> {
    let refuse = |source| Error::Onnx { path: path.to_path_buf(), source };
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut sizes = BTreeMap::new();
    for tensor in &header.initializers {
        let Some(external) = &tensor.external else { continue };
        let bytes = match sizes.get(&external.location) {
            Some(&bytes) => bytes,
            None => data_file(path, &folder.join(&external.location), tensor, external)?,
        };
        sizes.insert(external.location.clone(), bytes);
        bounds(tensor, external, bytes).map_err(refuse)?;
    }
    Ok(())
}

/// Size of a data file; links are refused, for they may lead outside the folder.
fn data_file(
    path: &Path,
    data: &Path,
    tensor: &InitializerHeader,
    external: &ExternalLocation,
) -> Result<u64, Error> {
    let refuse = |source| Error::Onnx { path: path.to_path_buf(), source };
    let names = || (tensor.name.clone(), external.location.clone());
    let metadata = match fs::symlink_metadata(data) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (tensor, location) = names();
            return Err(refuse(OnnxProblem::DataMissing { tensor, location }));
        }
        Err(source) => return Err(Error::io("read", data, source)),
    };
    if !metadata.is_file() {
        let (tensor, location) = names();
        return Err(refuse(OnnxProblem::DataNotAFile { tensor, location }));
    }
    if is_pointer(data)? {
        return Err(Error::LfsPointer { path: data.to_path_buf() });
    }
    Ok(metadata.len())
}

/// Whether a file is what Git LFS left in place of another.
pub(super) fn is_pointer(path: &Path) -> Result<bool, Error> {
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let mut start = Vec::new();
    file.take(64).read_to_end(&mut start).map_err(|source| Error::io("read", path, source))?;
    Ok(lfs::is_pointer(&start))
}

fn bounds(tensor: &InitializerHeader, external: &ExternalLocation, bytes: u64) -> Result<(), OnnxProblem> {
    let claimed = match (external.length, tensor.element_type.bits()) {
        (Some(claimed), _) => {
            length(tensor, claimed)?;
            claimed
        }
        // Without a stated length, the data is what the dimensions need.
        (None, Some(bits)) => needed(tensor, bits).unwrap_or(u64::MAX),
        (None, None) => 0,
    };
    let end = external.offset.saturating_add(claimed);
    if end <= bytes {
        return Ok(());
    }
    let location = external.location.clone();
    Err(OnnxProblem::DataOutOfBounds { tensor: tensor.name.clone(), location, end, bytes })
}
