//! What the save of a model has of its own that MLflow's flavor does not know: cross-encoders, sparse encoders, and
//! models of late interaction.
//!
//! Such a model is described by a flavor of ours, and loaded in Python by `mlflow.pyfunc` through a module that travels
//! with it, the way that MLflow documents for models that it has no flavor for.

use serde_json::json;

use super::plan::{CODE_FOLDER, PlannedFile};
use super::{SaveOptions, SignatureOption};
use crate::load::{CROSS_DATA_FOLDER, MULTI_VECTOR_DATA_FOLDER, SPARSE_DATA_FOLDER};
use crate::model_folder::{Facts, Kind};
use crate::tree::Listing;
use crate::{
    CROSS_ENCODER_FLAVOR, ColSpec, ColType, DataType, Error, MULTI_VECTOR_ENCODER_FLAVOR, ModelSignature,
    ParamSpec, ParamType, SPARSE_ENCODER_FLAVOR, Schema,
};

/// How a kind of model is saved.
pub(super) struct OwnFlavor {
    /// The Python module that loads it, named as the flavor; the file lies in the folder of the model's code.
    pub(super) module: &'static str,
    /// Where the files of the model go.
    pub(super) data: &'static str,
    /// The text of the module.
    loader: &'static str,
    /// What messages call the model.
    what: &'static str,
}

const CROSS_ENCODER: OwnFlavor = OwnFlavor {
    module: CROSS_ENCODER_FLAVOR,
    data: CROSS_DATA_FOLDER,
    loader: include_str!("cross_encoder_loader.py"),
    what: "a cross-encoder",
};

const SPARSE_ENCODER: OwnFlavor = OwnFlavor {
    module: SPARSE_ENCODER_FLAVOR,
    data: SPARSE_DATA_FOLDER,
    loader: concat!(include_str!("sparse_encoder_loader.py"), "\n\n", include_str!("loader_calls.py")),
    what: "a sparse encoder",
};

const MULTI_VECTOR_ENCODER: OwnFlavor = OwnFlavor {
    module: MULTI_VECTOR_ENCODER_FLAVOR,
    data: MULTI_VECTOR_DATA_FOLDER,
    loader: concat!(include_str!("multi_vector_encoder_loader.py"), "\n\n", include_str!("loader_calls.py")),
    what: "a late-interaction model",
};

impl OwnFlavor {
    /// That of a model; none for what MLflow's flavor knows.
    pub(super) fn of(facts: &Facts) -> Option<&'static Self> {
        match facts.kind {
            Kind::SentenceTransformer => None,
            Kind::CrossEncoder { .. } => Some(&CROSS_ENCODER),
            Kind::SparseEncoder => Some(&SPARSE_ENCODER),
            Kind::MultiVectorEncoder => Some(&MULTI_VECTOR_ENCODER),
        }
    }

    /// The file of the loader; its folder is put into `listing` if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::SaveOption`] if the model's own code has a file of that name.
    pub(super) fn loader(&self, listing: &mut Listing) -> Result<PlannedFile, Error> {
        let path = format!("{CODE_FOLDER}/{}.py", self.module);
        if listing.files.iter().any(|file| file.path == path) {
            let problem =
                format!("has a file `{}.py`, which is the name of what loads {}", self.module, self.what);
            return Err(Error::SaveOption { option: "code_paths", problem });
        }
        if !listing.folders.iter().any(|folder| folder == CODE_FOLDER) {
            listing.folders.push(CODE_FOLDER.to_owned());
        }
        Ok(PlannedFile::of_bytes(path, self.loader))
    }

    /// Options that only models with one dense vector a text can follow.
    pub(super) fn check(&self, options: &SaveOptions) -> Result<(), Error> {
        let of_vectors = [("task", options.task.is_some()), ("certificate", options.certificate.is_some())];
        match of_vectors.into_iter().find(|(_, asked)| *asked) {
            Some((option, _)) => {
                let problem = format!("is for models that answer vectors, and this is {}", self.what);
                Err(Error::SaveOption { option, problem })
            }
            None => Ok(()),
        }
    }
}

/// The signature of a model that MLflow's flavor does not know.
pub(super) fn signature(kind: Kind, asked: &SignatureOption) -> Result<Option<ModelSignature>, Error> {
    Ok(match (asked, kind) {
        (SignatureOption::Given(signature), _) => Some(signature.clone()),
        (SignatureOption::Without, _) => None,
        (SignatureOption::Infer, Kind::CrossEncoder { labels }) => Some(of_pairs(labels)?),
        (SignatureOption::Infer, Kind::SparseEncoder) => {
            let list =
                |name: &str, kind| ColSpec::named(name, ColType::Array(Box::new(ColType::Scalar(kind))));
            let columns = vec![list("indices", DataType::Long), list("values", DataType::Double)];
            Some(of_texts(Schema::columns(columns)?))
        }
        // Lists of different length have no type in MLflow.
        (SignatureOption::Infer, _) => Some(of_texts(Schema::columns(vec![ColSpec::unnamed(ColType::Any)])?)),
    })
}

/// Two texts in, a score or one for each label out.
fn of_pairs(labels: usize) -> Result<ModelSignature, Error> {
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

/// A text in; whether it is a `query` or a `document` may be said.
fn of_texts(outputs: Schema) -> ModelSignature {
    let task =
        ParamSpec { name: "task".to_owned(), kind: ParamType::Scalar(DataType::String), default: json!("") };
    ModelSignature {
        outputs: Some(outputs),
        params: Some(vec![task]),
        ..ModelSignature::default_for_encoders()
    }
}
