//! Late interaction against Python.

use st_core::{EncodeOptions, MultiVectorEncoder as _, Task};
use st_model::MultiVectorEncoder;
use st_testkit::{MultiVectorGolden, Tolerance, assert_rows_close};

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
