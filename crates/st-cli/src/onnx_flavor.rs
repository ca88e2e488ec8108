//! The graph that goes to MLflow beside a model, under the flavor `onnx`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, bail};
use mlflow_flavor::{OnnxGraph, SaveOptions, SavePlan};
use st_model::{GraphInfo, LoadOptions, ModelSpec};

use crate::args::FlavorArgs;
use crate::model::Located;
use crate::report;
use crate::settings::Settings;

/// Adds the graph of a model to the options of a save: unasked where MLflow has no flavor for the model itself, else if
/// it is asked for.
///
/// What nobody asked for and cannot be had is told, and the model goes without.
pub(crate) fn add(
    options: &mut SaveOptions,
    located: &Located,
    args: &FlavorArgs,
    settings: &Settings,
) -> anyhow::Result<()> {
    if args.no_onnx {
        return Ok(());
    }
    // What is wrong with the model or the options is told when the model is saved.
    let Ok(plan) = SavePlan::new(&located.folder, options) else { return Ok(()) };
    if plan.mlmodel().flavors.sentence_transformers.is_some() && !args.onnx {
        return Ok(());
    }
    match graph(&located.folder, settings) {
        Ok(graph) => options.graph = Some(graph),
        Err(error) if args.onnx => return Err(error.context("cannot write the flavor `onnx`")),
        Err(error) => report::note("warning", &format!("the flavor `onnx` is left out: {error:#}")),
    }
    Ok(())
}

/// The graph in exact numbers, as the cache has it or as the folder brings it.
fn graph(folder: &Path, settings: &Settings) -> anyhow::Result<OnnxGraph> {
    let spec = ModelSpec::read(folder)?;
    let Some(graph) = GraphInfo::find(&spec, &LoadOptions::new(settings.places(None)))? else {
        bail!(if spec.routes.len() > 1 {
            "the model has several routes, and one graph cannot be all of them"
        } else if !spec.default_route().input.has_graph() {
            "the model is a table, and has no graph"
        } else if spec.default_route().max_active_dims.is_some() {
            "the largest values of the sparse autoencoder are chosen behind its graph"
        } else {
            "the graph that the folder brings leaves modules of the model out"
        });
    };
    let path =
        graph.path.context("there is no cache to make the graph in; XDG_CACHE_HOME names its place")?;
    let header = st_export::onnx::open_header(&path)?;
    let mut flavor = OnnxGraph::new(&path);
    flavor.onnx_version = header.onnx_release().map(str::to_owned);
    let external = header.initializers.iter().filter_map(|tensor| tensor.external.as_ref());
    let names: BTreeSet<&str> = external.map(|external| external.location.as_str()).collect();
    // Plain names of files beside it, which opening the header has made sure of.
    flavor.data = names.into_iter().map(|name| path.with_file_name(name)).collect();
    Ok(flavor)
}
