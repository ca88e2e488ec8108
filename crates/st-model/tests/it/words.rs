//! Models of before transformers: what can be wrong with their folders, and that texts keep to themselves.

use std::fs;
use std::path::Path;

use st_core::{EncodeOptions, Encoder};
use st_testkit::{TinySet, Tolerance, assert_rows_close, temp_copy, tiny_texts};

use crate::support::{load, options, refusal};

/// Damages a copy of a model and says how it is refused.
#[track_caller]
fn check(model: &str, damage: impl FnOnce(&Path), expected: &str) {
    let folder = temp_copy(&TinySet::Modules.load(model).model_dir());
    damage(folder.path());
    assert_eq!(refusal(folder.path()), expected);
}

/// Replaces a part of a file of the folder.
fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}: {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn list(folder: &Path, modules: &[(&str, &str)]) {
    let entries = modules.iter().map(|(class, path)| {
        format!(r#"{{"path": "{path}", "type": "sentence_transformers.models.{class}"}}"#)
    });
    fs::write(folder.join("modules.json"), format!("[{}]", entries.collect::<Vec<_>>().join(","))).unwrap();
}

#[test]
fn a_text_has_one_vector_in_any_company() {
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let of_words =
        |name: &String| ["words", "bag", "cnn", "static-dense"].iter().any(|start| name.starts_with(start));
    let names: Vec<String> = TinySet::Modules.names().into_iter().filter(of_words).collect();
    assert_eq!(names.len(), 11, "{names:?}");
    for name in names {
        println!("{name}");
        let model = load(&TinySet::Modules.load(&name).model_dir(), &options());
        let encode = |budget: usize| {
            let options = EncodeOptions::default().with_max_tokens_per_batch(budget);
            model.encode(&texts, &options).unwrap().vectors.into_float32().unwrap()
        };
        assert_rows_close(encode(1).view(), encode(100_000).view(), Tolerance::COMPANY);
    }
}

#[test]
fn words_and_table_must_fit() {
    let tokenizer = "whitespacetokenizer_config.json";
    check(
        "words",
        |folder| {
            let extra = (0..200).map(|word| format!("\"w{word}\"")).collect::<Vec<_>>().join(", ");
            edit(folder, tokenizer, "[\"PADDING_TOKEN\"", &format!("[{extra}, \"PADDING_TOKEN\""));
        },
        "M/whitespacetokenizer_config.json: has 311 words, but the table ends after 113 rows",
    );
    check(
        "words",
        |folder| edit(folder, tokenizer, "\"stop_words\"", "\"stopped\""),
        "M/whitespacetokenizer_config.json: missing field `stop_words`",
    );
    check(
        "words",
        |folder| edit(folder, "wordembedding_config.json", "WhitespaceTokenizer", "PhraseTokenizer"),
        "M/wordembedding_config.json: `tokenizer_class` is \
         sentence_transformers.sentence_transformer.modules.tokenizer.whitespace.PhraseTokenizer, which is not \
         supported; supported is WhitespaceTokenizer of sentence_transformers",
    );
    check(
        "words",
        |folder| fs::rename(folder.join("model.safetensors"), folder.join("pytorch_model.bin")).unwrap(),
        "cannot make a graph of M: `M/pytorch_model.bin` is a pickle, which is never read, and there is no \
         `model.safetensors` beside it; in Python, load the model and call `model.save_pretrained(folder, \
         safe_serialization=True)`",
    );
    check(
        "bag",
        |folder| edit(folder, "0_BoW/config.json", "_weight\": 0.5", "_weight\": 1e40"),
        "M/0_BoW/config.json: the weight of `PADDING_TOKEN` is no usable number",
    );
}

/// The reference computes its numbers from the configuration, whatever lies beside it.
#[test]
fn numbers_of_words_come_from_the_configuration() {
    let golden = TinySet::Modules.load("words-weights");
    let folder = temp_copy(&golden.model_dir());
    fs::remove_file(folder.path().join("1_WordWeights/model.safetensors")).unwrap();
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let rows = |folder: &Path| {
        let answer = load(folder, &options()).encode(&texts, &EncodeOptions::default());
        answer.unwrap().vectors.into_float32().unwrap()
    };
    let before = rows(&golden.model_dir());
    assert_eq!(rows(folder.path()), before);
    edit(folder.path(), "1_WordWeights/config.json", "0.31", "0.9");
    assert_ne!(rows(folder.path()), before);
    check(
        "words-weights",
        |folder| fs::write(folder.join("1_WordWeights/config.json"), r#"{"vocab": ["a", "b"]}"#).unwrap(),
        "M/modules.json: modules WordEmbeddings, WordWeights, Pooling, Normalize cannot be run: WordWeights have fewer \
         numbers than there are words",
    );
}

#[test]
fn words_run_in_sentence_transformers_and_answer_vectors_where_they_are_pooled() {
    check(
        "words",
        |folder| {
            let kind = r#"{"model_type": "SparseEncoder"}"#;
            fs::write(folder.join("config_sentence_transformers.json"), kind).unwrap();
        },
        "M holds a SparseEncoder, not a SentenceTransformer",
    );
    let folder = temp_copy(&TinySet::Modules.load("words").model_dir());
    list(folder.path(), &[("WordEmbeddings", "")]);
    let model = load(folder.path(), &options());
    let error = model.encode(&["a man"], &EncodeOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string().replace(&folder.path().display().to_string(), "M"),
        "M: no module makes one vector of the token embeddings; add a Pooling to modules.json, or ask for token embeddings"
    );
    assert_eq!(model.encode_tokens(&["a man"], &EncodeOptions::default()).unwrap().texts[0].ncols(), 13);
    fs::write(folder.path().join("config_sentence_transformers.json"), r#"{"model_type": "SparseEncoder"}"#)
        .unwrap();
    let error = st_model::Model::load(folder.path(), &options()).unwrap_err().to_string();
    assert!(
        error
            .ends_with("WordEmbeddings and BoW run in a SentenceTransformer only; for this one, take Python"),
        "{error}"
    );
}

/// A folder may be the model's own, where others leave a `config.json`; weights are in one file, or refused.
#[test]
fn other_files_beside_the_table_do_not_matter() {
    let golden = TinySet::Modules.load("words");
    let folder = temp_copy(&golden.model_dir());
    fs::write(folder.path().join("config.json"), r#"{"model_type": "bert"}"#).unwrap();
    let answer = load(folder.path(), &options()).encode(&["A man"], &EncodeOptions::default()).unwrap();
    let plain = load(&golden.model_dir(), &options()).encode(&["A man"], &EncodeOptions::default()).unwrap();
    assert_eq!(answer.vectors, plain.vectors);
    check(
        "words",
        |folder| {
            fs::rename(folder.join("model.safetensors"), folder.join("model-00001-of-00001.safetensors"))
                .unwrap();
            let index = r#"{"weight_map": {"emb_layer.weight": "model-00001-of-00001.safetensors"}}"#;
            fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
        },
        "M/wordembedding_config.json: its table must be in `model.safetensors`, which alone the reference reads",
    );
}

#[test]
fn what_the_reference_cannot_pool_is_refused() {
    check(
        "words",
        |folder| edit(folder, "1_Pooling/config.json", "\"mean\"", "\"cls\""),
        "M/modules.json: modules WordEmbeddings, Pooling cannot be run: words have no token for a whole text, which `cls` asks for",
    );
    let config = "1_CNN/cnn_config.json";
    check(
        "words-cnn",
        |folder| edit(folder, config, "5\n", "4\n"),
        "M/1_CNN/cnn_config.json: `kernel_sizes` is [1, 3, 4]; supported are odd numbers",
    );
    check(
        "words-cnn",
        |folder| edit(folder, config, "\"stride_sizes\": [\n        1,", "\"stride_sizes\": [\n        2,"),
        "M/1_CNN/cnn_config.json: `stride_sizes` is [2, 1, 1]; supported is 1 for each of `kernel_sizes`",
    );
    check(
        "words-cnn",
        |folder| edit(folder, config, "\"out_channels\": 6", "\"out_channels\": 99999999"),
        "M/1_CNN/cnn_config.json: `out_channels` asks for 99999999, but it must be between 1 and 1048576",
    );
    check(
        "words-lstm",
        |folder| edit(folder, "1_LSTM/lstm_config.json", "\"num_layers\": 2", "\"num_layers\": 1000000000"),
        "M/1_LSTM/lstm_config.json: `num_layers` asks for 1000000000, but it must be between 1 and 256",
    );
    check(
        "words-lstm",
        |folder| edit(folder, "1_LSTM/lstm_config.json", "dimension\": 13", "dimension\": 12"),
        "M/modules.json: modules WordEmbeddings, LSTM, Pooling, Normalize cannot be run: a CNN or LSTM expects another width than it is \
         given",
    );
}

#[test]
fn modules_stand_where_the_reference_can_use_them() {
    check(
        "cnn-transformer",
        |folder| list(folder, &[("Transformer", ""), ("LSTM", "1_CNN"), ("Pooling", "2_Pooling")]),
        "M/modules.json: modules Transformer, LSTM, Pooling cannot be run: an LSTM needs WordEmbeddings before it, which count words",
    );
    check(
        "static-dense",
        |folder| list(folder, &[("StaticEmbedding", ""), ("WordEmbeddings", "1_Dense")]),
        "M/modules.json: modules StaticEmbedding, WordEmbeddings cannot be run: only the first reads text",
    );
    check(
        "words",
        |folder| {
            list(folder, &[("BoW", "0_BoW"), ("Pooling", "1_Pooling")]);
            fs::create_dir(folder.join("0_BoW")).unwrap();
            let words = (0..13).map(|word| format!("\"w{word}\"")).collect::<Vec<_>>().join(",");
            fs::write(folder.join("0_BoW/config.json"), format!(r#"{{"vocab": [{words}]}}"#)).unwrap();
        },
        "M/modules.json: modules BoW, Pooling cannot be run: a table answers no token embeddings for what follows it",
    );
}
