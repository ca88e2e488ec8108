//! The scoring protocol, against what Python's server answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use mlflow_flavor::{Error, MlModel, Prediction, PyFunc, scoring};
use ndarray::array;
use serde_json::{Value, json};
use st_core::{TokenEmbeddings, Vectors};

use crate::difference::Differences;
use crate::encoder::FakeEncoder;
use crate::golden;
use crate::predict::{model, same_answer};

/// What our side makes of a body: the answer, the texts that were encoded, and whether it goes out wrapped.
fn answer(mlmodel: &MlModel, kind: &str, body: &[u8]) -> Result<(Prediction, Vec<String>, bool), Error> {
    let request = match kind {
        "text/csv" => scoring::parse_csv(body, mlmodel)?,
        _ => scoring::parse_json(body, mlmodel)?,
    };
    let encoder = Arc::new(FakeEncoder::default());
    let pyfunc = PyFunc::new(mlmodel.clone(), encoder.clone());
    let answer = pyfunc.predict(&request.input, request.params.as_ref())?;
    let texts = encoder.last_call().map(|(texts, _)| texts).unwrap_or_default();
    Ok((answer.prediction, texts, !request.unified))
}

/// The part of a message that does not depend on the order of a Python set, or on the words of another library.
fn stable(message: &str) -> &str {
    let message = message.split_once("\nError: ").map_or(message, |(_, message)| message);
    let is_schema = message.starts_with("Failed to enforce");
    let message = message.split_once("'. Error: ").filter(|_| is_schema).map_or(message, |(_, cause)| cause);
    let ends =
        ["fields {", "extra inputs:", "fields. Got {", "Error: '", "evaluating the model", "Instead, the"];
    let end = ends.iter().filter_map(|end| message.find(end)).min().unwrap_or(message.len());
    &message[..end.min(message.floor_char_boundary(90))]
}

fn compare(outcome: &Result<(Prediction, Vec<String>, bool), Error>, expected: &Value) -> Result<(), String> {
    match (outcome, expected.get("error")) {
        (Ok((prediction, ..)), Some(error)) => Err(format!("{prediction:?} instead of {error}")),
        (Err(error), None) => Err(format!("{error} instead of {expected}")),
        (Err(error), Some(expected)) => {
            let code = expected["code"].as_str().unwrap();
            if error.code().name() != code {
                return Err(format!("{} ({error}) instead of {expected}", error.code()));
            }
            let class = expected["class"].as_str().filter(|class| *class == "SCHEMA_ENFORCEMENT_FAILED");
            if error.error_class() != class {
                return Err(format!("class {:?} instead of {expected}", error.error_class()));
            }
            let (found, wanted) = (error.to_string(), expected["message"].as_str().unwrap());
            if stable(&found) == stable(wanted) {
                Ok(())
            } else {
                Err(format!("{found} instead of {wanted}"))
            }
        }
        (Ok((prediction, texts, wrapped)), None) => {
            same_answer(prediction, expected)?;
            if json!(texts) != expected["texts"] {
                return Err(format!("{texts:?} instead of {expected}"));
            }
            if json!(wrapped) == expected["wrapped"] { Ok(()) } else { Err(format!("wrapped: {wrapped}")) }
        }
    }
}

