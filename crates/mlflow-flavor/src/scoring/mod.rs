//! The bodies of MLflow's scoring protocol: requests in, answers out.
//!
//! ```
//! use mlflow_flavor::{MlModel, PredictInput, scoring};
//! use serde_json::json;
//!
//! let request = scoring::parse_json(br#"{"input": ["one", "two"]}"#, &MlModel::default())?;
//! assert_eq!(request.input, PredictInput::Value(json!({"input": ["one", "two"]})));
//! assert!(request.unified, "the whole object is the input, and the answer comes without `predictions`");
//! # Ok::<(), mlflow_flavor::Error>(())
//! ```
//!
//! What a request holds is cast by the model's signature before it is checked, as in MLflow's server: to a model
//! that takes texts, the number 1 in `inputs` is the text `1`.

mod answer;
mod cast;
mod csv;
mod example;
mod json;

use serde_json::{Map, Value};

pub use answer::write_json;
pub use csv::parse_csv;
pub use example::check_example;
pub use json::parse_json;

use crate::{Error, PredictInput};

/// A request, ready for [`PyFunc::predict`](crate::PyFunc::predict).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The input.
    pub input: PredictInput,
    /// The parameters, if there were any.
    pub params: Option<Map<String, Value>>,
    /// Whether the body had the unified form, which is answered without `predictions`.
    pub unified: bool,
}

/// MLflow's `MlflowInvalidInputException`.
fn invalid(problem: impl std::fmt::Display) -> Error {
    Error::Request { message: format!("Invalid input. {problem}") }
}
