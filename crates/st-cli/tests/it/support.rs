//! Runs `st` in an empty folder with an empty cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use st_testkit::{runtime_library, tiny_model_dir};
use tempfile::TempDir;

/// A small model with the vectors of length one.
pub(crate) const TINY: &str = "mean-normalize";

/// An empty working folder and an empty cache.
pub(crate) struct Place {
    folder: TempDir,
    cache: TempDir,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where fetched models are kept.
    pub(crate) fn models(&self) -> PathBuf {
        self.cache.path().join("mlflow-sentence-transformers/mlflow")
    }

    /// Where models of the hub are kept.
    pub(crate) fn hub(&self) -> PathBuf {
        self.cache.path().join("huggingface/hub")
    }

    /// Where state is kept.
    pub(crate) fn state(&self) -> PathBuf {
        self.cache.path().join("state")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Names of everything in the folder, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// `st`, with the runtime of the set-up; `TINY` among the arguments is the folder of the tiny model.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.with_program(Path::new(env!("CARGO_BIN_EXE_st")), &[], args)
    }

    /// A program that is given `st` and its arguments.
    pub(crate) fn with_program(&self, program: &Path, before: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(before);
        command.args(args.iter().map(|arg| if *arg == "TINY" { tiny_model_dir(TINY) } else { arg.into() }));
        command
            .current_dir(self.folder.path())
            .env("XDG_CACHE_HOME", self.cache.path())
            .env("XDG_STATE_HOME", self.state())
            .env("ORT_DYLIB_PATH", runtime_library())
            // No test asks the hub, nor looks into a cache that is not its own.
            .env("HF_HUB_OFFLINE", "1")
            .env_remove("HF_ENDPOINT")
            .env_remove("HF_HOME")
            .env_remove("HF_HUB_CACHE")
            .env_remove("HF_TOKEN")
            .env_remove("HF_TOKEN_PATH")
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .env_remove("REQUESTS_CA_BUNDLE")
            .env_remove("CURL_CA_BUNDLE")
            .env_remove("HUGGINGFACE_HUB_CACHE")
            .env_remove("SENTENCE_TRANSFORMERS_HOME")
            .env_remove("ST_LOG")
            .env_remove("MLFLOW_TRACKING_URI")
            .env_remove("MLFLOW_REGISTRY_URI")
            .env_remove("MLFLOW_EXPERIMENT_NAME")
            .env_remove("MLFLOW_EXPERIMENT_ID")
            .env_remove("MLFLOW_RUN_ID")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// Runs `st` with this text on standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        self.write(".stdin", input);
        let file = fs::File::open(self.path(".stdin")).unwrap();
        let output = self.command(args).stdin(file).output().unwrap();
        fs::remove_file(self.path(".stdin")).unwrap();
        ran(output)
    }

    /// Runs `st`, which must succeed; gives standard output.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    }

    /// Runs `st`, which must fail with exactly this on standard error.
    #[track_caller]
    pub(crate) fn fails(&self, args: &[&str], expected: &str) {
        let ran = self.run(args);
        assert_eq!((ran.code, ran.stderr.trim_end(), ran.stdout.as_str()), (2, expected, ""));
    }
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
