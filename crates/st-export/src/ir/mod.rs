//! The graph as values: what a pass reads and writes.
//!
//! [`GraphBuilder`] makes a [`Graph`], [`Graph::validate`] checks it, and [`crate::onnx`] writes it.
//! Operators are an enum with typed attributes, and weights keep their names in the checkpoint, so that a
//! gradient, a fusion or a quantisation is a function from graph to graph.

mod builder;
mod graph;
mod op;
mod validate;
mod value;

pub use builder::GraphBuilder;
pub use graph::{Derived, Graph, Initializer, Node, Port, TensorData, ValueId};
pub use op::{GeluForm, Op};
pub use validate::GraphProblem;
pub use value::{Dim, ElementType, ValueInfo};
