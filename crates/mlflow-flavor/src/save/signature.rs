//! Which signature a saved model gets.

use st_core::Precision;

use super::{SaveOptions, SignatureOption, own_flavor};
use crate::model_folder::{Facts, Kind};
use crate::predict::{call, sentences};
use crate::signature::{enforce_params, infer_params};
use crate::{ColSpec, ColType, Error, InputExample, ModelSignature, Schema};

/// The signature by the rules of Python's `save_model`; a task comes first.
pub(super) fn choose(facts: &Facts, options: &SaveOptions) -> Result<Option<ModelSignature>, Error> {
    if facts.kind != Kind::SentenceTransformer {
        return own_flavor::signature(facts.kind, &options.signature);
    }
    if options.task.is_some() {
        return Ok(Some(ModelSignature::for_embeddings_task()));
    }
    match (&options.signature, &options.input_example) {
        (SignatureOption::Given(signature), _) => Ok(Some(signature.clone())),
        (SignatureOption::Without, _) => Ok(None),
        (SignatureOption::Infer, None) => Ok(Some(ModelSignature::default_for_encoders())),
        (SignatureOption::Infer, Some(example)) => {
            infer(example, options.embedding_dim.or(facts.embedding_dim)).map(Some)
        }
    }
}

/// What a model that is asked the example would take and give, without asking it.
fn infer(example: &InputExample, embedding_dim: Option<usize>) -> Result<ModelSignature, Error> {
    let inputs = Schema::infer(&example.input)?;
    let params = match &example.params {
        Some(params) if !params.is_empty() => Some(infer_params(params)?),
        _ => None,
    };
    let refused = |error: Error| Error::InputExample { problem: error.to_string() };
    let (asked, _) = sentences(&example.input, Some(&inputs)).map_err(refused)?;
    if asked.texts.is_empty() {
        return Err(Error::InputExample { problem: "it holds no text".to_owned() });
    }
    let (enforced, _) = enforce_params(example.params.as_ref(), params.as_deref())?;
    let call = call(&enforced).map_err(refused)?;
    let outputs = if call.tokens {
        // Python gives a list of tensors of different length and gives up on a type.
        Schema::columns(vec![ColSpec::unnamed(ColType::Any)])?
    } else {
        let dim = embedding_dim.ok_or_else(|| Error::SaveOption {
            option: "embedding_dim",
            problem:
                "is needed for a signature from an example: the folder does not tell the width of its vectors"
                    .to_owned(),
        })?;
        let dim = call.options.truncate_dim.map_or(dim, |kept| kept.min(dim));
        let (dtype, width) = match call.options.precision {
            Precision::Float32 => ("float32", dim),
            Precision::Int8 => ("int8", dim),
            Precision::Uint8 => ("uint8", dim),
            Precision::Binary => ("int8", dim.div_ceil(8)),
            Precision::Ubinary => ("uint8", dim.div_ceil(8)),
        };
        ModelSignature::tensor_output(dtype, vec![-1, i64::try_from(width).unwrap_or(i64::MAX)])
    };
    Ok(ModelSignature { inputs: Some(inputs), outputs: Some(outputs), params })
}
