//! What is noted of a model when it goes to MLflow: what it is, what it answers, what it takes.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use st_testkit::tiny_model_dir;

use crate::support::{Place, ran};

const CERTIFICATE: &str = "parity_certificate.json";

/// The tags of a registered version.
fn tags(place: &Place, uri: &str) -> BTreeMap<String, String> {
    let name = uri.trim_start_matches("models:/").split('/').next().unwrap();
    let model: Value = serde_json::from_str(&place.ok(&["models", "show", name, "--json"])).unwrap();
    let tags = model["model_versions"][0]["tags"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    tags.iter().map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect()
}

#[test]
fn a_version_is_found_by_what_it_is() {
    let place = Place::new();
    place.ok(&["log", "-m", "TINY", "--register", "enc", "--tag", "st.pooling=mine"]);
    let tags = tags(&place, "models:/enc/1");
    for (key, value) in [
        ("st.architecture", "BertModel"),
        ("st.dimension", "24"),
        ("st.normalized", "true"),
        ("st.similarity", "cosine"),
        ("st.max_tokens", "32"),
        ("st.parameters", "16682"),
        ("st.weight_bytes", "66728"),
        // What the caller says is the caller's.
        ("st.pooling", "mine"),
    ] {
        assert_eq!(tags.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(tags["st.exporter"].starts_with("st-export "), "{tags:?}");
    assert_eq!(tags["st.graph_sha256"].len(), 64);
    assert!(!tags.keys().any(|key| key.starts_with("st.profile")), "{tags:?}");
    place.ok(&["models", "download", "models:/enc/1", "-o", "copy"]);
    let mlmodel = place.read("copy/MLmodel");
    assert!(mlmodel.contains("\n  st:\n    architecture: BertModel\n"), "{mlmodel}");
    assert!(place.path("copy").join(CERTIFICATE).is_file());
}

#[test]
fn what_a_model_takes_is_measured_when_asked() {
    let place = Place::new();
    place.ok(&["log", "-m", "TINY", "--register", "enc", "--profile"]);
    let tags = tags(&place, "models:/enc/1");
    let number = |key: &str| tags[&format!("st.profile.{key}")].parse::<f64>().unwrap();
    assert!(number("sentences_per_second") > 1.0 && number("load_seconds") > 0.0, "{tags:?}");
    assert!(number("threads") >= 1.0 && number("memory_bytes") > 1e6, "{tags:?}");
    assert_eq!(tags["st.profile.machine"], std::env::consts::ARCH);
}

/// Other weights under the same name, and nothing else that would tell.
#[test]
fn a_model_that_answers_otherwise_is_not_trusted() {
    let place = Place::new();
    place.ok(&["save", "-m", "TINY", "-o", "saved", "--certificate"]);
    place.ok(&["encode", "-m", "saved", "a text"]);
    let weights = place.path("saved/model.sentence_transformer/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let header = u64::from_le_bytes(*bytes.first_chunk().unwrap());
    // A bit in the middle of some numbers: by a sixteenth of them more or less.
    for number in bytes[usize::try_from(header).unwrap() + 8..].chunks_mut(4).take(2000) {
        number[2] ^= 0x08;
    }
    fs::write(&weights, bytes).unwrap();
    fs::remove_file(place.path("saved/model_digests.json")).unwrap();

    let refused = place.run(&["encode", "-m", "saved", "a text"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.starts_with("error: cannot trust the model saved\n"), "{}", refused.stderr);
    place.ok(&["encode", "-m", "saved", "a text", "--no-certificate-check"]);

    // Nor does a copy wash it clean.
    let logged = place.run(&["log", "-m", "saved", "--name", "copy"]);
    assert_eq!(logged.code, 2, "{}", logged.stdout);
    assert!(logged.stderr.starts_with("error: cannot note what saved answers\n"), "{}", logged.stderr);
    assert!(!place.path("mlflow.db").exists());
}

#[test]
fn a_copy_vouches_for_what_its_original_answered() {
    let place = Place::new();
    place.ok(&["save", "-m", "TINY", "-o", "saved", "--certificate"]);
    place.ok(&["log", "-m", "saved", "--register", "enc"]);
    place.ok(&["models", "download", "models:/enc/1", "-o", "copy"]);
    assert_eq!(place.read(&format!("copy/{CERTIFICATE}")), place.read(&format!("saved/{CERTIFICATE}")));
}

#[test]
fn without_a_runtime_a_model_is_logged_when_that_is_said() {
    let place = Place::new();
    let log = |more: &[&str]| {
        let args = [&["log", "-m", "TINY", "--register", "enc"], more].concat();
        ran(place.command(&args).env("ORT_DYLIB_PATH", "/no/such/library.so").output().unwrap())
    };
    let refused = log(&[]);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("`st log --no-certificate` logs"), "{}", refused.stderr);
    assert!(!place.path("mlflow.db").exists());
    let logged = log(&["--no-certificate"]);
    assert_eq!(logged.code, 0, "{}", logged.stderr);
    assert_eq!(tags(&place, "models:/enc/1")["st.dimension"], "24");
    place.ok(&["models", "download", "models:/enc/1", "-o", "copy"]);
    assert!(!place.path("copy").join(CERTIFICATE).exists());
}

/// Python runs what we do not: such a model has its place in a registry, too.
#[test]
fn a_model_that_does_not_run_here_is_logged_when_that_is_said() {
    let place = Place::new();
    let folder = place.path("foreign");
    copy(&tiny_model_dir("mean-normalize"), &folder);
    let config = place.read("foreign/config.json").replace("\"bert\"", "\"mpnet\"");
    place.write("foreign/config.json", config);
    let refused = place.run(&["log", "-m", "foreign", "--name", "enc"]);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("--no-certificate"), "{}", refused.stderr);
    place.ok(&["log", "-m", "foreign", "--register", "enc", "--no-certificate"]);
    assert_eq!(tags(&place, "models:/enc/1")["st.dimension"], "24");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_example_that_the_model_cannot_answer_is_told() {
    let place = Place::new();
    let good = place.run(&["log", "-m", "TINY", "--input-example", r#"["a text"]"#]);
    assert_eq!((good.code, good.stderr.contains("example")), (0, false), "{}", good.stderr);
    place.write("signature.json", r#"{"inputs": [{"type": "double", "required": true}]}"#);
    let example = ["--input-example", r#"["a text"]"#, "--signature", "signature.json"];
    let bad = place.run(&[&["log", "-m", "TINY"][..], &example].concat());
    assert_eq!(bad.code, 0, "{}", bad.stderr);
    assert!(bad.stderr.contains("warning: the model cannot answer its input example: "), "{}", bad.stderr);
}

#[test]
fn a_variable_that_changes_nothing_is_told() {
    let place = Place::new();
    let mut log = place.command(&["log", "-m", "TINY", "--no-certificate"]);
    log.env("MLFLOW_LOG_MODEL_COMPRESSION", "gzip").env("MLFLOW_ENABLE_ASYNC_LOGGING", "true");
    let logged = ran(log.output().unwrap());
    assert_eq!(
        (logged.code, logged.stderr.as_str()),
        (
            0,
            "warning: MLFLOW_LOG_MODEL_COMPRESSION is set and has no effect: the files of a model are logged as they are\n"
        )
    );
}

#[test]
fn a_param_that_is_too_long_is_cut_only_when_that_is_said() {
    let place = Place::new();
    let param = format!("text={}", "x".repeat(6001));
    let log = ["log", "-m", "TINY", "--no-certificate", "--run-name", "long", "--param", &param];
    let refused = place.run(&log);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    let mut log = place.command(&log);
    let cut = ran(log.env("MLFLOW_TRUNCATE_LONG_VALUES", "true").output().unwrap());
    assert_eq!((cut.code, cut.stderr.contains("WARN")), (0, true), "{}", cut.stderr);
    let listed = place.ok(&["runs", "list", "--json"]);
    assert!(listed.contains(&"x".repeat(6000)) && !listed.contains(&"x".repeat(6001)), "{listed}");
}
