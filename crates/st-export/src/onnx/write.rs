//! From the intermediate representation to bytes, weights streamed a piece at a time.
//!
//! Protobuf wants the length of a message before its content, so the file is planned first: the sizes of all weights
//! are known, and only the small rest is encoded in memory.

use std::io::Write;
use std::path::Path;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use super::messages;
use crate::Error;
use crate::checkpoint::Checkpoint;
use crate::ir::{Graph, Initializer};

/// The most that protobuf, and so an ONNX file, may hold.
pub(crate) const FILE_LIMIT: u64 = i32::MAX as u64;

/// Weights outside the file start at multiples of this, the page size, so that runtimes can map them.
const ALIGNMENT: u64 = 4096;
const ZEROS: [u8; 4096] = [0; 4096];

/// Field numbers of the schema.
const MODEL_GRAPH: u32 = 7;
const GRAPH_INITIALIZER: u32 = 5;
const TENSOR_RAW_DATA: u32 = 9;

/// A file that is being written, with its name for errors.
pub(crate) struct Sink<'a> {
    writer: &'a mut dyn Write,
    path: &'a Path,
    written: u64,
}

impl<'a> Sink<'a> {
    /// Writes to `writer`, which stands for `path`.
    pub(crate) fn new(writer: &'a mut dyn Write, path: &'a Path) -> Self {
        Self { writer, path, written: 0 }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.written += bytes.len() as u64;
        self.writer.write_all(bytes).map_err(|source| Error::io("write", self.path, source))
    }

    fn pad_to(&mut self, offset: u64) -> Result<(), Error> {
        let missing = usize::try_from(offset.saturating_sub(self.written)).unwrap_or(0);
        self.write(ZEROS.get(..missing).unwrap_or(&ZEROS))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|source| Error::io("write", self.path, source))
    }
}

/// A graph that is ready to be written.
pub(crate) struct Plan<'a> {
    graph: &'a Graph,
    weights: Vec<&'a Initializer>,
    body: Vec<u8>,
}

impl<'a> Plan<'a> {
    /// Encodes everything but the weights.
    pub(crate) fn new(graph: &'a Graph) -> Self {
        let weights = graph.initializers.iter().filter(|tensor| tensor.is_weight()).collect();
        Self { graph, weights, body: messages::body(graph).encode_to_vec() }
    }

    /// Bytes of the file with the weights inside.
    pub(crate) fn bytes_inside(&self) -> u64 {
        let graph = self.graph_bytes_inside();
        messages::shell().encoded_len() as u64 + field_bytes(MODEL_GRAPH, graph)
    }

    /// Writes one file, weights inside.
    pub(crate) fn write_inside(&self, checkpoint: &Checkpoint, file: &mut Sink<'_>) -> Result<(), Error> {
        let mut start = messages::shell().encode_to_vec();
        field_start(MODEL_GRAPH, self.graph_bytes_inside(), &mut start);
        file.write(&start)?;
        file.write(&self.body)?;
        for weight in &self.weights {
            let head = messages::tensor(self.graph, weight).encode_to_vec();
            let mut start = Vec::new();
            field_start(GRAPH_INITIALIZER, self.tensor_bytes(weight), &mut start);
            start.extend_from_slice(&head);
            field_start(TENSOR_RAW_DATA, data_bytes(weight), &mut start);
            file.write(&start)?;
            self.stream(checkpoint, weight, file)?;
        }
        file.flush()
    }

    /// Writes the graph to `file` and the weights to `data`, which will be called `location`.
    pub(crate) fn write_outside(
        &self,
        checkpoint: &Checkpoint,
        file: &mut Sink<'_>,
        data: &mut Sink<'_>,
        location: &str,
    ) -> Result<(), Error> {
        let mut body = self.body.clone();
        for weight in &self.weights {
            let offset = data.written.next_multiple_of(ALIGNMENT);
            data.pad_to(offset)?;
            self.stream(checkpoint, weight, data)?;
            let length = data_bytes(weight);
            let tensor = messages::external_tensor(self.graph, weight, location, offset, length);
            field_start(GRAPH_INITIALIZER, tensor.encoded_len() as u64, &mut body);
            body.extend_from_slice(&tensor.encode_to_vec());
        }
        let mut start = messages::shell().encode_to_vec();
        field_start(MODEL_GRAPH, body.len() as u64, &mut start);
        file.write(&start)?;
        file.write(&body)?;
        data.flush()?;
        file.flush()
    }

    fn stream(
        &self,
        checkpoint: &Checkpoint,
        weight: &Initializer,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        checkpoint.read(self.graph.value_name(weight.value), &mut |bytes| sink.write(bytes))
    }

    fn graph_bytes_inside(&self) -> u64 {
        let weights = self.weights.iter();
        let weights: u64 =
            weights.map(|weight| field_bytes(GRAPH_INITIALIZER, self.tensor_bytes(weight))).sum();
        self.body.len() as u64 + weights
    }

    fn tensor_bytes(&self, weight: &Initializer) -> u64 {
        let head = messages::tensor(self.graph, weight).encoded_len() as u64;
        head + field_bytes(TENSOR_RAW_DATA, data_bytes(weight))
    }
}

/// Bytes of a weight's numbers.
fn data_bytes(weight: &Initializer) -> u64 {
    weight.elements() * 4
}

/// Bytes that a field with a content of `bytes` takes.
fn field_bytes(field: u32, bytes: u64) -> u64 {
    (key_len(field) + encoded_len_varint(bytes)) as u64 + bytes
}

/// Writes what stands before the content of a field.
fn field_start(field: u32, bytes: u64, out: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(bytes, out);
}
