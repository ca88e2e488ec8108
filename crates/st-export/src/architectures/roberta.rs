//! RoBERTa, XLM-R and CamemBERT: BERT with positions that are counted behind the padding id, and mostly
//! one token type that everything has.

use super::bert::{Sizes, refuse_variants};
use super::settings::{ROWS, Settings};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Classifier, LanguageHead, PostNormNames, Reach, Sequence, Tied, first_row, lookup,
    positions_after_padding, signed,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "roberta",
    model_types: &["roberta", "xlm-roberta", "camembert"],
    classes: &["Roberta", "XLMRoberta", "Camembert"],
    examples: "multilingual-e5-*, bge-m3, all-distilroberta-v1, paraphrase-multilingual-mpnet-base-v2",
    naming: Naming {
        roots: &["embeddings.", "encoder.layer."],
        prefixes: &[
            "roberta.",
            "camembert.",
            "0.",
            "auto_model.",
            "base_model.",
            "model.",
            "module.",
            "encoder.",
        ],
        unused: &[
            "embeddings.position_ids",
            "embeddings.token_type_ids",
            "pooler.",
            "lm_head.",
            "classifier.",
            "qa_outputs.",
        ],
        ties: &[],
    },
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct Roberta {
    sizes: Sizes,
    vocabulary: usize,
    positions: usize,
    token_types: usize,
    padding: i64,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    refuse_variants(settings)?;
    Ok(Box::new(Roberta {
        sizes: Sizes::read(settings, 1e-12)?,
        vocabulary: settings.size("vocab_size", 50265, ROWS)?,
        positions: settings.size("max_position_embeddings", 512, ROWS)?,
        token_types: settings.size("type_vocab_size", 2, ROWS)?,
        padding: signed(settings.size("pad_token_id", 1, 0..=*ROWS.end())?),
    }))
}

impl Transformer for Roberta {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.sizes.hidden;
        let types = (self.token_types > 1).then(|| Sequence::declare_token_types(builder));
        let embedded = builder.within("embeddings", |builder| {
            let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            // Most of the family have one type, which their tokenizers do not tell.
            let table = [self.token_types, width];
            let kind = match types {
                Some(types) => lookup(builder, "token_type_embeddings", types, table),
                None => first_row(builder, "token_type_embeddings", table),
            };
            let rows = [self.positions, width];
            let positions =
                positions_after_padding(builder, "position_embeddings", sequence, self.padding, rows);
            let sum = builder.add(words, kind);
            let sum = builder.add(sum, positions);
            let normal = self.sizes.norm().apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        });
        let mask = Reach::FULL.mask(builder, sequence);
        let layer = self.sizes.layer(PostNormNames::BERT, sequence, mask);
        self.sizes.encode(builder, "encoder.layer", &layer, embedded)
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier::of_first("classifier.dense", Activation::Tanh, "classifier.out_proj"))
    }

    fn language_head(&self) -> Option<LanguageHead> {
        Some(LanguageHead {
            dense: ("lm_head.dense", Activation::Gelu, true),
            norm: ("lm_head.layer_norm", self.sizes.norm()),
            decoder: Tied { own: "lm_head.decoder.weight", shared: "embeddings.word_embeddings.weight" },
            bias: Some(Tied { own: "lm_head.decoder.bias", shared: "lm_head.bias" }),
            width: self.sizes.hidden,
            vocabulary: self.vocabulary,
        })
    }
}
