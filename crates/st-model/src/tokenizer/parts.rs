//! The parts that a class makes of a vocabulary: normalizer, pre-tokenizer, model.

use serde_json::{Map, Value, json};

use super::added::Named;
use super::folder::Folder;
use super::rebuild::Names;
use super::sentencepiece::Model;
use super::source::Source;

/// The parts of a `tokenizer.json` that a class makes.
pub(super) struct Parts {
    pub(super) normalizer: Value,
    pub(super) pre_tokenizer: Value,
    pub(super) model: Value,
}

/// The normalizer of a bare SentencePiece model.
pub(super) fn spaces_marked(charsmap: Option<String>) -> Value {
    sequence("normalizers", precompiled(charsmap).into_iter().chain([replace(" ", "▁")]))
}

/// A bare SentencePiece model.
pub(super) fn plain_model(model: &Model) -> Value {
    if model.is_unigram {
        return json!({
            "type": "Unigram", "vocab": model.scores(), "unk_id": model.unknown, "byte_fallback": model.byte_fallback,
        });
    }
    let (vocab, merges) = model.merges();
    let source = Source { vocab, merges, ..Source::default() };
    bpe(
        source,
        &[
            ("unk_token", Value::from(model.unknown_piece.as_str())),
            ("fuse_unk", Value::from(true)),
            ("byte_fallback", Value::from(model.byte_fallback)),
        ],
    )
}

pub(super) fn word_piece(source: Source, names: &Names, folder: &Folder) -> Result<Parts, String> {
    let unknown = names[2].as_ref().ok_or("`unk_token` is null")?.content();
    Ok(Parts {
        normalizer: json!({
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": folder.flag("tokenize_chinese_chars").unwrap_or(true),
            "strip_accents": folder.flag("strip_accents"),
            "lowercase": folder.flag("do_lower_case").unwrap_or(true),
        }),
        pre_tokenizer: json!({"type": "BertPreTokenizer"}),
        model: json!({
            "type": "WordPiece",
            "unk_token": unknown,
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": source.vocab,
        }),
    })
}

pub(super) fn byte_level(source: Source, folder: &Folder, normalizer: Value) -> Parts {
    let prefix = folder.flag("add_prefix_space").unwrap_or(false);
    Parts {
        normalizer,
        pre_tokenizer: json!({"type": "ByteLevel", "add_prefix_space": prefix, "use_regex": true}),
        model: bpe(source, &[]),
    }
}

pub(super) fn qwen(source: Source, folder: &Folder) -> Parts {
    const WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    let prefix = folder.flag("add_prefix_space").unwrap_or(false);
    let words =
        json!({"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Isolated", "invert": false});
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": prefix, "use_regex": false});
    Parts {
        normalizer: json!({"type": "NFC"}),
        pre_tokenizer: sequence("pretokenizers", [words, bytes]),
        model: bpe(source, &[]),
    }
}

pub(super) fn clip(source: Source, names: &Names) -> Parts {
    const WORDS: &str =
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    let words = json!({"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Removed", "invert": true});
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true});
    let spaces = json!({"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "});
    Parts {
        normalizer: sequence("normalizers", [json!({"type": "NFC"}), spaces, json!({"type": "Lowercase"})]),
        pre_tokenizer: sequence("pretokenizers", [words, bytes]),
        model: bpe(
            source,
            &[
                ("end_of_word_suffix", Value::from("</w>")),
                ("unk_token", names[2].as_ref().map(Named::content).into()),
            ],
        ),
    }
}

pub(super) fn llama(source: Source, folder: &Folder) -> Parts {
    let scheme =
        match (folder.flag("add_prefix_space").unwrap_or(true), folder.flag("legacy").unwrap_or(false)) {
            (false, _) => "never",
            (true, true) => "always",
            (true, false) => "first",
        };
    Parts {
        normalizer: Value::Null,
        pre_tokenizer: json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": false}),
        model: bpe(source, &[("fuse_unk", Value::from(true)), ("byte_fallback", Value::from(true))]),
    }
}

pub(super) fn gemma(source: Source, names: &Names) -> Parts {
    Parts {
        normalizer: replace(" ", "▁"),
        pre_tokenizer: json!({
            "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false,
        }),
        model: bpe(
            source,
            &[
                ("unk_token", names[2].as_ref().map(Named::content).into()),
                ("fuse_unk", Value::from(true)),
                ("byte_fallback", Value::from(true)),
            ],
        ),
    }
}

