//! Cross-encoders against Python: every kind of head, pairs of mixed lengths, texts cut on either side.

use ndarray::{Axis, Slice};
use st_core::{Activation, Mode, PredictOptions, Prompt, RankOptions, Reranker};
use st_model::{CrossEncoder, LoadOptions, Model, ModelKind};
use st_testkit::{CrossGolden, Tolerance, assert_rows_close, cross_pairs, temp_copy, tiny_model_dir};

use crate::support::{chain, options};

#[track_caller]
fn load(golden: &CrossGolden, options: &LoadOptions) -> CrossEncoder {
    let loaded = CrossEncoder::load(&golden.model_dir(), options);
    loaded.unwrap_or_else(|error| panic!("{}: {}", golden.name, chain(&error)))
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(first, second)| (first.as_str(), second.as_str())).collect()
}

#[test]
fn scores_of_every_head() {
    let pairs = cross_pairs();
    let pairs = borrowed(&pairs);
    let goldens = CrossGolden::load_all();
    assert!(goldens.len() >= 28, "two models at least for each kind of head, not {}", goldens.len());
    for golden in goldens {
        println!("{}: {}", golden.name, golden.about); // shown when an assertion fails
        let model = load(&golden, &options().with_threads(2));
        assert_eq!(model.label_names(), golden.labels);
        assert_eq!(model.activation(), golden.activation);
        assert_eq!(model.max_tokens(), Some(golden.max_seq_length));
        assert_eq!(model.spec().sentence.prompts, golden.prompts);
        assert_eq!(model.spec().sentence.default_prompt_name, golden.default_prompt_name);
        assert_eq!(model.count_pair_tokens(&pairs).unwrap(), golden.token_counts);
        for case in &golden.cases {
            println!("{}", case.name);
            let scores = model.predict(&pairs, &case.options).unwrap();
            assert_rows_close(scores.values.view(), case.values.view(), Tolerance::MODEL);
        }
        let none = PredictOptions::default().with_prompt(Prompt::Text(String::new()));
        let scores = model.predict(&pairs, &none).unwrap();
        assert_eq!(scores.truncated, golden.truncated);
        let tokens = golden.token_counts.iter().map(|count| count.min(&golden.max_seq_length)).sum::<usize>();
        assert_eq!(scores.tokens, tokens);
    }
}

#[test]
fn rankings_of_every_model_with_one_label() {
    let pairs = cross_pairs();
    let documents: Vec<&str> = pairs.iter().map(|(_, second)| second.as_str()).collect();
    let raw = PredictOptions::default().with_activation(Activation::Identity);
    let whole = RankOptions::default().with_predict(raw.clone());
    for golden in CrossGolden::load_all() {
        println!("{}", golden.name);
        let model = load(&golden, &options());
        let Some(rank) = &golden.rank else {
            let error = model.rank("query", &documents, &whole).unwrap_err();
            let expected =
                format!("the model has {} labels, and only one label ranks documents", golden.labels.len());
            assert_eq!(error.to_string(), expected);
            continue;
        };
        let got = model.rank(&rank.query, &documents, &whole).unwrap();
        assert!(got.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let scores = got.iter().map(|ranked| ranked.score).collect::<Vec<_>>();
        let row =
            |scores: &[f32]| ndarray::Array2::from_shape_vec((scores.len(), 1), scores.to_vec()).unwrap();
        assert_rows_close(row(&scores).view(), row(&rank.scores).view(), Tolerance::MODEL);
        for (place, ranked) in got.iter().enumerate() {
            // Where the reference sees a difference, the order is the same; equal ones stay in theirs.
            let near = |other: &usize| (rank.scores[*other] - ranked.score).abs() < 1e-4;
            let same = (0..got.len()).filter(near).map(|other| rank.corpus_ids[other]);
            assert!(same.into_iter().any(|id| id == ranked.corpus_id), "place {place}");
            let equal = got[..place].iter().filter(|before| before.score.to_bits() == ranked.score.to_bits());
            assert!(equal.into_iter().all(|before| before.corpus_id < ranked.corpus_id), "place {place}");
        }
        let best = model.rank(&rank.query, &documents, &whole.clone().with_top_k(5)).unwrap();
        assert_eq!(best, got[..5]);
        assert!(model.rank(&rank.query, &[], &whole).unwrap().is_empty());
    }
}

/// A pair alone and in the company of longer ones, whose padding it must not feel.
#[test]
fn company_changes_nothing() {
    let pairs = cross_pairs();
    let pairs = borrowed(&pairs);
    let wide = PredictOptions::default()
        .with_activation(Activation::Identity)
        .with_max_tokens_per_batch(1 << 20)
        .with_threads(1);
    for golden in CrossGolden::load_all() {
        let model = load(&golden, &options());
        let all = model.predict(&pairs, &wide).unwrap().values;
        for (place, pair) in pairs.iter().enumerate().step_by(7) {
            println!("{}: pair {place}", golden.name);
            let alone = model.predict(&[*pair], &wide).unwrap().values;
            let row = all.slice_axis(Axis(0), Slice::from(place..=place));
            assert_rows_close(alone.view(), row, Tolerance { abs: 2e-6, rel: 2e-6 });
        }
    }
}

#[test]
fn fast_is_near_and_company_changes_nothing_there_either() {
    let pairs = cross_pairs();
    let pairs = borrowed(&pairs);
    let raw = PredictOptions::default().with_activation(Activation::Identity);
    for name in ["bert", "roberta-labels", "modernbert-mean"] {
        let golden = CrossGolden::load(name);
        let fast = load(&golden, &options().with_mode(Mode::Fast));
        let all = fast.predict(&pairs, &raw).unwrap().values;
        let exact = &golden.case("logits").values;
        let error = (&all - exact).mapv(f32::abs).mean().unwrap();
        assert!(error > 0.0 && error < 0.1, "{name}: {error}");
        for (place, pair) in pairs.iter().enumerate().step_by(9) {
            let alone = fast.predict(&[*pair], &raw).unwrap().values;
            let row = all.slice_axis(Axis(0), Slice::from(place..=place));
            assert_rows_close(alone.view(), row, Tolerance { abs: 2e-6, rel: 2e-6 });
        }
    }
}

#[test]
fn a_given_graph_answers_the_same() {
    let pairs = cross_pairs();
    let pairs = borrowed(&pairs);
    for name in ["bert-labels", "xlm-roberta"] {
        let golden = CrossGolden::load(name);
        let made = load(&golden, &options());
        let graph = made.graph().path.clone().unwrap();
        let named = load(&golden, &options().with_graph(&graph));
        let want = &golden.case("predict").values;
        let scores = named.predict(&pairs, &PredictOptions::default()).unwrap();
        assert_rows_close(scores.values.view(), want.view(), Tolerance::MODEL);
        // As repositories of cross-encoders have it, whose weights may be no safetensors.
        let copy = temp_copy(&golden.model_dir());
        let folder = copy.path();
        std::fs::remove_file(folder.join("model.safetensors")).unwrap();
        std::fs::create_dir(folder.join("onnx")).unwrap();
        for file in std::fs::read_dir(graph.parent().unwrap()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.join("onnx").join(file.file_name())).unwrap();
        }
        let own = CrossEncoder::load(folder, &options()).unwrap();
        let scores = own.predict(&pairs, &PredictOptions::default()).unwrap();
        assert_rows_close(scores.values.view(), want.view(), Tolerance::MODEL);
        // A graph of another number of labels.
        let other = CrossGolden::load(if name == "xlm-roberta" { "xlm-roberta-labels" } else { "bert" });
        let error = load(&other, &options().with_graph(&graph))
            .predict(&[("a", "b")], &PredictOptions::default())
            .unwrap_err();
        let expected = format!("instead of [1, {}]", other.labels.len());
        assert!(error.to_string().ends_with(&expected), "{error}");
    }
}

