//! The files of the MLflow flavor: reading and writing `MLmodel`, and the answer of the scoring protocol.

use std::hint::black_box;
use std::io;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mlflow_flavor::{MlModel, ModelSignature, Prediction, scoring};
use ndarray::Array2;
use st_core::Vectors;

const DIM: usize = 384;

/// What Python's flavor wrote for a model with the task `llm/v1/embeddings`.
const MLMODEL: &str = include_str!("../fixtures/golden/mlflow/models/task/MLmodel");

fn mlmodel(c: &mut Criterion) {
    let model = MlModel::parse(MLMODEL, "MLmodel").expect("the golden file is read in the tests");
    assert_eq!(model.to_yaml(), MLMODEL);
    let mut group = c.benchmark_group("mlmodel");
    group.throughput(Throughput::Bytes(MLMODEL.len() as u64));
    group.bench_function("read", |b| b.iter(|| MlModel::parse(black_box(MLMODEL), "MLmodel")));
    group.bench_function("write", |b| b.iter(|| black_box(&model).to_yaml()));
    group.finish();
}

fn signature(c: &mut Criterion) {
    let [inputs, outputs, params] = ModelSignature::for_embeddings_task().to_json();
    c.bench_function("signature/parse", |b| {
        b.iter(|| ModelSignature::parse(black_box(inputs.as_deref()), outputs.as_deref(), params.as_deref()));
    });
}

fn answers(c: &mut Criterion) {
    let mut group = c.benchmark_group("scoring/write");
    for texts in [1, 32, 1000] {
        #[expect(clippy::cast_precision_loss, reason = "any values of about one will do")]
        let rows =
            Array2::from_shape_fn((texts, DIM), |(row, column)| ((row * DIM + column) as f32).sin() / 8.0);
        let prediction = Prediction::Matrix(Vectors::Float32(rows));
        group.throughput(Throughput::Elements((texts * DIM) as u64));
        group.bench_with_input(BenchmarkId::from_parameter(texts), &prediction, |b, prediction| {
            b.iter(|| scoring::write_json(black_box(prediction), false, &mut io::sink()));
        });
    }
    group.finish();
}

fn requests(c: &mut Criterion) {
    let model = MlModel::parse(MLMODEL, "MLmodel").expect("the golden file is read in the tests");
    let texts: Vec<String> = (0..1000).map(|index| format!("sentence number {index} of a request")).collect();
    let body = request_body(&texts);
    let mut group = c.benchmark_group("scoring/parse");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("1000", |b| b.iter(|| scoring::parse_json(black_box(body.as_bytes()), &model)));
    group.finish();
}

/// `{"inputs": […]}` of texts that need no escapes.
fn request_body(texts: &[String]) -> String {
    format!("{{\"inputs\": {texts:?}}}")
}

criterion_group!(benches, mlmodel, signature, answers, requests);
criterion_main!(benches);
