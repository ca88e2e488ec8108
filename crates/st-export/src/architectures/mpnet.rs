//! MPNet: RoBERTa's positions, no token types, and a learnt number for each range of distances that all layers
//! share.

use super::bert::Sizes;
use super::settings::{ROWS, Settings};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Classifier, LanguageHead, PostNormNames, Reach, Sequence, Tied, bucketed_bias, lookup,
    positions_after_padding, t5_bucket,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "mpnet",
    model_types: &["mpnet"],
    classes: &["MPNet"],
    examples: "all-mpnet-base-v2, multi-qa-mpnet-base-*, paraphrase-mpnet-base-v2",
    naming: Naming {
        roots: &["embeddings.", "encoder.layer.", "encoder.relative_attention_bias."],
        prefixes: &["mpnet.", "0.", "auto_model.", "base_model.", "model.", "module.", "encoder."],
        unused: &["embeddings.position_ids", "pooler.", "lm_head.", "classifier.", "qa_outputs."],
        ties: &[],
    },
};

/// The reference does not ask the configuration for any of these.
const PADDING: i64 = 1;
const FARTHEST: usize = 128;

const NAMES: PostNormNames = PostNormNames {
    projections: ["attention.attn.q", "attention.attn.k", "attention.attn.v"],
    output: "attention.attn.o",
    attention_norm: "attention.LayerNorm",
    ..PostNormNames::BERT
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct MpNet {
    sizes: Sizes,
    vocabulary: usize,
    positions: usize,
    buckets: usize,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    Ok(Box::new(MpNet {
        sizes: Sizes::read(settings, 1e-12)?,
        vocabulary: settings.size("vocab_size", 30527, ROWS)?,
        positions: settings.size("max_position_embeddings", 512, ROWS)?,
        buckets: settings.size("relative_attention_num_buckets", 32, 32..=ROWS.end() / 2)?,
    }))
}

impl Transformer for MpNet {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.sizes.hidden;
        let embedded = builder.within("embeddings", |builder| {
            let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let rows = [self.positions, width];
            let positions = positions_after_padding(builder, "position_embeddings", sequence, PADDING, rows);
            let sum = builder.add(words, positions);
            let normal = self.sizes.norm().apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        });
        let mask = Reach::FULL.mask(builder, sequence);
        let table = [self.buckets, self.sizes.heads];
        let bias = builder.within("encoder", |builder| {
            bucketed_bias(builder, "relative_attention_bias", sequence, table, FARTHEST, |offset| {
                t5_bucket(offset, 32, 128)
            })
        });
        let mask = builder.add(mask, bias);
        let layer = self.sizes.layer(NAMES, sequence, mask);
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