#[test]
fn every_request_to_every_model_answers_like_python() {
    const TEXT: &str = r#"[{"type": "string", "required": true}]"#;
    const INPUT: &str = r#"[{"type": "string", "name": "input", "required": true}]"#;
    const ARRAY: &str =
        r#"[{"type": "array", "items": {"type": "string"}, "name": "input", "required": true}]"#;
    const TENSOR: &str = r#"[{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1]}}]"#;
    let params = golden::read("params.json");
    let params = params["schemas"]["encode"].as_str();
    let mut differences = Differences::new(DIFFERENCES);
    let mut dropped = BTreeSet::new();
    let table = golden::read("scoring.json");
    for row in table.as_array().unwrap() {
        let name = row["model"].as_str().unwrap();
        let mlmodel = match name {
            "none" => model(None, None, false),
            "default" => model(Some(TEXT), None, false),
            "named_input" => model(Some(INPUT), None, false),
            "array_input" => model(Some(ARRAY), None, false),
            "tensor" => model(Some(TENSOR), None, false),
            "params" => model(Some(TEXT), params, false),
            "task" => model(Some(INPUT), None, true),
            other => panic!("{other}"),
        };
        let body = row["body"].as_str().unwrap();
        let outcome = answer(&mlmodel, row["type"].as_str().unwrap(), body.as_bytes());
        if matches!(outcome, Err(Error::Dropped { .. })) {
            dropped.insert(body);
            continue;
        }
        differences.note(body, name, compare(&outcome, row));
    }
    differences.finish();
    assert_eq!(dropped.into_iter().collect::<Vec<_>>(), DROPPED);
}

