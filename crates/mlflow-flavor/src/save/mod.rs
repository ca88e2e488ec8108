//! Writing an MLflow model folder.

mod options;
mod signature;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

pub use options::{SaveOptions, SignatureOption};

use crate::environment::{Arguments, CONDA, EnvironmentFiles, PYTHON_ENV};
use crate::input_example::{EXAMPLE_FILE, ExampleFiles, SERVING_FILE};
use crate::load::{DATA_FOLDER, LOADER_MODULE, MLMODEL_FILE};
use crate::model_folder::{self, Facts};
use crate::{
    Error, ExtraFile, InputExample, MLFLOW_VERSION, MlModel, PythonFunctionFlavor,
    SentenceTransformersFlavor, TASK_EMBEDDINGS, python_json, tree,
};

const CODE_FOLDER: &str = "code";
const EXTRA_FOLDER: &str = "extra_files";
const INFERENCE_CONFIG_FILE: &str = "inference_config";
/// What tools leave in a model folder and no loader reads.
const NOT_MODEL: [&str; 2] = [".git", ".cache"];

/// Saves the sentence-transformers model in `folder` as an MLflow model in the folder `path`.
///
/// Files are copied, never parsed: no weight is loaded. All is built beside `path` and moved there at the end, so
/// that an interrupted save leaves nothing that looks like a model. Links in `folder` are followed.
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
/// [`Error::TargetNotEmpty`] if something is at `path`; [`Error::ModelFolder`], [`Error::LfsPointer`],
/// [`Error::UnsafePath`] and [`Error::SpecialFile`] if Python could not load `folder`; [`Error::Task`],
/// [`Error::TaskMetadata`], [`Error::EnvironmentArguments`], [`Error::Requirement`], [`Error::InputExample`] and
/// [`Error::SaveOption`] if an option cannot be followed; [`Error::Io`] if the system refuses, as with a full disk.
pub fn save_model(folder: &Path, path: &Path, options: &SaveOptions) -> Result<MlModel, Error> {
    let environment = EnvironmentFiles::new(
        Arguments {
            pip_requirements: options.pip_requirements.as_ref(),
            extra_pip_requirements: options.extra_pip_requirements.as_ref(),
            conda_env: options.conda_env.as_ref(),
        },
        &options.environment,
    )?;
    check_task(options)?;
    check_target(folder, path)?;
    let facts = model_folder::inspect(folder)?;
    let example = options.input_example.as_ref().map(InputExample::files).transpose()?;
    let mut mlmodel = describe(folder, &facts, options, example.as_ref())?;

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
    fs::create_dir(&model).map_err(Error::io("create", &model))?;
    copy_files(folder, &model, options, example.as_ref())?;
    mlmodel.model_size_bytes = Some(tree::size(&model)?);
    write(&model.join(MLMODEL_FILE), &mlmodel.to_yaml())?;
    if let Some(config) = &options.inference_config
        && !config.is_empty()
    {
        write(&model.join(INFERENCE_CONFIG_FILE), &python_json::dumps(&json!(config)))?;
    }
    environment.write(&model)?;
    tree::sync(&model)?;
    publish(&model, path)?;
    tree::sync_one(parent)?;
    Ok(mlmodel)
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

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::io("write", path))
}

fn check_task(options: &SaveOptions) -> Result<(), Error> {
    let Some(task) = &options.task else { return Ok(()) };
    if task != TASK_EMBEDDINGS {
        return Err(Error::Task { task: task.clone() });
    }
    match options.metadata.as_ref().and_then(|metadata| metadata.get("task")) {
        Some(other) if other != task => Err(Error::TaskMetadata {
            task: task.clone(),
            metadata: other.as_str().map_or_else(|| other.to_string(), str::to_owned),
        }),
        _ => Ok(()),
    }
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

fn copy_files(
    folder: &Path,
    model: &Path,
    options: &SaveOptions,
    example: Option<&ExampleFiles>,
) -> Result<(), Error> {
    tree::copy(folder, &model.join(DATA_FOLDER), &NOT_MODEL)?;
    copy_into(&options.code_paths, model, CODE_FOLDER, "code_paths", &["__pycache__"])?;
    copy_into(&options.extra_files, model, EXTRA_FOLDER, "extra_files", &[])?;
    if let Some(example) = example {
        write(&model.join(EXAMPLE_FILE), &example.example)?;
        write(&model.join(SERVING_FILE), &example.serving)?;
    }
    Ok(())
}

fn copy_into(
    sources: &[PathBuf],
    model: &Path,
    folder: &str,
    option: &'static str,
    skip: &[&str],
) -> Result<(), Error> {
    if sources.is_empty() {
        return Ok(());
    }
    let folder = model.join(folder);
    fs::create_dir(&folder).map_err(Error::io("create", &folder))?;
    for source in sources {
        let target = folder.join(base_name(source, option)?);
        if target.exists() {
            let problem = format!("names two files `{}`", target.file_name().unwrap_or_default().display());
            return Err(Error::SaveOption { option, problem });
        }
        tree::copy(source, &target, skip)?;
    }
    Ok(())
}

/// The last part of a path, also of `.` and `dir/..`.
fn base_name(path: &Path, option: &'static str) -> Result<String, Error> {
    let absolute = fs::canonicalize(path).map_err(Error::io("read", path))?;
    // The name as given: a link keeps its own.
    let name = path.file_name().or_else(|| absolute.file_name()).and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| Error::SaveOption {
        option,
        problem: format!("has `{}`, whose name is not UTF-8", path.display()),
    })
}

