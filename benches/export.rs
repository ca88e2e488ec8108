//! From a checkpoint to a graph: exporting, finding it again in the cache, and reading headers.

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Map, Value, json};
use st_core::PoolingMode;
use st_export::checkpoint::read_safetensors_header;
use st_export::{CacheState, ExportOptions, GraphCache, Head, Quantization, WeightPlacement, onnx};

/// A BERT of five megabytes.
const NAME: &str = "6x128";
const LAYERS: usize = 6;
const HIDDEN: usize = 128;
const INTERMEDIATE: usize = 512;
const VOCABULARY: usize = 1000;
const POSITIONS: usize = 512;

fn head() -> Head {
    Head::new([PoolingMode::Mean]).with_normalize(true)
}

fn export(c: &mut Criterion) {
    let folder = checkpoint("export");
    let parameters = 4 * shapes().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum::<usize>();
    let bytes =
        st_export::export_bytes(&folder, Some(&head()), Quantization::None).expect("the checkpoint is sound");
    assert!(bytes.len() > parameters);

    let mut group = c.benchmark_group("export");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(format!("memory/{NAME}"), |b| {
        b.iter(|| black_box(st_export::export_bytes(black_box(&folder), Some(&head()), Quantization::None)));
    });
    // Mostly the wait for the disk: an export is not done before it would survive a power cut.
    group.sample_size(10);
    let destination = folder.join("out");
    let options = ExportOptions::default().with_weights(WeightPlacement::External).with_overwrite(true);
    group.bench_function(format!("bert/{NAME}"), |b| {
        b.iter(|| black_box(st_export::export(black_box(&folder), Some(&head()), &destination, &options)));
    });
    group.finish();
}

fn cache(c: &mut Criterion) {
    let folder = checkpoint("cache");
    let cache = GraphCache::new(folder.join("graphs"));
    let find = || {
        cache
            .get_or_export(black_box(&folder), Some(&head()), Quantization::None)
            .expect("the checkpoint is sound")
    };
    find();
    assert_eq!(find().state, CacheState::Hit);
    let mut group = c.benchmark_group("cache");
    group.bench_function(format!("hit/{NAME}"), |b| b.iter(|| black_box(find())));
    group.finish();
}

fn header(c: &mut Criterion) {
    let folder = checkpoint("header");
    let bytes =
        st_export::export_bytes(&folder, Some(&head()), Quantization::None).expect("the checkpoint is sound");
    let path = folder.join("model.onnx");
    fs::write(&path, &bytes).expect("the folder of the bench can be written");
    assert_eq!(onnx::read_header(&bytes).expect("our own graph is sound").inputs.len(), 3);
    let weights = fs::read(folder.join("model.safetensors")).expect("the checkpoint was written");

    let mut group = c.benchmark_group("header");
    group.bench_function("read", |b| b.iter(|| black_box(onnx::read_header(black_box(&bytes)))));
    group.bench_function("open", |b| b.iter(|| black_box(onnx::open_header(black_box(&path)))));
    group.bench_function("safetensors", |b| {
        b.iter(|| black_box(read_safetensors_header(black_box(&weights), weights.len() as u64)));
    });
    group.finish();
}

/// Writes the checkpoint into a folder of its own, new in every run.
fn checkpoint(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("export-{name}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of the bench can be removed");
    }
    fs::create_dir_all(&folder).expect("the folder of the bench can be made");
    let config = json!({
        "model_type": "bert", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": 4,
        "intermediate_size": INTERMEDIATE, "vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS,
    });
    fs::write(folder.join("config.json"), config.to_string())
        .expect("the folder of the bench can be written");
    let mut entries = Map::new();
    let mut end = 0;
    for (name, shape) in shapes() {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        entries.insert(name, json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]}));
    }
    let header = Value::from(entries).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    let number = |place: usize| f32::from(u8::try_from(place % 251).unwrap_or(0)) / 251.0 - 0.5;
    file.extend((0..end / 4).flat_map(|place| number(place).to_le_bytes()));
    fs::write(folder.join("model.safetensors"), file).expect("the folder of the bench can be written");
    folder
}

/// Name and shape of every weight.
fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes: Vec<(String, Vec<usize>)> =
        [("word", VOCABULARY), ("position", POSITIONS), ("token_type", 2)]
            .into_iter()
            .map(|(name, rows)| (format!("embeddings.{name}_embeddings.weight"), vec![rows, HIDDEN]))
            .collect();
    let mut pair = |name: &str, weight: Vec<usize>| {
        shapes.push((format!("{name}.bias"), weight.iter().take(1).copied().collect()));
        shapes.push((format!("{name}.weight"), weight));
    };
    pair("embeddings.LayerNorm", vec![HIDDEN]);
    for layer in (0..LAYERS).map(|layer| format!("encoder.layer.{layer}")) {
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            pair(&format!("{layer}.attention.{part}"), vec![HIDDEN, HIDDEN]);
        }
        pair(&format!("{layer}.intermediate.dense"), vec![INTERMEDIATE, HIDDEN]);
        pair(&format!("{layer}.output.dense"), vec![HIDDEN, INTERMEDIATE]);
        pair(&format!("{layer}.attention.output.LayerNorm"), vec![HIDDEN]);
        pair(&format!("{layer}.output.LayerNorm"), vec![HIDDEN]);
    }
    shapes
}

criterion_group!(benches, export, cache, header);
criterion_main!(benches);
