//! ELECTRA: BERT with embeddings of a width of their own.

use super::bert::{Sizes, refuse_variants};
use super::settings::{ROWS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Classifier, LayerNorm, PostNormNames, Reach, Sequence, TokenChoice, absolute_positions,
    linear, lookup,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "electra",
    model_types: &["electra"],
    classes: &["Electra"],
    examples: "cross-encoder/ms-marco-electra-base",
    naming: Naming {
        roots: &["embeddings.", "embeddings_project.", "encoder.layer."],
        prefixes: &["electra.", "0.", "auto_model.", "base_model.", "model.", "module.", "encoder."],
        unused: &[
            "embeddings.position_ids",
            "discriminator_predictions.",
            "generator_predictions.",
            "generator_lm_head.",
            "classifier.",
            "qa_outputs.",
        ],
        ties: &[],
    },
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct Electra {
    sizes: Sizes,
    embedding: usize,
    vocabulary: usize,
    positions: usize,
    token_types: usize,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    refuse_variants(settings)?;
    let sizes = Sizes::read(settings, 1e-12)?;
    Ok(Box::new(Electra {
        // The reference's own defaults are those of the small model.
        sizes: Sizes {
            hidden: settings.size("hidden_size", 256, WIDTHS)?,
            heads: settings.heads("num_attention_heads", 4, settings.size("hidden_size", 256, WIDTHS)?)?,
            intermediate: settings.size("intermediate_size", 1024, WIDTHS)?,
            ..sizes
        },
        embedding: settings.size("embedding_size", 128, WIDTHS)?,
        vocabulary: settings.size("vocab_size", 30522, ROWS)?,
        positions: settings.size("max_position_embeddings", 512, ROWS)?,
        token_types: settings.size("type_vocab_size", 2, ROWS)?,
    }))
}

impl Transformer for Electra {
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
        let embedded = if width == self.sizes.hidden {
            embedded
        } else {
            linear(builder, "embeddings_project", embedded, (width, self.sizes.hidden))
        };
        let mask = Reach::FULL.mask(builder, sequence);
        let layer = self.sizes.layer(PostNormNames::BERT, sequence, mask);
        self.sizes.encode(builder, "encoder.layer", &layer, embedded)
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier {
            token: TokenChoice::First,
            // Not the hyperbolic tangent that RoBERTa has in the same place.
            dense: Some(("classifier.dense", Activation::Gelu, true)),
            norm: None,
            output: "classifier.out_proj",
            output_bias: true,
        })
    }
}