#[test]
fn a_folder_is_loaded_as_what_it_holds() {
    let golden = CrossGolden::load("bert-saved");
    let model = Model::load(&golden.model_dir(), &options()).unwrap();
    assert!(matches!(model, Model::CrossEncoder(_)));
    assert_eq!(model.kind(), ModelKind::CrossEncoder);
    let model = Model::load(&tiny_model_dir("mean"), &options()).unwrap();
    assert!(matches!(model, Model::SentenceTransformer(_)));
    assert_eq!(model.spec().kind, ModelKind::SentenceTransformer);
}

#[track_caller]
fn check_refusal(folder: &std::path::Path, expected: &str) {
    let error = CrossEncoder::load(folder, &options()).unwrap_err();
    assert_eq!(chain(&error).replace(&folder.display().to_string(), "M"), expected);
}

#[test]
fn other_folders_are_refused_by_name() {
    check_refusal(&tiny_model_dir("mean"), "M holds a SentenceTransformer, not a CrossEncoder");
    let error = st_model::SentenceTransformer::load(&CrossGolden::load("bert-saved").model_dir(), &options())
        .unwrap_err();
    assert!(error.to_string().ends_with("holds a CrossEncoder, not a SentenceTransformer"), "{error}");

    let copy = temp_copy(&CrossGolden::load("bert").model_dir());
    let folder = copy.path();
    let path = folder.join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let change = |from: &str, to: &str| std::fs::write(&path, text.replace(from, to)).unwrap();
    change("BertForSequenceClassification", "BertModel");
    check_refusal(folder, "M is a BertModel without a classification head, so it has no scores");
    change("torch.nn.modules.linear.Identity", "evil.code.Identity");
    check_refusal(
        folder,
        "M/config.json: `sbert_ce_default_activation_function` is evil.code.Identity; supported are Identity, \
         Sigmoid, Softmax, Tanh and ReLU of torch",
    );
}

#[test]
fn limits_are_those_of_pairs() {
    let golden = CrossGolden::load("roberta");
    let error = CrossEncoder::load(&golden.model_dir(), &options().with_max_seq_length(3)).unwrap_err();
    assert_eq!(error.to_string(), "option `max_seq_length` cannot be 3: each pair needs 4 special tokens");
    let model = load(&golden, &options().with_max_seq_length(17));
    let pairs = cross_pairs();
    let raw = PredictOptions::default().with_activation(Activation::Identity);
    let scores = model.predict(&borrowed(&pairs), &raw).unwrap();
    assert_rows_close(scores.values.view(), golden.case("short").values.view(), Tolerance::MODEL);
    let refused =
        |tokens| model.predict(&[("a", "b")], &raw.clone().with_max_tokens(tokens)).unwrap_err().to_string();
    assert_eq!(refused(18), "option `max_tokens` cannot be 18: the model reads at most 17 tokens");
    assert_eq!(refused(2), "option `max_tokens` cannot be 2: each pair needs 4 special tokens");
    let unknown = raw.clone().with_prompt(Prompt::Name("query".to_owned()));
    let error = model.predict(&[("a", "b")], &unknown).unwrap_err();
    assert_eq!(error.to_string(), "the model has no prompt named `query`; it has none");
    assert_eq!(model.predict(&[], &raw).unwrap().values.dim(), (0, 1));
}
