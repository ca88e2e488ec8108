//! `DistilBERT`: BERT without token types, under names of its own.

use super::bert::Sizes;
use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Classifier, LanguageHead, PostNormNames, Reach, Sequence, Tied, absolute_positions, lookup,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "distilbert",
    model_types: &["distilbert"],
    classes: &["DistilBert"],
    examples: "msmarco-distilbert-*, distiluse-base-multilingual-cased-v2, opensearch-neural-sparse-*-distill",
    naming: Naming {
        roots: &["embeddings.", "transformer.layer."],
        prefixes: &["distilbert.", "0.", "auto_model.", "base_model.", "model.", "module."],
        unused: &[
            "embeddings.position_ids",
            "vocab_transform.",
            "vocab_layer_norm.",
            "vocab_projector.",
            "pre_classifier.",
            "classifier.",
            "qa_outputs.",
        ],
        ties: &[],
    },
};

const NAMES: PostNormNames = PostNormNames {
    projections: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
    output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    feed_forward: ["ffn.lin1", "ffn.lin2"],
    norm: "output_layer_norm",
};

/// The reference has it in its code, not in the configuration.
const EPSILON: f32 = 1e-12;

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct DistilBert {
    sizes: Sizes,
    vocabulary: usize,
    positions: usize,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    settings.looks_both_ways()?;
    let hidden = settings.size("dim", 768, WIDTHS)?;
    let sizes = Sizes {
        hidden,
        layers: settings.size("n_layers", 6, LAYERS)?,
        heads: settings.heads("n_heads", 12, hidden)?,
        intermediate: settings.size("hidden_dim", 4 * 768, WIDTHS)?,
        epsilon: EPSILON,
        activation: settings.activation("activation", "gelu")?,
    };
    settings.same_by_other_names(&[
        ("hidden_size", sizes.hidden),
        ("num_hidden_layers", sizes.layers),
        ("num_attention_heads", sizes.heads),
    ])?;
    Ok(Box::new(DistilBert {
        sizes,
        vocabulary: settings.size("vocab_size", 30522, ROWS)?,
        positions: settings.size("max_position_embeddings", 512, ROWS)?,
    }))
}

impl Transformer for DistilBert {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.sizes.hidden;
        let embedded = builder.within("embeddings", |builder| {
            let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let rows = [self.positions, width];
            let positions = absolute_positions(builder, "position_embeddings", sequence, rows);
            let sum = builder.add(words, positions);
            let normal = self.sizes.norm().apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        });
        let mask = Reach::FULL.mask(builder, sequence);
        let layer = self.sizes.layer(NAMES, sequence, mask);
        self.sizes.encode(builder, "transformer.layer", &layer, embedded)
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier::of_first("pre_classifier", Activation::Relu, "classifier"))
    }

    fn language_head(&self) -> Option<LanguageHead> {
        Some(LanguageHead {
            dense: ("vocab_transform", self.sizes.activation, true),
            norm: ("vocab_layer_norm", self.sizes.norm()),
            decoder: Tied { own: "vocab_projector.weight", shared: "embeddings.word_embeddings.weight" },
            bias: Some(Tied { own: "vocab_projector.bias", shared: "vocab_projector.bias" }),
            width: self.sizes.hidden,
            vocabulary: self.vocabulary,
        })
    }
}
