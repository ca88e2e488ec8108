//! Settings of rotary positions, in all the places where configurations keep them.

use serde_json::Value;

use super::settings::Settings;
use crate::Error;
use crate::blocks::inverse_frequencies;

/// Rotary positions of one kind of layer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rope {
    /// Angle of one position for each pair of dimensions.
    pub(super) frequencies: Vec<f32>,
}

impl Rope {
    /// Reads the base from `rope_parameters` (transformers 5; below `layer_type` where it has a part for each, which only
    /// families with several kinds of layers have), else from `key`, and what scales the frequencies from `rope_parameters` or `rope_scaling`.
    pub(super) fn read(
        settings: Settings<'_>,
        layer_type: Option<&str>,
        key: &'static str,
        default: f32,
        width: usize,
    ) -> Result<Self, Error> {
        let parameters = match settings.get("rope_parameters") {
            Some(Value::Object(parts)) if parts.values().any(Value::is_object) => {
                let part = layer_type.and_then(|layer_type| parts.get(layer_type));
                let other =
                    || settings.wrong("rope_parameters", "other kinds of layers", "for those of the model");
                Some(part.ok_or_else(other)?)
            }
            whole => whole,
        };
        // Gemma scales its far layers only, and gives the key of the near ones a name of its own.
        let is_gemmas_near = key == "rope_local_base_freq";
        let scaling = settings.get("rope_scaling").filter(|_| parameters.is_none() && !is_gemmas_near);
        if parameters.is_some() && settings.get("rope_scaling").is_some() {
            return Err(settings.wrong(
                "rope_scaling",
                "something",
                "absent where there are `rope_parameters`",
            ));
        }
        settings.only("partial_rotary_factor", 1.0)?;
        if !width.is_multiple_of(2) {
            return Err(settings.wrong(
                "head_dim",
                width,
                "an even number, since dimensions rotate in pairs",
            ));
        }
        let number = |part: Option<&Value>, key: &str| part?.get(key)?.as_f64();
        #[expect(clippy::cast_possible_truncation, reason = "the reference computes in single precision")]
        let base = match number(parameters, "rope_theta") {
            Some(base) => base as f32,
            None => settings.number(key, default)?,
        };
        if base <= 0.0 {
            return Err(settings.wrong(key, base, "a number above zero"));
        }
        if number(parameters, "partial_rotary_factor").is_some_and(|part| (part - 1.0).abs() > f64::EPSILON) {
            return Err(settings.wrong("rope_parameters", "a partial_rotary_factor", "for whole heads"));
        }
        let scaled = parameters.or(scaling);
        let kind = ["rope_type", "type"].iter().find_map(|key| scaled?.get(*key)?.as_str());
        let factor = number(scaled, "factor");
        let frequencies = match (kind.unwrap_or("default"), factor) {
            ("default", _) => inverse_frequencies(base, width),
            ("linear", Some(factor)) => scale(inverse_frequencies(base, width), factor),
            ("ntk", Some(factor)) => ntk(base, factor, width),
            ("llama3", Some(factor)) => llama3(base, factor, width, scaled),
            (kind, _) => {
                let key = if parameters.is_some() { "rope_parameters" } else { "rope_scaling" };
                return Err(settings.wrong(key, kind, "of the type default, linear, llama3 or ntk"));
            }
        };
        Ok(Self { frequencies })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the reference computes in single precision")]
fn scale(frequencies: Vec<f32>, factor: f64) -> Vec<f32> {
    frequencies.into_iter().map(|frequency| frequency / factor as f32).collect()
}

/// GTE's: a base that is larger by the factor, and frequencies that are smaller by a root of it. It changes
/// short texts, too.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the reference computes in single precision"
)]
fn ntk(base: f32, factor: f64, width: usize) -> Vec<f32> {
    let factor = factor as f32;
    let smaller = factor.powf(2.0 / width as f32);
    inverse_frequencies(base * factor, width).into_iter().map(|frequency| frequency / smaller).collect()
}

/// Low frequencies divided by the factor, high ones as they are, those between mixed.
#[expect(clippy::cast_possible_truncation, reason = "the reference computes in single precision")]
fn llama3(base: f32, factor: f64, width: usize, scaled: Option<&Value>) -> Vec<f32> {
    let number = |key: &str, default: f64| {
        scaled.and_then(|part| part.get(key)).and_then(Value::as_f64).unwrap_or(default) as f32
    };
    let factor = factor as f32;
    let [low, high] = [number("low_freq_factor", 1.0), number("high_freq_factor", 4.0)];
    let context = number("original_max_position_embeddings", 8192.0);
    let mix = |frequency: f32| {
        let wavelength = std::f32::consts::TAU / frequency;
        if wavelength > context / low {
            return frequency / factor;
        }
        if wavelength < context / high {
            return frequency;
        }
        let smooth = (context / wavelength - low) / (high - low);
        (1.0 - smooth) * frequency / factor + smooth * frequency
    };
    inverse_frequencies(base, width).into_iter().map(mix).collect()
}
