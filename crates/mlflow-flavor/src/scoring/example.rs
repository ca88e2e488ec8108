//! Whether a model's own example is a request that it can answer.

use std::sync::Arc;

use st_core::Encoder;

use super::parse_json;
use crate::input_example::SERVING_FILE;
use crate::{Error, PyFunc, SavePlan};

/// Scores the example of a model that is about to be saved, as a server would: MLflow's `validate_serving_input`. A model
/// without an example passes.
///
/// # Errors
///
/// What the server would answer; [`Error::Io`] if the example cannot be read.
pub fn check_example(plan: &SavePlan, encoder: Arc<dyn Encoder>) -> Result<(), Error> {
    let Some(example) = plan.files().iter().find(|file| file.path == SERVING_FILE) else { return Ok(()) };
    let mut body = Vec::new();
    example.read(|piece| {
        body.extend_from_slice(piece);
        Ok(())
    })?;
    let request = parse_json(&body, plan.mlmodel())?;
    PyFunc::new(plan.mlmodel().clone(), encoder).predict(&request.input, request.params.as_ref()).map(drop)
}
