//! What Python answered for the tiny cross-encoders of `fixtures/cross-encoders`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ndarray::Array2;
use serde::Deserialize;
use st_core::{Activation, PredictOptions, Prompt};

use crate::golden::{Part, read_json};
use crate::{fixtures_dir, npy};

/// What sentence-transformers answered for one tiny cross-encoder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrossGolden {
    /// Name of the model's folder.
    pub name: String,
    /// What is special about this model.
    pub about: String,
    /// Longest pair in tokens, special tokens included.
    pub max_seq_length: usize,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// What it does to the numbers of its head.
    pub activation: Activation,
    /// Stored prompts, name to text.
    pub prompts: BTreeMap<String, String>,
    /// The prompt that stands before the first text unless told otherwise.
    pub default_prompt_name: Option<String>,
    /// Tokens of each of [`cross_pairs`], special tokens included, no prompt, nothing cut off.
    pub token_counts: Vec<usize>,
    /// How many of [`cross_pairs`] are longer than the limit, no prompt.
    pub truncated: usize,
    /// Scores of all of [`cross_pairs`] for several sets of options.
    pub cases: Vec<CrossCase>,
    /// A ranking, of models with one label.
    pub rank: Option<CrossRanking>,
}

/// One call of `predict`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrossCase {
    /// `predict`, `logits` and so on.
    pub name: String,
    /// The options of the call.
    pub options: PredictOptions,
    /// One row a pair of [`cross_pairs`].
    pub values: Array2<f32>,
}

/// One call of `rank` with raw numbers: a query with the second text of each of [`cross_pairs`].
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CrossRanking {
    /// The query.
    pub query: String,
    /// Places of the documents, the best first.
    pub corpus_ids: Vec<usize>,
    /// Their scores in that order.
    pub scores: Vec<f32>,
}

fn goldens() -> PathBuf {
    fixtures_dir().join("golden/cross-encoders")
}

/// The pairs that all goldens of cross-encoders were made from.
///
/// # Panics
///
/// If the file is missing or damaged.
#[track_caller]
pub fn cross_pairs() -> Vec<(String, String)> {
    read_json(&goldens().join("pairs.json"))
}

impl CrossGolden {
    /// Reads `fixtures/golden/cross-encoders/<name>.json` and the `.npy` beside it.
    ///
    /// # Panics
    ///
    /// If there is no such golden or it is damaged.
    #[track_caller]
    pub fn load(name: &str) -> Self {
        let raw: RawGolden = read_json(&goldens().join(format!("{name}.json")));
        let numbers = npy::read_1d(&goldens().join(format!("{name}.npy"))).expect("a golden array");
        let case = |case: &RawCase| CrossCase {
            name: case.name.clone(),
            options: case.options(),
            values: case.values.cut(&numbers),
        };
        Self {
            name: name.to_owned(),
            cases: raw.cases.iter().map(case).collect(),
            about: raw.about,
            max_seq_length: raw.max_seq_length,
            labels: raw.labels,
            activation: raw.activation.parse().expect("an activation"),
            prompts: raw.prompts,
            default_prompt_name: raw.default_prompt_name,
            token_counts: raw.token_counts,
            truncated: raw.truncated,
            rank: raw.rank,
        }
    }

    /// Reads all of them, sorted by name.
    ///
    /// # Panics
    ///
    /// As [`load`](Self::load), and if there are none.
    #[track_caller]
    pub fn load_all() -> Vec<Self> {
        let mut names: Vec<String> = fs::read_dir(goldens())
            .expect("the folder of goldens")
            .map(|entry| entry.expect("a folder entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "npy"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        assert!(!names.is_empty(), "{}: no goldens", goldens().display());
        names.sort();
        names.iter().map(|name| Self::load(name)).collect()
    }

    /// The folder of the model.
    ///
    /// # Panics
    ///
    /// If it is missing.
    #[track_caller]
    pub fn model_dir(&self) -> PathBuf {
        let folder = fixtures_dir().join("cross-encoders").join(&self.name);
        assert!(folder.is_dir(), "{}: no such model", folder.display());
        folder
    }

    /// The case of this name.
    ///
    /// # Panics
    ///
    /// If this model has none of that name.
    #[track_caller]
    pub fn case(&self, name: &str) -> &CrossCase {
        let found = self.cases.iter().find(|case| case.name == name);
        found.unwrap_or_else(|| panic!("{}: no case `{name}`", self.name))
    }
}

#[derive(Deserialize)]
struct RawGolden {
    about: String,
    max_seq_length: usize,
    labels: Vec<String>,
    activation: String,
    prompts: BTreeMap<String, String>,
    default_prompt_name: Option<String>,
    token_counts: Vec<usize>,
    truncated: usize,
    cases: Vec<RawCase>,
    rank: Option<CrossRanking>,
}

#[derive(Deserialize)]
struct RawCase {
    name: String,
    activation: Option<String>,
    apply_softmax: bool,
    prompt: Option<String>,
    prompt_name: Option<String>,
    max_tokens: Option<usize>,
    values: Part,
}

impl RawCase {
    fn options(&self) -> PredictOptions {
        let mut options = PredictOptions::default().with_apply_softmax(self.apply_softmax);
        options.activation = self.activation.as_deref().map(|name| name.parse().expect("an activation"));
        options.max_tokens = self.max_tokens;
        options.prompt = match (&self.prompt, &self.prompt_name) {
            (Some(text), _) => Prompt::Text(text.clone()),
            (None, Some(name)) => Prompt::Name(name.clone()),
            (None, None) => Prompt::Default,
        };
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_golden_fits_its_pairs_and_has_a_model() {
        let pairs = cross_pairs();
        let goldens = CrossGolden::load_all();
        assert!(goldens.len() >= 20, "{} goldens", goldens.len());
        for golden in goldens {
            assert!(golden.model_dir().join("tokenizer.json").is_file(), "{}", golden.name);
            assert_eq!(golden.token_counts.len(), pairs.len(), "{}", golden.name);
            for case in &golden.cases {
                let shape = (pairs.len(), golden.labels.len());
                assert_eq!(case.values.dim(), shape, "{}: {}", golden.name, case.name);
            }
            assert_eq!(golden.rank.is_some(), golden.labels.len() == 1, "{}", golden.name);
        }
    }
}
