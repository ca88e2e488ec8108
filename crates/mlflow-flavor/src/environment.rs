//! The environment files: `requirements.txt`, `conda.yaml`, `python_env.yaml` and `constraints.txt`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::requirements::{self, Resolved};
use crate::{Error, PlannedFile, yaml};

/// Versions that the environment files name; the defaults are those the flavor was checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// Version of Python.
    pub python: String,
    /// Version of pip.
    pub pip: String,
    /// Version of setuptools.
    pub setuptools: String,
    /// Version of mlflow.
    pub mlflow: String,
    /// Version of the library sentence-transformers.
    pub sentence_transformers: String,
    /// Version of transformers.
    pub transformers: String,
    /// Version of torch.
    pub torch: String,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            python: "3.11.7".to_owned(),
            pip: "23.2.1".to_owned(),
            setuptools: "84.2.1".to_owned(),
            mlflow: crate::MLFLOW_VERSION.to_owned(),
            sentence_transformers: "6.2.0".to_owned(),
            transformers: "5.23.0".to_owned(),
            torch: "2.15.0".to_owned(),
        }
    }
}

/// Pip requirements, as a list or as a file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirements {
    /// Lines, which may be `-r FILE` and `-c FILE`.
    Lines(Vec<String>),
    /// A requirements file.
    File(PathBuf),
}

/// A conda environment, as a value or as a YAML file to read.
#[derive(Clone, Debug, PartialEq)]
pub enum CondaEnv {
    /// The dictionary.
    Value(Value),
    /// A YAML file.
    File(PathBuf),
}

/// What a save says of its environment; at most one of the three.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arguments<'a> {
    pub(crate) pip_requirements: Option<&'a Requirements>,
    pub(crate) extra_pip_requirements: Option<&'a Requirements>,
    pub(crate) conda_env: Option<&'a CondaEnv>,
}

/// The contents of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvironmentFiles {
    conda: String,
    python: String,
    requirements: String,
    constraints: Option<String>,
}

impl EnvironmentFiles {
    /// Makes the contents.
    pub(crate) fn new(arguments: Arguments<'_>, versions: &Environment) -> Result<Self, Error> {
        let (conda, resolved) = match arguments {
            Arguments { conda_env: Some(env), pip_requirements: None, extra_pip_requirements: None } => {
                of_conda_env(env, versions)?
            }
            Arguments { conda_env: None, pip_requirements: None, extra_pip_requirements } => {
                let mut resolved =
                    Resolved { requirements: versions.default_requirements(), ..Resolved::default() };
                if let Some(extra) = extra_pip_requirements {
                    let extra = requirements::read(extra)?;
                    resolved.requirements.extend(extra.requirements);
                    resolved.constraints = extra.constraints;
                }
                of_requirements(resolved, versions)?
            }
            Arguments { conda_env: None, pip_requirements: Some(given), extra_pip_requirements: None } => {
                of_requirements(requirements::read(given)?, versions)?
            }
            _ => return Err(Error::EnvironmentArguments),
        };
        Ok(Self {
            conda: yaml::dump(&conda),
            python: yaml::dump_unsorted(&versions.python_env()),
            requirements: resolved.requirements.join("\n"),
            constraints: (!resolved.constraints.is_empty()).then(|| resolved.constraints.join("\n")),
        })
    }

    /// The files of the model.
    pub(crate) fn into_files(self) -> impl Iterator<Item = PlannedFile> {
        let constraints = self.constraints.map(|text| (CONSTRAINTS, text));
        let files = [(CONDA, self.conda), (PYTHON_ENV, self.python), (REQUIREMENTS, self.requirements)];
        files.into_iter().chain(constraints).map(|(name, text)| PlannedFile::of_bytes(name, text))
    }
}

pub(crate) const CONDA: &str = "conda.yaml";
pub(crate) const PYTHON_ENV: &str = "python_env.yaml";
const REQUIREMENTS: &str = "requirements.txt";
const CONSTRAINTS: &str = "constraints.txt";

impl Environment {
    /// The packages that Python needs to load a model of this flavor, in the order of their names.
    fn default_requirements(&self) -> Vec<String> {
        vec![
            format!("sentence-transformers=={}", self.sentence_transformers),
            format!("torch=={}", self.torch),
            format!("transformers=={}", self.transformers),
        ]
    }

    fn python_env(&self) -> Value {
        json!({
            "python": self.python,
            "build_dependencies": [format!("pip=={}", self.pip), format!("setuptools=={}", self.setuptools), "wheel"],
            "dependencies": ["-r requirements.txt"],
        })
    }
}

fn of_requirements(mut resolved: Resolved, versions: &Environment) -> Result<(Value, Resolved), Error> {
    requirements::with_mlflow(&mut resolved.requirements, &versions.mlflow);
    resolved.requirements = requirements::deduplicate(&resolved.requirements)?;
    refer_to_constraints(&mut resolved);
    // A release reaches conda later than PyPI, hence `<=`.
    let conda = json!({
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [
            format!("python={}", versions.python),
            format!("pip<={}", versions.pip),
            {"pip": resolved.requirements},
        ],
    });
    Ok((conda, resolved))
}

fn refer_to_constraints(resolved: &mut Resolved) {
    if !resolved.constraints.is_empty() {
        resolved.requirements.push(format!("-c {CONSTRAINTS}"));
    }
}

fn of_conda_env(env: &CondaEnv, versions: &Environment) -> Result<(Value, Resolved), Error> {
    let mut conda = match env {
        CondaEnv::Value(value) => value.clone(),
        CondaEnv::File(path) => {
            let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
            yaml::read(&text).map_err(|source| Error::Yaml { file: path.display().to_string(), source })?
        }
    };
    let wrong = |problem: &str| Error::SaveOption { option: "conda_env", problem: problem.to_owned() };
    let entries = conda.as_object_mut().ok_or_else(|| wrong("is no dictionary"))?;
    let dependencies = entries.get_mut("dependencies").ok_or_else(|| wrong("has no key `dependencies`"))?;
    let dependencies =
        dependencies.as_array_mut().ok_or_else(|| wrong("has `dependencies` that are no list"))?;
    let given = dependencies.iter().find_map(|item| item.get("pip"));
    let lines = match given {
        None => Vec::new(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| {
                item.as_str().map(str::to_owned).ok_or_else(|| wrong("has a pip dependency that is no text"))
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong("has pip dependencies that are no list")),
    };
    let mut resolved = requirements::read(&Requirements::Lines(lines))?;
    requirements::with_mlflow(&mut resolved.requirements, &versions.mlflow);
    refer_to_constraints(&mut resolved);
    let pip = json!({"pip": resolved.requirements});
    match dependencies.iter_mut().find(|item| item.get("pip").is_some()) {
        Some(item) => *item = pip,
        None => dependencies.push(pip),
    }
    Ok((conda, resolved))
}