#[track_caller]
fn written(prediction: &Prediction, unified: bool, expected: &str) {
    let mut out = Vec::new();
    scoring::write_json(prediction, unified, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn answers_have_the_bytes_of_python() {
    let floats = Vectors::Float32(array![[0.1, -1.0], [1e-7, 3.4e38]]);
    let text = "[[0.10000000149011612, -1.0], [1.0000000116860974e-07, 3.3999999521443642e+38]]";
    written(&Prediction::Matrix(floats.clone()), true, text);
    written(&Prediction::Matrix(floats.clone()), false, &format!("{{\"predictions\": {text}}}"));
    written(
        &Prediction::Envelope { vectors: floats, prompt_tokens: 6 },
        true,
        "{\"object\": \"list\", \"data\": [{\"object\": \"embedding\", \"index\": 0, \"embedding\": [0.10000000149011612, -1.0]}, {\"object\": \"embedding\", \"index\": 1, \"embedding\": [1.0000000116860974e-07, 3.3999999521443642e+38]}], \"usage\": {\"prompt_tokens\": 6, \"total_tokens\": 6}}",
    );
    written(&Prediction::Empty, false, "{\"predictions\": []}");
    written(&Prediction::Vector(Vectors::Int8(array![[-128, 7]])), true, "[-128, 7]");
    written(&Prediction::Matrix(Vectors::Ubinary(array![[255], [0]])), true, "[[255], [0]]");
    written(
        &Prediction::Matrix(Vectors::Float32(array![[f32::NAN, f32::INFINITY]])),
        true,
        "[[NaN, Infinity]]",
    );
    let tokens = TokenEmbeddings::new(vec![array![[0.5], [1.5]], array![[2.5]]], 0);
    written(&Prediction::Tokens(tokens), true, "[[[0.5], [1.5]], [[2.5]]]");
}

#[test]
fn a_long_answer_is_written_in_pieces_and_reads_back() {
    #[derive(Default)]
    struct Pieces(Vec<Vec<u8>>);
    impl std::io::Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let rows = ndarray::Array2::from_shape_fn((500, 384), |(row, column)| (row * 384 + column) as f32 / 7.0);
    let mut pieces = Pieces::default();
    scoring::write_json(&Prediction::Matrix(Vectors::Float32(rows.clone())), true, &mut pieces).unwrap();
    assert!(pieces.0.len() > 10 && pieces.0.iter().all(|piece| piece.len() < 100_000));
    let read: Vec<Vec<f32>> = serde_json::from_slice(&pieces.0.concat()).unwrap();
    assert_eq!(read.concat(), rows.into_raw_vec_and_offset().0);
}

#[test]
fn a_writer_that_fails_is_reported() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = scoring::write_json(&Prediction::Empty, true, &mut Full).unwrap_err();
    assert_eq!(error.to_string(), "cannot write the answer");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mlmodel = MlModel::default();
    let error = scoring::parse_csv(b"text\n\xff\n", &mlmodel).unwrap_err();
    assert!(
        error.to_string().starts_with("Invalid input. Ensure that input is a valid UTF-8 encoded string.")
    );
    let error = scoring::parse_json(b"{\"inputs\": \"\xff\"}", &mlmodel).unwrap_err();
    assert!(
        error.to_string().starts_with("Invalid input. Ensure that input is a valid JSON formatted string.")
    );
}

/// Requests of which Python silently leaves a part out.
const DROPPED: &[&str] = &[
    "a,a\nx,y\n",
    "text,input\na,x\nb,y\n",
    "text,n\na\n",
    r#"{"dataframe_split": {"columns": ["a", "b"], "data": [["x", "y"]]}}"#,
    r#"{"input": "a", "batch_size": 4}"#,
    r#"{"input": "a", "params": {"batch_size": 4}}"#,
    r#"{"input": ["x"], "encoding_format": "float", "model": "m"}"#,
    r#"{"inputs": ["a"], "input": "b"}"#,
    r#"{"inputs": [["a", "b"]]}"#,
    r#"{"instances": [{"input": "a"}, {"text": "b"}]}"#,
];

/// Where the answer differs from Python's: the reason, the bodies, the models.
const DIFFERENCES: &[(&str, &[&str], &[&str])] = &[
    (
        "Python's server makes arrays of lists, which the model then takes for sound",
        &[
            r#"{"inputs": ["a", "b"]}"#,
            r#"{"inputs": []}"#,
            r#"{"inputs": [1.5, true]}"#,
            r#"{"inputs": {"input": ["a", "b"]}}"#,
            r#"{"inputs": {"input": ["a"], "other": ["b"]}}"#,
            r#"{"inputs": [{"input": ["a", "b"]}]}"#,
            r#"{"instances": ["a", "b"]}"#,
            r#"{"instances": []}"#,
            r#"{"instances": {"input": ["a", "b"]}}"#,
            r#"{"instances": {"input": ["a"], "text": ["b", "c"]}}"#,
            r#"{"inputs": ["a"], "params": {"batch_size": 4}}"#,
            r#"{"inputs": ["a"], "params": {"nothing": 4}}"#,
            r#"{"inputs": ["a"], "params": null}"#,
            r#"{"inputs": ["a"], "extra": 1}"#,
            r#"{"signature_name": "x", "inputs": ["a"]}"#,
            r#"{"inputs": ["\ud83d\ude00"]}"#,
        ],
        &["array_input"],
    ),
    (
        "the same, for a list in a record",
        &[r#"{"inputs": [{"input": ["a", "b"]}]}"#],
        &["default", "named_input", "params", "task"],
    ),
    (
        "Python's server makes arrays without axes of the texts in records",
        &[r#"{"inputs": [{"input": "a"}, {"input": "b"}]}"#],
        &["default", "params"],
    ),
    (
        "Python takes a list of two texts for one text and its pair",
        &[r#"{"inputs": [["a", "b"]]}"#],
        &["none"],
    ),
    (
        "parameters that are no dictionary: Python only warns if the model has no parameters",
        &[r#"{"inputs": ["a"], "params": [1]}"#],
        &["none", "default", "named_input", "array_input", "tensor", "task"],
    ),
    (
        "pandas takes the first cell of a row that is longer than the header for the label of the row",
        &["text\na,b\n"],
        &["none", "default", "named_input", "params", "task"],
    ),
    (
        "MLflow looks the first row up by the label 0",
        &[r#"{"dataframe_split": {"columns": ["text"], "index": [5, 6], "data": [["a"], ["b"]]}}"#],
        &["tensor"],
    ),
    (
        "an empty table: the same refusal with another code",
        &[r#"{"dataframe_split": {"columns": ["text"], "data": []}}"#],
        &["tensor"],
    ),
    (
        "pandas makes the text `nan` of a missing value",
        &[r#"{"dataframe_records": [{"input": "a"}, {"input": null}]}"#],
        &["tensor"],
    ),
];
