//! What every graph must hold before it is written.

use std::collections::HashSet;

use super::{Graph, Node, TensorData, ValueId};

/// An inconsistency of a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphProblem {
    /// A value is used before, or without, being made.
    #[error("node `{node}` reads `{value}` before it is made")]
    Undefined {
        /// The reader.
        node: String,
        /// What it reads.
        value: String,
    },
    /// Two values of one name.
    #[error("the name `{name}` is given twice")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A value that is made twice.
    #[error("the value `{name}` is made twice")]
    MadeTwice {
        /// The value.
        name: String,
    },
    /// An output that no node makes.
    #[error("output `{name}` is never made")]
    OutputUndefined {
        /// The output.
        name: String,
    },
    /// A node with too few or too many inputs.
    #[error("node `{node}` has {found} inputs but {operator} takes {expected}")]
    Arity {
        /// The node.
        node: String,
        /// Its operator.
        operator: &'static str,
        /// Inputs that it has.
        found: usize,
        /// Inputs that it needs at least.
        expected: usize,
    },
    /// A constant whose numbers do not fill its shape.
    #[error("constant `{name}` has {found} numbers but its shape needs {expected}")]
    ConstantLength {
        /// The constant.
        name: String,
        /// Numbers that it has.
        found: u64,
        /// Numbers that its shape needs.
        expected: u64,
    },
}

impl Graph {
    /// Checks that names are unique, that every value is made once and before it is read, and that every node
    /// has as many inputs as its operator takes.
    ///
    /// # Errors
    ///
    /// The first [`GraphProblem`], in the order of the graph.
    pub fn validate(&self) -> Result<(), GraphProblem> {
        self.names_are_unique()?;
        let mut made = HashSet::new();
        for port in &self.inputs {
            self.make(&mut made, port.value)?;
        }
        for tensor in &self.initializers {
            let found = match &tensor.data {
                TensorData::Float32(values) => values.len() as u64,
                TensorData::Int64(values) => values.len() as u64,
                TensorData::Uint8(values) => values.len() as u64,
                TensorData::Weight | TensorData::Derived(_) => tensor.elements(),
            };
            if found != tensor.elements() {
                let name = self.value_name(tensor.value).to_owned();
                return Err(GraphProblem::ConstantLength { name, found, expected: tensor.elements() });
            }
            self.make(&mut made, tensor.value)?;
        }
        for node in &self.nodes {
            self.check_node(node, &made)?;
            for &output in &node.outputs {
                self.make(&mut made, output)?;
            }
        }
        match self.outputs.iter().find(|port| !made.contains(&port.value)) {
            Some(port) => Err(GraphProblem::OutputUndefined { name: self.value_name(port.value).to_owned() }),
            None => Ok(()),
        }
    }

    fn names_are_unique(&self) -> Result<(), GraphProblem> {
        let mut seen = HashSet::new();
        match self.names.iter().find(|name| !seen.insert(name.as_str())) {
            Some(name) => Err(GraphProblem::NameTwice { name: name.clone() }),
            None => Ok(()),
        }
    }

    fn make(&self, made: &mut HashSet<ValueId>, value: ValueId) -> Result<(), GraphProblem> {
        if made.insert(value) {
            Ok(())
        } else {
            Err(GraphProblem::MadeTwice { name: self.value_name(value).to_owned() })
        }
    }

    fn check_node(&self, node: &Node, made: &HashSet<ValueId>) -> Result<(), GraphProblem> {
        if let Some(&value) = node.inputs.iter().find(|&value| !made.contains(value)) {
            let value = self.value_name(value).to_owned();
            return Err(GraphProblem::Undefined { node: node.name.clone(), value });
        }
        let found = node.inputs.len();
        let arity = node.op.arity();
        if arity.contains(&found) {
            return Ok(());
        }
        let expected = *arity.start();
        Err(GraphProblem::Arity { node: node.name.clone(), operator: node.op.name(), found, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dim, ElementType, GraphBuilder, Op};
    use super::*;

    fn graph() -> Graph {
        let mut builder = GraphBuilder::new("test");
        let input = builder.input("input", ElementType::Float32, vec![Dim::Fixed(2)]);
        let two = builder.float32(2.0);
        let doubled = builder.apply(Op::Mul, &[input, two]);
        let root = builder.apply(Op::Sqrt, &[doubled]);
        builder.output("output", root, ElementType::Float32, vec![Dim::Fixed(2)]);
        builder.finish()
    }

    #[track_caller]
    fn check(edit: impl FnOnce(&mut Graph), expected: &str) {
        let mut graph = graph();
        assert_eq!(graph.validate(), Ok(()));
        edit(&mut graph);
        assert_eq!(graph.validate().unwrap_err().to_string(), expected);
    }

    #[test]
    fn each_inconsistency_is_named() {
        check(|graph| graph.nodes.reverse(), "node `Sqrt` reads `Mul` before it is made");
        check(|graph| graph.names[2] = "input".into(), "the name `input` is given twice");
        check(
            |graph| graph.nodes[1].outputs = graph.nodes[0].outputs.clone(),
            "the value `Mul` is made twice",
        );
        check(
            |graph| {
                graph.nodes.pop();
            },
            "output `output` is never made",
        );
        check(
            |graph| {
                graph.nodes[0].inputs.pop();
            },
            "node `Mul` has 1 inputs but Mul takes 2",
        );
        check(
            |graph| graph.initializers[0].dims = vec![2],
            "constant `constant/float32 2.0` has 1 numbers but its shape needs 2",
        );
    }
}
