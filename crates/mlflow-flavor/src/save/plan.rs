//! What a save will write, before anything is written.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::SaveOptions;
use super::describe::describe;
use super::graph::OnnxGraph;
use super::own_flavor::OwnFlavor;
use crate::digests::{Digester, Digests, FileDigest};
use crate::environment::{Arguments, EnvironmentFiles};
use crate::input_example::{EXAMPLE_FILE, SERVING_FILE};
use crate::load::{DATA_FOLDER, MLMODEL_FILE};
use crate::{Certificate, Error, InputExample, MlModel, TASK_EMBEDDINGS, model_folder, python_json, tree};

pub(super) const CODE_FOLDER: &str = "code";
pub(super) const EXTRA_FOLDER: &str = "extra_files";
const INFERENCE_CONFIG_FILE: &str = "inference_config";
/// What tools leave in a model folder and no loader reads.
const NOT_MODEL: [&str; 2] = [".git", ".cache"];

/// Every file of an MLflow model folder and where its bytes come from; nothing is copied yet.
///
/// [`save_model`](crate::save_model) writes one to a folder; whoever logs a model sends the files of one to an
/// artifact store, straight from where they lie.
///
/// ```no_run
/// use mlflow_flavor::{LoggedAs, SaveOptions, SavePlan};
///
/// let logged = LoggedAs::new("m-48639f6a059144eb8c0710bcc8aa0a2e", "mlflow-artifacts:/1/models/m-4863/artifacts");
/// let plan = SavePlan::new("all-MiniLM-L6-v2".as_ref(), &SaveOptions::default().with_logged(logged))?;
/// for file in plan.files() {
///     println!("{}: {} bytes", file.path, file.bytes);
/// }
/// let manifest = plan.digests()?.to_file();
/// println!("and at last {}: {} bytes", manifest.path, manifest.bytes);
/// # Ok::<(), mlflow_flavor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SavePlan {
    mlmodel: MlModel,
    files: Vec<PlannedFile>,
    folders: Vec<String>,
}

/// One file of a [`SavePlan`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedFile {
    /// Where it belongs in the model: relative, its parts joined with `/`.
    pub path: String,
    /// Its size when the plan was made.
    pub bytes: u64,
    /// Where its bytes come from.
    pub source: FileSource,
}

/// Where the bytes of a [`PlannedFile`] come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSource {
    /// A file that lies somewhere already.
    File(PathBuf),
    /// These.
    Bytes(Vec<u8>),
}

impl PlannedFile {
    /// A file of these bytes.
    pub(crate) fn of_bytes(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let content: Vec<u8> = bytes.into();
        Self { path: path.into(), bytes: content.len() as u64, source: FileSource::Bytes(content) }
    }

    /// Hands the bytes to `each` in pieces, and returns their digest.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read, [`Error::Changed`] if its size is no longer [`bytes`](Self::bytes),
    /// and whatever `each` returns.
    pub fn read(&self, mut each: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<FileDigest, Error> {
        let mut digester = Digester::default();
        match &self.source {
            FileSource::Bytes(bytes) => {
                digester.update(bytes);
                each(bytes)?;
            }
            FileSource::File(path) => {
                let mut file = fs::File::open(path).map_err(Error::io("open", path))?;
                let mut buffer = vec![0; PIECE];
                loop {
                    let read = file.read(&mut buffer).map_err(Error::io("read", path))?;
                    let piece = buffer.get(..read).unwrap_or_default();
                    if piece.is_empty() {
                        break;
                    }
                    digester.update(piece);
                    each(piece)?;
                }
            }
        }
        let digest = digester.finish();
        match &self.source {
            FileSource::File(path) if digest.bytes != self.bytes => {
                Err(Error::Changed { path: path.clone(), before: self.bytes, now: digest.bytes })
            }
            _ => Ok(digest),
        }
    }
}

/// How much of a file is held in memory, in bytes.
const PIECE: usize = 256 << 10;

impl SavePlan {
    /// Plans the save of the sentence-transformers model in `folder`.
    ///
    /// Sizes are read, and the few configuration files that say what the model is; no weight is.
    ///
    /// # Errors
    ///
    /// [`Error::ModelFolder`], [`Error::LfsPointer`], [`Error::UnsafePath`] and [`Error::SpecialFile`] if Python
    /// could not load `folder`; [`Error::Task`], [`Error::TaskMetadata`], [`Error::EnvironmentArguments`],
    /// [`Error::Requirement`], [`Error::InputExample`] and [`Error::SaveOption`] if an option cannot be followed;
    /// [`Error::Io`] if the system refuses.
    pub fn new(folder: &Path, options: &SaveOptions) -> Result<Self, Error> {
        let environment = EnvironmentFiles::new(
            Arguments {
                pip_requirements: options.pip_requirements.as_ref(),
                extra_pip_requirements: options.extra_pip_requirements.as_ref(),
                conda_env: options.conda_env.as_ref(),
            },
            &options.environment,
        )?;
        check_task(options)?;
        let facts = model_folder::inspect(folder)?;
        let own = OwnFlavor::of(&facts);
        own.map_or(Ok(()), |own| own.check(options))?;
        let example = options.input_example.as_ref().map(InputExample::files).transpose()?;
        let mut mlmodel = describe(folder, &facts, options, example.as_ref())?;

        let mut listing = tree::Listing::default();
        tree::list(folder, own.map_or(DATA_FOLDER, |own| own.data), &NOT_MODEL, &mut listing)?;
        list_into(&options.code_paths, CODE_FOLDER, "code_paths", &["__pycache__"], &mut listing)?;
        list_into(&options.extra_files, EXTRA_FOLDER, "extra_files", &[], &mut listing)?;
        let loader = own.map(|own| own.loader(&mut listing)).transpose()?;
        let mut files: Vec<PlannedFile> = listing.files.into_iter().map(PlannedFile::from).collect();
        files.extend(loader);
        files.extend(options.graph.as_ref().map(OnnxGraph::files).transpose()?.into_iter().flatten());
        if let Some(example) = example {
            files.push(PlannedFile::of_bytes(EXAMPLE_FILE, example.example));
            files.push(PlannedFile::of_bytes(SERVING_FILE, example.serving));
        }
        // What follows is not part of the size: Python writes it later.
        mlmodel.model_size_bytes = Some(files.iter().map(|file| file.bytes).sum());
        if let Some(config) = &options.inference_config
            && !config.is_empty()
        {
            files.push(PlannedFile::of_bytes(INFERENCE_CONFIG_FILE, python_json::dumps(&json!(config))));
        }
        files.extend(options.certificate.as_ref().map(Certificate::to_file));
        files.extend(environment.into_files());
        // Last: what lacks an MLmodel is no model yet.
        files.push(PlannedFile::of_bytes(MLMODEL_FILE, mlmodel.to_yaml()));
        options.graph.as_ref().map_or(Ok(()), |graph| graph.check(&files, &listing.folders))?;
        Ok(Self { mlmodel, files, folders: listing.folders })
    }

