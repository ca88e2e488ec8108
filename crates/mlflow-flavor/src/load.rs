//! Opening an MLflow model folder.

use std::path::{Path, PathBuf};

use crate::{Certificate, Digests, Error, MlModel, safe_path};

/// The file that makes a folder an MLflow model.
pub(crate) const MLMODEL_FILE: &str = "MLmodel";
/// The folder with the files of the model inside it.
pub(crate) const DATA_FOLDER: &str = "model.sentence_transformer";
/// The same of a cross-encoder.
pub(crate) const CROSS_DATA_FOLDER: &str = "model.cross_encoder";
/// The same of a sparse encoder.
pub(crate) const SPARSE_DATA_FOLDER: &str = "model.sparse_encoder";
/// The same of a late-interaction model.
pub(crate) const MULTI_VECTOR_DATA_FOLDER: &str = "model.multi_vector_encoder";
/// The Python module that loads models of this flavor.
pub(crate) const LOADER_MODULE: &str = "mlflow.sentence_transformers";

/// An MLflow model folder whose parts have been checked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadedModel {
    /// The file `MLmodel`.
    pub mlmodel: MlModel,
    /// The folder that was opened.
    pub path: PathBuf,
    /// The sentence-transformers folder inside it.
    pub data_path: PathBuf,
    /// The folder with the model's own Python code, if it has one: for information, nothing of it is run.
    pub code_path: Option<PathBuf>,
}

/// What becomes of the digests of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestPolicy {
    /// They are not looked at: the caller has verified the files, or is about to.
    Ignore,
    /// If the model has digests its files have to agree; models that Python saved have none.
    #[default]
    IfPresent,
    /// A model without digests is refused.
    Require,
}

/// Options of [`load_model_with`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// What becomes of the digests of the model.
    pub digests: DigestPolicy,
}

impl LoadOptions {
    /// Sets what becomes of the digests.
    #[must_use]
    pub fn with_digests(mut self, digests: DigestPolicy) -> Self {
        self.digests = digests;
        self
    }
}

impl LoadedModel {
    /// What the model answered when it was saved, if that was kept.
    ///
    /// # Errors
    ///
    /// As [`Certificate::read`].
    pub fn certificate(&self) -> Result<Option<Certificate>, Error> {
        Certificate::read(&self.path)
    }
}

/// Opens the MLflow model in the folder `path`, whoever saved it; its files have to agree with its digests, if it has any.
///
/// No weight is read as a number and no code is run.
///
/// # Errors
///
/// As [`load_model_with`].
pub fn load_model(path: &Path) -> Result<LoadedModel, Error> {
    load_model_with(path, &LoadOptions::default())
}

/// Opens the MLflow model in the folder `path`, whoever saved it.
///
/// ```no_run
/// use mlflow_flavor::{DigestPolicy, LoadOptions, load_model_with};
///
/// let strict = LoadOptions::default().with_digests(DigestPolicy::Require);
/// let model = load_model_with("model".as_ref(), &strict)?;
/// println!("{}", model.data_path.display());
/// # Ok::<(), mlflow_flavor::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Io`], [`Error::Yaml`], [`Error::Key`] if the file `MLmodel` cannot be read, [`Error::OtherFlavor`] if
/// the model is of another flavor, [`Error::UnsafePath`] if a path in the file leads elsewhere,
/// [`Error::ModelFolder`] if the data folder is not there, [`Error::Digest`] if a file is not what the digests say,
/// and [`Error::NoDigests`] if they are required and missing.
pub fn load_model_with(path: &Path, options: &LoadOptions) -> Result<LoadedModel, Error> {
    let model = open(path)?;
    if options.digests == DigestPolicy::Ignore {
        return Ok(model);
    }
    match Digests::read(path)? {
        Some(digests) => digests.verify(path)?,
        None if options.digests == DigestPolicy::Require => {
            return Err(Error::NoDigests { folder: path.to_owned() });
        }
        None => {}
    }
    Ok(model)
}

fn open(path: &Path) -> Result<LoadedModel, Error> {
    let file = path.join(MLMODEL_FILE);
    let mlmodel = MlModel::read(&file)?;
    let flavors = &mlmodel.flavors;
    let known = [
        (&flavors.sentence_transformers, DATA_FOLDER),
        (&flavors.cross_encoder, CROSS_DATA_FOLDER),
        (&flavors.sparse_encoder, SPARSE_DATA_FOLDER),
        (&flavors.multi_vector_encoder, MULTI_VECTOR_DATA_FOLDER),
    ];
    let found = known.into_iter().find_map(|(flavor, data)| Some((flavor.as_ref()?, data)));
    let Some((flavor, default_data)) = found else {
        return Err(Error::OtherFlavor { path: path.to_owned(), flavors: flavor_names(&mlmodel) });
    };
    let inside = |key: &str, value: &str| {
        let plain = safe_path::relative(value).map_err(|problem| Error::UnsafePath {
            file: file.display().to_string(),
            key: key.to_owned(),
            path: value.to_owned(),
            problem,
        })?;
        Ok::<_, Error>(path.join(plain))
    };
    let python_function = mlmodel.flavors.python_function.as_ref();
    let data = python_function.and_then(|flavor| flavor.data.as_deref()).unwrap_or(default_data);
    let data_path = inside("flavors.python_function.data", data)?;
    let code_path = match &flavor.code {
        Some(code) => Some(inside("flavors.sentence_transformers.code", code)?),
        None => None,
    };
    if !data_path.is_dir() {
        let problem = format!("has no folder {data}, which its MLmodel names");
        return Err(Error::ModelFolder { folder: path.to_owned(), problem });
    }
    Ok(LoadedModel { mlmodel, path: path.to_owned(), data_path, code_path })
}

fn flavor_names(mlmodel: &MlModel) -> String {
    let python_function = mlmodel.flavors.python_function.as_ref();
    let names: Vec<String> = mlmodel.flavors.names().iter().map(|name| format!("`{name}`")).collect();
    match python_function.and_then(|flavor| flavor.loader_module.as_deref()) {
        Some(loader) if loader != LOADER_MODULE => format!("{} (loaded by `{loader}`)", names.join(", ")),
        _ if names.is_empty() => "(none)".to_owned(),
        _ => names.join(", "),
    }
}
