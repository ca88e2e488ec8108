//! The header of an ONNX file that someone else wrote.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use super::bytes::FileBytes;
use super::scan::scan;
use super::wire::Stop;
use super::write::FILE_LIMIT;
use super::{OnnxProblem, judge};
use crate::Error;
use crate::ir::{ElementType, ValueInfo};

/// Where a tensor's data lies outside the ONNX file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalLocation {
    /// Plain file name, beside the ONNX file.
    pub location: String,
    /// First byte.
    pub offset: u64,
    /// Number of bytes; `None` means what the dimensions need.
    pub length: Option<u64>,
}

/// A tensor that the file carries, without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitializerHeader {
    /// Its name; empty for constants inside operators.
    pub name: String,
    /// Its number format.
    pub element_type: ElementType,
    /// Its dimensions.
    pub dims: Vec<i64>,
    /// Bytes of data inside the file.
    pub bytes: u64,
    /// Where the data lies, when it is not inside.
    pub external: Option<ExternalLocation>,
}

/// All that can be known of an ONNX file without reading its weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphHeader {
    /// Version of the file format.
    pub ir_version: i64,
    /// The program that wrote it.
    pub producer_name: String,
    /// Version of that program.
    pub producer_version: String,
    /// Operator set version by domain; the empty domain is ONNX itself.
    pub opsets: BTreeMap<String, i64>,
    /// What callers must feed, in order; initializers that old files list here are left out.
    pub inputs: Vec<ValueInfo>,
    /// What callers may fetch, in order.
    pub outputs: Vec<ValueInfo>,
    /// How often each operator occurs, by domain; those inside subgraphs count.
    pub operators: BTreeMap<String, BTreeMap<String, usize>>,
    /// Tensors, in order; those inside subgraphs and operators count.
    pub initializers: Vec<InitializerHeader>,
}

/// Reads and judges the header of an ONNX file in memory; external data is checked by name only.
///
/// Weights are skipped, not copied. No input makes this panic, and nothing is allocated from a length that
/// the bytes only claim.
///
/// # Errors
///
/// [`OnnxProblem`] says what is broken or refused.
pub fn read_header(bytes: &[u8]) -> Result<GraphHeader, OnnxProblem> {
    scan(bytes).map_err(|stop| match stop {
        Stop::Problem(problem) => problem,
        // Bytes in memory are never refused by the operating system.
        Stop::Io(_) => OnnxProblem::Malformed { offset: 0, within: "the model" },
    })
}

/// Reads and judges the header of an ONNX file on disk, and that its external data is there.
///
/// A file of any size takes milliseconds: weights are skipped, not read.
///
/// # Errors
///
/// [`Error::Onnx`] with the [`OnnxProblem`] as source, [`Error::LfsPointer`] for the file or its data, and
/// [`Error::Io`].
pub fn open_header(path: &Path) -> Result<GraphHeader, Error> {
    let refuse = |source| Error::Onnx { path: path.to_path_buf(), source };
    let metadata = fs::metadata(path).map_err(|source| Error::io("open", path, source))?;
    if !metadata.is_file() {
        return Err(refuse(OnnxProblem::NotAFile));
    }
    if metadata.len() > FILE_LIMIT {
        return Err(refuse(OnnxProblem::TooLarge { bytes: metadata.len(), limit: FILE_LIMIT }));
    }
    if judge::is_pointer(path)? {
        return Err(Error::LfsPointer { path: path.to_path_buf() });
    }
    let file = File::open(path).map_err(|source| Error::io("open", path, source))?;
    let bytes = FileBytes::new(file).map_err(|source| Error::io("read", path, source))?;
    let header = scan(bytes).map_err(|stop| match stop {
        Stop::Problem(problem) => refuse(problem),
        Stop::Io(source) => Error::io("read", path, source),
    })?;
    judge::external_files(path, &header)?;
    Ok(header)
}
