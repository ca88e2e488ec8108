//! BERT: absolute positions, normalisation after each residual.
//!
//! Serves MiniLM, BGE, E5, GTE of the first version and `LaBSE`. Which tokenizer feeds it does not matter
//! here.

use std::ops::RangeInclusive;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::parse;
use crate::blocks::{
    Activation, FeedForward, LayerNorm, SelfAttention, Sequence, absolute_positions, linear, lookup,
    sentence_embedding,
};
use crate::checkpoint::Naming;
use crate::ir::{Dim, ElementType, Graph, GraphBuilder, ValueId};
use crate::{Error, Head};

/// How files spell the weights of BERT.
pub(super) const NAMING: Naming = Naming {
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
};

/// Layers and widths beyond any real model, which a broken configuration must not make us allocate for.
const LAYERS: RangeInclusive<usize> = 1..=1024;
const WIDTHS: RangeInclusive<usize> = 1..=1 << 20;
const ROWS: RangeInclusive<usize> = 1..=1 << 28;

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    hidden: usize,
    layers: usize,
    heads: usize,
    intermediate: usize,
    vocabulary: usize,
    positions: usize,
    token_types: usize,
    epsilon: f32,
    activation: Activation,
}

/// The keys of `config.json`; where one is absent, the reference's default holds.
#[derive(Deserialize)]
#[serde(default)]
struct Keys {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f32,
    hidden_act: String,
    position_embedding_type: Option<String>,
    is_decoder: bool,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            vocab_size: 30522,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            hidden_act: "gelu".to_owned(),
            position_embedding_type: None,
            is_decoder: false,
        }
    }
}

impl Config {
    /// Reads and checks the settings.
    pub(super) fn read(path: &Path, json: &Value) -> Result<Self, Error> {
        let keys: Keys = parse(path, json)?;
        let wrong = |key, value: String, expected: String| Error::Setting {
            path: path.to_path_buf(),
            key,
            value,
            expected,
        };
        let size = |key, value: usize, range: RangeInclusive<usize>| {
            let expected = || format!("between {} and {}", range.start(), range.end());
            if range.contains(&value) { Ok(value) } else { Err(wrong(key, value.to_string(), expected())) }
        };
        if let Some(kind) = keys.position_embedding_type.filter(|kind| kind != "absolute") {
            return Err(wrong("position_embedding_type", kind, "absolute".to_owned()));
        }
        if keys.is_decoder {
            return Err(wrong("is_decoder", "true".to_owned(), "false".to_owned()));
        }
        let hidden = size("hidden_size", keys.hidden_size, WIDTHS)?;
        let heads = size("num_attention_heads", keys.num_attention_heads, 1..=hidden)?;
        if !hidden.is_multiple_of(heads) {
            let expected = format!("a divisor of the hidden size {hidden}");
            return Err(wrong("num_attention_heads", heads.to_string(), expected));
        }
        let activation = Activation::from_name(&keys.hidden_act)
            .ok_or_else(|| wrong("hidden_act", keys.hidden_act, Activation::NAMES.to_owned()))?;
        Ok(Self {
            hidden,
            layers: size("num_hidden_layers", keys.num_hidden_layers, LAYERS)?,
            heads,
            intermediate: size("intermediate_size", keys.intermediate_size, WIDTHS)?,
            vocabulary: size("vocab_size", keys.vocab_size, ROWS)?,
            positions: size("max_position_embeddings", keys.max_position_embeddings, ROWS)?,
            token_types: size("type_vocab_size", keys.type_vocab_size, ROWS)?,
            epsilon: keys.layer_norm_eps,
            activation,
        })
    }

    /// The graph, with `head` on top.
    pub(super) fn graph(&self, head: Option<&Head>) -> Graph {
        let mut builder = GraphBuilder::new("bert");
        let sequence = Sequence::declare(&mut builder);
        let token_types = Sequence::declare_token_types(&mut builder);
        let embedded = builder.within("embeddings", |builder| self.embed(builder, &sequence, token_types));
        let hidden = builder.within("encoder", |builder| self.encode(builder, &sequence, embedded));
        let tokens = sequence.unflatten(&mut builder, hidden, self.hidden);
        let batch = Dim::Symbolic("batch".into());
        let dims = vec![batch.clone(), Dim::Symbolic("sequence".into()), Dim::Fixed(self.hidden as u64)];
        if let Some(head) = head {
            let sentence = sentence_embedding(&mut builder, head, &sequence, tokens);
            builder.output("token_embeddings", tokens, ElementType::Float32, dims);
            let dims = vec![batch, Dim::Fixed(head.dim(self.hidden) as u64)];
            builder.output("sentence_embedding", sentence, ElementType::Float32, dims);
        } else {
            builder.output("token_embeddings", tokens, ElementType::Float32, dims);
        }
        builder.finish()
    }

    fn norm(&self) -> LayerNorm {
        LayerNorm { width: self.hidden, epsilon: self.epsilon }
    }

    fn embed(&self, builder: &mut GraphBuilder, sequence: &Sequence, token_types: ValueId) -> ValueId {
        let width = self.hidden;
        let words = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
        let types = lookup(builder, "token_type_embeddings", token_types, [self.token_types, width]);
        let positions = absolute_positions(builder, "position_embeddings", sequence, [self.positions, width]);
        // The reference's order, so that rounding agrees too.
        let sum = builder.add(words, types);
        let sum = builder.add(sum, positions);
        let normal = self.norm().apply(builder, "LayerNorm", sum);
        Sequence::flatten(builder, normal, width)
    }

    fn encode(&self, builder: &mut GraphBuilder, sequence: &Sequence, embedded: ValueId) -> ValueId {
        let attention = SelfAttention {
            hidden: self.hidden,
            heads: self.heads,
            mask: SelfAttention::mask(builder, sequence),
            split_shape: SelfAttention::split_shape(builder, sequence, self.hidden, self.heads),
        };
        (0..self.layers).fold(embedded, |hidden, layer| {
            builder.within(&format!("layer.{layer}"), |builder| self.layer(builder, attention, hidden))
        })
    }

    /// `h = LN(x + O(attention(x)))`, then `LN(h + feed_forward(h))`.
    fn layer(&self, builder: &mut GraphBuilder, attention: SelfAttention, hidden: ValueId) -> ValueId {
        let attended = builder.within("attention", |builder| {
            let context =
                builder.within("self", |builder| attention.apply(builder, ["query", "key", "value"], hidden));
            builder.within("output", |builder| {
                let projected = linear(builder, "dense", context, (self.hidden, self.hidden));
                let sum = builder.add(projected, hidden);
                self.norm().apply(builder, "LayerNorm", sum)
            })
        });
        let feed_forward =
            FeedForward { hidden: self.hidden, intermediate: self.intermediate, activation: self.activation };
        let changed = feed_forward.apply(builder, ["intermediate.dense", "output.dense"], attended);
        builder.within("output", |builder| {
            let sum = builder.add(changed, attended);
            self.norm().apply(builder, "LayerNorm", sum)
        })
    }
}
