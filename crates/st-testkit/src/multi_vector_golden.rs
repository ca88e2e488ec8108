//! What Python answered for the tiny late-interaction models of `fixtures/multi-vector`.

use std::fs;
use std::path::PathBuf;

use ndarray::{Array2, Axis, Slice};
use serde::Deserialize;
use st_core::Task;

use crate::golden::{Part, read_json};
use crate::{fixtures_dir, npy};

/// What sentence-transformers answered for one late-interaction model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MultiVectorGolden {
    /// Name of the model's folder.
    pub name: String,
    /// What is special about this model.
    pub about: String,
    /// Width of the vectors.
    pub dim: usize,
    /// `maxsim` or `meanmaxsim`.
    pub similarity: String,
    /// For each task the vectors of each of [`texts`](Self::texts), `[tokens that count, dim]`.
    pub cases: Vec<(Option<Task>, Vec<Array2<f32>>)>,
    /// The first texts as questions against all as documents.
    pub similarities: Array2<f32>,
}

impl MultiVectorGolden {
    /// Reads all of them.
    ///
    /// # Panics
    ///
    /// If there are none, or one is damaged.
    #[track_caller]
    pub fn load_all() -> Vec<Self> {
        let mut names: Vec<String> = fs::read_dir(folder())
            .expect("the folder of goldens")
            .map(|entry| entry.expect("a folder entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "npy"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        assert!(!names.is_empty(), "no goldens of late interaction");
        names.iter().map(|name| Self::load(name)).collect()
    }

    /// The texts that they were made from.
    ///
    /// # Panics
    ///
    /// If the file is missing or damaged.
    #[track_caller]
    pub fn texts() -> Vec<String> {
        read_json(&folder().join("texts.json"))
    }

    fn load(name: &str) -> Self {
        let raw: Raw = read_json(&folder().join(format!("{name}.json")));
        let numbers = npy::read_1d(&folder().join(format!("{name}.npy"))).expect("a golden array");
        let case = |case: &RawCase| {
            let rows = case.vectors.cut(&numbers);
            let mut start = 0;
            let texts = case.lengths.iter().map(|length| {
                let part = rows.slice_axis(Axis(0), Slice::from(start..start + length)).to_owned();
                start += length;
                part
            });
            let task = match case.task.as_deref() {
                None => None,
                Some("query") => Some(Task::Query),
                Some(_) => Some(Task::Document),
            };
            (task, texts.collect())
        };
        Self {
            name: name.to_owned(),
            dim: raw.dim,
            cases: raw.cases.iter().map(case).collect(),
            similarities: raw.similarities.cut(&numbers),
            about: raw.about,
            similarity: raw.similarity,
        }
    }

    /// The folder of the model.
    pub fn model_dir(&self) -> PathBuf {
        fixtures_dir().join("multi-vector").join(&self.name)
    }
}

fn folder() -> PathBuf {
    fixtures_dir().join("golden/multi-vector")
}

#[derive(Deserialize)]
struct Raw {
    about: String,
    dim: usize,
    similarity: String,
    cases: Vec<RawCase>,
    similarities: Part,
}

#[derive(Deserialize)]
struct RawCase {
    task: Option<String>,
    lengths: Vec<usize>,
    vectors: Part,
}
