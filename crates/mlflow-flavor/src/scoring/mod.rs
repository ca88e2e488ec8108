//! The bodies of MLflow's scoring protocol: requests in, answers out.

use std::io::Write;

use serde_json::{Map, Value};

use crate::{Error, MlModel, PredictInput, Prediction};

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

/// Reads a body of the type `application/json`.
///
/// # Errors
pub fn parse_json(body: &[u8], mlmodel: &MlModel) -> Result<Request, Error> {
    let _ = (body, mlmodel);
    todo!()
}

/// Reads a body of the type `text/csv`.
///
/// # Errors
pub fn parse_csv(body: &[u8], mlmodel: &MlModel) -> Result<Request, Error> {
    let _ = (body, mlmodel);
    todo!()
}

/// Writes the answer to a request: `{"predictions": …}`, or the bare value if the request was `unified`.
///
/// # Errors
///
/// [`Error::Answer`] if the writer fails.
pub fn write_json(prediction: &Prediction, unified: bool, out: &mut dyn Write) -> Result<(), Error> {
    let _ = (prediction, unified, out);
    todo!()
}
