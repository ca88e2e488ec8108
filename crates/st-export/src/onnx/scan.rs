//! Walks through an ONNX file and notes what matters, skipping the weights.

use std::collections::BTreeSet;

use super::bytes::Bytes;
use super::header::{GraphHeader, InitializerHeader};
use super::wire::{Content, Span, Stop, Wire};
use super::{OnnxProblem, judge};
use crate::ir::{Dim, ElementType, ValueInfo};

/// Graphs within graphs that are followed.
const DEPTH_LIMIT: usize = 16;
/// What a file may hold of each kind; a tiny message makes a larger value, so the size of the file is no
/// bound.
const TENSOR_LIMIT: usize = 1 << 20;
const PORT_LIMIT: usize = 1 << 12;
const AXIS_LIMIT: usize = 64;

/// Reads the header out of `bytes`; external data is judged by name only.
pub(super) fn scan<B: Bytes>(bytes: B) -> Result<GraphHeader, Stop> {
    let wire = Wire::new(bytes);
    let mut model = wire.whole();
    let mut scan = Scan { wire, header: GraphHeader::default(), functions: BTreeSet::new(), graphs: 0 };
    scan.model(&mut model)?;
    if scan.graphs == 0 {
        return Err(OnnxProblem::NoGraph.into());
    }
    let mut header = scan.header;
    judge::operators(&header.operators, &scan.functions)?;
    // Files before format version 4 list their weights as inputs, too.
    let initializers: BTreeSet<&str> =
        header.initializers.iter().map(|tensor| tensor.name.as_str()).collect();
    header.inputs.retain(|input| !initializers.contains(input.name.as_str()));
    Ok(header)
}

struct Scan<B> {
    wire: Wire<B>,
    header: GraphHeader,
    /// Domain and name of the functions that the file defines itself.
    functions: BTreeSet<(String, String)>,
    graphs: usize,
}

/// `ai.onnx` is another spelling of the empty domain.
fn canonical(domain: String) -> String {
    if domain == "ai.onnx" { String::new() } else { domain }
}

/// Numbers are 64 bits on the wire; ONNX means them as signed.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn push<T>(list: &mut Vec<T>, item: T, what: &'static str, limit: usize) -> Result<(), Stop> {
    if list.len() >= limit {
        return Err(OnnxProblem::TooMany { what, limit }.into());
    }
    list.push(item);
    Ok(())
}

