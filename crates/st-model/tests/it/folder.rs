//! Everything that may be wrong with a model folder, each with its exact message.

use std::fs;
use std::path::Path;

use st_core::{EncodeOptions, Encoder, Prompt};
use st_model::{GraphState, LoadOptions};
use st_testkit::{temp_copy, tiny_model_dir, tiny_texts};
use tempfile::TempDir;

use crate::support::{chain, load, options, private_cache, refusal};

const GOOD: &str = "mean-normalize";

fn copy() -> TempDir {
    temp_copy(&tiny_model_dir(GOOD))
}

/// Damages a copy of a good folder and says how it is refused.
#[track_caller]
fn check(damage: impl FnOnce(&Path), expected: &str) {
    let folder = copy();
    damage(folder.path());
    assert_eq!(refusal(folder.path()), expected);
}

fn remove(folder: &Path, name: &str) {
    fs::remove_file(folder.join(name)).expect("the file is there");
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("the folder can be written to");
}

#[test]
fn no_model_at_all() {
    check(
        |folder| {
            remove(folder, "modules.json");
            remove(folder, "config.json");
        },
        "M is not a model folder: it has neither modules.json nor config.json",
    );
}

#[test]
fn unreadable_configuration() {
    check(
        |folder| write(folder, "modules.json", "[{"),
        "M/modules.json is not valid JSON: EOF while parsing an object at line 1 column 2",
    );
    check(
        |folder| remove(folder, "config.json"),
        "cannot read M/config.json: No such file or directory (os error 2)",
    );
}

/// Python would put each text into the template, and answer other vectors.
#[test]
fn chat_templates_are_refused_where_they_count() {
    let expected = "M has a chat template, into which Python puts every text; none is rendered here, so take a folder \
                    without one";
    let bare = |folder: &Path| remove(folder, "modules.json");
    check(
        |folder| {
            bare(folder);
            write(folder, "tokenizer_config.json", r#"{"chat_template": "{{ messages[0].content }}"}"#);
        },
        expected,
    );
    check(
        |folder| {
            bare(folder);
            write(folder, "chat_template.jinja", "{{ messages[0].content }}");
        },
        expected,
    );
    // A folder that says what it is was made for texts as they are.
    let folder = copy();
    write(folder.path(), "chat_template.jinja", "{{ messages[0].content }}");
    load(folder.path(), &options());
}

#[test]
fn other_ways_to_call_the_transformer_are_refused() {
    let config = "sentence_bert_config.json";
    check(
        |folder| {
            let text = r#"{"modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"},
                "message": {"method": "forward", "method_output_name": "last_hidden_state", "format": "flat"}},
                "module_output_name": "token_embeddings"}"#;
            write(folder, config, text);
        },
        "M/sentence_bert_config.json: `modality_config` has `message`: Python puts every text into a chat template, none \
         is rendered here",
    );
    check(
        |folder| {
            let text = r#"{"modality_config": {"text": {"method": "get_text_features", "method_output_name":
                "pooler_output"}}, "module_output_name": "sentence_embedding"}"#;
            write(folder, config, text);
        },
        "M/sentence_bert_config.json: `modality_config` takes `pooler_output` of `get_text_features` for \
         `sentence_embedding`, which is not supported; supported are `last_hidden_state` of `forward` for \
         `token_embeddings`, and `logits` for `token_embeddings` or `scores`",
    );
    check(
        |folder| {
            let text = r#"{"modality_config": {"image": {"method": "forward", "method_output_name": "x"}}}"#;
            write(folder, config, text);
        },
        "M/sentence_bert_config.json: `modality_config` has no `text`, so the model reads none",
    );
}

