//! What was meant: arguments and environment together. The only reader of the environment.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use mlflow_client::settings::variables;
use mlflow_client::types::tags::{Tag, system};
use mlflow_flavor::ModelCache;
use st_core::{EncodeOptions, LongText, Prompt, SparseOptions, Task};
use st_hub::HubSettings;
use st_model::{LoadOptions, Places};

use crate::args::{EncodeArgs, GlobalArgs, InputArgs, KindArgs, LongTextPolicy, ModelArgs, PromptArgs};
use crate::error::Error;
use crate::input::{self, Columns, Origin};
use crate::output::{Labels, Target};
use crate::size;

/// What `tracing` shows, in its own syntax, such as `debug` or `st_model=trace`; `-v` wins.
const LOG: &str = "ST_LOG";

/// How much of fetched models is kept, such as `20GB`.
pub(crate) const CACHE_LIMIT: &str = "ST_CACHE_LIMIT";

/// What holds for the whole run.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The answer is for a program.
    pub(crate) json: bool,
    /// Progress may be drawn.
    pub(crate) progress: bool,
    /// What `tracing` shows.
    pub(crate) log: String,
    /// Models of the hub are looked up anew.
    pub(crate) refresh: bool,
    /// Where ONNX Runtime and the cache are.
    pub(crate) places: Places,
    /// Where runs keep what they could not send.
    spool: Option<PathBuf>,
    /// The tracking store that was typed.
    tracking_uri: Option<String>,
    /// The model registry that was typed.
    registry_uri: Option<String>,
}

impl Settings {
    /// Joins the arguments of every command with the environment.
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let log = match global.verbose {
            0 => variable(LOG).map_or_else(|| "warn".to_owned(), |log| log.to_string_lossy().into_owned()),
            1 => "warn,st=info,st_model=info,st_export=info,st_hub=info,mlflow_flavor=info,mlflow_client=info".to_owned(),
            _ => "info,st=trace,st_model=trace,st_export=trace,st_hub=trace,mlflow_flavor=trace,mlflow_client=debug"
                .to_owned(),
        };
        Self {
            json: global.json,
            progress: io::stderr().is_terminal(),
            log,
            refresh: global.refresh,
            places: Places::from_env(variable),
            spool: spool(),
            tracking_uri: global.tracking_uri.clone(),
            registry_uri: global.registry_uri.clone(),
        }
    }

    /// Everything that MLflow's variables say, and what was typed instead. Read when a command needs it.
    pub(crate) fn mlflow(&self) -> anyhow::Result<mlflow_client::Settings> {
        let mut settings = mlflow_client::Settings::from_environment(&text_variable)?;
        if let Some(uri) = &self.tracking_uri {
            settings.tracking_uri = Some(uri.as_str().into());
        }
        if let Some(uri) = &self.registry_uri {
            settings.registry_uri = Some(uri.as_str().into());
        }
        Ok(settings)
    }

    /// Where models of the hub are kept, and where they come from: Python's variables. Read when a command needs it.
    pub(crate) fn hub() -> Result<HubSettings, st_hub::Error> {
        HubSettings::from_env(variable)
    }

    /// Variables of MLflow that are set and change nothing, but for those that the command heeds; and why.
    pub(crate) fn without_effect(heeded: &[&str]) -> Vec<(&'static str, &'static str)> {
        let mut ignored = mlflow_client::Settings::ignored(&text_variable);
        ignored.retain(|(variable, _)| !heeded.contains(variable));
        ignored
    }

    /// Who named the tracking store and the registry, in the user's words.
    pub(crate) fn store_origins(&self, mlflow: &mlflow_client::Settings) -> (&'static str, &'static str) {
        let tracking = match (&self.tracking_uri, &mlflow.tracking_uri) {
            (Some(_), _) => "--tracking-uri",
            (None, Some(_)) => variables::MLFLOW_TRACKING_URI,
            (None, None) => "default, as nobody names another",
        };
        let registry = match (&self.registry_uri, &mlflow.registry_uri) {
            (Some(_), _) => "--registry-uri",
            (None, Some(_)) => variables::MLFLOW_REGISTRY_URI,
            (None, None) => tracking,
        };
        (tracking, registry)
    }

    /// Where fetched models are kept.
    pub(crate) fn model_cache(&self) -> Result<ModelCache, Error> {
        let folder = self.places.cache.as_ref().map(|cache| cache.join("mlflow")).ok_or(Error::NoCache)?;
        let limit = variable(CACHE_LIMIT).map(|limit| size::parse(&limit.to_string_lossy()));
        let limit =
            limit.transpose().map_err(|problem| Error::Variable { variable: CACHE_LIMIT, problem })?;
        Ok(ModelCache::new(folder).with_limit(limit.unwrap_or(ModelCache::LIMIT)))
    }

    /// Where runs keep what they could not send. Not in the cache: it is the only copy.
    pub(crate) fn spool(&self) -> Result<&Path, Error> {
        self.spool.as_deref().ok_or(Error::NoSpool)
    }

    /// Who works here.
    pub(crate) fn user() -> Option<String> {
        text_variable("USER").or_else(|| text_variable("LOGNAME")).or_else(|| text_variable("USERNAME"))
    }

    /// The tags that Python sets on what it logs: who, and with which program.
    pub(crate) fn origin_tags() -> Vec<Tag> {
        let mut tags: Vec<Tag> = Self::user().map(|user| Tag::new(system::USER, user)).into_iter().collect();
        tags.push(Tag::new(system::SOURCE_NAME, "st"));
        tags.push(Tag::new(system::SOURCE_TYPE, "LOCAL"));
        tags
    }

    /// The places, with an explicit runtime if one is given.
    pub(crate) fn places(&self, runtime: Option<&Path>) -> Places {
        match runtime {
            Some(path) => self.places.clone().with_runtime(path),
            None => self.places.clone(),
        }
    }

    /// How a model is loaded. A program for people takes all cores, unlike the library.
    pub(crate) fn load_options(&self, args: &ModelArgs) -> LoadOptions {
        let threads = args.threads.unwrap_or_else(cores);
        let mut options =
            LoadOptions::new(self.places(args.runtime.as_deref())).with_threads(threads).with_mode(args.mode);
        if let Some(tokens) = args.max_seq_length {
            options = options.with_max_seq_length(tokens);
        }
        if let Some(graph) = &args.graph {
            options = options.with_graph(graph);
        }
        options
    }
}

