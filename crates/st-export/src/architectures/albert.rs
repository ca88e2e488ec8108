//! ALBERT: BERT whose layers share their weights, with embeddings of a width of their own.

use super::bert::{Sizes, Tables, refuse_variants};
use super::settings::{LAYERS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{Activation, Classifier, PostNormNames, Reach, Sequence, linear};
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
    tables: Tables,
    /// Sets of weights.
    groups: usize,
    /// Layers of each set.
    inner: usize,
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
        tables: Tables::read(settings, settings.size("embedding_size", 128, WIDTHS)?, 30000)?,
        groups: settings.size("num_hidden_groups", 1, 1..=layers)?,
        inner: settings.size("inner_group_num", 1, LAYERS)?,
    }))
}

impl Transformer for Albert {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let embedded = self.tables.embed(builder, sequence, self.sizes.epsilon);
        let mask = Reach::FULL.mask(builder, sequence);
        let layer = self.sizes.layer(NAMES, sequence, mask);
        builder.within("encoder", |builder| {
            let widths = (self.tables.width, self.sizes.hidden);
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
        Some(Classifier::of_first("pooler", Activation::Tanh, "classifier"))
    }
}
