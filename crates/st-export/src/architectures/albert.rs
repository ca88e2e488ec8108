//! ALBERT: BERT whose layers share their weights, with embeddings of a width of their own.

use super::bert::{Sizes, refuse_variants};
use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Classifier, LayerNorm, PostNormNames, Reach, Sequence, TokenChoice, absolute_positions,
    linear, lookup,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "albert",
    model_types: &["albert"],
    classes: &["Albert"],
    examples: "paraphrase-albert-small-v2",
    naming: Naming {
        roots: &["embeddings.", "encoder.embedding_hidden_mapping_in.", "encoder.albert_layer_groups."],
        prefixes: &["albert.", "0.", "auto_model.", "base_model.", "model.", "module."],
        unused: &[
            "embeddings.position_ids",
            "pooler.",
            "predictions.",
            "sop_classifier.",
            "classifier.",
            "qa_outputs.",
        ],
        ties: &[],
    },
};

const NAMES: PostNormNames = PostNormNames {
    projections: ["attention.query", "attention.key", "attention.value"],
    output: "attention.dense",
    attention_norm: "attention.LayerNorm",
    feed_forward: ["ffn", "ffn_output"],
    norm: "full_layer_layer_norm",
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct Albert {
    sizes: Sizes,
    embedding: usize,
    /// Sets of weights.
    groups: usize,
    /// Layers of each set.
    inner: usize,
    vocabulary: usize,
    positions: usize,
    token_types: usize,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    refuse_variants(settings)?;
    let hidden = settings.size("hidden_size", 4096, WIDTHS)?;
    let layers = settings.size("num_hidden_layers", 12, LAYERS)?;
    Ok(Box::new(Albert {
        sizes: Sizes {
            hidden,
            layers,
            heads: settings.heads("num_attention_heads", 64, hidden)?,
            intermediate: settings.size("intermediate_size", 16384, WIDTHS)?,
            epsilon: settings.number("layer_norm_eps", 1e-12)?,
            activation: settings.activation("hidden_act", "gelu_new")?,
        },
        embedding: settings.size("embedding_size", 128, WIDTHS)?,
        groups: settings.size("num_hidden_groups", 1, 1..=layers)?,
        inner: settings.size("inner_group_num", 1, LAYERS)?,
        vocabulary: settings.size("vocab_size", 30000, ROWS)?,
        positions: settings.size("max_position_embeddings", 512, ROWS)?,
        token_types: settings.size("type_vocab_size", 2, ROWS)?,
    }))
}

impl Transformer for Albert {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.embedding;
        let token_types = Sequence::declare_token_types(builder);
        let embedded = builder.within("embeddings", |builder| {
            let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let types = lookup(builder, "token_type_embeddings", token_types, [self.token_types, width]);
            let rows = [self.positions, width];
            let positions = absolute_positions(builder, "position_embeddings", sequence, rows);
            let sum = builder.add(words, types);
            let sum = builder.add(sum, positions);
            let normal = LayerNorm::new(width, self.sizes.epsilon).apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        });
        let mask = Reach::FULL.mask(builder, sequence);
        let layer = self.sizes.layer(NAMES, sequence, mask);
        builder.within("encoder", |builder| {
            let widths = (width, self.sizes.hidden);
            let mut hidden = linear(builder, "embedding_hidden_mapping_in", embedded, widths);
            let mut values = vec![hidden];
            for place in 0..self.sizes.layers {
                let group = place * self.groups / self.sizes.layers;
                for inner in 0..self.inner {
                    let scope = format!("albert_layer_groups.{group}.albert_layers.{inner}");
                    hidden = builder.within(&scope, |builder| layer.apply(builder, hidden));
                }
                values.push(hidden);
            }
            values
        })
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier {
            token: TokenChoice::First,
            dense: Some(("pooler", Activation::Tanh, true)),
            norm: None,
            output: "classifier",
            output_bias: true,
        })
    }
}
