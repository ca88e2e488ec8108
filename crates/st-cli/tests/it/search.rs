//! Scores and ranks.

use serde_json::Value;
use st_testkit::fixtures_dir;

use crate::support::Place;

#[test]
fn two_texts_give_a_score_and_more_a_matrix() {
    let place = Place::new();
    let answer = place.ok(&["similarity", "-m", "TINY", "one", "one", "--json"]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["function"], "cosine");
    assert!((answer["scores"][0].as_f64().unwrap() - 1.0).abs() < 1e-6, "{answer}");

    let answer = place.ok(&["similarity", "-m", "TINY", "one", "two", "three", "--function", "manhattan"]);
    let lines: Vec<_> = answer.lines().collect();
    assert_eq!(lines.len(), 4, "{answer}");
    assert!(lines[1].ends_with("  one") && lines[1].contains("0.0000"), "{answer}");
}

#[test]
fn files_are_compared_row_by_row() {
    let place = Place::new();
    place.write("a.csv", "left,right\none,one\ntwo,three\n");
    let args = ["similarity", "-m", "TINY", "--left", "a.csv", "--left-column", "left", "--right", "a.csv"];
    let answer = place.ok(&[args.as_slice(), &["--right-column", "right"]].concat());
    let lines: Vec<_> = answer.lines().collect();
    assert_eq!(lines.len(), 2, "{answer}");
    assert_eq!(lines[0], "  1.0000  one  |  one");

    place.write("b.txt", "one\n");
    place.fails(
        &[args.as_slice()[..6].as_ref(), &["left", "--right", "b.txt"]].concat(),
        "error: 2 texts on the left cannot be paired with 1 on the right; `--all-pairs` compares each with each",
    );
}

#[test]
fn a_text_of_the_corpus_finds_itself() {
    let place = Place::new();
    let corpus = fixtures_dir().join("xquad-en/corpus.jsonl");
    place.write(
        "corpus.jsonl",
        std::fs::read_to_string(corpus).unwrap().lines().take(40).collect::<Vec<_>>().join("\n"),
    );
    let lines: Vec<Value> =
        place.read("corpus.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = lines[17]["text"].as_str().unwrap();
    let args = ["search", "-m", "TINY", "--corpus", "corpus.jsonl", "--id-column", "_id", "-k", "3", "-q"];
    let answer = place.ok(&[args.as_slice(), &[text, "--json"]].concat());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let hits = answer["queries"][0]["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 3);
    assert_eq!((&hits[0]["id"], &hits[0]["rank"]), (&lines[17]["_id"], &Value::from(1)));
    assert!((hits[0]["score"].as_f64().unwrap() - 1.0).abs() < 1e-5, "{answer}");

    let shown = place.ok(&[args.as_slice(), &["Who won?"]].concat());
    assert_eq!(shown.lines().count(), 4, "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}
