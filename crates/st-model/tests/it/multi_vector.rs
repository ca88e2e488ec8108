//! Late interaction against Python.

use std::fs;

use st_core::{EncodeOptions, MultiVectorEncoder as _, Task};
use st_model::MultiVectorEncoder;
use st_testkit::{MultiVectorGolden, Tolerance, assert_rows_close, fixtures_dir, temp_copy};

use crate::support::{chain, options};

#[test]
fn vectors_of_every_late_interaction_model() {
    let texts = MultiVectorGolden::texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let goldens = MultiVectorGolden::load_all();
    assert!(goldens.len() >= 8, "{} goldens", goldens.len());
    for golden in goldens {
        println!("{}: {}", golden.name, golden.about); // shown when an assertion fails
        let model = MultiVectorEncoder::load(&golden.model_dir(), &options().with_threads(2));
        let model = model.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!((model.dim(), model.interaction().name()), (golden.dim, golden.similarity.as_str()));
        let encode = |task: Option<Task>| {
            let options =
                task.map_or_else(EncodeOptions::default, |task| EncodeOptions::default().with_task(task));
            model.encode(&texts, &options).unwrap().texts
        };
        for (task, expected) in &golden.cases {
            println!("{task:?}");
            for (place, (got, want)) in encode(*task).iter().zip(expected).enumerate() {
                assert_eq!(got.nrows(), want.nrows(), "tokens that count in text {place}: {}", texts[place]);
                assert_rows_close(got.view(), want.view(), Tolerance::MODEL);
            }
        }
        let (queries, documents) = (encode(Some(Task::Query)), encode(Some(Task::Document)));
        let scores = st_pooling::late_interaction(&queries[..3], &documents, model.interaction()).unwrap();
        assert_rows_close(scores.view(), golden.similarities.view(), Tolerance { abs: 1e-4, rel: 1e-5 });
    }
}

#[test]
fn the_digest_is_of_what_decides_the_vectors() {
    let load = |folder: &std::path::Path| {
        MultiVectorEncoder::load(folder, &options()).unwrap_or_else(|error| panic!("{}", chain(&error)))
    };
    let folder = temp_copy(&fixtures_dir().join("multi-vector/pylate"));
    let config = folder.path().join("config_sentence_transformers.json");
    let text = fs::read_to_string(&config).unwrap();
    let now = |text: &str| {
        fs::write(&config, text).unwrap();
        load(folder.path()).digest().unwrap().to_owned()
    };
    let expected = now(&text);
    assert_eq!(now(&text.replacen('{', "{ \"prompts\": {\"query\": \"q: \"},", 1)), expected, "a prompt");
    assert_ne!(now(&text.replace("\"document_length\": 25", "\"document_length\": 20")), expected);
    assert_ne!(now(&text.replace("\"document_prefix\": \"man \"", "\"document_prefix\": \"a \"")), expected);
}

#[test]
fn vectors_say_where_they_come_from() {
    let folder = fixtures_dir().join("multi-vector/pylate");
    let model = MultiVectorEncoder::load(&folder, &options()).unwrap();
    let query = model.provenance(&EncodeOptions::default().with_task(Task::Query)).unwrap();
    assert_eq!((query.output_value.as_str(), query.dimension), ("token_embeddings", model.dim()));
    assert_eq!((query.normalized, query.max_tokens), (true, Some(13)));
    assert_eq!((query.prompt.task.as_deref(), query.prompt.text.trim()), (Some("query"), "the"));
    let document = model.provenance(&EncodeOptions::default().with_task(Task::Document)).unwrap();
    assert_eq!(document.max_tokens, Some(25));
    assert_eq!(query.space_difference(&document), None);
}
