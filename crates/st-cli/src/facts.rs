//! What a model is told to be when it goes to MLflow: what it is made of, what it answers, what it takes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use mlflow_flavor::{Certificate, Digester, MadeBy, ModelFacts, SaveOptions, SavePlan, scoring};
use st_core::{Encoder, Mode, PoolingMode};
use st_model::{LoadOptions, Model, ModelKind, ModelSpec, SentenceTransformer};

use crate::error::Error;
use crate::model::{self, Located};
use crate::settings::{self, Settings};
use crate::{profile, report, weights};

/// What is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What the model answers, to be compared at each load.
    pub(crate) certificate: bool,
    /// What it takes on this machine.
    pub(crate) profile: bool,
}

/// Adds the facts of a model, and its certificate, to the options of a save.
pub(crate) fn add(
    options: &mut SaveOptions,
    located: &Located,
    wanted: Wanted,
    settings: &Settings,
) -> anyhow::Result<()> {
    let spec = spec(&located.folder);
    let mut facts = spec.as_ref().map(described).unwrap_or_default();
    (facts.hub_model, facts.hub_commit) = origin(located);
    if let Some(kind) = spec.map(|spec| spec.kind).filter(|kind| *kind != ModelKind::SentenceTransformer) {
        if wanted.certificate {
            // It says nothing of answers yet, but what does not run here is told before it is logged.
            let certified = || Error::Certify { model: located.shown.clone() };
            let load = LoadOptions::new(settings.places(None));
            let loaded = Model::load(&located.folder, &load).with_context(certified)?;
            add_graph(&mut facts, model::graph_of(&loaded).and_then(|graph| graph.path.as_deref()))?;
        }
        if wanted.profile {
            report::note("warning", &format!("speed and memory of a {} are not measured", kind.name()));
        }
        options.facts = Some(facts);
        return Ok(());
    }
    if wanted.certificate || wanted.profile {
        let certified = || Error::Certify { model: located.shown.clone() };
        let load =
            LoadOptions::new(settings.places(None)).with_threads(settings::cores()).with_mode(Mode::Exact);
        let loaded = model::load_certified(located, &load).with_context(certified)?;
        add_graph(&mut facts, graph_file(&loaded.encoder))?;
        if wanted.certificate {
            let certificate = certificate(located, &loaded.encoder).with_context(certified)?;
            options.certificate = Some(certificate);
        }
        if wanted.profile {
            facts.profile = Some(profile::measure(&loaded, load.threads).with_context(certified)?);
        }
        try_example(options, located, loaded.encoder);
    }
    options.facts = Some(facts);
    Ok(())
}

/// The model of the hub, and its commit, that the files are from; of a model that was logged before, what was noted then.
fn origin(located: &Located) -> (Option<String>, Option<String>) {
    if let Some(snapshot) = &located.hub {
        return (Some(snapshot.name.repository().to_owned()), Some(snapshot.commit.clone()));
    }
    let noted = |fact: &str| {
        let metadata = located.mlflow.as_ref()?.mlmodel.metadata.as_ref()?;
        Some(metadata.get("st")?.get(fact)?.as_str()?.to_owned())
    };
    (noted("hub_model"), noted("hub_commit"))
}

/// An example that the model cannot answer is no reason not to log the model; Python warns, too. What else is wrong with the
/// options is told when the model is saved.
fn try_example(options: &SaveOptions, located: &Located, encoder: SentenceTransformer) {
    let Ok(plan) = SavePlan::new(&located.folder, options) else { return };
    if let Err(error) = scoring::check_example(&plan, Arc::new(encoder)) {
        report::note("warning", &format!("the model cannot answer its input example: {error}"));
    }
}

/// What the configuration says. A model that cannot be run here may still be logged.
fn spec(folder: &Path) -> Option<ModelSpec> {
    match ModelSpec::read(folder) {
        Ok(spec) => Some(spec),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "what the model is made of will not be noted");
            None
        }
    }
}

/// The same, and what the headers of the weights say.
fn described(spec: &ModelSpec) -> ModelFacts {
    let mut facts = ModelFacts::default();
    let route = spec.default_route();
    let modes: Vec<&str> = route.pooling_modes().iter().copied().map(PoolingMode::name).collect();
    facts.architecture = spec.transformer().and_then(|transformer| transformer.architecture.clone());
    facts.pooling = (!modes.is_empty()).then(|| modes.join("+"));
    if spec.kind != ModelKind::CrossEncoder {
        facts.dimension = Some(spec.sentence.truncate_dim.unwrap_or(spec.dim()) as u64);
        facts.normalized = (spec.kind == ModelKind::SentenceTransformer).then(|| spec.normalizes());
        let similarity = spec.multi_vector.as_ref().map(|settings| settings.interaction.name());
        facts.similarity = Some(similarity.unwrap_or(spec.similarity().name()).to_owned());
    }
    facts.max_tokens = route.input.max_tokens().map(|tokens| tokens as u64);
    match weights::read(route.input_folder()) {
        Ok(weights) => {
            (facts.parameters, facts.weight_bytes) = (Some(weights.parameters), Some(weights.bytes));
        }
        Err(error) => tracing::warn!(%error, "the size of the weights will not be noted"),
    }
    facts
}

fn graph_file(encoder: &SentenceTransformer) -> Option<&Path> {
    encoder.graph().and_then(|graph| graph.path.as_deref())
}

fn add_graph(facts: &mut ModelFacts, path: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let header = st_export::onnx::open_header(path)?;
    facts.exporter = Some(format!("{} {}", header.producer_name, header.producer_version));
    let bytes = fs::read(path).map_err(|source| Error::Read { file: path.display().to_string(), source })?;
    let mut digester = Digester::default();
    digester.update(&bytes);
    facts.graph_sha256 = Some(digester.finish().sha256.to_string());
    Ok(())
}

/// What the model answers here, or what it answered when it was first logged: that was compared a moment ago, and a copy of
/// a model vouches for what its original did.
fn certificate(located: &Located, encoder: &SentenceTransformer) -> anyhow::Result<Certificate> {
    if let Some(mlflow) = &located.mlflow
        && let Some(first) = mlflow.certificate()?
    {
        return Ok(first);
    }
    let mut made_by = MadeBy::new(concat!("st ", env!("CARGO_PKG_VERSION")));
    if let Some(runtime) = encoder.runtime() {
        made_by = made_by.with_runtime(&runtime.build);
    }
    if let Some(path) = graph_file(encoder) {
        let header = st_export::onnx::open_header(path)?;
        made_by = made_by.with_exporter(format!("{} {}", header.producer_name, header.producer_version));
    }
    Ok(Certificate::make(encoder as &dyn Encoder, made_by)?)
}
