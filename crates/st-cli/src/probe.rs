//! Is an exported graph the model that it was made of? Both are asked, and so are the kernels.

use std::path::Path;

use anyhow::{Context, bail};
use ndarray::{Array2, Axis};
use st_core::{EncodeOptions, Encoder, Mode, Prompt, TokenView};
use st_model::{LoadOptions, ModelSpec, SentenceTransformer};

use crate::model::encoding;

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

/// NaN counts as infinitely far.
fn largest_difference(left: &Array2<f32>, right: &Array2<f32>) -> f32 {
    if left.dim() != right.dim() {
        return f32::INFINITY;
    }
    let differences = left.iter().zip(right).map(|(left, right)| (left - right).abs());
    differences.map(|next| if next.is_nan() { f32::INFINITY } else { next }).fold(0.0, f32::max)
}
