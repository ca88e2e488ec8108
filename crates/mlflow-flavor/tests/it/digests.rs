//! Digests of a saved model: what they find, and hostile ones.

use std::fs;
use std::path::Path;

use mlflow_flavor::{Digests, Error, SaveOptions, SavePlan, save_model};
use proptest::prelude::*;

use crate::folder::{files, tiny_encoder};

/// A saved model in `parent`, and its digests.
fn saved(parent: &Path) -> (std::path::PathBuf, Digests) {
    let path = parent.join("m");
    save_model(&tiny_encoder(parent), &path, &SaveOptions::default().with_input_example("a")).unwrap();
    let digests = Digests::read(&path).unwrap().unwrap();
    (path, digests)
}

#[track_caller]
fn found(change: impl FnOnce(&Path), expected: &str) {
    let temporary = tempfile::tempdir().unwrap();
    let (path, digests) = saved(temporary.path());
    change(&path);
    let error = digests.verify(&path).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error:?}");
    assert_eq!(error.to_string().replace(path.to_str().unwrap(), "M"), expected);
}

#[test]
fn every_file_but_the_digests_themselves_is_in_them() {
    let temporary = tempfile::tempdir().unwrap();
    let (path, digests) = saved(temporary.path());
    digests.verify(&path).unwrap();
    let mut names: Vec<&str> = digests.files().map(|(name, _)| name).collect();
    names.push("model_digests.json");
    names.sort_unstable();
    assert_eq!(names, files(&path));
    // What `sha256sum` prints for `model.sentence_transformer/2_Normalize/config.json`, which holds `{}`.
    let empty = digests.get("model.sentence_transformer/2_Normalize/config.json").unwrap();
    assert_eq!(
        (empty.bytes, empty.sha256.to_string().as_str()),
        (2, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    );
}

#[test]
fn what_is_missing_too_much_or_different_is_named() {
    found(
        |path| fs::remove_file(path.join("model.sentence_transformer/1_Pooling/config.json")).unwrap(),
        "`M`: the file model.sentence_transformer/1_Pooling/config.json is missing",
    );
    found(
        |path| fs::write(path.join("model.sentence_transformer/pytorch_model.bin"), "x").unwrap(),
        "`M`: the file model.sentence_transformer/pytorch_model.bin is not in model_digests.json",
    );
    found(
        |path| fs::write(path.join("model.sentence_transformer/tokenizer.json"), "").unwrap(),
        "`M`: the file model.sentence_transformer/tokenizer.json has 0 bytes instead of 2",
    );
    found(
        |path| {
            let text = fs::read_to_string(path.join("MLmodel")).unwrap();
            fs::write(path.join("MLmodel"), text.replace("python_function", "python_functiom")).unwrap();
        },
        "`M`: the file MLmodel has another SHA-256 than model_digests.json says",
    );
    // Elsewhere than in `code`, and as a folder's name only, they are not what Python leaves.
    found(
        |path| {
            fs::create_dir(path.join("__pycache__")).unwrap();
            fs::write(path.join("__pycache__/a.pyc"), "x").unwrap();
        },
        "`M`: the file __pycache__/a.pyc is not in model_digests.json",
    );
}

#[test]
fn what_python_leaves_in_a_model_is_no_difference() {
    let temporary = tempfile::tempdir().unwrap();
    let (path, digests) = saved(temporary.path());
    fs::write(path.join("registered_model_meta"), "model_name: m\nmodel_version: '1'\n").unwrap();
    fs::create_dir_all(path.join("code/pack/__pycache__")).unwrap();
    fs::write(path.join("code/pack/__pycache__/inner.cpython-311.pyc"), "x").unwrap();
    digests.verify(&path).unwrap();
}

#[test]
fn the_fingerprint_stands_for_the_model() {
    let temporary = tempfile::tempdir().unwrap();
    let (path, digests) = saved(temporary.path());
    let mut other = digests.clone();
    assert_eq!(digests.fingerprint(), other.fingerprint());
    other.insert("more.txt", digests.get("MLmodel").unwrap());
    assert_ne!(digests.fingerprint(), other.fingerprint());
    assert_eq!(fs::read_to_string(path.join("model_digests.json")).unwrap(), digests.to_json());
}

#[test]
fn a_model_without_digests_has_none() {
    let temporary = tempfile::tempdir().unwrap();
    assert_eq!(Digests::read(temporary.path()).unwrap(), None);
}

#[track_caller]
fn refused(text: &str, message: &str, source: Option<&str>) {
    let error = Digests::parse(text.as_bytes(), "D".as_ref()).unwrap_err();
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!((error.to_string().as_str(), cause.as_deref()), (message, source));
}

#[test]
fn other_files_are_no_digests() {
    let not_json = "`D` cannot be read as JSON";
    refused("", not_json, Some("EOF while parsing a value at line 1 column 0"));
    refused("{}", not_json, Some("missing field `format_version` at line 1 column 2"));
    refused(
        r#"{"format_version": 2, "files": [1]}"#,
        "`D`: key `format_version` is 2, and 1 is the newest known",
        None,
    );
    let digits = "a SHA-256 is written as 64 lower case hexadecimal digits";
    for sha256 in ["", "0", &"G".repeat(64), &"é".repeat(32), &"A".repeat(64)] {
        let text =
            format!(r#"{{"format_version": 1, "files": {{"a": {{"bytes": 1, "sha256": "{sha256}"}}}}}}"#);
        refused(&text, not_json, Some(digits));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_bit_is_found(file: prop::sample::Index, byte: prop::sample::Index, bit in 0_u8..8) {
        let temporary = tempfile::tempdir().unwrap();
        let plan = SavePlan::new(&tiny_encoder(temporary.path()), &SaveOptions::default()).unwrap();
        let path = temporary.path().join("m");
        let digests = plan.write(&path).unwrap();
        let names: Vec<String> = digests.files().map(|(name, _)| name.to_owned()).collect();
        let name = file.get(&names);
        let mut content = fs::read(path.join(name)).unwrap();
        let at = byte.index(content.len());
        content[at] ^= 1 << bit;
        fs::write(path.join(name), content).unwrap();
        let message = digests.verify(&path).unwrap_err().to_string();
        let expected = format!("the file {name} has another SHA-256 than model_digests.json says");
        prop_assert!(message.ends_with(&expected), "{}", message);
    }

    #[test]
    fn any_bytes_are_digests_or_an_error(bytes: Vec<u8>) {
        drop(Digests::parse(&bytes, "D".as_ref()));
    }

    #[test]
    fn what_is_written_is_read(files in prop::collection::btree_map(".*", any::<(u64, [u8; 32])>(), 0..8)) {
        let json = serde_json::json!({"format_version": 1, "files": files.iter().map(|(name, (bytes, sha256))| {
            let sha256 = mlflow_flavor::Sha256Digest(*sha256).to_string();
            (name.clone(), serde_json::json!({"bytes": bytes, "sha256": sha256}))
        }).collect::<serde_json::Map<_, _>>()});
        let digests = Digests::parse(json.to_string().as_bytes(), "D".as_ref()).unwrap();
        prop_assert_eq!(digests.files().count(), files.len());
        prop_assert_eq!(Digests::parse(digests.to_json().as_bytes(), "D".as_ref()).unwrap(), digests);
    }
}
