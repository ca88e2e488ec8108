//! `st export`: the ONNX graph of a model, checked against the model before it is called done.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use ndarray::{Array2, Axis};
use serde_json::json;
use st_core::{EncodeOptions, Encoder, Prompt, TokenView};
use st_export::{ExportOptions, Exported, Head};
use st_model::{ModelSpec, SentenceTransformer};

use super::Outcome;
use crate::args::ExportArgs;
use crate::error::Error;
use crate::model::{self, encoding};
use crate::report::{self, Report};
use crate::settings::Settings;

/// Short, long, empty, and what tokenizers stumble over.
const PROBES: [&str; 6] = [
    "A man plays the guitar.",
    "",
    "naïve café 東京 🎸",
    "[MASK] <s> </s> \u{200b}\t\r\n",
    "x",
    "The exported graph has to answer what the model answers, for a text that is long enough to be padded against.",
];

/// What the two ways of computing a unit vector may differ by.
const TOLERANCE: f32 = 1e-5;

pub(crate) fn run(args: &ExportArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let located = model::locate(&args.model.model)?;
    let spec = ModelSpec::read(&located.folder)
        .with_context(|| format!("cannot read the model {}", args.model.model.display()))?;
    let target = args.output.join("model.onnx");
    if target.exists() && !args.force {
        return Err(Error::OutputExists { file: target.display().to_string() }.into());
    }
    fs::create_dir_all(&args.output).map_err(|source| write_error(&args.output, source))?;
    let staging = tempfile::Builder::new().prefix(".st-export-").tempdir_in(&args.output);
    let staging = staging.map_err(|source| write_error(&args.output, source))?;
    let unfinished = crate::interrupt::Unfinished::new(staging.path());

    let head = Head::new(spec.pooling.modes.clone()).with_normalize(spec.normalize);
    let exported =
        st_export::export(&spec.transformer.folder, Some(&head), staging.path(), &ExportOptions::default())
            .with_context(|| format!("cannot export {}", args.model.model.display()))?;
    let difference = check(&located.folder, &spec, &exported.model, args, settings)?;
    ensure!(
        difference <= TOLERANCE,
        "the exported graph differs by {difference:.1e} from the model; nothing was written"
    );
    publish(&exported, &args.output)?;
    drop(unfinished);
    report::print(&summary(&exported, &target, difference, started), settings)?;
    Ok(Outcome::Done)
}

/// Runs the new graph against the model, and its pooling against pooling outside the graph.
fn check(
    folder: &Path,
    spec: &ModelSpec,
    graph: &Path,
    args: &ExportArgs,
    settings: &Settings,
) -> anyhow::Result<f32> {
    let options = EncodeOptions::default().with_prompt(Prompt::Text(String::new()));
    let load_options = settings.load_options(&args.model).with_graph(graph);
    let exported =
        SentenceTransformer::load(folder, &load_options).context("cannot run the exported graph")?;
    let got = rows(&exported, &options)?;
    let reference = model::load_folder(folder, &args.model, settings)?.encoder;
    let expected = rows(&reference, &options)?;
    let pooled = pooled(&exported, spec, &options)?;
    Ok(largest_difference(&got, &expected).max(largest_difference(&got, &pooled)))
}

fn rows(encoder: &SentenceTransformer, options: &EncodeOptions) -> anyhow::Result<Array2<f32>> {
    let answer = encoder.encode(&PROBES, options).map_err(encoding)?;
    let Some(rows) = answer.vectors.into_float32() else { bail!("the encoder quantised unasked") };
    Ok(rows)
}

fn pooled(
    encoder: &SentenceTransformer,
    spec: &ModelSpec,
    options: &EncodeOptions,
) -> anyhow::Result<Array2<f32>> {
    let tokens = encoder.encode_tokens(&PROBES, options).map_err(encoding)?;
    let mut rows = Array2::zeros((0, spec.dim()));
    for text in &tokens.texts {
        let mask = Array2::ones((1, text.nrows()));
        let view = TokenView::new(text.view().insert_axis(Axis(0)), mask.view())?;
        rows.append(Axis(0), st_pooling::pool(view, &spec.pooling.modes, &[]).view())?;
    }
    if spec.normalize {
        st_pooling::normalize_in_place(rows.view_mut());
    }
    Ok(rows)
}

/// NaN counts as infinitely far.
fn largest_difference(left: &Array2<f32>, right: &Array2<f32>) -> f32 {
    if left.dim() != right.dim() {
        return f32::INFINITY;
    }
    let differences = left.iter().zip(right).map(|(left, right)| (left - right).abs());
    differences.map(|next| if next.is_nan() { f32::INFINITY } else { next }).fold(0.0, f32::max)
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

fn summary(exported: &Exported, target: &Path, difference: f32, started: Instant) -> Report {
    let values = |values: &[st_export::ValueInfo]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
    Report::from_iter([
        ("exported".to_owned(), json!(target.display().to_string())),
        ("inputs".to_owned(), json!(values(&exported.inputs))),
        ("outputs".to_owned(), json!(values(&exported.outputs))),
        ("operators".to_owned(), json!(operator_list(&exported.operators))),
        ("parameters".to_owned(), json!(exported.parameters)),
        ("bytes".to_owned(), json!(exported.bytes)),
        ("checked".to_owned(), json!(format!("{} texts, largest difference {difference:.1e}", PROBES.len()))),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
    ])
}

/// `Add 35`, `MatMul 72` and so on.
fn operator_list(operators: &std::collections::BTreeMap<String, usize>) -> Vec<String> {
    operators.iter().map(|(name, count)| format!("{name} {count}")).collect()
}
