//! Criterion benches, one file per family, and the inputs they share.
//!
//! Ids are stable, such as `pool/mean/b32xt128`: recorded baselines are keyed by them. Inputs are made outside
//! of the loop, and a result is checked before it is timed.

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use std::fs;

use serde_json::Value;
use st_core::Mode;
use st_model::{LoadOptions, Places, SentenceTransformer};
use st_testkit::{cache_dir, fixtures_dir, model_dir, runtime_library};

/// all-MiniLM-L6-v2 with so many workers, exact.
///
/// # Panics
///
/// If `cargo xtask setup` has not brought the model and the runtime.
pub fn minilm(threads: usize) -> SentenceTransformer {
    minilm_in(Mode::Exact, threads)
}

/// all-MiniLM-L6-v2 in a mode, with so many workers.
///
/// # Panics
///
/// If `cargo xtask setup` has not brought the model and the runtime.
pub fn minilm_in(mode: Mode, threads: usize) -> SentenceTransformer {
    let places = Places::default().with_runtime(runtime_library()).with_cache(cache_dir());
    let options = LoadOptions::new(places).with_threads(threads).with_mode(mode);
    SentenceTransformer::load(&model_dir("all-MiniLM-L6-v2"), &options).expect("the model loads")
}

/// Both columns of the STS test rows, 1,758 sentences of about 15 tokens.
///
/// # Panics
///
/// If the fixture is damaged.
pub fn sts_sentences() -> Vec<String> {
    let text = fs::read_to_string(fixtures_dir().join("sts/sts-test.tsv")).expect("the STS rows");
    let rows = text.lines().skip(1);
    rows.flat_map(|row| row.split('\t').skip(6).take(2)).map(str::to_owned).collect()
}

/// The 240 paragraphs of XQuAD, about 150 tokens each.
///
/// # Panics
///
/// If the fixture is damaged.
pub fn xquad_paragraphs() -> Vec<String> {
    let text = fs::read_to_string(fixtures_dir().join("xquad-en/corpus.jsonl")).expect("the XQuAD corpus");
    let paragraph = |line: &str| -> Option<String> {
        let row: Value = serde_json::from_str(line).ok()?;
        row.get("text")?.as_str().map(str::to_owned)
    };
    text.lines().map(|line| paragraph(line).expect("a paragraph a line")).collect()
}
