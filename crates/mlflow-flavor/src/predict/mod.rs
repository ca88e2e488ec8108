//! `mlflow.pyfunc`'s `predict`.

mod array;
mod input;
mod params;
mod prediction;
mod sentences;

use std::sync::Arc;

use ndarray::Array2;
use serde_json::{Map, Value};
use st_core::{Encoder, Vectors};

pub use input::{Array, ColumnName, Frame, PredictInput};
pub(crate) use params::{Call, call};
pub use prediction::{Answer, Prediction, Warning};
pub(crate) use sentences::sentences;

use crate::signature::enforce_params;
use crate::{Error, MlModel};
use sentences::Sentences;

/// A model that answers like `mlflow.pyfunc.load_model(…)`.
///
/// The input goes through the schema of the model's signature, the parameters through theirs; then the texts are
/// encoded. A model with the task `llm/v1/embeddings` answers a table with the column `input` with an envelope.
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
    ///
    /// [`Error::Schema`] and [`Error::Params`] if something does not fit the signature, [`Error::Dropped`] where
    /// Python would leave a part of the input out, [`Error::NotText`] and [`Error::EncodeParam`] if `encode` could
    /// not take it, and [`Error::Encode`] if the model fails.
    pub fn predict(
        &self,
        input: &PredictInput,
        params: Option<&Map<String, Value>>,
    ) -> Result<Answer, Error> {
        let (sentences, mut warnings) = sentences(input, self.mlmodel.input_schema())?;
        let (params, ignored) = enforce_params(params, self.mlmodel.param_specs())?;
        warnings.extend(ignored);
        let (prediction, truncated) = self.answer(&sentences, &call(&params)?)?;
        Ok(Answer { prediction, warnings, truncated })
    }

    fn answer(&self, sentences: &Sentences, call: &Call) -> Result<(Prediction, usize), Error> {
        let texts: Vec<&str> = sentences.texts.iter().map(String::as_str).collect();
        let failed = |source| Error::Encode { source };
        let enveloped = sentences.in_task_column && self.mlmodel.task().is_some_and(|task| !task.is_empty());
        if call.tokens {
            if enveloped {
                let problem =
                    "token_embeddings has no place in the answer of the task llm/v1/embeddings".to_owned();
                return Err(Error::EncodeParam { name: "output_value".to_owned(), problem });
            }
            let tokens = self.encoder.encode_tokens(&texts, &call.options).map_err(failed)?;
            let truncated = tokens.truncated;
            return Ok((Prediction::Tokens(tokens), truncated));
        }
        let (vectors, truncated) = if texts.is_empty() {
            (Vectors::Float32(Array2::zeros((0, self.encoder.dim()))), 0)
        } else {
            let encoded = self.encoder.encode(&texts, &call.options).map_err(failed)?;
            (encoded.vectors, encoded.truncated)
        };
        let prediction = if enveloped {
            let prompt_tokens = self.encoder.count_tokens(&texts).map_err(failed)?.into_iter().sum();
            Prediction::Envelope { vectors, prompt_tokens }
        } else if texts.is_empty() {
            Prediction::Empty
        } else if sentences.single {
            Prediction::Vector(vectors)
        } else {
            Prediction::Matrix(vectors)
        };
        Ok((prediction, truncated))
    }
}
