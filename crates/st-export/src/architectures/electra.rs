//! ELECTRA: BERT with embeddings of a width of their own.

use super::bert::{Sizes, Tables, refuse_variants};
use super::settings::{LAYERS, Settings, WIDTHS};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{Activation, Classifier, PostNormNames, Reach, Sequence, linear};
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
    tables: Tables,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    refuse_variants(settings)?;
    // The reference's own defaults are those of the small model.
    let hidden = settings.size("hidden_size", 256, WIDTHS)?;
    Ok(Box::new(Electra {
        sizes: Sizes {
            hidden,
            layers: settings.size("num_hidden_layers", 12, LAYERS)?,
            heads: settings.heads("num_attention_heads", 4, hidden)?,
            intermediate: settings.size("intermediate_size", 1024, WIDTHS)?,
            epsilon: settings.number("layer_norm_eps", 1e-12)?,
            activation: settings.activation("hidden_act", "gelu")?,
        },
        tables: Tables::read(settings, settings.size("embedding_size", 128, WIDTHS)?, 30522)?,
    }))
}

impl Transformer for Electra {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.tables.width;
        let embedded = self.tables.embed(builder, sequence, self.sizes.epsilon);
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
        // Not the hyperbolic tangent that RoBERTa has in the same place.
        Some(Classifier::of_first("classifier.dense", Activation::Gelu, "classifier.out_proj"))
    }
}
