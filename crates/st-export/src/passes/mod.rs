//! Functions from graph to graph.

mod quantize;

pub(crate) use quantize::quantize_linears;