#[test]
fn a_folder_of_two_libraries_is_refused() {
    let folder = temp_copy(&st_testkit::fixtures_dir().join("multi-vector/plain"));
    write(folder.path(), "config_sentence_transformers.json", r#"{"model_type": "ColBERT"}"#);
    let error = st_model::ModelSpec::read(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("`model_type` is ColBERT, but MultiVectorMask in modules.json is none of PyLate"),
        "{error}"
    );
}

#[test]
fn a_kind_that_is_null_is_refused() {
    check(
        |folder| write(folder, "config_sentence_transformers.json", r#"{"model_type": null}"#),
        "M/config_sentence_transformers.json: `model_type` is null; leave it out, or say what the model is",
    );
}

#[test]
fn no_tokenizer() {
    check(
        |folder| remove(folder, "tokenizer.json"),
        "M has no tokenizer: there is no tokenizer.json and no vocab.txt",
    );
    check(
        |folder| {
            remove(folder, "tokenizer.json");
            write(folder, "tokenizer_config.json", r#"{"tokenizer_class": "RobertaTokenizerFast"}"#);
        },
        "M has no tokenizer: there is no tokenizer.json and no vocab.json with merges.txt",
    );
    check(
        |folder| write(folder, "tokenizer_config.json", r#"{"tokenizer_class": "T5Tokenizer"}"#),
        "M/tokenizer.json: `tokenizer_class` splits with Unigram, for which `model` has no vocabulary",
    );
    check(|folder| write(folder, "tokenizer.json", "{}"), "M/tokenizer.json: `model` is missing");
}

#[test]
fn unknown_prompt_name() {
    let model = load(&tiny_model_dir(GOOD), &options());
    let named = EncodeOptions::default().with_prompt(Prompt::Name("title".into()));
    let error = model.encode(&["a"], &named).unwrap_err();
    assert_eq!(error.to_string(), "the model has no prompt named `title`; it has document, query");
}

#[test]
fn options_that_cannot_be_followed() {
    let model = load(&tiny_model_dir(GOOD), &options());
    let refuse = |options: EncodeOptions| model.encode(&["a"], &options).unwrap_err().to_string();
    assert_eq!(
        refuse(EncodeOptions::default().with_truncate_dim(0)),
        "option `truncate_dim` cannot be 0: at least one dimension is needed"
    );
    assert_eq!(
        refuse(EncodeOptions::default().with_threads(0)),
        "option `threads` cannot be 0: at least one worker is needed"
    );
}

#[test]
fn limits_that_cannot_be_followed() {
    let refuse = |options: LoadOptions| {
        let folder = tiny_model_dir(GOOD);
        chain(&st_model::SentenceTransformer::load(&folder, &options).unwrap_err())
    };
    assert_eq!(
        refuse(options().with_max_seq_length(100_000)),
        format!(
            "option `max_seq_length` cannot be 100000: the model reads at most {} tokens",
            load(&tiny_model_dir(GOOD), &options()).max_tokens().unwrap()
        )
    );
    assert_eq!(
        refuse(options().with_max_seq_length(1)),
        "option `max_seq_length` cannot be 1: each text needs 2 special tokens"
    );
}

#[test]
fn a_shorter_limit_cuts_and_counts() {
    let model = load(&tiny_model_dir(GOOD), &options().with_max_seq_length(4));
    let texts = tiny_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let longer = model.count_tokens(&texts).unwrap().iter().filter(|&&tokens| tokens > 4).count();
    assert!(longer > 0);
    assert_eq!(model.encode(&texts, &EncodeOptions::default()).unwrap().truncated, longer);
}

#[test]
fn graphs_are_cached_and_damage_is_mended() {
    let (cache, options) = private_cache();
    let folder = tiny_model_dir(GOOD);
    let encode = |model: &st_model::SentenceTransformer| {
        model.encode(&["a text"], &EncodeOptions::default()).unwrap().vectors
    };
    let first = load(&folder, &options);
    assert_eq!(first.graph().unwrap().state, GraphState::Built);
    let second = load(&folder, &options);
    assert_eq!(second.graph().unwrap().state, GraphState::Cached);
    let path = second.graph().unwrap().path.clone().unwrap();
    assert!(path.starts_with(cache.path()));
    let data = path.with_file_name("model.onnx_data");
    let mut bytes = fs::read(&data).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&data, bytes).unwrap();
    let third = load(&folder, &options);
    assert_eq!(third.graph().unwrap().state, GraphState::Rebuilt);
    assert_eq!(encode(&first), encode(&third));
}

#[test]
fn without_a_cache_the_graph_is_made_in_memory() {
    let mut options = options();
    options.places.cache = None;
    let folder = tiny_model_dir(GOOD);
    let model = load(&folder, &options);
    assert_eq!(
        (model.graph().unwrap().path.clone(), model.graph().unwrap().state),
        (None, GraphState::Built)
    );
    let cached = load(&folder, &self::options());
    let encode = |model: &st_model::SentenceTransformer| {
        model.encode(&["one", "two of them"], &EncodeOptions::default()).unwrap().vectors
    };
    assert_eq!(encode(&model), encode(&cached));
}

/// What the reference would make of random numbers, or compute in another order, is refused.
#[test]
fn modules_that_would_answer_other_numbers() {
    let copy = temp_copy(&st_testkit::fixtures_dir().join("sparse/autoencoder"));
    let path = copy.path().join("modules.json");
    let mut modules: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let normalize = "sentence_transformers.models.Normalize";
    modules.push(serde_json::json!({"idx": 3, "name": "3", "path": "3_Normalize", "type": normalize}));
    fs::write(&path, serde_json::to_string(&modules).unwrap()).unwrap();
    let error = st_model::SparseEncoder::load(copy.path(), &options()).unwrap_err().to_string();
    assert!(
        error.ends_with("nothing may follow a SparseAutoEncoder, whose largest values are chosen at the end")
    );

    let bare = tiny_model_dir("plain");
    let error = st_model::MultiVectorEncoder::load(&bare, &options()).unwrap_err().to_string();
    assert!(error.contains("transformer without the layer that makes a MultiVectorEncoder of it"), "{error}");
}