    /// The file `MLmodel`, which is one of the files, too.
    pub fn mlmodel(&self) -> &MlModel {
        &self.mlmodel
    }

    /// The file `MLmodel`.
    pub fn into_mlmodel(self) -> MlModel {
        self.mlmodel
    }

    /// The files in the order in which they should be written, `MLmodel` last; the digests are not among them.
    pub fn files(&self) -> &[PlannedFile] {
        &self.files
    }

    /// Folders of the model, parents first, also those without a file.
    pub fn folders(&self) -> &[String] {
        &self.folders
    }

    /// Size of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Reads every file once and returns the digests; their [file](Digests::to_file) is the last of the model.
    ///
    /// # Errors
    ///
    /// As [`PlannedFile::read`].
    pub fn digests(&self) -> Result<Digests, Error> {
        self.files.iter().map(|file| Ok((file.path.clone(), file.read(|_| Ok(()))?))).collect()
    }
}

impl From<tree::ListedFile> for PlannedFile {
    fn from(file: tree::ListedFile) -> Self {
        Self { path: file.path, bytes: file.bytes, source: FileSource::File(file.place) }
    }
}

fn check_task(options: &SaveOptions) -> Result<(), Error> {
    let Some(task) = &options.task else { return Ok(()) };
    if task != TASK_EMBEDDINGS {
        return Err(Error::Task { task: task.clone() });
    }
    match options.metadata.as_ref().and_then(|metadata| metadata.get("task")) {
        Some(other) if other != task => Err(Error::TaskMetadata {
            task: task.clone(),
            metadata: other.as_str().map_or_else(|| Value::to_string(other), str::to_owned),
        }),
        _ => Ok(()),
    }
}

fn list_into(
    sources: &[PathBuf],
    folder: &str,
    option: &'static str,
    skip: &[&str],
    listing: &mut tree::Listing,
) -> Result<(), Error> {
    if sources.is_empty() {
        return Ok(());
    }
    listing.folders.push(folder.to_owned());
    let mut names = BTreeSet::new();
    for source in sources {
        let name = base_name(source, option)?;
        tree::list(source, &format!("{folder}/{name}"), skip, listing)?;
        if let Some(name) = names.replace(name) {
            return Err(Error::SaveOption { option, problem: format!("names two files `{name}`") });
        }
    }
    Ok(())
}

/// The last part of a path, also of `.` and `dir/..`.
pub(super) fn base_name(path: &Path, option: &'static str) -> Result<String, Error> {
    let absolute = fs::canonicalize(path).map_err(Error::io("read", path))?;
    // The name as given: a link keeps its own.
    let name = path.file_name().or_else(|| absolute.file_name()).and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| Error::SaveOption {
        option,
        problem: format!("has `{}`, whose name is not UTF-8", path.display()),
    })
}
