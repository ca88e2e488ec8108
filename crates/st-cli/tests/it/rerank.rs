//! Cross-encoders on the command line.

use serde_json::{Value, json};
use st_testkit::{CrossGolden, cross_pairs, fixtures_dir, tiny_model_dir};

use crate::support::{Place, TINY};

/// The folder of a tiny cross-encoder, as an argument.
fn model(name: &str) -> String {
    fixtures_dir().join("cross-encoders").join(name).display().to_string()
}

#[track_caller]
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
fn assert_near(got: &Value, want: f32) {
    let got = got.as_f64().unwrap();
    assert!((got - f64::from(want)).abs() < 1e-5 * (1.0 + f64::from(want).abs()), "{got} is not {want}");
}

/// Documents with an id each, in a file that every command reads.
fn write_documents(place: &Place, texts: &[&str]) {
    let lines = texts.iter().enumerate().map(|(place, text)| json!({"_id": place, "text": text}).to_string());
    place.write("documents.jsonl", lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn documents_are_ranked_as_python_ranks_them() {
    let place = Place::new();
    let pairs = cross_pairs();
    write_documents(&place, &pairs.iter().map(|(_, second)| second.as_str()).collect::<Vec<_>>());
    let golden = CrossGolden::load("modernbert");
    let rank = golden.rank.unwrap();
    let folder = model("modernbert");
    let args = ["rerank", "-m", &folder, "-q", &rank.query, "-i", "documents.jsonl", "--id-column", "_id"];
    let answer = parsed(&place.ok(&[args.as_slice(), &["-k", "5", "--json"]].concat()));
    assert_eq!((&answer["activation"], &answer["mode"]), (&json!("identity"), &json!("exact")));
    let hits = answer["queries"][0]["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 5);
    for (hit, (id, score)) in hits.iter().zip(rank.corpus_ids.iter().zip(&rank.scores)) {
        assert_eq!(hit["id"], json!(id.to_string()));
        assert_near(&hit["score"], *score);
        assert_eq!(hit["text"], json!(pairs[*id].1));
    }
    // All of them where no number is given.
    let answer = parsed(&place.ok(&[args.as_slice(), &["--json", "--activation", "sigmoid"]].concat()));
    assert_eq!(answer["queries"][0]["hits"].as_array().unwrap().len(), pairs.len());
    assert_near(&answer["queries"][0]["hits"][0]["score"], 1.0 / (1.0 + (-rank.scores[0]).exp()));
}

#[test]
fn a_ranking_is_a_line_each_and_cut_pairs_are_counted() {
    let place = Place::new();
    let folder = model("modernbert");
    let ran = place.run_with_input(&["rerank", "-m", &folder, "-q", "the", "-q", "a man"], "one\ntwo\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[3], lines[4]), (7, "the", "", "a man"), "{}", ran.stdout);
    assert!(lines[1].starts_with("    1  ") && lines[1].len() < 30, "{}", ran.stdout);

    let long = "man ".repeat(90);
    let ran = place.run(&["rerank", "-m", &folder, "-q", "the", &long, "dog"]);
    assert_eq!(ran.stderr, "note: 1 of 2 pairs were longer than 80 tokens and were cut\n");
    let ran = place.run(&["rerank", "-m", &folder, "--max-seq-length", "12", "-q", &long, &long, "dog"]);
    assert_eq!(ran.stderr, "note: 2 of 2 pairs were longer than 12 tokens and were cut\n");
}

#[test]
fn pairs_of_two_files_have_a_score_for_each_label() {
    let place = Place::new();
    let pairs = cross_pairs();
    let lines = pairs.iter().map(|(first, second)| json!({"a": first, "b": second}).to_string());
    place.write("pairs.jsonl", lines.collect::<Vec<_>>().join("\n"));
    let golden = CrossGolden::load("bert-labels");
    let folder = model("bert-labels");
    let files =
        ["--left", "pairs.jsonl", "--left-column", "a", "--right", "pairs.jsonl", "--right-column", "b"];
    let args = [["rerank", "-m", &folder].as_slice(), &files].concat();
    let answer = parsed(&place.ok(&[args.as_slice(), &["--json"]].concat()));
    assert_eq!(answer["labels"], json!(["contradiction", "entailment", "neutral"]));
    let rows = answer["scores"].as_array().unwrap();
    assert_eq!(rows.len(), pairs.len());
    for (row, want) in rows.iter().zip(golden.case("predict").values.outer_iter()) {
        for (got, want) in row.as_array().unwrap().iter().zip(want) {
            assert_near(got, *want);
        }
    }
    let shown = place.ok(&[args.as_slice(), &["--activation", "softmax"]].concat());
    assert_eq!(shown.lines().next(), Some("contradiction  entailment   neutral"));
    assert_eq!(shown.lines().count(), pairs.len() + 1);
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
}

#[test]
fn a_search_is_sorted_again() {
    let place = Place::new();
    let pairs = cross_pairs();
    write_documents(&place, &pairs.iter().map(|(_, second)| second.as_str()).collect::<Vec<_>>());
    let golden = CrossGolden::load("modernbert");
    let rank = golden.rank.unwrap();
    let folder = model("modernbert");
    let query = ["search", "-m", "TINY", "-q", &rank.query, "-k", "4", "--json"];
    let rerank = ["--rerank", &folder];
    let corpus = ["--corpus", "documents.jsonl", "--id-column", "_id"];
    let answer = parsed(&place.ok(&[query.as_slice(), &corpus, &rerank].concat()));
    assert_eq!(answer["activation"], json!("identity"));
    let ids = |answer: &Value| {
        let hits = answer["queries"][0]["hits"].as_array().unwrap();
        hits.iter().map(|hit| hit["id"].as_str().unwrap().parse::<usize>().unwrap()).collect::<Vec<_>>()
    };
    // All documents were candidates, so the order is that of the cross-encoder alone.
    assert_eq!(ids(&answer).len(), 4);
    assert_eq!(pairs[ids(&answer)[0]].1, pairs[rank.corpus_ids[0]].1);
    assert_near(&answer["queries"][0]["hits"][3]["score"], rank.scores[3]);
    // Two candidates only: less than is shown, so as many as are shown.
    let few = [query.as_slice(), &corpus, &rerank, &["--candidates", "2"]].concat();
    let mut few = ids(&parsed(&place.ok(&few)));
    let mut plain = ids(&parsed(&place.ok(&[query.as_slice(), &corpus].concat())));
    few.sort_unstable();
    plain.sort_unstable();
    assert_eq!(few, plain);

    place.ok(&["encode", "-m", "TINY", "--document", "-i", "documents.jsonl", "-o", "vectors.npy"]);
    place.fails(
        &[query.as_slice(), &["--vectors", "vectors.npy"], &rerank].concat(),
        "error: the closest vectors come without their texts, and a cross-encoder reads texts\n\
         hint: name the file with the texts with `--corpus`, or encode them with `st encode --with-text`",
    );
}

#[test]
fn models_of_another_kind_are_refused_with_advice() {
    let place = Place::new();
    for name in ["bert", "bert-saved"] {
        let folder = model(name);
        place.fails(
            &["encode", "-m", &folder, "text"],
            &format!(
                "error: cannot load the model {folder}\n  \
                 caused by: {folder} holds a CrossEncoder, not a SentenceTransformer\n\
                 hint: `st rerank` scores pairs of texts with it; `st search --rerank` sorts what another model found"
            ),
        );
    }
    let folder = tiny_model_dir(TINY).display().to_string();
    place.fails(
        &["rerank", "-m", "TINY", "-q", "a", "b"],
        &format!(
            "error: cannot load the model {folder}\n  \
             caused by: {folder} holds a SentenceTransformer, not a CrossEncoder\n\
             hint: a cross-encoder has a classification head, as `cross-encoder/ms-marco-MiniLM-L6-v2` has; `st encode`, \
             `st similarity` and `st search` work with vectors"
        ),
    );
    place.fails(
        &["rerank", "-m", &model("bert-labels"), "-q", "a", "b"],
        "error: the model has 3 labels, and only one label ranks documents\n\
         hint: `--left` and `--right` score pairs with every label",
    );
}

#[test]
fn contradictions_are_told_before_anything_is_loaded() {
    let place = Place::new();
    for args in [
        ["rerank", "-m", "none", "b"].as_slice(),
        &["rerank", "-m", "none", "-q", "a", "--left", "l", "--right", "r"],
        &["rerank", "-m", "none", "--left", "l"],
        &["rerank", "-m", "none", "-q", "a", "b", "-i", "c"],
        &["rerank", "-m", "none", "-q", "a", "b", "--activation", "gelu"],
        &["search", "-m", "none", "--corpus", "c", "-q", "a", "--candidates", "3"],
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        assert!(!ran.stderr.contains("does not exist"), "{}", ran.stderr);
    }
}

#[test]
fn inspection_and_export() {
    let place = Place::new();
    let answer = parsed(&place.ok(&["inspect", "-m", &model("bert-labels"), "--json"]));
    assert_eq!(answer["kind"], json!("CrossEncoder"));
    assert_eq!(
        answer["scores"],
        json!({
            "labels": ["contradiction", "entailment", "neutral"],
            "activation": "identity",
            "activation_from": "the number of labels, for the model says nothing",
        })
    );
    assert_eq!(answer["transformer"]["max_tokens"], json!(40));
    assert_eq!(answer["graph"]["outputs"], json!(["logits: float32[batch, 3]"]));
    assert!(answer.get("similarity").is_none() && answer.get("dim").is_none(), "{answer}");

    let report = parsed(&place.ok(&["export", "-m", &model("bert-saved"), "-o", "graph", "--json"]));
    assert_eq!(report["outputs"], json!(["logits: float32[batch, 1]"]));
    let args = ["rerank", "-m", &model("bert-saved"), "--json", "-q", "a", "b", "c"];
    let given = place.ok(&[args.as_slice(), &["--graph", "graph/model.onnx"]].concat());
    let (given, made) = (parsed(&given), parsed(&place.ok(&args)));
    assert_eq!(given["queries"], made["queries"]);
    assert_eq!(given["mode"], json!("that of the given graph"));
}

#[test]
fn a_logged_cross_encoder_is_found_by_its_alias() {
    let place = Place::new();
    let folder = model("bert-saved");
    let logged = parsed(&place.ok(&[
        "log",
        "-m",
        &folder,
        "--name",
        "reranker",
        "--register",
        "reranker",
        "--alias",
        "best",
        "--json",
    ]));
    assert_eq!(logged["registered"], json!("models:/reranker/1"));
    let rank = ["-q", "a man", "a dog", "two men", "--json"];
    let answer = |model: &str| parsed(&place.ok(&[["rerank", "-m", model].as_slice(), &rank].concat()));
    assert_eq!(answer("models:/reranker@best")["queries"], answer(&folder)["queries"]);
    place.ok(&["models", "download", "models:/reranker@best", "-o", "copy"]);
    let mlmodel = place.read("copy/MLmodel");
    assert!(mlmodel.contains("architecture: BertForSequenceClassification"), "{mlmodel}");
    assert!(!mlmodel.contains("similarity") && !mlmodel.contains("dimension"), "{mlmodel}");

    let ran = place.run(&["save", "-m", &folder, "-o", "saved", "--certificate"]);
    let note = "warning: saved without a certificate: that is about models with one dense vector a text\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (0, note));
    assert_eq!(answer("saved")["queries"], answer(&folder)["queries"]);
    place.fails(
        &["save", "-m", &folder, "-o", "other", "--task", "llm/v1/embeddings"],
        &format!(
            "error: cannot save {folder}\n  \
             caused by: option `task` is for models that answer vectors, and this is a cross-encoder"
        ),
    );
    let ran = place.run_with_input(&["predict", "-m", "saved"], r#"{"inputs": ["a"]}"#);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("Model is missing inputs ['text', 'text_pair']"), "{}", ran.stderr);
    let pairs = r#"{"inputs": {"text": ["a man"], "text_pair": ["a dog"]}}"#;
    let ran = place.run_with_input(&["predict", "-m", "saved"], pairs);
    let document = &answer(&folder)["queries"][0]["hits"];
    let scores = document.as_array().unwrap().iter().map(|hit| hit["score"].as_f64().unwrap());
    let answered = parsed(&ran.stdout)["predictions"][0].as_f64().unwrap();
    assert!(scores.into_iter().any(|score| (score - answered).abs() < 1e-6), "{answered} {document}");
}
