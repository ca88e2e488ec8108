//! What Python answered for the tiny models of `fixtures/models`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2, Axis, Slice};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use st_core::{EncodeOptions, Prompt, Similarity, Task};

use crate::{fixtures_dir, npy};

/// What sentence-transformers answered for one tiny model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TinyGolden {
    /// Name of the model's folder.
    pub name: String,
    /// Where that folder is.
    set: TinySet,
    /// What is special about this model.
    pub about: String,
    /// Longest text in tokens, special tokens included; none where there is no limit.
    pub max_seq_length: Option<usize>,
    /// Width of the vectors, before any truncation that the model stores.
    pub dim: usize,
    /// How its vectors are compared.
    pub similarity: Similarity,
    /// Stored prompts, name to text.
    pub prompts: BTreeMap<String, String>,
    /// The prompt that stands before every text unless told otherwise.
    pub default_prompt_name: Option<String>,
    /// The stored number of dimensions, if the model is truncated by default.
    pub truncate_dim: Option<usize>,
    /// Tokens of each text of [`tiny_texts`], special tokens included, no prompt, nothing cut off.
    pub token_counts: Vec<usize>,
    /// How many texts of [`tiny_texts`] are longer than the limit, no prompt.
    pub truncated: usize,
    /// Vectors of all of [`tiny_texts`] for several sets of options.
    pub cases: Vec<TinyCase>,
    /// For each text `[its tokens, hidden width]`; of the first texts of [`tiny_texts`] only, no prompt.
    pub token_embeddings: Vec<Array2<f32>>,
    /// `model.similarity` of the case `encode`: first texts against all texts.
    pub similarities: Array2<f32>,
}

/// Which tiny models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TinySet {
    /// One BERT for each way in which a folder can differ: `fixtures/models`.
    Folders,
    /// Two models of each architecture: `fixtures/architectures`.
    Architectures,
    /// Models with every other module: `fixtures/modules`.
    Modules,
}

impl TinySet {
    fn goldens(self) -> PathBuf {
        fixtures_dir().join("golden").join(match self {
            Self::Folders => "tiny",
            Self::Architectures => "architectures",
            Self::Modules => "modules",
        })
    }

    fn models(self) -> PathBuf {
        fixtures_dir().join(match self {
            Self::Folders => "models",
            Self::Architectures => "architectures",
            Self::Modules => "modules",
        })
    }

    /// Names of all models that have goldens, sorted.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[track_caller]
    pub fn names(self) -> Vec<String> {
        let folder = self.goldens();
        let mut names: Vec<String> = fs::read_dir(&folder)
            .expect("the folder of goldens")
            .map(|entry| entry.expect("a folder entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "npy"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        assert!(!names.is_empty(), "{}: no goldens", folder.display());
        names.sort();
        names
    }

    /// Reads the golden of that name: its `.json` and the `.npy` beside it.
    ///
    /// # Panics
    ///
    /// If there is no such golden or it is damaged.
    #[track_caller]
    pub fn load(self, name: &str) -> TinyGolden {
        TinyGolden::read(self, name)
    }
}

/// One call of `encode`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TinyCase {
    /// `encode`, `normalize`, `query` and so on.
    pub name: String,
    /// The options of the call.
    pub options: EncodeOptions,
    /// One row a text of [`tiny_texts`].
    pub vectors: Array2<f32>,
}

impl TinyGolden {
    /// Reads `fixtures/golden/tiny/<name>.json` and the `.npy` beside it.
    ///
    /// # Panics
    ///
    /// If there is no such golden or it is damaged.
    #[track_caller]
    pub fn load(name: &str) -> Self {
        Self::read(TinySet::Folders, name)
    }

    #[track_caller]
    fn read(set: TinySet, name: &str) -> Self {
        let folder = set.goldens();
        let raw: RawGolden = read_json(&folder.join(format!("{name}.json")));
        let numbers = npy::read_1d(&folder.join(format!("{name}.npy"))).expect("a golden array");
        let cases = raw.cases.iter().map(|case| case.join(&numbers)).collect();
        Self {
            name: name.to_owned(),
            set,
            token_embeddings: raw.token_embeddings.iter().map(|part| part.cut(&numbers)).collect(),
            similarities: raw.similarities.cut(&numbers),
            cases,
            about: raw.about,
            max_seq_length: raw.max_seq_length,
            dim: raw.dim,
            similarity: raw.similarity.parse().expect("a similarity function"),
            prompts: raw.prompts,
            default_prompt_name: raw.default_prompt_name,
            truncate_dim: raw.truncate_dim,
            token_counts: raw.token_counts,
            truncated: raw.truncated,
        }
    }

    /// Reads all of them.
    ///
    /// # Panics
    ///
    /// As [`load`](Self::load), and if there are none.
    #[track_caller]
    pub fn load_all() -> Vec<Self> {
        tiny_names().iter().map(|name| Self::load(name)).collect()
    }

