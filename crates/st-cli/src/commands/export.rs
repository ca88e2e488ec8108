//! `st export`: the ONNX graph of a model, checked against the model before it is called done.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use serde_json::json;
use st_core::Mode;
use st_export::{ExportOptions, Exported, Quantization};
use st_model::{ModelKind, ModelSpec};

use super::Outcome;
use crate::args::ExportArgs;
use crate::error::Error;
use crate::interrupt::Unfinished;
use crate::model;
use crate::probe::{self, TOLERANCE};
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &ExportArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let located = model::locate_for(&args.model, settings)?;
    let spec = ModelSpec::read(&located.folder)
        .with_context(|| format!("cannot read the model {}", args.model.model.display()))?;
    // What is exported is compared with the model before it is called done, which these have nothing for yet.
    if matches!(spec.kind, ModelKind::SparseEncoder | ModelKind::MultiVectorEncoder) {
        bail!(
            "the graph of a {} cannot be exported yet; `st encode` makes and keeps its own",
            spec.kind.name()
        );
    }
    let target = args.output.join("model.onnx");
    if target.exists() && !args.force {
        return Err(Error::OutputExists { file: target.display().to_string() }.into());
    }
    fs::create_dir_all(&args.output).map_err(|source| write_error(&args.output, source))?;
    let mut folder = tempfile::Builder::new();
    let (staging, unfinished) = Unfinished::begin(|| folder.prefix(".st-export-").tempdir_in(&args.output))
        .map_err(|source| write_error(&args.output, source))?;

    let route = spec.default_route();
    ensure!(route.input.has_graph(), "the model is a table of vectors: there is no graph to write");
    ensure!(
        spec.routes.len() == 1,
        "the model has several routes, each with a graph of its own; one file cannot hold them"
    );
    // Whoever runs the graph elsewhere has no mask of its own for pooling.
    let head = route.head().with_pooling_mask(false);
    let mode = if args.quantize.is_some() { Mode::Fast } else { args.model.mode };
    let options = ExportOptions::default().with_quantization(match mode {
        Mode::Exact => Quantization::None,
        Mode::Fast => Quantization::Int8,
    });
    let exported = st_export::export(route.input_folder(), Some(&head), staging.path(), &options)
        .with_context(|| format!("cannot export {}", args.model.model.display()))?;
    let load_options = settings.load_options(&args.model).with_mode(mode);
    let difference = probe::check(&located.folder, &spec, &exported.model, load_options)?;
    ensure!(
        difference <= TOLERANCE,
        "the exported graph differs by {difference:.1e} from the model; nothing was written"
    );
    publish(&exported, &args.output)?;
    drop(unfinished);
    let checked = probe::extent(&spec);
    let mut report = summary(&exported, &target, (&checked, difference), started);
    report.insert("mode".to_owned(), json!(mode.name()));
    report::print(&report, settings)?;
    Ok(Outcome::Done)
}

/// Weights first: a graph without its weights is worse than weights without a graph.
fn publish(exported: &Exported, folder: &Path) -> anyhow::Result<()> {
    for path in exported.weights.iter().chain([&exported.model]) {
        let name = path.file_name().context("an exported file has a name")?;
        fs::rename(path, folder.join(name)).map_err(|source| write_error(folder, source))?;
    }
    Ok(())
}

fn write_error(path: &Path, source: std::io::Error) -> Error {
    Error::Write { file: path.display().to_string(), source }
}

fn summary(
    exported: &Exported,
    target: &Path,
    (checked, difference): (&str, f32),
    started: Instant,
) -> Report {
    let values = |values: &[st_export::ValueInfo]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    Report::from_iter([
        ("exported".to_owned(), json!(target.display().to_string())),
        ("inputs".to_owned(), json!(values(&exported.inputs))),
        ("outputs".to_owned(), json!(values(&exported.outputs))),
        ("operators".to_owned(), json!(operator_list(&exported.operators))),
        ("parameters".to_owned(), json!(exported.parameters)),
        ("bytes".to_owned(), json!(exported.bytes)),
        ("checked".to_owned(), json!(format!("{checked}, largest difference {difference:.1e}"))),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
    ])
}

/// `Add 35`, `MatMul 72` and so on.
fn operator_list(operators: &std::collections::BTreeMap<String, usize>) -> Vec<String> {
    operators.iter().map(|(name, count)| format!("{name} {count}")).collect()
}
