//! Sparse encoders against Python.

use ndarray::Array2;
use st_core::{SparseEncoder as _, SparseOptions, SparseVectors};
use st_model::SparseEncoder;
use st_testkit::{SparseGolden, Tolerance, assert_rows_close, tiny_texts};

use crate::support::{chain, options};

fn full(vectors: &SparseVectors) -> Array2<f32> {
    let mut rows = Array2::zeros((vectors.len(), vectors.dim()));
    for (row, (dimensions, values)) in vectors.rows().enumerate() {
        for (dimension, value) in dimensions.iter().zip(values) {
            rows[(row, *dimension as usize)] = *value;
        }
    }
    rows
}

#[test]
fn vectors_of_every_sparse_encoder() {
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let goldens = SparseGolden::load_all();
    assert!(goldens.len() >= 12, "{} goldens", goldens.len());
    for golden in goldens {
        println!("{}: {}", golden.name, golden.about); // shown when an assertion fails
        let model = SparseEncoder::load(&golden.model_dir(), &options().with_threads(2));
        let model = model.unwrap_or_else(|error| panic!("{}", chain(&error)));
        assert_eq!((model.dim(), model.similarity()), (golden.dim, golden.similarity));
        let mut first = None;
        for case in &golden.cases {
            println!("{}", case.name);
            let mut options = SparseOptions::default();
            (options.task, options.max_active_dims) = (case.task, case.max_active_dims);
            let answer = model.encode(&texts, &options).unwrap();
            assert_rows_close(full(&answer.vectors).view(), case.vectors.view(), Tolerance::MODEL);
            let active: Vec<usize> = (0..texts.len()).map(|row| answer.vectors.active_dims(row)).collect();
            // A value of 1e-8 is zero on one side and not on the other.
            let differ = active.iter().zip(&case.active_dims).filter(|(got, want)| got != want).count();
            assert!(differ <= 2, "{active:?} is not {:?}", case.active_dims);
            let decoded = model.decode(&answer.vectors, Some(4));
            for ((token, weight), (wanted, expected)) in decoded[0].iter().zip(&case.decoded) {
                // Python calls the codes of an autoencoder by the tokens that happen to have their numbers.
                if golden.name.starts_with("autoencoder") {
                    assert!(token.parse::<usize>().is_ok(), "{token}");
                } else {
                    assert_eq!(token, wanted);
                }
                assert!((weight - expected).abs() < 1e-5, "{token}: {weight} is not {expected}");
            }
            first.get_or_insert(answer.vectors);
        }
        let all = first.unwrap();
        let scores = st_pooling::sparse_similarity(&all, &all, model.similarity()).unwrap();
        let scores = scores.select(ndarray::Axis(0), &[0, 1]);
        assert_rows_close(scores.view(), golden.similarities.view(), Tolerance { abs: 1e-3, rel: 1e-5 });
    }
}
