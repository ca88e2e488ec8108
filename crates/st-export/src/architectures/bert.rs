//! BERT: absolute positions, normalisation after each residual.
//!
//! Serves MiniLM, BGE, E5, GTE of the first version and `LaBSE`. Which tokenizer feeds it does not matter
//! here. [`Sizes`] and [`Tables`] serve the relatives, too.

use super::settings::{LAYERS, ROWS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Attention, Classifier, FeedForward, LanguageHead, LayerNorm, PostNormLayer, PostNormNames,
    Reach, Sequence, Tied, absolute_positions, lookup, stack,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "bert",
    model_types: &["bert"],
    classes: &["Bert"],
    examples: "all-MiniLM-L6-v2, bge-*-en-v1.5, e5-*, gte-small, LaBSE",
    naming: Naming {
        roots: &["embeddings.", "encoder.layer."],
        prefixes: &["bert.", "0.", "auto_model.", "base_model.", "model.", "module.", "encoder."],
        unused: &[
            "embeddings.position_ids",
            "embeddings.token_type_ids",
            "pooler.",
            // Heads of the tasks that a checkpoint was trained on.
            "cls.",
            "lm_head.",
            "classifier.",
            "qa_outputs.",
        ],
        ties: &[],
    },
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct Bert {
    sizes: Sizes,
    tables: Tables,
}

/// The tables whose rows are summed for each token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tables {
    pub(super) width: usize,
    vocabulary: usize,
    positions: usize,
    token_types: usize,
}

impl Tables {
    /// Reads their sizes under the names that BERT gave them.
    pub(super) fn read(settings: Settings<'_>, width: usize, vocabulary: usize) -> Result<Self, Error> {
        Ok(Self {
            width,
            vocabulary: settings.size("vocab_size", vocabulary, ROWS)?,
            positions: settings.size("max_position_embeddings", 512, ROWS)?,
            token_types: settings.size("type_vocab_size", 2, ROWS)?,
        })
    }

    /// Words, types and positions, summed and normalised: `[tokens, width]`.
    pub(super) fn embed(self, builder: &mut GraphBuilder, sequence: &Sequence, epsilon: f32) -> ValueId {
        let width = self.width;
        let token_types = Sequence::declare_token_types(builder);
        builder.within("embeddings", |builder| {
            let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let types = lookup(builder, "token_type_embeddings", token_types, [self.token_types, width]);
            let rows = [self.positions, width];
            let positions = absolute_positions(builder, "position_embeddings", sequence, rows);
            // The reference's order, so that rounding agrees too.
            let sum = builder.add(words, types);
            let sum = builder.add(sum, positions);
            let normal = LayerNorm::new(width, epsilon).apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        })
    }
}

/// What all relatives of BERT have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sizes {
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) intermediate: usize,
    pub(super) epsilon: f32,
    pub(super) activation: Activation,
}

impl Sizes {
    /// Reads them under the names that BERT gave them.
    pub(super) fn read(settings: Settings<'_>, epsilon: f32) -> Result<Self, Error> {
        let hidden = settings.size("hidden_size", 768, WIDTHS)?;
        Ok(Self {
            hidden,
            layers: settings.size("num_hidden_layers", 12, LAYERS)?,
            heads: settings.heads("num_attention_heads", 12, hidden)?,
            intermediate: settings.size("intermediate_size", 3072, WIDTHS)?,
            epsilon: settings.number("layer_norm_eps", epsilon)?,
            activation: settings.activation("hidden_act", "gelu")?,
        })
    }

    pub(super) fn norm(&self) -> LayerNorm {
        LayerNorm::new(self.hidden, self.epsilon)
    }

    /// One layer of the usual kind.
    pub(super) fn layer(&self, names: PostNormNames, sequence: &Sequence, mask: ValueId) -> PostNormLayer {
        PostNormLayer {
            names,
            attention: Attention::new(sequence, self.heads, self.hidden / self.heads, mask),
            feed_forward: FeedForward {
                hidden: self.hidden,
                intermediate: self.intermediate,
                activation: self.activation,
            },
            norm: self.norm(),
        }
    }

    /// What was embedded, and what each of the layers `{scope}.0`, `{scope}.1`, … makes of it.
    pub(super) fn encode(
        &self,
        builder: &mut GraphBuilder,
        scope: &str,
        layer: &PostNormLayer,
        embedded: ValueId,
    ) -> Vec<ValueId> {
        stack(builder, scope, self.layers, embedded, |builder, _, hidden| layer.apply(builder, hidden))
    }
}

/// Refuses what makes another model of it.
pub(super) fn refuse_variants(settings: Settings<'_>) -> Result<(), Error> {
    settings.only("position_embedding_type", "absolute")?;
    settings.looks_both_ways()
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    refuse_variants(settings)?;
    let sizes = Sizes::read(settings, 1e-12)?;
    Ok(Box::new(Bert { sizes, tables: Tables::read(settings, sizes.hidden, 30522)? }))
}

impl Transformer for Bert {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let embedded = self.tables.embed(builder, sequence, self.sizes.epsilon);
        let mask = Reach::FULL.mask(builder, sequence);
        let layer = self.sizes.layer(PostNormNames::BERT, sequence, mask);
        self.sizes.encode(builder, "encoder.layer", &layer, embedded)
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier::of_first("pooler.dense", Activation::Tanh, "classifier"))
    }

    fn language_head(&self) -> Option<LanguageHead> {
        Some(LanguageHead {
            dense: ("cls.predictions.transform.dense", self.sizes.activation, true),
            norm: ("cls.predictions.transform.LayerNorm", self.sizes.norm()),
            decoder: Tied {
                own: "cls.predictions.decoder.weight",
                shared: "embeddings.word_embeddings.weight",
            },
            bias: Some(Tied { own: "cls.predictions.decoder.bias", shared: "cls.predictions.bias" }),
            width: self.sizes.hidden,
            vocabulary: self.tables.vocabulary,
        })
    }
}
