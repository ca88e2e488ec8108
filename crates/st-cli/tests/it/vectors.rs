//! Vectors say where they come from, and are not mixed with others.

use std::fs;

use serde_json::Value;
use st_testkit::{temp_copy, tiny_model_dir};

use crate::support::{Place, TINY};

/// Texts, and their vectors as documents.
fn with_corpus(output: &str, more: &[&str]) -> Place {
    let place = Place::new();
    place.write("corpus.txt", "one red fox\na large stone\nwhere is the river\nthe moon rises\n");
    let args = ["encode", "-m", "TINY", "-i", "corpus.txt", "-o", output, "--document"];
    place.ok(&[&args, more].concat());
    place
}

fn provenance(place: &Place, name: &str) -> Value {
    serde_json::from_str::<Value>(&place.read(name)).unwrap()["provenance"].take()
}

#[test]
fn arrays_and_tables_have_a_file_beside_them() {
    for output in ["out.npy", "out.csv"] {
        let place = with_corpus(output, &["--truncate-dim", "7"]);
        let side = format!("{output}.json");
        assert_eq!(place.names(), ["corpus.txt", output, side.as_str()]);
        let found = provenance(&place, &side);
        assert_eq!(found["model"]["name"], "mean-normalize");
        assert!(found["model"]["digest"].as_str().unwrap().starts_with("blake3:"), "{found}");
        assert_eq!((&found["dimension"], &found["normalized"]), (&Value::from(7), &Value::from(false)));
        assert_eq!((&found["mode"], &found["precision"]), (&Value::from("exact"), &Value::from("float32")));
        assert_eq!(found["prompt"]["task"], "document");

        let again = ["encode", "-m", "TINY", "-i", "corpus.txt", "-o", output];
        fs::remove_file(place.path(output)).unwrap();
        place.fails(&again, &format!("error: {side}: output exists\nhint: pass `--force` to replace it"));
        place.ok(&[again.as_slice(), &["--force"]].concat());
        assert_eq!(provenance(&place, &side)["dimension"], 24, "both were replaced");
    }
}

#[test]
fn json_lines_have_a_header_where_it_is_asked_for() {
    let place = with_corpus("out.jsonl", &["--header", "--with-text"]);
    assert_eq!(place.names(), ["corpus.txt", "out.jsonl"]);
    let text = place.read("out.jsonl");
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["provenance"]["model"]["name"], TINY);
    assert_eq!(text.lines().count(), 5);
    // The header is no text.
    let again = place.ok(&["encode", "-m", "TINY", "-i", "out.jsonl", "--document"]);
    assert_eq!(again.lines().count(), 4);
    place.fails(
        &["encode", "-m", "TINY", "a", "-o", "b.npy", "--header"],
        "error: `--header` is a first line of JSON lines; other files say where their vectors come from anyway",
    );
}

/// The ids of the hits.
fn found(place: &Place, args: &[&str]) -> Vec<String> {
    let answer = place.ok(&[&["search", "-m", "TINY", "-q", "the moon rises", "--json"], args].concat());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let hits = answer["queries"][0]["hits"].as_array().unwrap();
    hits.iter()
        .map(|hit| format!("{} {}", hit["id"].as_str().unwrap(), hit["text"].as_str().unwrap()))
        .collect()
}

