//! `st similarity`: scores of pairs, or of each with each.

use ndarray::Array2;
use st_core::{EncodeOptions, Encoder};
use st_pooling::{similarity, similarity_pairwise};

use super::Outcome;
use crate::args::SimilarityArgs;
use crate::input::{Origin, Source};
use crate::long_texts::LongTexts;
use crate::model::{self, Loaded};
use crate::scores;
use crate::settings::{self, Settings};

pub(crate) fn run(args: &SimilarityArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let (left, right) = texts(args)?;
    let matrix = args.all_pairs || args.texts.len() > 2;
    if !matrix && left.len() != right.len() {
        anyhow::bail!(
            "{} texts on the left cannot be paired with {} on the right; `--all-pairs` compares each with each",
            left.len(),
            right.len()
        );
    }
    let loaded = model::load(&args.model, settings)?;
    let function = args.function.unwrap_or_else(|| loaded.encoder.similarity());
    let long_text = settings::long_text(args.long_text.long_text, args.long_text.overlap)?;
    let mut options = EncodeOptions::default();
    options.long_text = long_text;
    let left_rows = encode(&left, &options, &loaded)?;
    // A matrix over one list need not be encoded twice.
    let right_rows = if left == right { left_rows.clone() } else { encode(&right, &options, &loaded)? };
    let mode = model::mode(&loaded.encoder);
    if matrix {
        let scores = similarity(left_rows.view(), right_rows.view(), function)?;
        scores::print_matrix(&scores.view(), &left, &right, function, mode, settings)?;
    } else {
        let scores = similarity_pairwise(left_rows.view(), right_rows.view(), function)?;
        scores::print_pairs(scores.view(), &left, &right, function, mode, settings)?;
    }
    Ok(Outcome::Done)
}

fn texts(args: &SimilarityArgs) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    if let [left, right] = args.texts.as_slice() {
        return Ok((vec![left.clone()], vec![right.clone()]));
    }
    let (Some(left), Some(right)) = (&args.left, &args.right) else {
        return Ok((args.texts.clone(), args.texts.clone()));
    };
    let read = |path: &std::path::Path, column: Option<&String>| -> anyhow::Result<Vec<String>> {
        let origin = Origin::File(path.to_owned(), None);
        Ok(Source::open(&origin, &settings::columns(column, None))?.read_all()?.texts)
    };
    Ok((read(left, args.left_column.as_ref())?, read(right, args.right_column.as_ref())?))
}

fn encode(texts: &[String], options: &EncodeOptions, loaded: &Loaded) -> anyhow::Result<Array2<f32>> {
    let views: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encoded = loaded.encoder.encode(&views, options);
    let encoded = encoded.map_err(|error| model::encoding_after(0, error))?;
    let mut long_texts = LongTexts::default();
    long_texts.add(0, &encoded.overlong);
    long_texts.note(texts.len(), loaded.encoder.max_tokens());
    encoded.vectors.into_float32().ok_or_else(|| anyhow::anyhow!("the encoder quantised unasked"))
}
