//! The graph as values: what a pass reads and writes.

mod value;

pub use value::{Dim, ElementType, ValueInfo};

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
    /// An output that no node makes.
    #[error("output `{name}` is never made")]
    OutputUndefined {
        /// The output.
        name: String,
    },
}