#[test]
fn saved_vectors_are_searched_as_their_texts_are() {
    let texts = found(&with_corpus("out.npy", &[]), &["--corpus", "corpus.txt"]);
    assert_eq!(texts[0], "4 the moon rises");
    for output in ["out.npy", "out.parquet"] {
        let place = with_corpus(output, &[]);
        assert_eq!(found(&place, &["--vectors", output, "--corpus", "corpus.txt"]), texts);
        let numbers: Vec<_> = texts.iter().map(|text| format!("{} ", &text[..1])).collect();
        assert_eq!(found(&place, &["--vectors", output]), numbers);
        for more in [["--precision", "int8"], ["--precision", "uint8"], ["--truncate-dim", "16"]] {
            let place = with_corpus(output, &more);
            assert_eq!(found(&place, &["--vectors", output])[0], "4 ", "{more:?}");
        }
    }
    // Of 24 dimensions too little is left in bits for an order that could be known.
    let bits = with_corpus("out.npy", &["--precision", "ubinary"]);
    assert_eq!(found(&bits, &["--vectors", "out.npy"]).len(), 4);
    let place = with_corpus("out.parquet", &["--with-text"]);
    assert_eq!(found(&place, &["--vectors", "out.parquet"]), texts);
    place.ok(&["encode", "-m", "TINY", "-o", "more.parquet", "--with-text", "the moon rises"]);
    let both = found(&place, &["--vectors", "out.parquet", "--vectors", "more.parquet", "-k", "2"]);
    assert_eq!(both, ["4 the moon rises", "5 the moon rises"]);
}

/// How a search in `vectors` is refused.
#[track_caller]
fn refused(place: &Place, args: &[&str], expected: &str) {
    place.fails(&[&["search", "-m", "TINY", "-q", "the moon"], args].concat(), expected);
}

#[test]
fn spaces_are_not_mixed() {
    let place = with_corpus("out.npy", &["--mode", "fast"]);
    refused(
        &place,
        &["--vectors", "out.npy"],
        "error: out.npy does not fit the query: mode is fast in out.npy, and exact in the query\n\
         hint: `--mode fast` computes as the file was computed",
    );
    assert_eq!(found(&place, &["--vectors", "out.npy", "--mode", "fast"])[0], "4 ");

    let place = with_corpus("out.npy", &[]);
    place.ok(&["encode", "-m", "TINY", "-o", "bits.npy", "--precision", "binary", "a"]);
    refused(
        &place,
        &["--vectors", "out.npy", "--vectors", "bits.npy"],
        "error: bits.npy does not fit out.npy: precision is binary in bits.npy, and float32 in out.npy\n\
         hint: encode both in one way",
    );
    place.write("short.txt", "one\n");
    refused(
        &place,
        &["--vectors", "out.npy", "--corpus", "short.txt"],
        "error: fewer texts in short.txt cannot belong to 4 vectors",
    );
    fs::remove_file(place.path("out.npy.json")).unwrap();
    refused(
        &place,
        &["--vectors", "out.npy"],
        "error: out.npy does not say which model made its vectors\n\
         hint: encode again with `st encode`, which notes it, or pass `--trust-vectors` if this model made them",
    );
    assert_eq!(found(&place, &["--vectors", "out.npy", "--trust-vectors"])[0], "4 ");
}

#[test]
fn another_model_is_another_space() {
    let place = with_corpus("out.parquet", &[]);
    let other = temp_copy(&tiny_model_dir("mean-normalize"));
    let weights = other.path().join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let folder = other.path().to_str().unwrap();
    let args = ["search", "-m", folder, "-q", "the moon", "--vectors", "out.parquet"];
    let ran = place.run(&args);
    assert_eq!(ran.code, 2);
    let message = ran.stderr.lines().next().unwrap();
    assert!(
        message.starts_with("error: out.parquet does not fit the query: the model is mean-normalize ("),
        "{message}"
    );
    assert!(message.contains(" in out.parquet, and "), "{message}");
    let trusted = place.run(&[args.as_slice(), &["--trust-vectors"]].concat());
    assert_eq!(trusted.code, 0, "{}", trusted.stderr);
    assert!(trusted.stderr.starts_with("warning: out.parquet does not fit the query"), "{}", trusted.stderr);

    // A copy is the same model, wherever it lies.
    let copy = temp_copy(&tiny_model_dir("mean-normalize"));
    place.ok(&["search", "-m", copy.path().to_str().unwrap(), "-q", "the moon", "--vectors", "out.parquet"]);
}
