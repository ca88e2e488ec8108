//! Jina BERT of the second generation: slopes over distances instead of positions, a gated feed-forward block.

use super::bert::Sizes;
use super::settings::{ROWS, Settings};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Attention, PostNormNames, Reach, Sequence, alibi, gated, linear, lookup, project, split, stack,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "jina_bert_v2",
    model_types: &["bert", "jina_bert"],
    classes: &["JinaBert"],
    examples: "jina-embeddings-v2-small-en, jina-embeddings-v2-base-en",
    naming: Naming {
        roots: &["embeddings.", "encoder.layer."],
        prefixes: &["bert.", "0.", "auto_model.", "base_model.", "model.", "module."],
        unused: &["embeddings.position_ids", "pooler.", "cls.", "classifier."],
        ties: &[],
    },
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct JinaBert {
    sizes: Sizes,
    vocabulary: usize,
    token_types: usize,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    settings.looks_both_ways()?;
    if settings.text("position_embedding_type", "absolute")? != "alibi" {
        let found = settings.text("position_embedding_type", "absolute")?;
        return Err(settings.wrong("position_embedding_type", found, "alibi"));
    }
    settings.only("feed_forward_type", "geglu")?;
    Ok(Box::new(JinaBert {
        sizes: Sizes::read(settings, 1e-12)?,
        vocabulary: settings.size("vocab_size", 30522, ROWS)?,
        token_types: settings.size("type_vocab_size", 2, ROWS)?,
    }))
}

impl JinaBert {
    fn layer(&self, builder: &mut GraphBuilder, attention: Attention, hidden: ValueId) -> ValueId {
        let Sizes { hidden: width, intermediate, activation, .. } = self.sizes;
        let names = PostNormNames::BERT;
        let parts = names.projections.map(|name| linear(builder, name, hidden, (width, width)));
        let context = builder.within("attention", |builder| attention.apply(builder, parts));
        let projected = linear(builder, names.output, context, (width, width));
        let sum = builder.add(projected, hidden);
        let attended = self.sizes.norm().apply(builder, names.attention_norm, sum);
        builder.within("mlp", |builder| {
            let fused = project(builder, "gated_layers", attended, (width, 2 * intermediate));
            let [gate, up] = split(builder, fused, intermediate);
            let value = gated(builder, activation, gate, up);
            let changed = linear(builder, "wo", value, (intermediate, width));
            let sum = builder.add(changed, attended);
            self.sizes.norm().apply(builder, "layernorm", sum)
        })
    }
}

impl Transformer for JinaBert {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let width = self.sizes.hidden;
        let token_types = Sequence::declare_token_types(builder);
        let embedded = builder.within("embeddings", |builder| {
            let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            let types = lookup(builder, "token_type_embeddings", token_types, [self.token_types, width]);
            let sum = builder.add(words, types);
            let normal = self.sizes.norm().apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        });
        let mask = Reach::FULL.mask(builder, sequence);
        let slopes = alibi(builder, sequence, self.sizes.heads);
        let mask = builder.add(mask, slopes);
        let attention = Attention::new(sequence, self.sizes.heads, width / self.sizes.heads, mask);
        stack(builder, "encoder.layer", self.sizes.layers, embedded, |builder, _, hidden| {
            self.layer(builder, attention, hidden)
        })
    }
}
