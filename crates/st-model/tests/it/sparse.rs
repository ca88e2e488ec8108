//! Sparse encoders against Python.

use ndarray::Array2;
use st_core::{SparseEncoder as _, SparseOptions, SparseVectors, Task};
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
    assert!(goldens.len() >= 14, "{} goldens", goldens.len());
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

/// The number of the whole model, and that of a call, take the place of the autoencoder's own, larger or not.
#[test]
fn codes_of_an_autoencoder_may_be_more_than_its_own_number() {
    let folder = st_testkit::temp_copy(&st_testkit::fixtures_dir().join("sparse/autoencoder"));
    let active = |asked: Option<usize>| {
        let model = SparseEncoder::load(folder.path(), &options()).unwrap();
        let asked = asked.map_or_else(SparseOptions::default, |asked| {
            SparseOptions::default().with_max_active_dims(asked)
        });
        model.encode(&["a man is playing"], &asked).unwrap().vectors.active_dims(0)
    };
    assert_eq!((active(None), active(Some(11)), active(Some(3))), (7, 11, 3));
    let path = folder.path().join("config_sentence_transformers.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"max_active_dims\": 7"), "{text}");
    std::fs::write(&path, text.replace("\"max_active_dims\": 7", "\"max_active_dims\": 9")).unwrap();
    assert_eq!((active(None), active(Some(11))), (9, 11));
}

#[test]
fn vectors_say_where_they_come_from() {
    let model = |name: &str| {
        let folder = st_testkit::fixtures_dir().join("sparse").join(name);
        SparseEncoder::load(&folder, &options()).unwrap_or_else(|error| panic!("{}", chain(&error)))
    };
    let splade = model("splade-bert");
    let provenance = splade.provenance(&SparseOptions::default().with_max_active_dims(7)).unwrap();
    assert_eq!(provenance.output_value, "sparse_embedding");
    assert_eq!((provenance.dimension, provenance.max_active_dims), (splade.dim(), Some(7)));
    assert_eq!(provenance.model.digest, splade.digest().unwrap());
    assert!(provenance.model.digest.starts_with("blake3:"));
    assert_ne!(splade.digest().unwrap(), model("splade-bert-sum").digest().unwrap());
    let same = splade.provenance(&SparseOptions::default().with_task(Task::Query)).unwrap();
    assert_eq!(provenance.space_difference(&same), None, "fewer values lie in the same space");
    // A number of its own is noted, though nobody asked for it.
    let own = model("autoencoder").provenance(&SparseOptions::default()).unwrap();
    assert!(own.max_active_dims.is_some());
    let read = st_model::Provenance::from_json(&own.to_json()).unwrap();
    assert_eq!(read, own);
    // A table has a digest, too.
    assert!(model("inference-free").digest().unwrap().starts_with("blake3:"));
}

/// Files keep one copy of a tied tensor, under either name.
#[test]
fn word_embeddings_may_be_there_as_the_decoder_only() {
    let folder = st_testkit::temp_copy(&st_testkit::fixtures_dir().join("sparse/splade-bert"));
    let encode = || {
        let model = SparseEncoder::load(folder.path(), &options()).unwrap();
        model.encode(&["a man is playing"], &SparseOptions::default()).unwrap().vectors
    };
    let before = encode();
    let path = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let renamed = tensors.iter().map(|(name, tensor)| {
        let is_shared = name == "bert.embeddings.word_embeddings.weight";
        (if is_shared { "cls.predictions.decoder.weight" } else { name }.to_owned(), tensor)
    });
    let renamed = safetensors::serialize(renamed, None).unwrap();
    assert!(renamed.len() > bytes.len() / 2);
    std::fs::write(&path, renamed).unwrap();
    assert_eq!(encode(), before);
}