impl<B: Bytes> Scan<B> {
    fn model(&mut self, model: &mut Span) -> Result<(), Stop> {
        while let Some(field) = self.wire.next(model, "the model")? {
            match field {
                (1, Content::Number(version)) => self.header.ir_version = signed(version),
                (2, Content::Span(text)) => {
                    self.header.producer_name = self.wire.text(text, "the producer's name")?;
                }
                (3, Content::Span(text)) => {
                    self.header.producer_version = self.wire.text(text, "the producer's version")?;
                }
                (7, Content::Span(graph)) => {
                    self.graphs += 1;
                    self.graph(graph, 0)?;
                }
                (8, Content::Span(opset)) => self.opset(opset)?,
                (20, Content::Span(training)) => self.training(training)?,
                (25, Content::Span(function)) => self.function(function)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn opset(&mut self, mut opset: Span) -> Result<(), Stop> {
        let (mut domain, mut version) = (String::new(), 0);
        while let Some(field) = self.wire.next(&mut opset, "an operator set")? {
            match field {
                (1, Content::Span(text)) => domain = self.wire.text(text, "a domain")?,
                (2, Content::Number(number)) => version = signed(number),
                _ => {}
            }
        }
        self.header.opsets.insert(canonical(domain), version);
        Ok(())
    }

    /// Two graphs, which a runtime for inference ignores; they are judged like any other.
    fn training(&mut self, mut training: Span) -> Result<(), Stop> {
        while let Some(field) = self.wire.next(&mut training, "training information")? {
            if let (1 | 2, Content::Span(graph)) = field {
                self.graph(graph, 1)?;
            }
        }
        Ok(())
    }

    fn function(&mut self, mut function: Span) -> Result<(), Stop> {
        let (mut domain, mut name) = (String::new(), String::new());
        while let Some(field) = self.wire.next(&mut function, "a function")? {
            match field {
                (1, Content::Span(text)) => name = self.wire.text(text, "a function's name")?,
                (7, Content::Span(node)) => self.node(node, 1)?,
                (10, Content::Span(text)) => domain = self.wire.text(text, "a domain")?,
                _ => {}
            }
        }
        self.functions.insert((canonical(domain), name));
        Ok(())
    }

    fn graph(&mut self, mut graph: Span, depth: usize) -> Result<(), Stop> {
        if depth > DEPTH_LIMIT {
            return Err(OnnxProblem::TooDeep { limit: DEPTH_LIMIT }.into());
        }
        while let Some(field) = self.wire.next(&mut graph, "a graph")? {
            match field {
                (1, Content::Span(node)) => self.node(node, depth)?,
                (5, Content::Span(tensor)) => self.tensor(tensor)?,
                (15, Content::Span(sparse)) => self.sparse_tensor(sparse)?,
                (11, Content::Span(input)) if depth == 0 => {
                    let input = self.value_info(input)?;
                    push(&mut self.header.inputs, input, "inputs", PORT_LIMIT)?;
                }
                (12, Content::Span(output)) if depth == 0 => {
                    let output = self.value_info(output)?;
                    push(&mut self.header.outputs, output, "outputs", PORT_LIMIT)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, mut node: Span, depth: usize) -> Result<(), Stop> {
        let (mut operator, mut domain) = (String::new(), String::new());
        while let Some(field) = self.wire.next(&mut node, "a node")? {
            match field {
                (4, Content::Span(text)) => operator = self.wire.text(text, "an operator's name")?,
                (5, Content::Span(attribute)) => self.attribute(attribute, depth)?,
                (7, Content::Span(text)) => domain = self.wire.text(text, "a domain")?,
                _ => {}
            }
        }
        let operators = self.header.operators.entry(canonical(domain)).or_default();
        *operators.entry(operator).or_insert(0) += 1;
        Ok(())
    }

    fn attribute(&mut self, mut attribute: Span, depth: usize) -> Result<(), Stop> {
        while let Some(field) = self.wire.next(&mut attribute, "an attribute")? {
            match field {
                (5 | 10, Content::Span(tensor)) => self.tensor(tensor)?,
                (6 | 11, Content::Span(graph)) => self.graph(graph, depth + 1)?,
                (22 | 23, Content::Span(sparse)) => self.sparse_tensor(sparse)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Values and their places, both ordinary tensors.
    fn sparse_tensor(&mut self, mut sparse: Span) -> Result<(), Stop> {
        while let Some(field) = self.wire.next(&mut sparse, "a sparse tensor")? {
            if let (1 | 2, Content::Span(tensor)) = field {
                self.tensor(tensor)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, mut tensor: Span) -> Result<(), Stop> {
        let mut dims = Vec::new();
        let (mut name, mut code, mut location, mut bytes, mut raw) = (String::new(), 0, 0, 0, None);
        let mut entries = Vec::new();
        loop {
            let before = tensor.start;
            let Some(field) = self.wire.next(&mut tensor, "a tensor")? else { break };
            match field {
                (1, Content::Number(size)) => push(&mut dims, signed(size), "axes", AXIS_LIMIT)?,
                (1, Content::Span(mut packed)) => {
                    while packed.bytes() > 0 {
                        let size = self.wire.number(&mut packed, "a tensor")?;
                        push(&mut dims, signed(size), "axes", AXIS_LIMIT)?;
                    }
                }
                (2, Content::Number(number)) => code = number,
                (8, Content::Span(text)) => name = self.wire.text(text, "a tensor's name")?,
                (9, Content::Span(data)) => raw = Some(data.bytes()),
                (4..=7 | 10 | 11, _) => bytes += tensor.start - before,
                (13, Content::Span(entry)) => {
                    let entry = self.entry(entry)?;
                    push(&mut entries, entry, "entries of external data", AXIS_LIMIT)?;
                }
                (14, Content::Number(number)) => location = number,
                _ => {}
            }
        }
        let element_type = ElementType::from_code(i32::try_from(code).unwrap_or(-1));
        let external = judge::external(&name, location == 1, entries)?;
        let bytes = raw.unwrap_or(bytes);
        let tensor = InitializerHeader { name, element_type, dims, bytes, external };
        if raw.is_some() && tensor.external.is_none() {
            judge::length(&tensor, bytes)?;
        }
        push(&mut self.header.initializers, tensor, "tensors", TENSOR_LIMIT)
    }

    fn entry(&mut self, mut entry: Span) -> Result<(String, String), Stop> {
        let (mut key, mut value) = (String::new(), String::new());
        while let Some(field) = self.wire.next(&mut entry, "an entry of external data")? {
            match field {
                (1, Content::Span(text)) => key = self.wire.text(text, "a key of external data")?,
                (2, Content::Span(text)) => value = self.wire.text(text, "a value of external data")?,
                _ => {}
            }
        }
        Ok((key, value))
    }

    fn value_info(&mut self, mut value: Span) -> Result<ValueInfo, Stop> {
        let (mut name, mut tensor) = (String::new(), None);
        while let Some(field) = self.wire.next(&mut value, "an input or output")? {
            match field {
                (1, Content::Span(text)) => name = self.wire.text(text, "the name of an input or output")?,
                (2, Content::Span(mut kind)) => {
                    while let Some(field) = self.wire.next(&mut kind, "a type")? {
                        if let (1, Content::Span(kind)) = field {
                            tensor = Some(self.tensor_type(kind)?);
                        }
                    }
                }
                _ => {}
            }
        }
        match tensor {
            Some((element_type, dims)) => Ok(ValueInfo { name, element_type, dims }),
            None => Err(OnnxProblem::NotATensor { name }.into()),
        }
    }

    fn tensor_type(&mut self, mut kind: Span) -> Result<(ElementType, Option<Vec<Dim>>), Stop> {
        let (mut code, mut dims) = (0, None);
        while let Some(field) = self.wire.next(&mut kind, "a tensor type")? {
            match field {
                (1, Content::Number(number)) => code = number,
                (2, Content::Span(mut shape)) => {
                    let mut axes = Vec::new();
                    while let Some(field) = self.wire.next(&mut shape, "a shape")? {
                        if let (1, Content::Span(dim)) = field {
                            let dim = self.dimension(dim)?;
                            push(&mut axes, dim, "axes", AXIS_LIMIT)?;
                        }
                    }
                    dims = Some(axes);
                }
                _ => {}
            }
        }
        Ok((ElementType::from_code(i32::try_from(code).unwrap_or(-1)), dims))
    }

    fn dimension(&mut self, mut dim: Span) -> Result<Dim, Stop> {
        let mut size = Dim::Unknown;
        while let Some(field) = self.wire.next(&mut dim, "a dimension")? {
            match field {
                // A negative size is how some programs say that they do not know it.
                (1, Content::Number(number)) => {
                    size = u64::try_from(signed(number)).map_or(Dim::Unknown, Dim::Fixed);
                }
                (2, Content::Span(text)) => {
                    let name = self.wire.text(text, "the name of a dimension")?;
                    size = if name.is_empty() { Dim::Unknown } else { Dim::Symbolic(name) };
                }
                _ => {}
            }
        }
        Ok(size)
    }
}
