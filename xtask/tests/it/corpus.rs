//! Every file of a corpus goes through its target: any bytes in, no panic.

use std::fs;
use std::path::Path;

use crate::targets;

#[track_caller]
fn replay(target: &str, run: fn(&[u8]), at_least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/fuzz").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= at_least, "{} holds {} files", folder.display(), files.len());
    for file in files {
        // Captured, and shown beside the panic of the file it belongs to.
        println!("{}", file.display());
        run(&fs::read(&file).unwrap());
    }
}

#[test]
fn mlmodel_corpus() {
    replay("mlmodel", targets::mlmodel, 20);
}

#[test]
fn modules_json_corpus() {
    replay("modules_json", targets::modules_json, 18);
}

#[test]
fn safetensors_header_corpus() {
    replay("safetensors_header", targets::safetensors_header, 18);
}

#[test]
fn onnx_header_corpus() {
    replay("onnx_header", targets::onnx_header, 20);
}