pub(super) fn unigram(source: Source, unknown: u64, prefix: &str) -> Parts {
    Parts {
        normalizer: precompiled(source.charsmap).unwrap_or_default(),
        pre_tokenizer: words_marked(prefix),
        model: unigram_model(source.vocab, unknown),
    }
}

pub(super) fn albert(source: Source, folder: &Folder) -> Parts {
    let mut steps = vec![replace("``", "\""), replace("''", "\"")];
    if !folder.flag("keep_accents").unwrap_or(false) {
        steps.extend([json!({"type": "NFKD"}), json!({"type": "StripAccents"})]);
    }
    if folder.flag("do_lower_case").unwrap_or(true) {
        steps.push(json!({"type": "Lowercase"}));
    }
    steps.extend(precompiled(source.charsmap));
    Parts {
        normalizer: sequence("normalizers", steps),
        pre_tokenizer: words_marked(prefix(folder)),
        model: unigram_model(source.vocab, 1),
    }
}

pub(super) fn deberta(source: Source, names: &Names, folder: &Folder) -> Result<Parts, String> {
    if folder.flag("split_by_punct") == Some(true) {
        return Err("`split_by_punct` is not supported".to_owned());
    }
    let told = source.unknown.or_else(|| folder.setting("unk_id").and_then(Value::as_u64)).unwrap_or(1);
    let unknown = position(&source.vocab, names[2].as_ref(), Some(0.0)).unwrap_or(told);
    let lower = folder.flag("do_lower_case").unwrap_or(false).then(|| json!({"type": "Lowercase"}));
    let spaces = json!({"type": "Replace", "pattern": {"Regex": r"\s{2,}|[\n\r\t]"}, "content": " "});
    let strip = json!({"type": "Strip", "strip_left": false, "strip_right": true});
    let scheme = if folder.flag("add_prefix_space").unwrap_or(true) { "always" } else { "first" };
    Ok(Parts {
        normalizer: sequence("normalizers", lower.into_iter().chain([spaces, json!({"type": "NFC"}), strip])),
        pre_tokenizer: json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true}),
        model: unigram_model(source.vocab, unknown),
    })
}

fn unigram_model(vocab: Value, unknown: u64) -> Value {
    json!({"type": "Unigram", "vocab": vocab, "unk_id": unknown, "byte_fallback": false})
}

fn bpe(source: Source, options: &[(&str, Value)]) -> Value {
    let mut model = Map::new();
    model.insert("type".to_owned(), Value::from("BPE"));
    model.extend(options.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    model.insert("vocab".to_owned(), source.vocab);
    model.insert("merges".to_owned(), source.merges);
    Value::Object(model)
}

/// Words split at white space, each marked at its beginning.
fn words_marked(prefix: &str) -> Value {
    let words = json!({"type": "WhitespaceSplit"});
    let marks = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": prefix, "split": true});
    sequence("pretokenizers", [words, marks])
}

pub(super) fn prefix(folder: &Folder) -> &'static str {
    if folder.flag("add_prefix_space").unwrap_or(true) { "always" } else { "never" }
}

fn precompiled(charsmap: Option<String>) -> Option<Value> {
    charsmap.map(|map| json!({"type": "Precompiled", "precompiled_charsmap": map}))
}

fn replace(pattern: &str, content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"String": pattern}, "content": content})
}

fn sequence(key: &str, steps: impl IntoIterator<Item = Value>) -> Value {
    let mut made = Map::new();
    made.insert("type".to_owned(), Value::from("Sequence"));
    made.insert(key.to_owned(), steps.into_iter().collect());
    Value::Object(made)
}

/// Where a token stands in a list of tokens and scores.
pub(super) fn position(pieces: &Value, token: Option<&Named>, score: Option<f64>) -> Option<u64> {
    let token = token?.content();
    let found = pieces.as_array()?.iter().position(|piece| {
        let scored = score.is_none_or(|score| piece.get(1).and_then(Value::as_f64) == Some(score));
        piece.get(0).and_then(Value::as_str) == Some(token) && scored
    })?;
    u64::try_from(found).ok()
}
