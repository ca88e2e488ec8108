//! Tiny tokenizers of every class: ids, type ids and special tokens equal those of Python's `AutoTokenizer`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use st_model::{Tokenized, Tokenizer, read_tokenizer};
use st_testkit::fixtures_dir;

fn golden(path: &str) -> Value {
    let path = fixtures_dir().join("golden/tokenizers").join(path);
    serde_json::from_slice(&fs::read(path).expect("the golden is there")).expect("the golden is JSON")
}

/// The folders, by their names.
fn folders() -> Vec<(String, PathBuf)> {
    let root = fixtures_dir().join("tokenizers");
    let entries =
        fs::read_dir(root).expect("the folders are there").map(|entry| entry.expect("it is readable"));
    let mut found: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().expect("a plain name"), entry.path())).collect();
    found.sort();
    assert!(found.len() > 50, "{} folders", found.len());
    found
}

fn numbers(value: &Value) -> Vec<u32> {
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    value.as_array().expect("a list").iter().map(|value| number(value).expect("an id")).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

/// What a golden says of one text: its ids, and its type ids unless all are 0.
fn matches(found: &Tokenized, expected: &Value) -> bool {
    let types: Vec<u32> = found.types.iter().copied().map(u32::from).collect();
    found.ids == numbers(&expected[0]) && types == numbers(&expected[1])
}

/// Compares all that `golden` says and returns the differences.
fn differences(tokenizer: &dyn Tokenizer, golden: &Value, inputs: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: String, found: Tokenized, expected: &Value| {
        if !matches(&found, expected) {
            wrong.push(format!("{what}:\n    found {:?} {:?}\n expected {expected}", found.ids, found.types));
        }
    };
    let all = texts(&inputs["texts"]);
    for (text, expected) in all.iter().zip(golden["ids"].as_array().expect("a list")) {
        check(format!("{text:?}"), tokenizer.tokenize(text, None).unwrap_or_default(), expected);
    }
    for (text, expected) in all.iter().step_by(9).zip(golden["plain"].as_array().expect("a list")) {
        let ids = tokenizer.tokenize_plain(text).unwrap_or_default();
        let found = Tokenized { ids, ..Tokenized::default() };
        check(format!("{text:?} plain"), found, &json!([expected, []]));
    }
    for (limit, answers) in golden["cut"].as_object().expect("limits") {
        let limit = limit.parse().ok();
        for (text, expected) in all.iter().step_by(3).zip(answers.as_array().expect("a list")) {
            let found = tokenizer.tokenize(text, limit).unwrap_or_default();
            check(format!("{text:?} at {limit:?}"), found, expected);
        }
    }
    for (limit, answers) in golden["pairs"].as_object().expect("limits") {
        let limit = limit.parse().ok();
        let pairs = inputs["pairs"].as_array().expect("pairs");
        for (pair, expected) in pairs.iter().zip(answers.as_array().expect("a list")) {
            let pair = texts(pair);
            let found = tokenizer.tokenize_pair(pair[0], pair[1], limit).unwrap_or_default();
            check(format!("{pair:?} at {limit:?}"), found, expected);
        }
    }
    wrong.extend(tables(tokenizer, golden));
    wrong
}

/// Special tokens, and tokens by their ids and back.
fn tables(tokenizer: &dyn Tokenizer, golden: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    let mut check = |what: &str, found: String, expected: String| {
        if found != expected {
            wrong.push(format!("{what}: found {found}, expected {expected}"));
        }
    };
    check("pad", tokenizer.pad_id().to_string(), id(&golden["pad"]).unwrap_or(0).to_string());
    check("mask", format!("{:?}", tokenizer.mask_id()), format!("{:?}", id(&golden["mask"])));
    check("tokens", tokenizer.vocab_size().to_string(), golden["tokens"].to_string());
    for (token, number) in golden["named"].as_object().expect("an object") {
        check(token, format!("{:?}", tokenizer.id(token)), format!("{:?}", id(number)));
    }
    for (number, token) in (0..).step_by(13).zip(texts(&golden["spelled"])) {
        check("token", format!("{:?}", tokenizer.token(number)), format!("{:?}", Some(token)));
    }
    wrong
}

#[test]
fn ids_of_every_class_equal_pythons() {
    let inputs = golden("classes.json");
    let mut wrong = Vec::new();
    for (name, folder) in folders() {
        let golden = golden(&format!("classes/{name}.json"));
        let found = match read_tokenizer(&folder) {
            Ok(tokenizer) => differences(tokenizer.as_ref(), &golden, &inputs),
            Err(error) => vec![format!("{error}: {:?}", std::error::Error::source(&error))],
        };
        if let Some(first) = found.first() {
            wrong.push(format!("{name}: {} differences, the first: {first}", found.len()));
        }
    }
    assert!(wrong.is_empty(), "{} folders differ\n{}", wrong.len(), wrong.join("\n"));
}

/// What a folder with this `tokenizer.json` and this class is refused for.
fn refusal(file: &Value, class: &str) -> String {
    let folder = tempfile::TempDir::new().expect("a folder");
    let write = |name: &str, value: &Value| {
        fs::write(folder.path().join(name), value.to_string()).expect("the folder can be written to");
    };
    write("tokenizer.json", file);
    write("tokenizer_config.json", &json!({"tokenizer_class": class}));
    let error = read_tokenizer(folder.path()).expect_err("it is refused");
    let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}").replace(&folder.path().display().to_string(), "M")
}

#[test]
fn damaged_files_are_refused() {
    let pieces = json!([["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["a", -1.0]]);
    let charsmap = json!({"type": "Precompiled", "precompiled_charsmap": "AAAABBBBCCCCDDDD"});
    let unigram = |normalizer: &Value, unknown: u32| json!({"normalizer": normalizer, "model": {"type": "Unigram", "vocab": pieces, "unk_id": unknown}});
    let words = |vocab: Value| json!({"model": {"type": "WordPiece", "vocab": vocab}});
    let found = [
        refusal(&unigram(&charsmap, 3), "XLMRobertaTokenizer"),
        refusal(&unigram(&Value::Null, 9), "TokenizersBackend"),
        refusal(&words(json!({"[UNK]": 4_000_000_000_u32})), "BertTokenizer"),
        refusal(&words(json!({"[UNK]": 8e8})), "BertTokenizer"),
        refusal(&words(json!([["a", 1.0]])), "BertTokenizer"),
        refusal(&json!({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}), "GPT2Tokenizer"),
        refusal(&json!({"model": {"type": "New", "vocab": {"a": 0}}}), "TokenizersBackend"),
        refusal(&json!([]), "TokenizersBackend"),
    ];
    let cannot = "cannot use the tokenizer M/tokenizer.json";
    assert_eq!(
        found,
        [
            format!("{cannot}: `precompiled_charsmap` is damaged"),
            format!("{cannot}: The `unk_id` is larger than vocabulary size"),
            format!("{cannot}: the id 4000000000 of `[UNK]` is too high"),
            format!("{cannot}: `[UNK]` has the id 800000000.0, which is none"),
            "M/tokenizer.json: `tokenizer_class` splits with WordPiece, for which `model` has no vocabulary"
                .to_owned(),
            format!("{cannot}: `a` and `b` make no token of the vocabulary together"),
            format!(
                "{cannot}: the slim JSON reader cannot read the `unknown` model: either it is not a model type this \
                 crate knows, or its feature (`unigram`, `wordpiece`, `wordlevel`) is off in this build"
            ),
            "M/tokenizer.json: expected an object".to_owned(),
        ]
    );
}
