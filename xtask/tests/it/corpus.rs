//! Every file of a corpus goes through its target: any bytes in, no panic.

use std::panic::catch_unwind;
use std::path::Path;
use std::{fs, io};

use crate::targets;

fn replay(target: &str, run: fn(&[u8]), at_least: usize) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/fuzz").join(target);
    let files = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    assert!(files.len() >= at_least, "{} holds {} files", folder.display(), files.len());
    for file in files {
        let bytes = fs::read(&file)?;
        assert!(catch_unwind(|| run(&bytes)).is_ok(), "{target} panics over {}", file.display());
    }
    Ok(())
}

#[test]
fn mlmodel_corpus() -> io::Result<()> {
    replay("mlmodel", targets::mlmodel, 20)
}

#[test]
fn modules_json_corpus() -> io::Result<()> {
    replay("modules_json", targets::modules_json, 18)
}

#[test]
fn safetensors_header_corpus() -> io::Result<()> {
    replay("safetensors_header", targets::safetensors_header, 18)
}

#[test]
fn onnx_header_corpus() -> io::Result<()> {
    replay("onnx_header", targets::onnx_header, 20)
}

#[test]
fn uris_corpus() -> io::Result<()> {
    replay("uris", targets::uris, 23)
}

#[test]
fn filters_corpus() -> io::Result<()> {
    replay("filters", targets::filters, 14)
}

#[test]
fn manifests_corpus() -> io::Result<()> {
    replay("manifests", targets::manifests, 13)
}

#[test]
fn answers_corpus() -> io::Result<()> {
    replay("answers", targets::answers, 13)
}

#[test]
fn sentencepiece_corpus() -> io::Result<()> {
    replay("sentencepiece", targets::sentencepiece, 26)
}

#[test]
fn tokenizer_corpus() -> io::Result<()> {
    replay("tokenizer", targets::tokenizer, 66)
}

#[test]
fn model_folder_corpus() -> io::Result<()> {
    replay("model_folder", targets::model_folder, 35)
}

#[test]
fn hub_cache_corpus() -> io::Result<()> {
    replay("hub_cache", targets::hub_cache, 15)
}

#[test]
fn hub_answers_corpus() -> io::Result<()> {
    replay("hub_answers", targets::hub_answers, 22)
}
