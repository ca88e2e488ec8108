//! What Python answered for the real model all-MiniLM-L6-v2.

use ndarray::{Array2, Axis, Slice};
use serde::Deserialize;

use crate::golden::read_json;
use crate::{fixtures_dir, npy};

/// What sentence-transformers answered for all-MiniLM-L6-v2.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MinilmGolden {
    /// The texts, one a row of [`vectors`](Self::vectors).
    pub texts: Vec<MinilmText>,
    /// `[texts, 384]`, of length one.
    pub vectors: Array2<f32>,
    /// The prompt of [`prompted`](Self::prompted).
    pub prompt: String,
    /// Vectors of the first texts behind the prompt, `[some texts, 384]`.
    pub prompted: Array2<f32>,
    /// For some texts: index into `texts`, and `[its tokens, 384]`.
    pub token_embeddings: Vec<(usize, Array2<f32>)>,
}

/// One text with its tokens.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct MinilmText {
    /// Where it is from: `sts`, `naughty`, `short`, `long`, `unicode` and so on.
    pub source: String,
    /// The text.
    pub text: String,
    /// Token ids that the model reads, special tokens included, cut at 256.
    pub ids: Vec<i64>,
    /// Tokens before anything was cut, special tokens included.
    pub tokens: usize,
}

impl MinilmGolden {
    /// Reads `fixtures/golden/minilm`.
    ///
    /// # Panics
    ///
    /// If it is missing or damaged.
    #[track_caller]
    pub fn load() -> Self {
        let folder = fixtures_dir().join("golden/minilm");
        let raw: Raw = read_json(&folder.join("texts.json"));
        let array = |name: &str| npy::read_2d::<f32>(&folder.join(name)).expect("a golden array");
        let rows = array("token_embeddings.npy");
        let mut start = 0;
        let token_embeddings = raw.token_embeddings.iter().map(|&index| {
            let end = start + raw.texts.get(index).map_or(0, |text| text.ids.len());
            let tokens = rows.slice_axis(Axis(0), Slice::from(start..end)).to_owned();
            start = end;
            (index, tokens)
        });
        Self {
            token_embeddings: token_embeddings.collect(),
            texts: raw.texts,
            vectors: array("vectors.npy"),
            prompt: raw.prompt,
            prompted: array("prompted.npy"),
        }
    }

    /// The texts alone, as `encode` takes them.
    pub fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(|text| text.text.as_str()).collect()
    }
}

#[derive(Deserialize)]
struct Raw {
    texts: Vec<MinilmText>,
    prompt: String,
    token_embeddings: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_is_whole() {
        let golden = MinilmGolden::load();
        assert!(golden.texts.len() >= 900, "{} texts", golden.texts.len());
        assert_eq!(golden.vectors.dim(), (golden.texts.len(), 384));
        assert!(golden.prompted.nrows() >= 50 && golden.prompted.nrows() < golden.texts.len());
        for row in golden.vectors.rows() {
            assert!((row.dot(&row) - 1.0).abs() < 1e-5);
        }
        for (index, tokens) in &golden.token_embeddings {
            assert_eq!(tokens.dim(), (golden.texts[*index].ids.len(), 384));
        }
        assert!(golden.texts.iter().all(|text| text.ids.len() == text.tokens.min(256)));
        assert!(golden.texts.iter().any(|text| text.tokens == 256));
        assert!(golden.texts.iter().any(|text| text.tokens == 257));
    }

    #[test]
    fn a_duplicate_text_has_the_same_vector() {
        let golden = MinilmGolden::load();
        let (index, _) =
            golden.texts.iter().enumerate().find(|(_, text)| text.source == "duplicate").unwrap();
        let first = golden.texts.iter().position(|text| text.text == golden.texts[index].text).unwrap();
        let other = golden.texts.iter().rposition(|text| text.text == golden.texts[index].text).unwrap();
        assert_ne!(first, other);
        crate::assert_close(golden.vectors.row(first), golden.vectors.row(other), crate::Tolerance::COMPANY);
    }
}
