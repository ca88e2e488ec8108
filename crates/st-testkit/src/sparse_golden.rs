//! What Python answered for the tiny sparse encoders of `fixtures/sparse`.

use std::fs;
use std::path::PathBuf;

use ndarray::Array2;
use serde::Deserialize;
use st_core::{Similarity, Task};

use crate::golden::{Part, read_json};
use crate::{fixtures_dir, npy};

/// What sentence-transformers answered for one sparse encoder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SparseGolden {
    /// Name of the model's folder.
    pub name: String,
    /// What is special about this model.
    pub about: String,
    /// Width of the vectors.
    pub dim: usize,
    /// How its vectors are compared.
    pub similarity: Similarity,
    /// Vectors of all of [`tiny_texts`](crate::tiny_texts()) for several sets of options.
    pub cases: Vec<SparseCase>,
    /// `model.similarity` of the case `encode`: first texts against all texts.
    pub similarities: Array2<f32>,
}

/// One call of `encode`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SparseCase {
    /// `encode`, `query` and so on.
    pub name: String,
    /// What the texts were said to be.
    pub task: Option<Task>,
    /// How many values were to be kept.
    pub max_active_dims: Option<usize>,
    /// Values that are not zero, for each text.
    pub active_dims: Vec<usize>,
    /// The largest entries of the first text.
    pub decoded: Vec<(String, f32)>,
    /// One full row a text.
    pub vectors: Array2<f32>,
}

impl SparseGolden {
    /// Reads all of them.
    ///
    /// # Panics
    ///
    /// If there are none, or one is damaged.
    #[track_caller]
    pub fn load_all() -> Vec<Self> {
        let folder = fixtures_dir().join("golden/sparse");
        let mut names: Vec<String> = fs::read_dir(&folder)
            .expect("the folder of goldens")
            .map(|entry| entry.expect("a folder entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "npy"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        assert!(!names.is_empty(), "{}: no goldens", folder.display());
        names.iter().map(|name| Self::load(name)).collect()
    }

    fn load(name: &str) -> Self {
        let folder = fixtures_dir().join("golden/sparse");
        let raw: Raw = read_json(&folder.join(format!("{name}.json")));
        let numbers = npy::read_1d(&folder.join(format!("{name}.npy"))).expect("a golden array");
        let case = |case: RawCase| SparseCase {
            vectors: case.vectors.cut(&numbers),
            task: case.task.as_deref().map(|task| if task == "query" { Task::Query } else { Task::Document }),
            name: case.name,
            max_active_dims: case.max_active_dims,
            active_dims: case.active_dims,
            decoded: case.decoded,
        };
        Self {
            name: name.to_owned(),
            about: raw.about,
            dim: raw.dim,
            similarity: raw.similarity.parse().expect("a similarity function"),
            similarities: raw.similarities.cut(&numbers),
            cases: raw.cases.into_iter().map(case).collect(),
        }
    }

    /// The folder of the model.
    pub fn model_dir(&self) -> PathBuf {
        fixtures_dir().join("sparse").join(&self.name)
    }
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
    name: String,
    task: Option<String>,
    max_active_dims: Option<usize>,
    active_dims: Vec<usize>,
    decoded: Vec<(String, f32)>,
    vectors: Part,
}
