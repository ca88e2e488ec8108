//! `mlflow.pyfunc`'s `predict`.

mod array;
mod input;
mod prediction;

use std::sync::Arc;

use serde_json::{Map, Value};
use st_core::Encoder;

pub use input::{Array, ColumnName, Frame, PredictInput};
pub use prediction::{Answer, Prediction, Warning};

use crate::{Error, MlModel};

/// A model that answers like `mlflow.pyfunc.load_model(…)`.
#[derive(Clone, Debug)]
pub struct PyFunc {
    mlmodel: MlModel,
    encoder: Arc<dyn Encoder>,
}

impl PyFunc {
    /// Joins the file `MLmodel` and the encoder of its data folder.
    pub fn new(mlmodel: MlModel, encoder: Arc<dyn Encoder>) -> Self {
        Self { mlmodel, encoder }
    }

    /// The file `MLmodel`.
    pub fn mlmodel(&self) -> &MlModel {
        &self.mlmodel
    }

    /// Enforces the signature, encodes, and wraps the answer if the model has a task.
    ///
    /// # Errors
    pub fn predict(
        &self,
        input: &PredictInput,
        params: Option<&Map<String, Value>>,
    ) -> Result<Answer, Error> {
        let _ = (input, params, &self.encoder);
        todo!()
    }
}
