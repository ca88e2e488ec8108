//! `predict`, against the whole table of what Python answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use mlflow_flavor::{
    Answer, Error, ErrorCode, MlModel, ModelSignature, PredictInput, Prediction, PyFunc, PythonFunctionFlavor,
};
use serde_json::{Map, Value, json};
use st_core::{Precision, Prompt};

use crate::difference::Differences;
use crate::encoder::{DIM, FakeEncoder};
use crate::golden;

/// A model with these inputs and parameters, and with the task or without.
pub(crate) fn model(inputs: Option<&str>, params: Option<&str>, task: bool) -> MlModel {
    let mut model = MlModel::default();
    if inputs.is_some() || params.is_some() {
        model.signature = Some(ModelSignature::parse(inputs, None, params).unwrap());
    }
    let config = task.then(|| json!({"task": "llm/v1/embeddings"}).as_object().unwrap().clone());
    model.flavors.python_function = Some(PythonFunctionFlavor { config, ..PythonFunctionFlavor::default() });
    model
}

/// Whether our answer has the form of Python's, from the same texts.
pub(crate) fn same_answer(prediction: &Prediction, expected: &Value) -> Result<(), String> {
    let same = match prediction {
        Prediction::Empty => expected["shape"] == json!([0]),
        Prediction::Vector(vectors) => expected["shape"] == json!([vectors.dim().1]),
        Prediction::Matrix(vectors) => expected["shape"] == json!([vectors.dim().0, vectors.dim().1]),
        Prediction::Envelope { vectors, prompt_tokens } => {
            let items = expected["envelope"].get("items").unwrap_or(&expected["envelope"]);
            let usage = expected["envelope"].get("usage");
            *items == json!(vectors.dim().0)
                && usage.is_none_or(|usage| {
                    *usage == json!({"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens})
                })
        }
        _ => false,
    };
    if same { Ok(()) } else { Err(format!("{prediction:?} instead of {expected}")) }
}

/// The code that MLflow's server gives an error: what is no error of MLflow becomes `BAD_REQUEST`.
fn code(error: &Value) -> &str {
    error["code"].as_str().unwrap_or("BAD_REQUEST")
}

/// The part of a message after MLflow's preamble, as far as it is stable: sets have no order.
fn cause(message: &str) -> &str {
    let cause = message.split_once("'. Error: ").map_or(message, |(_, cause)| cause);
    &cause[..cause.find("extra inputs:").unwrap_or(cause.len())]
}

fn same_error(error: &Error, expected: &Value) -> Result<(), String> {
    if error.code().name() != code(expected) {
        return Err(format!("{} ({error}) instead of {expected}", error.code()));
    }
    let message = expected["message"].as_str().unwrap();
    // Errors of the library and of pandas have their own words; MLflow's are kept up to 100 characters.
    let is_of_mlflow =
        expected["code"] == "INVALID_PARAMETER_VALUE" && !cause(message).starts_with("dictionary update");
    let head = |text: &str| text.chars().take(100).collect::<String>();
    let found = error.to_string();
    if is_of_mlflow && head(cause(&found)) != head(cause(message)) {
        return Err(format!("{found} instead of {message}"));
    }
    Ok(())
}

fn compare(
    outcome: &Result<Answer, Error>,
    texts: Option<Vec<String>>,
    expected: &Value,
) -> Result<(), String> {
    match (outcome, expected.get("error")) {
        (Ok(answer), Some(error)) => Err(format!("{:?} instead of {error}", answer.prediction)),
        (Err(error), Some(expected)) => same_error(error, expected),
        (Err(error), None) => Err(format!("{error} instead of {expected}")),
        (Ok(answer), None) => {
            same_answer(&answer.prediction, expected)?;
            if json!(texts.unwrap_or_default()) != expected["texts"] {
                return Err(format!("other texts than {expected}"));
            }
            let kinds = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
            let found: Vec<String> = answer.warnings.iter().map(|warning| kinds(&warning.message)).collect();
            let wanted = expected["warnings"].as_array().unwrap().iter();
            let wanted: Vec<String> = wanted.map(|text| kinds(text.as_str().unwrap())).collect();
            if found == wanted { Ok(()) } else { Err(format!("warnings {found:?} instead of {wanted:?}")) }
        }
    }
}

#[test]
fn every_input_to_every_signature_answers_like_python() {
    let golden = golden::read("predict.json");
    let mut differences = Differences::new(DIFFERENCES);
    let mut dropped = BTreeSet::new();
    for row in golden["rows"].as_array().unwrap() {
        if row["input"].get("tuple").is_some() {
            continue; // JSON and Rust have no tuple beside the list.
        }
        let name = row["signature"].as_str().unwrap();
        let (inputs, task) = match name {
            "none" => (None, false),
            "task" => (golden["signatures"]["named_input"].as_str(), true),
            "task_default" => (golden["signatures"]["default"].as_str(), true),
            name => (golden["signatures"][name].as_str(), false),
        };
        let encoder = Arc::new(FakeEncoder::default());
        let pyfunc = PyFunc::new(model(inputs, None, task), encoder.clone());
        let outcome = pyfunc.predict(&golden::input(&row["input"]), None);
        let case = row["input"].to_string();
        let python_failed = code(&row["result"]["error"]) == "INVALID_PARAMETER_VALUE";
        if matches!(outcome, Err(Error::Dropped { .. })) && !python_failed {
            dropped.insert(case);
            continue;
        }
        let texts = encoder.last_call().map(|(texts, _)| texts);
        differences.note(&case, name, compare(&outcome, texts, &row["result"]));
    }
    differences.finish();
    assert_eq!(dropped.iter().map(String::as_str).collect::<Vec<_>>(), DROPPED);
}

#[test]
fn parameters_reach_the_encoder_as_in_python() {
    let golden = golden::read("params.json");
    let inputs = Some(r#"[{"type": "string", "required": true}]"#);
    for row in golden["rows"].as_array().unwrap() {
        let Some(expected) = row.get("predict") else { continue };
        let encoder = Arc::new(FakeEncoder::default());
        let pyfunc = PyFunc::new(model(inputs, golden["schemas"]["encode"].as_str(), false), encoder.clone());
        let outcome = pyfunc.predict(&PredictInput::from(vec!["a", "b"]), row["given"].as_object());
        if let Some(error) = expected.get("error") {
            let found = outcome.unwrap_err();
            assert_eq!(found.code().name(), code(error), "{row}");
            assert!(
                found.to_string().starts_with(&error["message"].as_str().unwrap()[..40]),
                "{row}: {found}"
            );
            continue;
        }
        let answer = outcome.unwrap();
        same_answer(&answer.prediction, expected).unwrap();
        let (_, options) = encoder.last_call().unwrap();
        let sent = &expected["params"];
        assert_eq!(json!(options.normalize), sent["normalize_embeddings"]);
        assert_eq!(json!(options.truncate_dim), sent["truncate_dim"]);
        assert_eq!(json!(options.precision.name()), sent["precision"]);
        match &options.prompt {
            Prompt::Text(text) => assert_eq!(json!(text), sent["prompt"]),
            _ => assert!(sent["prompt"].is_null()),
        }
    }
}

fn predict(model: MlModel, input: Value, params: Value) -> Result<Answer, Error> {
    let params: Option<&Map<String, Value>> = params.as_object();
    PyFunc::new(model, Arc::new(FakeEncoder::default())).predict(&PredictInput::Value(input), params)
}

#[track_caller]
fn refused(model: MlModel, input: Value, code: ErrorCode, message: &str) {
    let error = predict(model, input, Value::Null).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (code, message));
}

const TEXT: Option<&str> = Some(r#"[{"type": "string", "required": true}]"#);
const INPUT: Option<&str> = Some(r#"[{"type": "string", "name": "input", "required": true}]"#);

#[test]
fn what_python_drops_without_a_word_is_an_error() {
    let invalid = ErrorCode::InvalidParameterValue;
    refused(
        model(TEXT, None, false),
        json!({"input": "a", "dims": 3}),
        invalid,
        "column `dims` (and all others but `input`) would be silently ignored by Python's flavor; send one column",
    );
    refused(
        model(INPUT, None, true),
        json!([{"input": ["a", "b"]}, {"input": ["c"]}]),
        invalid,
        "everything after row 0 of column `input`, which holds a list, would be silently ignored by Python's flavor; send one row with all texts in its list, or one text a row",
    );
}

#[test]
fn messages_name_the_row_and_the_schema() {
    refused(
        model(TEXT, None, false),
        json!(["a", 1]),
        ErrorCode::BadRequest,
        "Encountered an unexpected error while evaluating the model. Verify that the input is compatible with the model for inference: row 1 is of the type int, not a text",
    );
    refused(
        model(INPUT, None, true),
        json!("a"),
        ErrorCode::InvalidParameterValue,
        "Failed to enforce schema of data 'a' with schema '['input': string (required)]'. Error: Model is missing inputs ['input']. Note that there were extra inputs: [0].",
    );
}

#[test]
fn the_failure_of_a_model_keeps_its_words() {
    let error = predict(model(TEXT, None, false), json!("fail"), Value::Null).unwrap_err();
    assert_eq!(error.to_string(), "Encountered an unexpected error while evaluating the model");
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the session broke");
}

#[test]
fn truncation_and_other_forms_are_reported() {
    let answer =
        predict(model(TEXT, None, false), json!(["short", "long ".repeat(20)]), Value::Null).unwrap();
    assert_eq!(answer.truncated, 1);

    let params =
        r#"[{"name": "output_value", "default": "token_embeddings", "shape": null, "type": "string"}]"#;
    let answer = predict(model(TEXT, Some(params), false), json!(["ab", "c"]), Value::Null).unwrap();
    let Prediction::Tokens(tokens) = answer.prediction else { panic!("{:?}", answer.prediction) };
    assert_eq!(tokens.texts.iter().map(ndarray::Array2::dim).collect::<Vec<_>>(), [(2, DIM), (1, DIM)]);
    let error = predict(model(INPUT, Some(params), true), json!({"input": "a"}), Value::Null).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Received invalid parameter value for `params` argument: `output_value` token_embeddings has no place in the answer of the task llm/v1/embeddings"
    );

    let precision = r#"[{"name": "precision", "default": "ubinary", "shape": null, "type": "string"}]"#;
    let answer = predict(model(TEXT, Some(precision), false), json!(["a"]), Value::Null).unwrap();
    let Prediction::Matrix(vectors) = answer.prediction else { panic!("{:?}", answer.prediction) };
    assert_eq!((vectors.precision(), vectors.dim()), (Precision::Ubinary, (1, 1)));
}

/// Inputs of which Python silently leaves a part out.
const DROPPED: &[&str] = &[
    r#"{"array":[["a","b"]]}"#,
    r#"{"frame":{"columns":["input","user"],"data":[["a","x"],["b","y"]]}}"#,
    r#"{"frame":{"columns":["text","input"],"data":[["a","x"],["b","y"]]}}"#,
    r#"{"value":[["a","b"],["c","d"]]}"#,
    r#"{"value":[["a","b"]]}"#,
    r#"{"value":[["a"],["b","c"]]}"#,
    r#"{"value":[{"input":"x"},{"user":"y"}]}"#,
    r#"{"value":[{"input":["a","b"]},{"input":["c"]}]}"#,
    r#"{"value":{"input":"a","dims":3}}"#,
    r#"{"value":{"input":"a","user":"u"}}"#,
    r#"{"value":{"input":["a"],"user":1}}"#,
    r#"{"value":{"input":[["a"],["b"]]}}"#,
];

/// Where the answer differs from Python's: the reason, the inputs, the signatures.
const DIFFERENCES: &[(&str, &[&str], &[&str])] = &[
    (
        "Python takes a list of two texts for one text and its pair; an encoder of sentences has no use for it",
        &[r#"{"array":[["a","b"]]}"#, r#"{"value":[["a","b"]]}"#, r#"{"value":[["a","b"],["c","d"]]}"#],
        &["none"],
    ),
    (
        "Python takes a dictionary with the key `text` for one input of a model of several media",
        &[r#"{"value":{"text":"a"}}"#, r#"{"value":{"text":["a","b"]}}"#],
        &["none"],
    ),
    (
        "pandas takes a text among rows for a row of characters",
        &[r#"{"value":[["a"],"b"]}"#],
        &[
            "default",
            "named_input",
            "named_text",
            "named_optional",
            "array_input",
            "unnamed_array",
            "two_unnamed",
            "long",
            "double",
            "any",
            "object",
            "task",
            "task_default",
        ],
    ),
    (
        "NumPy cuts the missing value down to the text `n`",
        &[r#"{"value":{"input":["a",null]}}"#],
        &["array_input", "unnamed_array"],
    ),
    ("pandas takes an empty list for a missing number", &[r#"{"value":{"input":[]}}"#], &["double"]),
];
