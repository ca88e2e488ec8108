//! `ModernBERT`: rotary positions, normalisation before each block, and layers that look only nearby between
//! such that look everywhere.

use super::rope::Rope;
use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer, layer_types};
use crate::Error;
use crate::blocks::{
    Activation, Attention, Classifier, LanguageHead, LayerNorm, Reach, Rotary, Sequence, Tied, TokenChoice,
    gated, linear, lookup, project, split, stack, with_last,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "modernbert",
    model_types: &["modernbert"],
    classes: &["ModernBert"],
    examples: "modernbert-embed-base, gte-modernbert-base, gte-reranker-modernbert-base",
    naming: Naming {
        roots: &["embeddings.", "layers.", "final_norm."],
        prefixes: &["model.", "0.", "auto_model.", "base_model.", "module."],
        unused: &["head.", "decoder.", "classifier."],
        ties: &[],
    },
};

/// The settings that the graph depends on.
#[expect(clippy::struct_excessive_bools, reason = "switches of a configuration, which are independent")]
#[derive(Clone, Debug, PartialEq)]
struct ModernBert {
    hidden: usize,
    heads: usize,
    intermediate: usize,
    vocabulary: usize,
    norm: LayerNorm,
    activation: Activation,
    attention_bias: bool,
    feed_forward_bias: bool,
    /// For each layer whether it looks only nearby.
    local: Vec<bool>,
    /// How far is nearby.
    distance: usize,
    everywhere: Rope,
    nearby: Rope,
    classifier_token: TokenChoice,
    head_activation: Activation,
    head_bias: bool,
    decoder_bias: bool,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    settings.looks_both_ways()?;
    let hidden = settings.size("hidden_size", 768, WIDTHS)?;
    let heads = settings.heads("num_attention_heads", 12, hidden)?;
    let layers = settings.size("num_hidden_layers", 22, LAYERS)?;
    let every = settings.size("global_attn_every_n_layers", 3, LAYERS)?;
    let width = hidden / heads;
    let token = settings.text("classifier_pooling", "cls")?;
    let distance = settings.size("local_attention", 128, 0..=*ROWS.end())? / 2;
    // The class knows it by this name, too, and a file that has both may contradict itself.
    settings.only("sliding_window", distance)?;
    Ok(Box::new(ModernBert {
        hidden,
        heads,
        intermediate: settings.size("intermediate_size", 1152, WIDTHS)?,
        vocabulary: settings.size("vocab_size", 50368, ROWS)?,
        norm: LayerNorm {
            width: hidden,
            epsilon: settings.number("norm_eps", 1e-5)?,
            bias: settings.flag("norm_bias", false)?,
        },
        activation: settings.activation("hidden_activation", "gelu")?,
        attention_bias: settings.flag("attention_bias", false)?,
        feed_forward_bias: settings.flag("mlp_bias", false)?,
        local: layer_types(settings, layers, |layer| layer % every != 0)?,
        distance,
        everywhere: Rope::read(settings, Some("full_attention"), "global_rope_theta", 160_000.0, width)?,
        nearby: Rope::read(settings, Some("sliding_attention"), "local_rope_theta", 10_000.0, width)?,
        classifier_token: match token {
            "cls" => TokenChoice::First,
            "mean" => TokenChoice::Mean,
            other => return Err(settings.wrong("classifier_pooling", other, "cls or mean")),
        },
        head_activation: settings.activation("classifier_activation", "gelu")?,
        head_bias: settings.flag("classifier_bias", false)?,
        decoder_bias: settings.flag("decoder_bias", true)?,
    }))
}

impl ModernBert {
    fn layer(
        &self,
        builder: &mut GraphBuilder,
        attention: Attention,
        first: bool,
        hidden: ValueId,
    ) -> ValueId {
        let width = self.hidden;
        // The first layer reads what the embeddings have normalised already.
        let normal = if first { hidden } else { self.norm.apply(builder, "attn_norm", hidden) };
        let attended = builder.within("attn", |builder| {
            let layer = if self.attention_bias { linear } else { project };
            let fused = layer(builder, "Wqkv", normal, (width, 3 * width));
            let parts = split(builder, fused, width);
            let context = attention.apply(builder, parts);
            layer(builder, "Wo", context, (width, width))
        });
        let hidden = builder.add(hidden, attended);
        let normal = self.norm.apply(builder, "mlp_norm", hidden);
        let changed = builder.within("mlp", |builder| {
            let layer = if self.feed_forward_bias { linear } else { project };
            let fused = layer(builder, "Wi", normal, (width, 2 * self.intermediate));
            let [gate, up] = split(builder, fused, self.intermediate);
            let value = gated(builder, self.activation, gate, up);
            layer(builder, "Wo", value, (self.intermediate, width))
        });
        builder.add(hidden, changed)
    }
}

impl Transformer for ModernBert {
    fn hidden(&self) -> usize {
        self.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.hidden;
        let embedded = builder.within("embeddings", |builder| {
            let words = lookup(builder, "tok_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let normal = self.norm.apply(builder, "norm", words);
            Sequence::flatten(builder, normal, width)
        });
        let mut attention = |name: &str, reach: Reach, rope: &Rope| {
            let mask = builder.within(name, |builder| reach.mask(builder, sequence));
            let rotary = Some(Rotary::new(builder, sequence, name, rope.frequencies.clone()));
            Attention { rotary, ..Attention::new(sequence, self.heads, width / self.heads, mask) }
        };
        let everywhere = attention("everywhere", Reach::FULL, &self.everywhere);
        let nearby = Reach { causal: false, distance: Some(self.distance) };
        let nearby = self.local.contains(&true).then(|| attention("nearby", nearby, &self.nearby));
        let layers = stack(builder, "layers", self.local.len(), embedded, |builder, place, hidden| {
            let attention = nearby.filter(|_| self.local[place]).unwrap_or(everywhere);
            self.layer(builder, attention, place == 0, hidden)
        });
        with_last(layers, |last| self.norm.apply(builder, "final_norm", last))
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier {
            token: self.classifier_token,
            dense: Some(("head.dense", self.head_activation, self.head_bias)),
            norm: Some(("head.norm", self.norm)),
            output: "classifier",
            output_bias: true,
        })
    }

    fn language_head(&self) -> Option<LanguageHead> {
        Some(LanguageHead {
            dense: ("head.dense", self.head_activation, self.head_bias),
            norm: ("head.norm", self.norm),
            decoder: Tied { own: "decoder.weight", shared: "embeddings.tok_embeddings.weight" },
            bias: self.decoder_bias.then_some(Tied { own: "decoder.bias", shared: "decoder.bias" }),
            width: self.hidden,
            vocabulary: self.vocabulary,
        })
    }
}
