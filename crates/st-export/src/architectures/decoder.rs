//! Decoders that embed: Qwen2, Qwen3, Llama and Mistral, and Gemma 3 as `EmbeddingGemma` has it.
//!
//! Rotary positions, shared keys and values, RMS normalisation before each block. Padding may
//! stand on either side: the mask hides it, and of positions only distances count.

use super::rope::Rope;
use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer, layer_types};
use crate::Error;
use crate::blocks::{
    Activation, Attention, Classifier, HeadNorms, Reach, RmsNorm, Rotary, Sequence, TokenChoice, gated,
    linear, lookup, project, signed, stack, with_last,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

const NAMING: Naming = Naming {
    roots: &["embed_tokens.", "layers.", "norm."],
    prefixes: &["model.", "language_model.", "0.", "auto_model.", "base_model.", "module.", "transformer."],
    unused: &["lm_head.", "score."],
    ties: &[],
};

pub(super) const QWEN2: Family = Family {
    name: "qwen2",
    model_types: &["qwen2"],
    classes: &["Qwen2"],
    examples: "gte-Qwen2-1.5B-instruct",
    naming: NAMING,
};
pub(super) const QWEN3: Family = Family {
    name: "qwen3",
    model_types: &["qwen3"],
    classes: &["Qwen3"],
    examples: "Qwen3-Embedding-0.6B",
    naming: NAMING,
};
pub(super) const LLAMA: Family = Family {
    name: "llama",
    model_types: &["llama"],
    classes: &["Llama"],
    examples: "llama-based embedders",
    naming: NAMING,
};
pub(super) const MISTRAL: Family = Family {
    name: "mistral",
    model_types: &["mistral"],
    classes: &["Mistral"],
    examples: "e5-mistral-7b-instruct",
    naming: NAMING,
};
pub(super) const GEMMA: Family = Family {
    name: "gemma3_text",
    model_types: &["gemma3_text"],
    classes: &["Gemma3Text", "Gemma3"],
    examples: "embeddinggemma-300m",
    naming: NAMING,
};

/// The settings that the graph depends on.
#[expect(clippy::struct_excessive_bools, reason = "switches of a configuration, which are independent")]
#[derive(Clone, Debug, PartialEq)]
struct Decoder {
    hidden: usize,
    heads: usize,
    shared_heads: usize,
    head_width: usize,
    intermediate: usize,
    vocabulary: usize,
    epsilon: f32,
    activation: Activation,
    /// Biases of queries, keys and values.
    input_bias: bool,
    output_bias: bool,
    feed_forward_bias: bool,
    head_norms: bool,
    /// What scores are divided by.
    divisor: f32,
    everywhere: (Reach, Rope),
    nearby: (Reach, Rope),
    /// For each layer whether it looks only nearby.
    local: Vec<bool>,
    /// Gemma's: norms around one, norms behind each block too, embeddings times the root of the width.
    gemma: bool,
    /// The token that a classifier passes over.
    padding: Option<i64>,
}

/// Reads what all of them have; `head_width` is the default where the configuration has none.
fn common(
    settings: Settings<'_>,
    head_width: Option<usize>,
    layer_type: Option<&str>,
) -> Result<Decoder, Error> {
    let hidden = settings.size("hidden_size", 4096, WIDTHS)?;
    let heads = settings.size("num_attention_heads", 32, 1..=*WIDTHS.end())?;
    let default = head_width.unwrap_or(hidden / heads).max(1);
    let head_width = settings.size("head_dim", default, WIDTHS)?;
    let layers = settings.size("num_hidden_layers", 32, LAYERS)?;
    // transformers 5 looks both ways where that key says so; code of a repository may have ignored it.
    let causal = settings.flag("is_causal", true)?;
    let rope = Rope::read(settings, layer_type, "rope_theta", 10_000.0, head_width)?;
    let reach = Reach { causal, distance: None };
    Ok(Decoder {
        hidden,
        heads,
        shared_heads: settings.heads("num_key_value_heads", heads, heads)?,
        head_width,
        intermediate: settings.size("intermediate_size", 11008, WIDTHS)?,
        vocabulary: settings.size("vocab_size", 32000, ROWS)?,
        epsilon: settings.number("rms_norm_eps", 1e-6)?,
        activation: settings.activation("hidden_act", "silu")?,
        input_bias: settings.flag("attention_bias", false)?,
        output_bias: settings.flag("attention_bias", false)?,
        feed_forward_bias: settings.flag("mlp_bias", false)?,
        head_norms: false,
        divisor: root(head_width),
        everywhere: (reach, rope.clone()),
        nearby: (reach, rope),
        local: vec![false; layers],
        gemma: false,
        padding: match settings.get("pad_token_id") {
            Some(_) => Some(signed(settings.size("pad_token_id", 0, 0..=*ROWS.end())?)),
            None => None,
        },
    })
}

/// A window of so many tokens, the token itself included, in the layers that `is_local` names.
fn windowed(
    settings: Settings<'_>,
    mut decoder: Decoder,
    is_local: impl Fn(usize) -> bool,
) -> Result<Decoder, Error> {
    let layers = decoder.local.len();
    if settings.is_null("sliding_window") {
        return Ok(decoder);
    }
    let default = serde_json::Value::from(4096);
    let window = settings.get("sliding_window").unwrap_or(&default);
    let window = window.as_u64().and_then(|window| usize::try_from(window).ok()).filter(|window| *window > 0);
    let window =
        window.ok_or_else(|| settings.wrong("sliding_window", "that", "a whole number above zero"))?;
    // Looking both ways, the reference counts the end of the window in.
    decoder.nearby.0.distance = Some(if decoder.nearby.0.causal { window - 1 } else { window });
    decoder.local = layer_types(settings, layers, is_local)?;
    Ok(decoder)
}

pub(super) fn read_qwen2(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    let decoder = Decoder {
        input_bias: true,
        output_bias: false,
        feed_forward_bias: false,
        ..common(settings, None, None)?
    };
    Ok(Box::new(qwen_window(settings, decoder)?))
}

pub(super) fn read_qwen3(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    let decoder =
        Decoder { head_norms: true, feed_forward_bias: false, ..common(settings, Some(128), None)? };
    Ok(Box::new(qwen_window(settings, decoder)?))
}

fn qwen_window(settings: Settings<'_>, decoder: Decoder) -> Result<Decoder, Error> {
    if !settings.flag("use_sliding_window", false)? {
        return Ok(decoder);
    }
    let first = settings.size("max_window_layers", 28, 0..=*LAYERS.end())?;
    windowed(settings, decoder, |layer| layer >= first)
}

pub(super) fn read_llama(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    Ok(Box::new(common(settings, None, None)?))
}

pub(super) fn read_mistral(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    let decoder = Decoder {
        input_bias: false,
        output_bias: false,
        feed_forward_bias: false,
        ..common(settings, None, None)?
    };
    Ok(Box::new(windowed(settings, decoder, |_| true)?))
}

pub(super) fn read_gemma(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    settings.only("attn_logit_softcapping", serde_json::Value::Null)?;
    settings.only("final_logit_softcapping", serde_json::Value::Null)?;
    let common = common(settings, Some(256), Some("full_attention"))?;
    settings.only("is_causal", true)?;
    let both_ways = settings.flag("use_bidirectional_attention", false)?;
    let every = settings.size("sliding_window_pattern", 6, LAYERS)?;
    let window = settings.size("sliding_window", 4096, 1..=*ROWS.end())?;
    let scalar = settings.number("query_pre_attn_scalar", 256.0)?;
    let width = common.head_width;
    let reach = Reach { causal: !both_ways, distance: None };
    // Towards both sides half of the window, without its end.
    let distance = if both_ways { window / 2 } else { window - 1 };
    Ok(Box::new(Decoder {
        activation: settings.activation("hidden_activation", "gelu_pytorch_tanh")?,
        feed_forward_bias: false,
        head_norms: true,
        divisor: scalar.sqrt(),
        everywhere: (reach, Rope::read(settings, Some("full_attention"), "rope_theta", 1e6, width)?),
        nearby: (
            Reach { distance: Some(distance), ..reach },
            Rope::read(settings, Some("sliding_attention"), "rope_local_base_freq", 1e4, width)?,
        ),
        local: layer_types(settings, common.local.len(), |layer| (layer + 1) % every != 0)?,
        gemma: true,
        ..common
    }))
}

#[expect(clippy::cast_precision_loss, reason = "widths are far below 2^24")]
fn root(width: usize) -> f32 {
    (width as f32).sqrt()
}

impl Decoder {
    fn norm(&self, builder: &mut GraphBuilder, name: &str, value: ValueId) -> ValueId {
        RmsNorm { width: self.hidden, epsilon: self.epsilon, around_one: self.gemma }
            .apply(builder, name, value)
    }

    fn attention(
        &self,
        builder: &mut GraphBuilder,
        sequence: &Sequence,
        name: &str,
        (reach, rope): &(Reach, Rope),
    ) -> Attention {
        let mask = builder.within(name, |builder| reach.mask(builder, sequence));
        let norm = RmsNorm { width: self.head_width, epsilon: self.epsilon, around_one: self.gemma };
        Attention {
            shared_heads: self.shared_heads,
            divisor: Some(self.divisor),
            rotary: Some(Rotary::new(builder, sequence, name, rope.frequencies.clone())),
            norms: self.head_norms.then_some(HeadNorms { norm, names: ["q_norm", "k_norm"] }),
            ..Attention::new(sequence, self.heads, self.head_width, mask)
        }
    }

    fn layer(&self, builder: &mut GraphBuilder, attention: Attention, hidden: ValueId) -> ValueId {
        let normal = self.norm(builder, "input_layernorm", hidden);
        let mut attended = builder.within("self_attn", |builder| {
            let input = if self.input_bias { linear } else { project };
            let [queries, shared] = [self.heads, self.shared_heads].map(|heads| heads * self.head_width);
            let parts = [("q_proj", queries), ("k_proj", shared), ("v_proj", shared)]
                .map(|(name, width)| input(builder, name, normal, (self.hidden, width)));
            let context = attention.apply(builder, parts);
            let output = if self.output_bias { linear } else { project };
            output(builder, "o_proj", context, (queries, self.hidden))
        });
        // Gemma normalises what a block answers, and calls by this name what others apply to the next block's input.
        let before = if self.gemma {
            attended = self.norm(builder, "post_attention_layernorm", attended);
            "pre_feedforward_layernorm"
        } else {
            "post_attention_layernorm"
        };
        let hidden = builder.add(hidden, attended);
        let normal = self.norm(builder, before, hidden);
        let mut changed = builder.within("mlp", |builder| self.feed_forward(builder, normal));
        if self.gemma {
            changed = self.norm(builder, "post_feedforward_layernorm", changed);
        }
        builder.add(hidden, changed)
    }

    fn feed_forward(&self, builder: &mut GraphBuilder, value: ValueId) -> ValueId {
        let layer = if self.feed_forward_bias { linear } else { project };
        let widths = (self.hidden, self.intermediate);
        let [gate, up] = ["gate_proj", "up_proj"].map(|name| layer(builder, name, value, widths));
        let value = gated(builder, self.activation, gate, up);
        layer(builder, "down_proj", value, (self.intermediate, self.hidden))
    }
}

impl Transformer for Decoder {
    fn hidden(&self) -> usize {
        self.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let words = lookup(builder, "embed_tokens", sequence.input_ids, [self.vocabulary, self.hidden]);
        let mut hidden = Sequence::flatten(builder, words, self.hidden);
        if self.gemma {
            let scale = builder.float32(root(self.hidden));
            hidden = builder.mul(hidden, scale);
        }
        let everywhere = self.attention(builder, sequence, "everywhere", &self.everywhere);
        let local = self.local.contains(&true);
        let nearby = local.then(|| self.attention(builder, sequence, "nearby", &self.nearby));
        let layers = stack(builder, "layers", self.local.len(), hidden, |builder, place, hidden| {
            let attention = nearby.filter(|_| self.local[place]).unwrap_or(everywhere);
            self.layer(builder, attention, hidden)
        });
        with_last(layers, |last| self.norm(builder, "norm", last))
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier {
            token: TokenChoice::Last(self.padding),
            dense: None,
            norm: None,
            output: "score",
            output_bias: false,
        })
    }
}
