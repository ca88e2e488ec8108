//! GTE of the second generation (`NewModel`): rotary positions, a gated feed-forward block, normalisation after
//! each residual.

use super::rope::Rope;
use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Attention, Classifier, LayerNorm, Reach, Rotary, Sequence, first_row, gated, linear, lookup,
    project, split, stack,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "gte",
    model_types: &["new", "gte"],
    classes: &["New", "Gte"],
    examples: "gte-base-en-v1.5, gte-large-en-v1.5, gte-multilingual-base, snowflake-arctic-embed-m-v2.0",
    naming: Naming {
        roots: &["embeddings.", "encoder.layer."],
        prefixes: &["new.", "gte.", "0.", "auto_model.", "base_model.", "model.", "module."],
        unused: &["embeddings.position_ids", "pooler.", "lm_head.", "classifier."],
        ties: &[],
    },
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct Gte {
    hidden: usize,
    layers: usize,
    heads: usize,
    intermediate: usize,
    vocabulary: usize,
    /// Zero where there is no table.
    token_types: usize,
    norm: LayerNorm,
    activation: Activation,
    rope: Rope,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    settings.looks_both_ways()?;
    settings.only("position_embedding_type", "rope")?;
    settings.only("layer_norm_type", "layer_norm")?;
    settings.only("pack_qkv", true)?;
    settings.only("logn_attention_scale", false)?;
    let hidden = settings.size("hidden_size", 768, WIDTHS)?;
    let heads = settings.heads("num_attention_heads", 12, hidden)?;
    let width = hidden / heads;
    // The original code and transformers 5 differ in the base that an absent key means.
    let base = if settings.text("model_type", "new")? == "gte" { 160_000.0 } else { 10_000.0 };
    Ok(Box::new(Gte {
        hidden,
        layers: settings.size("num_hidden_layers", 12, LAYERS)?,
        heads,
        intermediate: settings.size("intermediate_size", 3072, WIDTHS)?,
        vocabulary: settings.size("vocab_size", 30528, ROWS)?,
        token_types: settings.size("type_vocab_size", 1, 0..=*ROWS.end())?,
        norm: LayerNorm::new(hidden, settings.number("layer_norm_eps", 1e-12)?),
        activation: settings.activation("hidden_act", "gelu")?,
        rope: Rope::read(settings, None, "rope_theta", base, width)?,
    }))
}

impl Gte {
    fn layer(&self, builder: &mut GraphBuilder, attention: Attention, hidden: ValueId) -> ValueId {
        let width = self.hidden;
        let attended = builder.within("attention", |builder| {
            let fused = linear(builder, "qkv_proj", hidden, (width, 3 * width));
            let parts = split(builder, fused, width);
            let context = attention.apply(builder, parts);
            linear(builder, "o_proj", context, (width, width))
        });
        let sum = builder.add(hidden, attended);
        let hidden = self.norm.apply(builder, "attn_ln", sum);
        let changed = builder.within("mlp", |builder| {
            let fused = project(builder, "up_gate_proj", hidden, (width, 2 * self.intermediate));
            // The second half is the gate.
            let [up, gate] = split(builder, fused, self.intermediate);
            let value = gated(builder, self.activation, gate, up);
            linear(builder, "down_proj", value, (self.intermediate, width))
        });
        let sum = builder.add(hidden, changed);
        self.norm.apply(builder, "mlp_ln", sum)
    }
}

impl Transformer for Gte {
    fn hidden(&self) -> usize {
        self.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.hidden;
        let types = (self.token_types > 1).then(|| Sequence::declare_token_types(builder));
        let embedded = builder.within("embeddings", |builder| {
            let mut sum = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let table = [self.token_types, width];
            if let Some(types) = types {
                let types = lookup(builder, "token_type_embeddings", types, table);
                sum = builder.add(sum, types);
            } else if self.token_types == 1 {
                let only = first_row(builder, "token_type_embeddings", table);
                sum = builder.add(sum, only);
            }
            let normal = self.norm.apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        });
        let mask = Reach::FULL.mask(builder, sequence);
        let rotary = Some(Rotary::new(builder, sequence, "rotary", self.rope.frequencies.clone()));
        let attention =
            Attention { rotary, ..Attention::new(sequence, self.heads, width / self.heads, mask) };
        stack(builder, "encoder.layer", self.layers, embedded, |builder, _, hidden| {
            self.layer(builder, attention, hidden)
        })
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier::of_first("pooler.dense", Activation::Tanh, "classifier"))
    }
}
