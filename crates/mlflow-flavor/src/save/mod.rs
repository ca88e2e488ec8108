//! Writing an MLflow model folder.

mod describe;
mod graph;
mod options;
mod own_flavor;
mod plan;
mod signature;
mod write;

use std::fs;
use std::io;
use std::path::Path;

pub use graph::OnnxGraph;
pub use options::{LoggedAs, SaveOptions, SignatureOption};
pub use plan::{FileSource, PlannedFile, SavePlan};

use crate::{Error, MlModel, tree};

/// Saves the sentence-transformers model in `folder` as an MLflow model in the folder `path`.
///
/// Files are copied, never parsed: no weight is loaded. All is built beside `path` and moved there at the end, so
/// that an interrupted save leaves nothing that looks like a model. Links in `folder` are followed. The digests of
/// all files lie beside them in `model_digests.json`, which Python ignores: see [`Digests`](crate::Digests).
///
/// ```no_run
/// use mlflow_flavor::{SaveOptions, save_model};
///
/// let options = SaveOptions::default().with_task("llm/v1/embeddings");
/// let mlmodel = save_model("all-MiniLM-L6-v2".as_ref(), "model".as_ref(), &options)?;
/// assert_eq!(mlmodel.task(), Some("llm/v1/embeddings"));
/// # Ok::<(), mlflow_flavor::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::TargetNotEmpty`] if something is at `path`; what [`SavePlan::new`] refuses; [`Error::Io`] if the system
/// refuses, as with a full disk.
pub fn save_model(folder: &Path, path: &Path, options: &SaveOptions) -> Result<MlModel, Error> {
    check_target(folder, path)?;
    let plan = SavePlan::new(folder, options)?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    let own;
    let staging = match &options.staging {
        Some(folder) => folder.as_path(),
        None => {
            own = staging_beside(path).map_err(Error::io("create", parent))?;
            own.path()
        }
    };
    // A folder of its own inside: the outer one can be read by its owner only.
    let model = staging.join("model");
    plan.write(&model)?;
    tree::sync(&model)?;
    publish(&model, path)?;
    tree::sync_one(parent)?;
    Ok(plan.into_mlmodel())
}

/// A folder for [`SaveOptions::staging`]: hidden, beside `path`, removed when dropped.
///
/// # Errors
///
/// Whatever the system reports.
pub fn staging_beside(path: &Path) -> io::Result<tempfile::TempDir> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    tempfile::Builder::new().prefix(".mlflow-save-").tempdir_in(parent)
}

fn check_target(folder: &Path, path: &Path) -> Result<(), Error> {
    let taken = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(_) => true,
    };
    if taken {
        return Err(Error::TargetNotEmpty { path: path.to_owned() });
    }
    // The nearest parent that exists tells whether the target would lie inside the folder.
    let existing = path.ancestors().find_map(|ancestor| {
        let here = ancestor.as_os_str().is_empty();
        fs::canonicalize(if here { Path::new(".") } else { ancestor }).ok()
    });
    match (existing, fs::canonicalize(folder).ok()) {
        (Some(existing), Some(source)) if existing.starts_with(&source) => {
            Err(Error::TargetInsideFolder { path: path.to_owned(), folder: folder.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Moves the finished model to its place; an empty folder there gives way.
fn publish(model: &Path, path: &Path) -> Result<(), Error> {
    if !cfg!(unix) && path.is_dir() {
        fs::remove_dir(path).map_err(Error::io("replace", path))?;
    }
    fs::rename(model, path).map_err(|source| match source.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            Error::TargetNotEmpty { path: path.to_owned() }
        }
        _ => Error::Io { action: "create", path: path.to_owned(), source },
    })
}
