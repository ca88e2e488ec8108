//! `mlflow.pyfunc`'s `predict`.

mod array;
mod input;
mod pairs;
mod params;
mod prediction;
mod sentences;

use std::sync::Arc;

use ndarray::Array2;
use serde_json::{Map, Value};
use st_core::{
    BoxError, EncodeOptions, Encoder, MultiVectorEncoder, PredictOptions, Reranker, SparseEncoder,
    SparseOptions, Task, Vectors,
};

pub use input::{Array, ColumnName, Frame, PredictInput};
use params::task;
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
    predictor: Predictor,
}

/// What answers. All but the first are loaded in Python by a module that travels with the model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Predictor {
    /// Texts to vectors.
    Encoder(Arc<dyn Encoder>),
    /// The columns `text` and `text_pair` to scores.
    Reranker(Arc<dyn Reranker>),
    /// Texts to the columns `indices` and `values`; the parameter `task` may say what they are.
    SparseEncoder(Arc<dyn SparseEncoder>),
    /// Texts to a list of vectors each; the parameter `task` may say what they are.
    MultiVectorEncoder(Arc<dyn MultiVectorEncoder>),
}

impl PyFunc {
    /// Joins the file `MLmodel` and the encoder of its data folder.
    pub fn new(mlmodel: MlModel, encoder: Arc<dyn Encoder>) -> Self {
        Self::of_predictor(mlmodel, Predictor::Encoder(encoder))
    }

    /// Joins the file `MLmodel` and a model of any kind.
    pub fn of_predictor(mlmodel: MlModel, predictor: Predictor) -> Self {
        Self { mlmodel, predictor }
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
        let schema = self.mlmodel.input_schema();
        let (params, ignored) = enforce_params(params, self.mlmodel.param_specs())?;
        let ((prediction, truncated), mut warnings) = match &self.predictor {
            Predictor::Encoder(encoder) => {
                let (sentences, warnings) = sentences(input, schema)?;
                (self.vectors(encoder.as_ref(), &sentences, &call(&params)?)?, warnings)
            }
            Predictor::Reranker(reranker) => {
                let (pairs, warnings) = pairs::pairs(input, schema)?;
                (scores(reranker.as_ref(), &pairs)?, warnings)
            }
            Predictor::SparseEncoder(encoder) => {
                let (sentences, warnings) = sentences(input, schema)?;
                (sparse_vectors(encoder.as_ref(), &sentences, task(&params)?)?, warnings)
            }
            Predictor::MultiVectorEncoder(encoder) => {
                let (sentences, warnings) = sentences(input, schema)?;
                (token_vectors(encoder.as_ref(), &sentences, task(&params)?)?, warnings)
            }
        };
        warnings.extend(ignored);
        Ok(Answer { prediction, warnings, truncated })
    }

    fn vectors(
        &self,
        encoder: &dyn Encoder,
        sentences: &Sentences,
        call: &Call,
    ) -> Result<(Prediction, usize), Error> {
        let texts = &sentences.borrowed();
        let enveloped = sentences.in_task_column && self.mlmodel.task().is_some_and(|task| !task.is_empty());
        if call.tokens {
            if enveloped {
                let problem =
                    "token_embeddings has no place in the answer of the task llm/v1/embeddings".to_owned();
                return Err(Error::EncodeParam { name: "output_value".to_owned(), problem });
            }
            let tokens = encoder.encode_tokens(texts, &call.options).map_err(failed)?;
            let truncated = tokens.truncated;
            return Ok((Prediction::Tokens(tokens), truncated));
        }
        let (vectors, truncated) = if texts.is_empty() {
            (Vectors::Float32(Array2::zeros((0, encoder.dim()))), 0)
        } else {
            let answer = encoder.encode(texts, &call.options).map_err(failed)?;
            (answer.vectors, answer.truncated)
        };
        let prediction = if enveloped {
            let prompt_tokens = encoder.count_tokens(texts).map_err(failed)?.into_iter().sum();
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

fn scores(reranker: &dyn Reranker, pairs: &[(String, String)]) -> Result<(Prediction, usize), Error> {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(one, two)| (one.as_str(), two.as_str())).collect();
    let scores = reranker.predict(&pairs, &PredictOptions::default()).map_err(failed)?;
    Ok((Prediction::Scores(scores.values), scores.truncated))
}

fn sparse_vectors(
    encoder: &dyn SparseEncoder,
    sentences: &Sentences,
    task: Option<Task>,
) -> Result<(Prediction, usize), Error> {
    let mut options = SparseOptions::default();
    options.task = task;
    let answer = encoder.encode(&sentences.borrowed(), &options).map_err(failed)?;
    Ok((Prediction::Sparse(answer.vectors), answer.truncated))
}

fn token_vectors(
    encoder: &dyn MultiVectorEncoder,
    sentences: &Sentences,
    task: Option<Task>,
) -> Result<(Prediction, usize), Error> {
    let mut options = EncodeOptions::default();
    options.task = task;
    let answer = encoder.encode(&sentences.borrowed(), &options).map_err(failed)?;
    let truncated = answer.truncated;
    Ok((Prediction::Tokens(answer), truncated))
}

fn failed(source: BoxError) -> Error {
    Error::Encode { source }
}
