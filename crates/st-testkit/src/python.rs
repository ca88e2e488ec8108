//! Python with MLflow: what the real client reads and writes, asked from a test.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::{cache_dir, fixtures_dir};

/// An environment that set-up makes in the user's cache, by its requirements in `fixtures/interop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// MLflow 3.17.2, client and server, with pandas and pyarrow: neither torch nor scikit-learn.
    Mlflow,
    /// A server of MLflow 2.22.
    Mlflow2,
    /// Everything of the comparisons with Python: MLflow 3.17.2, sentence-transformers and torch.
    Models,
}

impl Environment {
    fn requirements(self) -> &'static str {
        match self {
            Self::Mlflow => "requirements-mlflow.txt",
            Self::Mlflow2 => "requirements-mlflow-2.txt",
            Self::Models => "requirements.txt",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Mlflow | Self::Mlflow2 => "cargo xtask setup",
            Self::Models => "cargo xtask interop",
        }
    }

    /// The folder of the environment: the one whose mark holds the requirements of this checkout.
    ///
    /// # Panics
    ///
    /// If it is not there; the message names the command that makes it.
    #[track_caller]
    pub fn folder(self) -> PathBuf {
        let list = fixtures_dir().join("interop").join(self.requirements());
        let text = fs::read_to_string(&list)
            .unwrap_or_else(|error| panic!("{}: cannot be read: {error}", list.display()));
        let parent = cache_dir().join("python");
        let mut folders = fs::read_dir(&parent).into_iter().flatten().flatten().map(|entry| entry.path());
        folders
            .find(|folder| fs::read_to_string(folder.join("complete")).is_ok_and(|mark| mark == text))
            .unwrap_or_else(|| {
                let (list, parent) = (self.requirements(), parent.display());
                panic!("{parent}: no Python environment of {list}; `{}` makes it", self.command())
            })
    }

    /// The interpreter of the environment.
    ///
    /// # Panics
    ///
    /// If it is not there; the message names the command that makes it.
    #[track_caller]
    pub fn interpreter(self) -> PathBuf {
        self.folder().join("bin/python")
    }
}

/// A script that prints one JSON value.
///
/// ```no_run
/// use st_testkit::{Environment, PythonScript};
///
/// let script = "import json, sys, mlflow; print(json.dumps([mlflow.__version__, sys.argv[1]]))";
/// let said: Vec<String> = PythonScript::new(Environment::Mlflow, script).argument("a").run();
/// assert_eq!(said, ["3.17.2", "a"]);
/// ```
#[derive(Debug)]
pub struct PythonScript {
    command: Command,
}

impl PythonScript {
    /// A script given as text, without telemetry, a network hub, or files beside the modules.
    ///
    /// # Panics
    ///
    /// If the environment is not there; the message names the command that makes it.
    #[must_use]
    #[track_caller]
    pub fn new(environment: Environment, text: &str) -> Self {
        let mut command = Command::new(environment.interpreter());
        command.args(["-c", text]);
        command
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("GIT_PYTHON_REFRESH", "quiet")
            .env("HF_HUB_OFFLINE", "1")
            .env("TOKENIZERS_PARALLELISM", "false")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("MLFLOW_TRACKING_URI")
            .env_remove("MLFLOW_REGISTRY_URI");
        Self { command }
    }

    /// One more argument: the script finds it in `sys.argv[1:]`.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// One more environment variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// The folder that the script works in; without it, the test's own.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.command.current_dir(folder.into());
        self
    }

    /// Runs to the end and reads the last line of stdout as JSON; lines before it (MLflow prints some) are ignored.
    ///
    /// # Panics
    ///
    /// If the script fails (the message holds its stderr), or its last line is not such a value.
    #[track_caller]
    pub fn run<T: DeserializeOwned>(mut self) -> T {
        // MLflow leaves whole models in its temporary folder, which therefore is the script's own.
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let done = self
            .command
            .env("TMPDIR", folder.path())
            .output()
            .unwrap_or_else(|error| panic!("python did not start: {error}"));
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "the script failed ({}):\n{out}{err}", done.status);
        let last = out.lines().last().unwrap_or_default();
        serde_json::from_str(last)
            .unwrap_or_else(|error| panic!("the script did not print such a value: {error}: {last}\n{err}"))
    }
}