/// Reads a variable of the environment.
fn variable(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "this file is the only reader of the environment")]
    std::env::var_os(name)
}

/// A variable that is text; one that is not is as none.
fn text_variable(name: &str) -> Option<String> {
    variable(name)?.into_string().ok()
}

/// The spool below the folder that the standard of the `XDG_` variables has for what must survive.
fn spool() -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A relative path is to be ignored, says the standard.
    let state = set("XDG_STATE_HOME").filter(|folder| folder.is_absolute());
    let state = state.or_else(|| set("HOME").map(|home| home.join(".local/state")));
    state.map(|folder| folder.join("mlflow-sentence-transformers/spool"))
}

/// Threads that a program for people takes.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// What stands before each text.
pub(crate) fn encode_options(args: &PromptArgs) -> EncodeOptions {
    let options = EncodeOptions::default().with_prompt(match (&args.prompt, &args.prompt_name) {
        (Some(text), _) => Prompt::Text(text.clone()),
        (None, Some(name)) => Prompt::Name(name.clone()),
        (None, None) => Prompt::Default,
    });
    match (args.query, args.document) {
        (true, _) => options.with_task(Task::Query),
        (false, true) => options.with_task(Task::Document),
        (false, false) => options,
    }
}

/// The same for a sparse encoder.
pub(crate) fn sparse_options(prompt: &PromptArgs, kind: &KindArgs) -> SparseOptions {
    let dense = encode_options(prompt);
    let mut options = SparseOptions::default().with_prompt(dense.prompt);
    (options.task, options.max_active_dims) = (dense.task, kind.max_active_dims);
    options
}

/// What happens to texts that are too long, where it was said.
pub(crate) fn long_text(
    policy: Option<LongTextPolicy>,
    overlap: Option<usize>,
) -> Result<Option<LongText>, Error> {
    match (policy, overlap) {
        (Some(LongTextPolicy::Chunk), overlap) => Ok(Some(LongText::Chunk { overlap: overlap.unwrap_or(0) })),
        (_, Some(_)) => {
            let problem = "`--overlap` is of windows: add `--long-text chunk`";
            Err(Error::Usage { problem: problem.to_owned() })
        }
        (Some(LongTextPolicy::Truncate), None) => Ok(Some(LongText::Truncate)),
        (Some(LongTextPolicy::Error), None) => Ok(Some(LongText::Error)),
        (None, None) => Ok(None),
    }
}

/// A path, unless it is the sign for standard input or output.
pub(crate) fn file(path: &Path) -> Option<PathBuf> {
    (path != Path::new("-")).then(|| path.to_owned())
}

/// A file or standard input.
pub(crate) fn origin(path: &Path, format: Option<input::Format>) -> Origin {
    file(path).map_or(Origin::Stdin(format), |path| Origin::File(path, format))
}

/// Texts of the command line, a file, or standard input.
pub(crate) fn texts_or_file(texts: &[String], args: &InputArgs) -> Origin {
    match &args.input {
        Some(path) => origin(path, args.input_format),
        None if texts.is_empty() => Origin::Stdin(args.input_format),
        None => Origin::Inline(texts.to_vec()),
    }
}

/// The columns that were named.
pub(crate) fn columns(text: Option<&String>, id: Option<&String>) -> Columns {
    Columns { text: text.cloned(), id: id.cloned() }
}

/// Where vectors go.
pub(crate) fn target(args: &EncodeArgs) -> Target {
    Target {
        path: file(&args.output.output),
        format: args.output.output_format,
        force: args.output.force,
        labels: Labels {
            text: args.output.with_text,
            // A chunk of a text is known by its name only.
            id: args.input.id_column.is_some() || args.late_chunking.is_some(),
            span: args.late_chunking.is_some(),
            tokens: args.kind.with_tokens,
        },
        header: args.output.header,
    }
}
