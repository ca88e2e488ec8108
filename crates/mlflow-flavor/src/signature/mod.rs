//! What goes into a model and what comes out: the types, their JSON, their inference, their enforcement.

mod enforce;
mod infer;
mod infer_params;
mod parse;
mod types;
mod write;

pub(crate) use enforce::{
    Dtype, Enforced, dtype_of, enforce, enforce_params, enforce_value, frame_from_list,
};
pub(crate) use infer_params::infer_params;
pub(crate) use parse::parse_params;
pub use types::{
    ColSpec, ColType, DataType, ModelSignature, ParamSpec, ParamType, Property, Schema, SchemaKind,
    TensorSpec,
};
