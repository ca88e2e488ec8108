//! Is an exported graph the model that it was made of? Both are asked, and so are the kernels.

use std::path::Path;

use anyhow::{Context, bail};
use ndarray::{Array2, Axis};
use st_core::{Activation, EncodeOptions, Encoder, Mode, PredictOptions, Prompt, Reranker, TokenView};
use st_model::{CrossEncoder, LoadOptions, ModelKind, ModelSpec, SentenceTransformer};

use crate::model::{encoding, typed};

/// Short, long, empty, and what tokenizers stumble over.
pub(crate) const PROBES: [&str; 6] = [
    "A man plays the guitar.",
    "",
    "naïve café 東京 🎸",
    "[MASK] <s> </s> \u{200b}\t\r\n",
    "x",
    "The exported graph has to answer what the model answers, for a text that is long enough to be padded against.",
];

/// What the two ways of computing a unit vector may differ by.
pub(crate) const TOLERANCE: f32 = 1e-5;

/// Runs the new graph against the model, and its pooling against pooling outside the graph.
pub(crate) fn check(
    folder: &Path,
    spec: &ModelSpec,
    graph: &Path,
    load_options: LoadOptions,
) -> anyhow::Result<f32> {
    if spec.kind == ModelKind::CrossEncoder {
        return check_pairs(folder, graph, load_options);
    }
    let options = EncodeOptions::default().with_prompt(Prompt::Text(String::new()));
    // How it computes is now a matter of the graph.
    let of_graph = load_options.clone().with_graph(graph).with_mode(Mode::Exact);
    let exported = SentenceTransformer::load(folder, &of_graph).context("cannot run the exported graph")?;
    let got = rows(&exported, &options)?;
    let reference = SentenceTransformer::load(folder, &load_options).context("cannot load the model")?;
    let expected = rows(&reference, &options)?;
    let difference = largest_difference(&got, &expected);
    if spec.default_route().module_beyond_pooling().is_some() {
        return Ok(difference);
    }
    let pooled = pooled(&exported, spec, &options)?;
    Ok(difference.max(largest_difference(&got, &pooled)))
}

/// What is asked of a model, for people.
pub(crate) fn extent(spec: &ModelSpec) -> String {
    match spec.kind {
        ModelKind::CrossEncoder => format!("{} pairs", PROBES.len() * PROBES.len()),
        _ => format!("{} texts", PROBES.len()),
    }
}

/// The same for scores of pairs: each probe with each.
fn check_pairs(folder: &Path, graph: &Path, load_options: LoadOptions) -> anyhow::Result<f32> {
    let of_graph = load_options.clone().with_graph(graph).with_mode(Mode::Exact);
    let exported = CrossEncoder::load(folder, &of_graph).context("cannot run the exported graph")?;
    let reference = CrossEncoder::load(folder, &load_options).context("cannot load the model")?;
    let options = PredictOptions::default().with_activation(Activation::Identity);
    let pairs: Vec<_> =
        PROBES.iter().flat_map(|first| PROBES.iter().map(move |second| (*first, *second))).collect();
    let scores = |model: &CrossEncoder| model.predict(&pairs, &options).map_err(typed);
    Ok(largest_difference(&scores(&exported)?.values, &scores(&reference)?.values))
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
        rows.append(Axis(0), st_pooling::pool(view, spec.default_route().pooling_modes(), &[]).view())?;
    }
    if spec.normalizes() {
        st_pooling::normalize_in_place(rows.view_mut());
    }
    Ok(rows)
}

/// NaN counts as infinitely far; but what is the same on both sides is no difference, whatever it is.
fn largest_difference(left: &Array2<f32>, right: &Array2<f32>) -> f32 {
    if left.dim() != right.dim() {
        return f32::INFINITY;
    }
    let same = |left: f32, right: f32| left.to_bits() == right.to_bits();
    let differences = left.iter().zip(right);
    let differences =
        differences.map(|(&left, &right)| if same(left, right) { 0.0 } else { (left - right).abs() });
    differences.map(|next| if next.is_nan() { f32::INFINITY } else { next }).fold(0.0, f32::max)
}
