//! `predict` of models that do not answer one vector a text.

use std::sync::Arc;

use mlflow_flavor::{Error, MlModel, Predictor, PyFunc, scoring};
use ndarray::Array2;
use serde_json::{Value, json};
use st_core::{
    BoxError, EncodeOptions, LateInteraction, MultiVectorEncoder, PredictOptions, RankOptions, Ranked,
    Reranker, Scores, Similarity, SparseEncoded, SparseEncoder, SparseOptions, SparseVectors, Task,
    TokenEmbeddings,
};

/// Scores that tell what was asked: the lengths of both texts.
#[derive(Debug)]
struct Lengths {
    labels: usize,
}

#[expect(clippy::cast_precision_loss, reason = "short texts")]
impl Reranker for Lengths {
    fn labels(&self) -> usize {
        self.labels
    }

    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn predict(&self, pairs: &[(&str, &str)], _: &PredictOptions) -> Result<Scores, BoxError> {
        let score = |(pair, label): (usize, usize)| {
            let (one, two) = pairs[pair];
            [one.len(), two.len()][label % 2] as f32 + 0.5
        };
        Ok(Scores::new(Array2::from_shape_fn((pairs.len(), self.labels), score), pairs.len(), 0))
    }

    fn rank(&self, _: &str, _: &[&str], _: &RankOptions) -> Result<Vec<Ranked>, BoxError> {
        unreachable!("nobody asks for an order")
    }

    fn count_pair_tokens(&self, _: &[(&str, &str)]) -> Result<Vec<usize>, BoxError> {
        unreachable!("nobody counts")
    }
}

/// One dimension for what a text is, another for its length.
#[derive(Debug)]
struct Tasks;

fn task(task: Option<Task>) -> u32 {
    match task {
        None => 0,
        Some(Task::Query) => 1,
        Some(Task::Document) => 2,
    }
}

#[expect(clippy::cast_precision_loss, reason = "short texts")]
impl SparseEncoder for Tasks {
    fn dim(&self) -> usize {
        4
    }

    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn similarity(&self) -> Similarity {
        Similarity::Dot
    }

    fn encode(&self, texts: &[&str], options: &SparseOptions) -> Result<SparseEncoded, BoxError> {
        let mut vectors = SparseVectors::new(4);
        for text in texts {
            let length = text.len() as f32;
            vectors.push(
                [(task(options.task), 0.25), (3, length)].into_iter().filter(|(_, value)| *value > 0.0),
            );
        }
        Ok(SparseEncoded::new(vectors, 0, 0))
    }

    fn decode(&self, _: &SparseVectors, _: Option<usize>) -> Vec<Vec<(String, f32)>> {
        unreachable!("nobody asks for tokens")
    }
}

#[expect(clippy::cast_precision_loss, reason = "short texts")]
impl MultiVectorEncoder for Tasks {
    fn dim(&self) -> usize {
        2
    }

    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn interaction(&self) -> LateInteraction {
        LateInteraction::default()
    }

    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<TokenEmbeddings, BoxError> {
        let rows = |text: &&str| Array2::from_elem((text.len(), 2), task(options.task) as f32);
        Ok(TokenEmbeddings::new(texts.iter().map(rows).collect(), 0))
    }
}

fn answer(predictor: Predictor, body: &Value) -> Result<Value, Error> {
    let mlmodel = MlModel::default();
    let request = scoring::parse_json(body.to_string().as_bytes(), &mlmodel)?;
    let answer = PyFunc::of_predictor(mlmodel, predictor).predict(&request.input, request.params.as_ref())?;
    let mut text = Vec::new();
    scoring::write_json(&answer.prediction, request.unified, &mut text)?;
    Ok(serde_json::from_slice(&text).expect("an answer is JSON"))
}

fn scored(labels: usize, body: &Value) -> Result<Value, Error> {
    answer(Predictor::Reranker(Arc::new(Lengths { labels })), body)
}

#[test]
fn pairs_come_in_every_form_of_the_protocol() {
    let split =
        json!({"dataframe_split": {"columns": ["text_pair", "text"], "data": [["bb", "a"], ["c", ""]]}});
    let records =
        json!({"dataframe_records": [{"text": "a", "text_pair": "bb"}, {"text_pair": "c", "text": ""}]});
    let inputs = json!({"inputs": {"text": ["a", ""], "text_pair": ["bb", "c"]}});
    for body in [split, records, inputs] {
        assert_eq!(scored(1, &body).unwrap(), json!({"predictions": [1.5, 0.5]}));
        assert_eq!(scored(2, &body).unwrap(), json!({"predictions": [[1.5, 2.5], [0.5, 1.5]]}));
    }
    let none = json!({"dataframe_split": {"columns": ["text", "text_pair"], "data": []}});
    assert_eq!(scored(1, &none).unwrap(), json!({"predictions": []}));
    assert_eq!(scored(3, &none).unwrap(), json!({"predictions": []}));
}

#[test]
fn what_is_no_pair_is_refused() {
    for (body, problem) in [
        (json!({"inputs": ["a", "b"]}), "the input is an array"),
        (json!({"inputs": {"text": ["a"]}}), "the input is a dictionary without a list `text_pair`"),
        (
            json!({"dataframe_records": [{"text": "a", "second": "b"}]}),
            "the input is a table without a column `text_pair`",
        ),
        (
            json!({"inputs": {"text": ["a", "b"], "text_pair": ["c"]}}),
            "the input is 2 first texts and 1 second ones",
        ),
    ] {
        let error = scored(1, &body).unwrap_err().to_string();
        assert!(error.contains(problem), "{body}: {error}");
    }
    let missing = json!({"dataframe_records": [{"text": "a", "text_pair": null}]});
    assert!(scored(1, &missing).unwrap_err().to_string().contains("row 0 is missing"));
}

#[test]
fn texts_become_sparse_rows_and_lists_of_vectors() {
    let sparse = |body: &Value| answer(Predictor::SparseEncoder(Arc::new(Tasks)), body);
    let late = |body: &Value| answer(Predictor::MultiVectorEncoder(Arc::new(Tasks)), body);
    let body = json!({"inputs": ["ab", ""]});
    let rows = json!([{"indices": [0, 3], "values": [0.25, 2.0]}, {"indices": [0], "values": [0.25]}]);
    assert_eq!(sparse(&body).unwrap(), json!({"predictions": rows}));
    assert_eq!(late(&body).unwrap(), json!({"predictions": [[[0.0, 0.0], [0.0, 0.0]], []]}));
    assert_eq!(sparse(&json!({"inputs": []})).unwrap(), json!({"predictions": []}));
}
