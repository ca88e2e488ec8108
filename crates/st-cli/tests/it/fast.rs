//! `--mode fast`: every answer says in which mode it was computed.

use serde_json::Value;
use st_testkit::tiny_model_dir;

use crate::support::{Place, TINY};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_report_names_the_mode() {
    let place = Place::new();
    place.write("texts.txt", "one\ntwo of them\n");
    for (arguments, expected) in [(&[][..], "exact"), (&["--mode", "fast"], "fast")] {
        let answer =
            |command: &[&str]| json(&place.ok(&[command, arguments, &["--json", "-m", "TINY"]].concat()));
        let encode = ["encode", "-i", "texts.txt", "-o", "vectors.npy", "--force"];
        assert_eq!(answer(&encode)["mode"], expected);
        assert_eq!(answer(&["similarity", "one", "two"])["mode"], expected);
        assert_eq!(answer(&["similarity", "one", "two", "three"])["mode"], expected);
        assert_eq!(answer(&["search", "--corpus", "texts.txt", "-q", "one"])["mode"], expected);
        assert_eq!(answer(&["export", "-o", "graph", "--force"])["mode"], expected);
        assert_eq!(answer(&["inspect"])["graph"]["mode"], expected);
    }
}

#[test]
fn the_vectors_differ_a_little() {
    let place = Place::new();
    let embedding = |arguments: &[&str]| -> Vec<f64> {
        let answer = json(&place.ok(&[&["encode", "-m", "TINY", "a text"], arguments].concat()));
        answer["embedding"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let (exact, fast) = (embedding(&[]), embedding(&["--mode", "fast"]));
    assert_ne!(exact, fast);
    let cosine: f64 = exact.iter().zip(&fast).map(|(a, b)| a * b).sum();
    assert!(cosine > 0.98, "{cosine}");
    assert_eq!(embedding(&["--mode", "exact"]), exact);
}

#[test]
fn a_quantised_graph_is_checked_and_can_be_run_as_it_is() {
    let place = Place::new();
    let report = json(&place.ok(&["export", "-m", "TINY", "-o", "onnx", "--quantize", "int8", "--json"]));
    assert_eq!(report["mode"], "fast");
    let operators = report["operators"].as_array().unwrap();
    assert!(
        operators.iter().any(|name| name.as_str().unwrap().starts_with("MatMulInteger")),
        "{operators:?}"
    );
    let fast = place.ok(&["encode", "-m", "TINY", "--mode", "fast", "one", "two of them"]);
    assert_eq!(place.ok(&["encode", "-m", "TINY", "--graph", "onnx/model.onnx", "one", "two of them"]), fast);
    let model = tiny_model_dir(TINY);
    let expected = format!(
        "error: cannot load the model {}\n  \
         caused by: the fast mode is made from safetensors, but onnx/model.onnx is a finished ONNX graph\n\
         hint: leave `--mode fast` out: the graph runs as it is",
        model.display()
    );
    place.fails(&["encode", "-m", "TINY", "--graph", "onnx/model.onnx", "--mode", "fast", "one"], &expected);
}

#[test]
fn an_unknown_mode_lists_those_that_are() {
    let place = Place::new();
    let ran = place.run(&["encode", "-m", "TINY", "--mode", "turbo", "one"]);
    assert_eq!(ran.code, 2);
    let expected = "error: invalid value 'turbo' for '--mode <NAME>': `turbo` is not a known mode; known are exact, fast";
    assert_eq!(ran.stderr.lines().next(), Some(expected));
}
