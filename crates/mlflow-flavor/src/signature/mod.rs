//! What goes into a model and what comes out.

mod types;

pub use types::{
    ColSpec, ColType, DataType, ModelSignature, ParamSpec, ParamType, Property, Schema, SchemaKind,
    TensorSpec,
};
