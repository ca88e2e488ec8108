//! The encoder of T5: learnt numbers for distances instead of positions, scores that are not scaled.

use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Attention, Reach, RmsNorm, Sequence, bucketed_bias, gated, lookup_at, project, signed, stack,
    t5_bucket, with_last,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "t5",
    model_types: &["t5", "mt5"],
    classes: &["T5", "T5Encoder", "MT5", "MT5Encoder"],
    examples: "sentence-t5-*, gtr-t5-*, instructor-*",
    naming: Naming {
        roots: &["shared.", "encoder.block.", "encoder.final_layer_norm.", "encoder.embed_tokens."],
        prefixes: &["0.", "auto_model.", "base_model.", "model.", "module.", "transformer."],
        unused: &["decoder.", "lm_head."],
        ties: &[("encoder.embed_tokens.weight", "shared.weight")],
    },
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct T5 {
    hidden: usize,
    layers: usize,
    heads: usize,
    head_width: usize,
    intermediate: usize,
    vocabulary: usize,
    epsilon: f32,
    activation: Activation,
    gated: bool,
    buckets: usize,
    farthest: usize,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    settings.looks_both_ways()?;
    let default = if settings.text("model_type", "t5")? == "mt5" { "gated-gelu" } else { "relu" };
    let kind = settings.text("feed_forward_proj", default)?;
    let (gated, name) = match kind.strip_prefix("gated-") {
        // The reference reads its first gated checkpoints so, which were written before the tanh form had a name.
        Some("gelu") => (true, "gelu_new"),
        Some(name) => (true, name),
        None => (false, kind),
    };
    // What the reference makes of that key may be in the file once more, and counts then.
    settings.only("is_gated_act", gated)?;
    settings.only("dense_act_fn", name)?;
    let unknown = || {
        settings.wrong(
            "feed_forward_proj",
            kind,
            format!("{}, or one of them after `gated-`", Activation::NAMES),
        )
    };
    let buckets = settings.size("relative_attention_num_buckets", 32, 4..=1 << 16)?;
    let farthest = settings.size("relative_attention_max_distance", 128, 2..=1 << 16)?;
    if farthest <= buckets / 4 {
        // The reference's logarithm has no answer there.
        let expected = "above a quarter of `relative_attention_num_buckets`";
        return Err(settings.wrong("relative_attention_max_distance", farthest, expected));
    }
    let [hidden, head_width] = [settings.size("d_model", 512, WIDTHS)?, settings.size("d_kv", 64, WIDTHS)?];
    let [layers, heads] = [settings.size("num_layers", 6, LAYERS)?, settings.size("num_heads", 8, WIDTHS)?];
    settings.same_by_other_names(&[
        ("hidden_size", hidden),
        ("num_hidden_layers", layers),
        ("num_attention_heads", heads),
        ("head_dim", head_width),
    ])?;
    Ok(Box::new(T5 {
        hidden,
        layers,
        heads,
        head_width,
        intermediate: settings.size("d_ff", 2048, WIDTHS)?,
        vocabulary: settings.size("vocab_size", 32128, ROWS)?,
        epsilon: settings.number("layer_norm_epsilon", 1e-6)?,
        activation: Activation::from_name(name).ok_or_else(unknown)?,
        gated,
        buckets,
        farthest,
    }))
}

impl T5 {
    fn norm(&self, builder: &mut GraphBuilder, name: &str, value: ValueId) -> ValueId {
        RmsNorm { width: self.hidden, epsilon: self.epsilon, around_one: false }.apply(builder, name, value)
    }

    fn attend(&self, builder: &mut GraphBuilder, attention: Attention, hidden: ValueId) -> ValueId {
        let normal = self.norm(builder, "layer_norm", hidden);
        let inner = self.heads * self.head_width;
        let attended = builder.within("SelfAttention", |builder| {
            let parts = ["q", "k", "v"].map(|name| project(builder, name, normal, (self.hidden, inner)));
            let context = attention.apply(builder, parts);
            project(builder, "o", context, (inner, self.hidden))
        });
        builder.add(hidden, attended)
    }

    fn feed_forward(&self, builder: &mut GraphBuilder, hidden: ValueId) -> ValueId {
        let normal = self.norm(builder, "layer_norm", hidden);
        let changed = builder.within("DenseReluDense", |builder| {
            let widths = (self.hidden, self.intermediate);
            let wide = if self.gated {
                let [gate, up] = ["wi_0", "wi_1"].map(|name| project(builder, name, normal, widths));
                gated(builder, self.activation, gate, up)
            } else {
                let wide = project(builder, "wi", normal, widths);
                self.activation.apply(builder, wide)
            };
            project(builder, "wo", wide, (self.intermediate, self.hidden))
        });
        builder.add(hidden, changed)
    }
}

impl Transformer for T5 {
    fn hidden(&self) -> usize {
        self.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let rows = [self.vocabulary, self.hidden];
        let words = lookup_at(builder, "shared.weight", sequence.input_ids, rows);
        let embedded = Sequence::flatten(builder, words, self.hidden);
        let mask = Reach::FULL.mask(builder, sequence);
        // The first block's table serves all blocks.
        let bias = builder.within("encoder.block.0.layer.0.SelfAttention", |builder| {
            let table = [self.buckets, self.heads];
            let [buckets, farthest] = [self.buckets, self.farthest].map(signed);
            bucketed_bias(builder, "relative_attention_bias", sequence, table, self.farthest, |offset| {
                t5_bucket(offset, buckets, farthest)
            })
        });
        let mask = builder.add(mask, bias);
        let attention =
            Attention { divisor: None, ..Attention::new(sequence, self.heads, self.head_width, mask) };
        let layers = stack(builder, "encoder.block", self.layers, embedded, |builder, _, hidden| {
            let hidden = builder.within("layer.0", |builder| self.attend(builder, attention, hidden));
            builder.within("layer.1", |builder| self.feed_forward(builder, hidden))
        });
        with_last(layers, |last| {
            builder.within("encoder", |builder| self.norm(builder, "final_layer_norm", last))
        })
    }
}
