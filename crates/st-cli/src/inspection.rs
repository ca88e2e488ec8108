//! A model as a report.

mod kinds;

use serde_json::{Value, json};
use st_core::{Encoder, LongText, MultiVectorEncoder as _, PoolingMode, Reranker, SparseEncoder as _};
use st_model::{GraphState, InputSpec, Model, ModelSpec, RouteSpec, StoredCalibrations, TransformerSpec};

use crate::model::{self, Located};
use crate::profile::resident_bytes;
use crate::report::Report;

/// What the configuration files say.
pub(crate) fn overview(located: &Located, spec: &ModelSpec) -> anyhow::Result<Report> {
    let modules: Vec<_> = spec.modules.iter().map(|module| module.kind.name()).collect();
    let mut report = Report::from_iter([
        ("folder".to_owned(), json!(located.folder.display().to_string())),
        ("kind".to_owned(), json!(spec.kind.name())),
        ("modules".to_owned(), json!(modules.join(" → "))),
        ("dim".to_owned(), json!(spec.dim())),
        ("similarity".to_owned(), json!(spec.similarity().name())),
        ("default_prompt_name".to_owned(), json!(spec.sentence.default_prompt_name)),
        ("truncate_dim".to_owned(), json!(spec.sentence.truncate_dim)),
        ("long_text".to_owned(), long_text(spec.long_text)),
        ("mlflow".to_owned(), mlflow(located)),
        ("hub".to_owned(), hub(located)),
    ]);
    if spec.router.is_some() {
        let routes = spec.routes.iter().map(|route| (route.name.clone(), json!(steps(route))));
        report.insert("routes".to_owned(), Value::Object(routes.collect()));
    }
    let route = spec.default_route();
    match &route.input {
        InputSpec::Transformer(transformer, _) => add_transformer(&mut report, transformer),
        InputSpec::Words(words) => {
            let words = json!({
                "words": words.vocab_size, "hidden_size": words.hidden_size, "max_tokens": words.max_tokens,
            });
            report.insert("word_embeddings".to_owned(), words);
        }
        _ => {}
    }
    if !route.pooling_modes().is_empty() {
        let modes: Vec<_> = route.pooling_modes().iter().copied().map(PoolingMode::name).collect();
        let include_prompt = route.pooling.as_ref().map(|pooling| pooling.include_prompt);
        report.insert(
            "pooling".to_owned(),
            json!({"modes": modes, "include_prompt": include_prompt, "normalize": spec.normalizes()}),
        );
    }
    report.insert("prompts".to_owned(), prompts(spec));
    report.insert("calibration".to_owned(), calibration(spec)?);
    kinds::add(&mut report, spec);
    Ok(report)
}

fn steps(route: &RouteSpec) -> String {
    route.modules.iter().map(|module| module.kind.name()).collect::<Vec<_>>().join(" → ")
}

fn add_transformer(report: &mut Report, transformer: &TransformerSpec) {
    report.insert(
        "transformer".to_owned(),
        json!({
            "model_type": transformer.model_type,
            "architecture": transformer.architecture,
            "hidden_size": transformer.hidden_size,
            "max_tokens": transformer.max_tokens,
        }),
    );
    report.insert(
        "tokenizer".to_owned(),
        json!({
            "class": transformer.tokenizer.class,
            "lowercase": transformer.lowercase || transformer.tokenizer.lowercase == Some(true),
        }),
    );
}

/// What happens to texts that are too long; null where nobody said so.
pub(crate) fn long_text(policy: Option<LongText>) -> Value {
    match policy {
        Some(LongText::Chunk { overlap }) => json!({"policy": "chunk", "overlap": overlap}),
        Some(policy) => json!({"policy": policy.name()}),
        None => Value::Null,
    }
}

/// What the eight-bit precisions are ready for.
fn calibration(spec: &ModelSpec) -> anyhow::Result<Value> {
    let stored = StoredCalibrations::read(&spec.root)?.unwrap_or_default();
    let kept: Vec<_> =
        stored.calibrations.iter().map(|kept| format!("{}: {} texts", kept.shown(), kept.texts)).collect();
    Ok(if kept.is_empty() { Value::Null } else { json!({"ranges": kept}) })
}

fn prompts(spec: &ModelSpec) -> Value {
    if spec.sentence.prompts.is_empty() { Value::Null } else { json!(spec.sentence.prompts) }
}

fn mlflow(located: &Located) -> Value {
    let Some(mlflow) = &located.mlflow else { return Value::Null };
    json!({
        "model_id": mlflow.mlmodel.model_id,
        "mlflow_version": mlflow.mlmodel.mlflow_version,
        "flavors": mlflow.mlmodel.flavors.names(),
        "task": mlflow.mlmodel.task(),
        "created": mlflow.mlmodel.utc_time_created,
    })
}

fn hub(located: &Located) -> Value {
    let Some(snapshot) = &located.hub else { return Value::Null };
    json!({
        "model": snapshot.name.repository(),
        "revision": snapshot.name.revision(),
        "commit": snapshot.commit,
    })
}

/// What is known once the model is loaded: its graph and the runtime.
pub(crate) fn add_loaded(report: &mut Report, loaded: &Model) -> anyhow::Result<()> {
    let (graph, runtime, max_tokens) = match loaded {
        Model::SentenceTransformer(model) => (model.graph(), model.runtime(), model.max_tokens()),
        Model::CrossEncoder(model) => (Some(model.graph()), Some(model.runtime()), model.max_tokens()),
        Model::SparseEncoder(model) => (model.graph(), model.runtime(), model.max_tokens()),
        Model::MultiVectorEncoder(model) => (Some(model.graph()), Some(model.runtime()), model.max_tokens()),
        _ => (None, None, None),
    };
    if let Some(graph) = graph {
        let mut section = Report::new();
        if let Some(path) = &graph.path {
            section.insert("file".to_owned(), json!(path.display().to_string()));
            section.extend(graph_header(path)?);
        }
        section.insert("state".to_owned(), json!(state(graph.state)));
        section.insert("mode".to_owned(), json!(model::mode_of(Some(graph))));
        section.insert("max_tokens".to_owned(), json!(max_tokens));
        report.insert("graph".to_owned(), Value::Object(section));
    }
    let mut section = Report::new();
    if let Some(runtime) = runtime {
        section.insert("file".to_owned(), json!(runtime.path.display().to_string()));
        section.insert("build".to_owned(), json!(runtime.build));
    }
    section.insert("resident_bytes".to_owned(), json!(resident_bytes()));
    report.insert("runtime".to_owned(), Value::Object(section));
    Ok(())
}

fn graph_header(path: &std::path::Path) -> anyhow::Result<Report> {
    let header = st_export::onnx::open_header(path)?;
    let values = |values: &[st_export::ValueInfo]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    let operators = header.operators.values().flatten().map(|(name, count)| format!("{name} {count}"));
    Ok(Report::from_iter([
        ("producer".to_owned(), json!(format!("{} {}", header.producer_name, header.producer_version))),
        ("opset".to_owned(), json!(header.opsets.get(""))),
        ("inputs".to_owned(), json!(values(&header.inputs))),
        ("outputs".to_owned(), json!(values(&header.outputs))),
        ("operators".to_owned(), json!(operators.collect::<Vec<_>>())),
    ]))
}

fn state(state: GraphState) -> &'static str {
    match state {
        GraphState::Cached => "found in the cache",
        GraphState::Built => "made from the weights just now",
        GraphState::Rebuilt => "damaged in the cache and made again",
        GraphState::Given => "named on the command line",
    }
}