/// The file `MLmodel`, but for the size.
fn describe(
    folder: &Path,
    facts: &Facts,
    options: &SaveOptions,
    example: Option<&ExampleFiles>,
) -> Result<MlModel, Error> {
    let mut model = options.mlflow_model.clone().unwrap_or_default();
    model.model_uuid.get_or_insert_with(|| uuid::Uuid::new_v4().simple().to_string());
    model.utc_time_created.get_or_insert_with(now);
    model.mlflow_version.get_or_insert_with(|| MLFLOW_VERSION.to_owned());
    model.saved_input_example_info = example.map(|example| example.info.clone());
    if let Some(signature) = signature::choose(facts, options)? {
        model.signature = Some(signature);
    }
    if options.metadata.is_some() {
        model.metadata.clone_from(&options.metadata);
    }
    if let Some(task) = &options.task {
        model.metadata.get_or_insert_default().insert("task".to_owned(), json!(task));
    }
    let code = (!options.code_paths.is_empty()).then(|| CODE_FOLDER.to_owned());
    model.flavors.python_function = Some(PythonFunctionFlavor {
        code: code.clone(),
        config: options
            .task
            .as_ref()
            .map(|task| [("task".to_owned(), Value::from(task.as_str()))].into_iter().collect()),
        data: Some(DATA_FOLDER.to_owned()),
        env: Some(json!({"conda": CONDA, "virtualenv": PYTHON_ENV})),
        loader_module: Some(LOADER_MODULE.to_owned()),
        python_version: Some(options.environment.python.clone()),
        ..PythonFunctionFlavor::default()
    });
    let name = || options.source_model_name.clone().unwrap_or_else(|| source_model_name(folder));
    model.flavors.sentence_transformers = Some(SentenceTransformersFlavor {
        code,
        extra_files: options.extra_files.iter().map(|file| extra_file(file)).collect::<Result<_, _>>()?,
        pipeline_model_type: facts.transformer_class.clone(),
        sentence_transformers_version: Some(
            facts
                .library_version
                .clone()
                .unwrap_or_else(|| options.environment.sentence_transformers.clone()),
        ),
        source_model_name: facts.has_transformer.then(name),
        ..SentenceTransformersFlavor::default()
    });
    Ok(model)
}

fn extra_file(source: &Path) -> Result<ExtraFile, Error> {
    let name = base_name(source, EXTRA_FOLDER)?;
    Ok(ExtraFile { path: format!("{EXTRA_FOLDER}/{name}"), ..ExtraFile::default() })
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`, UTC.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

/// The name of the model that a folder holds: the hub's name if the path tells it, else the path.
fn source_model_name(folder: &Path) -> String {
    let path = folder.to_string_lossy();
    // The cache of the hub: `models--USER--NAME/snapshots/REVISION`.
    let mut parts = path.trim_end_matches('/').rsplit('/').skip(1);
    if parts.next() == Some("snapshots")
        && let Some(name) = parts.next().and_then(|part| part.strip_prefix("models--"))
    {
        return name.replacen("--", "/", 1);
    }
    // The cache of sentence-transformers before 2.3: `USER_NAME/`, as MLflow's flavor knows it.
    let old = path
        .strip_suffix('/')
        .and_then(|path| path.rsplit_once('/'))
        .and_then(|(_, last)| last.split_once('_'));
    match old {
        Some((user, name))
            if !user.is_empty()
                && !name.is_empty()
                && user.chars().all(|ch| ch.is_ascii_alphanumeric() || ch == '-') =>
        {
            format!("{user}/{name}")
        }
        _ => path.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_from_their_paths() {
        for (path, expected) in [
            ("tiny-encoder", "tiny-encoder"),
            ("/m/sentence-transformers_all-MiniLM-L6-v2/", "sentence-transformers/all-MiniLM-L6-v2"),
            ("/m/custom-user-009_model_name_with_underscore/", "custom-user-009/model_name_with_underscore"),
            ("/m/sentence-transformers_all-MiniLM-L6-v2", "/m/sentence-transformers_all-MiniLM-L6-v2"),
            (
                "/hub/models--sentence-transformers--all-MiniLM-L6-v2/snapshots/c9745ed",
                "sentence-transformers/all-MiniLM-L6-v2",
            ),
        ] {
            assert_eq!(source_model_name(Path::new(path)), expected);
        }
    }

    #[test]
    fn the_time_has_the_form_of_python() {
        let time = now();
        assert_eq!(time.len(), "2026-11-23 21:10:30.157731".len(), "{time}");
        assert!(time.chars().enumerate().all(|(at, ch)| match at {
            4 | 7 => ch == '-',
            10 => ch == ' ',
            13 | 16 => ch == ':',
            19 => ch == '.',
            _ => ch.is_ascii_digit(),
        }));
    }
}
