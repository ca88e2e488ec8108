//! Real vocabularies of each kind on 21,041 lines in eleven languages: ids equal to Python's, line by line.

use std::fs;
use std::path::Path;

use serde_json::Value;
use st_model::{Tokenizer, read_tokenizer};
use st_testkit::{fixtures_dir, model_dir};
use tempfile::TempDir;

const TATOEBA: [&str; 10] = ["deu", "ell", "fra", "ita", "nld", "pol", "por", "spa", "swe", "tha"];

fn fixture(path: &str) -> String {
    fs::read_to_string(fixtures_dir().join(path)).unwrap()
}

/// The texts in the order of `fixtures/generate/tokenizer_lines.py`.
fn lines() -> Vec<String> {
    let mut made = Vec::new();
    for name in TATOEBA {
        let rows = fixture(&format!("tatoeba/{name}-eng.tsv"));
        made.extend(
            rows.split('\n')
                .skip(1)
                .filter(|row| !row.is_empty())
                .flat_map(|row| row.split('\t'))
                .map(str::to_owned),
        );
    }
    for name in ["corpus", "queries"] {
        let rows = fixture(&format!("xquad-en/{name}.jsonl"));
        let text =
            |row: &str| serde_json::from_str::<Value>(row).unwrap()["text"].as_str().unwrap().to_owned();
        made.extend(rows.split('\n').filter(|row| !row.is_empty()).map(text));
    }
    let naughty: Vec<String> = serde_json::from_str(&fixture("naughty-strings/blns.json")).unwrap();
    made.extend(naughty);
    assert_eq!(made.len(), 21_041);
    made
}

/// FNV-1a of the ids as four bytes each, folded to 24 bits.
fn hash(ids: &[u32]) -> u64 {
    let step = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let state = ids.iter().flat_map(|id| id.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    (state ^ state >> 24 ^ state >> 48) & 0xff_ffff
}

/// The vocabulary of a model under another configuration.
fn folder_of(model: &Path, settings: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["tokenizer.json", "vocab.json", "merges.txt"] {
        if model.join(name).is_file() {
            fs::copy(model.join(name), folder.path().join(name)).unwrap();
        }
    }
    fs::write(folder.path().join("tokenizer_config.json"), settings).unwrap();
    folder
}

/// Compares every line and names the first that differs.
#[track_caller]
fn check(golden: &str, model: &str, settings: &str) {
    let folder = folder_of(&model_dir(model), settings);
    let tokenizer: Box<dyn Tokenizer> = read_tokenizer(folder.path()).unwrap();
    let expected = fixture(&format!("golden/tokenizers/lines/{golden}.txt"));
    let expected: Vec<u64> = expected.lines().map(|line| u64::from_str_radix(line, 16).unwrap()).collect();
    let lines = lines();
    assert_eq!(lines.len(), expected.len());
    let ids = |line: &str| tokenizer.tokenize(line, None).unwrap().ids;
    let wrong: Vec<_> =
        lines.iter().zip(expected).filter(|(line, expected)| hash(&ids(line)) != *expected).collect();
    if let Some((line, _)) = wrong.first() {
        panic!(
            "{golden}: {} of {} lines differ, the first is {line:?}: {:?}",
            wrong.len(),
            lines.len(),
            ids(line)
        );
    }
}

#[test]
fn word_piece() {
    check("word-piece", "all-MiniLM-L6-v2", r#"{"tokenizer_class": "BertTokenizer"}"#);
    check(
        "word-piece-cased",
        "all-MiniLM-L6-v2",
        r#"{"tokenizer_class": "BertTokenizer", "do_lower_case": false}"#,
    );
}

#[test]
fn byte_level() {
    check("byte-level", "gpt2-vocabulary", r#"{"tokenizer_class": "GPT2Tokenizer"}"#);
    check(
        "byte-level-prefix",
        "gpt2-vocabulary",
        r#"{"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": true}"#,
    );
}

#[test]
fn unigram() {
    check("unigram", "xlm-r-tokenizer", "{}");
    check("unigram-rebuilt", "xlm-r-tokenizer", r#"{"tokenizer_class": "XLMRobertaTokenizer"}"#);
}

#[test]
fn sentencepiece_bpe() {
    check("sentencepiece-bpe", "wordllama-l2-supercat-256", "{}");
    check(
        "sentencepiece-bpe-rebuilt",
        "wordllama-l2-supercat-256",
        r#"{"tokenizer_class": "LlamaTokenizer"}"#,
    );
}
