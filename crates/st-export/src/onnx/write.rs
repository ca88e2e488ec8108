//! From the intermediate representation to bytes, weights streamed a piece at a time.
//!
//! Protobuf wants the length of a message before its content, so the file is planned first: the sizes of all
//! weights are known, and only the small rest is encoded in memory.

use std::io::Write;
use std::path::Path;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use super::messages;
use crate::Error;
use crate::checkpoint::Checkpoint;
use crate::ir::{Graph, Initializer, TensorData};

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
        let weights = graph.initializers.iter().filter(|tensor| tensor.is_of_checkpoint()).collect();
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
            field_start(TENSOR_RAW_DATA, weight.bytes(), &mut start);
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
            let length = weight.bytes();
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
        match &weight.data {
            TensorData::Derived(derived) => sink.write(&checkpoint.derive(derived)?),
            _ => checkpoint.read(self.graph.value_name(weight.value), &mut |bytes| sink.write(bytes)),
        }
    }

    fn graph_bytes_inside(&self) -> u64 {
        let weights = self.weights.iter();
        let weights: u64 =
            weights.map(|weight| field_bytes(GRAPH_INITIALIZER, self.tensor_bytes(weight))).sum();
        self.body.len() as u64 + weights
    }

    fn tensor_bytes(&self, weight: &Initializer) -> u64 {
        let head = messages::tensor(self.graph, weight).encoded_len() as u64;
        head + field_bytes(TENSOR_RAW_DATA, weight.bytes())
    }
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::proto::ModelProto;
    use super::super::read_header;
    use super::*;
    use crate::checkpoint::{Naming, WeightFiles};
    use crate::ir::{Dim, ElementType, GraphBuilder};

    const NAMING: Naming = Naming::MODULE;
    const WEIGHT: [f32; 3] = [1.0, -2.5, 3.25];

    fn graph() -> Graph {
        let mut builder = GraphBuilder::new("test");
        let input =
            builder.input("input", ElementType::Float32, vec![Dim::Symbolic("n".into()), Dim::Fixed(3)]);
        let weight = builder.weight("weight", &[3]);
        let half = builder.float32(0.5);
        let sum = builder.add(input, weight);
        let output = builder.mul(sum, half);
        builder.output("output", output, ElementType::Float32, vec![Dim::Unknown, Dim::Fixed(3)]);
        builder.finish()
    }

    fn checkpoint(folder: &Path) -> Checkpoint {
        let data: Vec<u8> = WEIGHT.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![3], &data).unwrap();
        safetensors::serialize_to_file([("weight", view)], None, &folder.join("model.safetensors")).unwrap();
        Checkpoint::open(&WeightFiles::find(folder).unwrap(), "test", &NAMING).unwrap()
    }

    #[test]
    fn a_streamed_file_is_what_the_schema_says() {
        let folder = tempfile::tempdir().unwrap();
        let graph = graph();
        let plan = Plan::new(&graph);
        let mut bytes = Vec::new();
        plan.write_inside(&checkpoint(folder.path()), &mut Sink::new(&mut bytes, folder.path())).unwrap();
        assert_eq!(bytes.len() as u64, plan.bytes_inside());

        let model = ModelProto::decode(bytes.as_slice()).unwrap();
        assert_eq!((model.ir_version, model.producer_name.as_deref()), (Some(9), Some("st-export")));
        let decoded = model.graph.unwrap();
        assert_eq!(decoded.node.len(), 2);
        let [half, weight] = decoded.initializer.as_slice() else { panic!("two tensors: {decoded:?}") };
        assert_eq!(
            (half.name.as_deref(), half.raw_data.as_deref()),
            (Some("constant/float32 0.5"), Some(&0.5_f32.to_le_bytes()[..]))
        );
        assert_eq!((weight.name.as_deref(), &weight.dims), (Some("weight"), &vec![3]));
        let data: Vec<u8> = WEIGHT.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(weight.raw_data.as_deref(), Some(data.as_slice()));
        assert_eq!(read_header(&bytes).unwrap().outputs[0].to_string(), "output: float32[?, 3]");
    }

    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let graph = graph();
        let error = Plan::new(&graph)
            .write_inside(&checkpoint(folder.path()), &mut Sink::new(&mut Full, Path::new("out/model.onnx")))
            .unwrap_err();
        assert_eq!(error.to_string(), "no space left on the disk for `out/model.onnx`");
    }
}