    /// The folder of the model.
    ///
    /// # Panics
    ///
    /// If it is missing.
    #[track_caller]
    pub fn model_dir(&self) -> PathBuf {
        let folder = self.set.models().join(&self.name);
        assert!(folder.is_dir(), "{}: no such model", folder.display());
        folder
    }

    /// The case of this name.
    ///
    /// # Panics
    ///
    /// If this model has none of that name.
    #[track_caller]
    pub fn case(&self, name: &str) -> &TinyCase {
        let found = self.cases.iter().find(|case| case.name == name);
        found.unwrap_or_else(|| panic!("{}: no case `{name}`", self.name))
    }
}

/// Names of all tiny models that have goldens, sorted.
///
/// # Panics
///
/// If there are none.
#[track_caller]
pub fn tiny_names() -> Vec<String> {
    TinySet::Folders.names()
}

/// The texts that all tiny goldens were made from; some are empty, some longer than every limit.
///
/// # Panics
///
/// If the file is missing or damaged.
#[track_caller]
pub fn tiny_texts() -> Vec<String> {
    read_json(&fixtures_dir().join("golden/tiny/texts.json"))
}

/// A fixture in JSON.
#[track_caller]
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[derive(Deserialize)]
struct RawGolden {
    about: String,
    max_seq_length: Option<usize>,
    dim: usize,
    similarity: String,
    prompts: BTreeMap<String, String>,
    default_prompt_name: Option<String>,
    truncate_dim: Option<usize>,
    token_counts: Vec<usize>,
    truncated: usize,
    cases: Vec<RawCase>,
    token_embeddings: Vec<Part>,
    similarities: Part,
}

/// A rectangle of the one array of a golden.
#[derive(Deserialize)]
pub(crate) struct Part {
    offset: usize,
    shape: (usize, usize),
}

impl Part {
    pub(crate) fn cut(&self, numbers: &Array1<f32>) -> Array2<f32> {
        let end = self.offset + self.shape.0 * self.shape.1;
        let part = numbers.slice_axis(Axis(0), Slice::from(self.offset..end)).to_owned();
        part.into_shape_with_order(self.shape).expect("shapes multiply to the length")
    }
}

#[derive(Deserialize)]
struct RawCase {
    name: String,
    task: Option<String>,
    prompt: Option<String>,
    prompt_name: Option<String>,
    normalize_embeddings: bool,
    truncate_dim: Option<usize>,
    vectors: Part,
}

impl RawCase {
    fn join(&self, numbers: &Array1<f32>) -> TinyCase {
        let mut options = EncodeOptions::default().with_normalize(self.normalize_embeddings);
        options.truncate_dim = self.truncate_dim;
        options.task = self.task.as_deref().map(|task| match task {
            "query" => Task::Query,
            "document" => Task::Document,
            other => panic!("unknown task `{other}`"),
        });
        options.prompt = match (&self.prompt, &self.prompt_name) {
            (Some(text), _) => Prompt::Text(text.clone()),
            (None, Some(name)) => Prompt::Name(name.clone()),
            (None, None) => Prompt::Default,
        };
        TinyCase { name: self.name.clone(), options, vectors: self.vectors.cut(numbers) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tiny_golden_fits_its_texts_and_has_a_model() {
        let texts = tiny_texts();
        let goldens = TinyGolden::load_all();
        assert!(goldens.len() >= 30, "{} goldens", goldens.len());
        for golden in goldens {
            assert!(golden.model_dir().join("tokenizer.json").is_file() || golden.name == "legacy-subfolder");
            assert_eq!(golden.token_counts.len(), texts.len(), "{}", golden.name);
            assert_eq!(golden.similarities.ncols(), texts.len(), "{}", golden.name);
            for case in &golden.cases {
                let width =
                    case.options.truncate_dim.or(golden.truncate_dim).unwrap_or(golden.dim).min(golden.dim);
                assert_eq!(case.vectors.dim(), (texts.len(), width), "{}: {}", golden.name, case.name);
            }
            for (tokens, count) in golden.token_embeddings.iter().zip(&golden.token_counts) {
                assert_eq!(
                    tokens.nrows(),
                    golden.max_seq_length.unwrap_or(usize::MAX).min(*count),
                    "{}",
                    golden.name
                );
            }
        }
    }

    #[test]
    fn options_of_a_case_are_those_of_the_call() {
        let golden = TinyGolden::load("prompt-excluded");
        let case = golden.case("query_prompt");
        let wanted =
            EncodeOptions::default().with_task(Task::Query).with_prompt(Prompt::Text("text: ".to_owned()));
        assert_eq!(case.options, wanted);
        assert_eq!(golden.case("prompt_name_title").options.prompt, Prompt::Name("title".to_owned()));
        assert_eq!(golden.case("truncate_normalize").options.truncate_dim, Some(7));
    }

    #[test]
    #[should_panic(expected = "mean: no case `angular`")]
    fn a_case_that_is_not_there_is_named() {
        TinyGolden::load("mean").case("angular");
    }
}
