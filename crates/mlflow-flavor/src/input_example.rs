//! The input example of a model, and its two files.

use serde_json::{Map, Value};

use crate::PredictInput;

/// An example of the input, with parameters or without: Python's `input_example` and its tuple form.
#[derive(Clone, Debug, PartialEq)]
pub struct InputExample {
    /// The input.
    pub input: PredictInput,
    /// The parameters, if the example has them.
    pub params: Option<Map<String, Value>>,
}

impl<T: Into<PredictInput>> From<T> for InputExample {
    fn from(input: T) -> Self {
        Self { input: input.into(), params: None }
    }
}
