//! What the save of a cross-encoder has of its own: MLflow's flavor knows none.
//!
//! The model is described by a flavor of ours, and loaded in Python by `mlflow.pyfunc` through a module that travels
//! with it, the way that MLflow documents for models that it has no flavor for.

use super::plan::{CODE_FOLDER, PlannedFile};
use crate::model_folder::Facts;
use crate::tree::Listing;
use crate::{ColSpec, ColType, DataType, Error, ModelSignature, SaveOptions, Schema};

/// The Python module that loads a cross-encoder; the file lies in the folder of the model's code.
pub(super) const LOADER_MODULE: &str = "sentence_transformers_cross_encoder";

/// The text of that module.
const LOADER: &str = include_str!("cross_encoder_loader.py");

/// Its file; the folder is put into `listing` if it is not there.
///
/// # Errors
///
/// [`Error::SaveOption`] if the model's own code has a file of that name.
pub(super) fn loader(listing: &mut Listing) -> Result<PlannedFile, Error> {
    let path = format!("{CODE_FOLDER}/{LOADER_MODULE}.py");
    if listing.files.iter().any(|file| file.path == path) {
        let problem =
            format!("has a file `{LOADER_MODULE}.py`, which is the name of what loads a cross-encoder");
        return Err(Error::SaveOption { option: "code_paths", problem });
    }
    if !listing.folders.iter().any(|folder| folder == CODE_FOLDER) {
        listing.folders.push(CODE_FOLDER.to_owned());
    }
    Ok(PlannedFile::of_bytes(path, LOADER))
}

/// Options that only models with vectors can follow.
pub(super) fn check(facts: &Facts, options: &SaveOptions) -> Result<(), Error> {
    let of_vectors = [("task", options.task.is_some()), ("certificate", options.certificate.is_some())];
    match of_vectors.into_iter().find(|(_, asked)| *asked) {
        Some((option, _)) if facts.labels.is_some() => Err(Error::SaveOption {
            option,
            problem: "is for models that answer vectors, and this is a cross-encoder".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Two texts in, a score or one for each label out.
pub(super) fn signature(labels: usize) -> Result<ModelSignature, Error> {
    let text = |name: &str| ColSpec::named(name, ColType::Scalar(DataType::String));
    let shape = match labels {
        1 => vec![-1],
        _ => vec![-1, i64::try_from(labels).unwrap_or(i64::MAX)],
    };
    Ok(ModelSignature {
        inputs: Some(Schema::columns(vec![text("text"), text("text_pair")])?),
        outputs: Some(ModelSignature::tensor_output("float32", shape)),
        params: None,
    })
}
