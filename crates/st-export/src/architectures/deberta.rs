//! `DeBERTa` of the second and third generation: attention of content to content, of content to distances, and of
//! distances to content.

use super::bert::Sizes;
use super::settings::{ROWS, Settings};
use super::{Family, Transformer};
use crate::Error;
use crate::blocks::{
    Activation, Attention, Classifier, FeedForward, PostNormNames, Reach, Sequence, absolute_positions,
    bucket_indices, linear, log_bucket, lookup, signed, stack,
};
use crate::checkpoint::Naming;
use crate::ir::{GraphBuilder, Op, ValueId};

pub(super) const FAMILY: Family = Family {
    name: "deberta-v2",
    model_types: &["deberta-v2"],
    classes: &["DebertaV2"],
    examples: "cross-encoder/nli-deberta-v3-*, mxbai-rerank-*-v1",
    naming: Naming {
        roots: &[
            "embeddings.",
            "encoder.layer.",
            "encoder.rel_embeddings.",
            "encoder.LayerNorm.",
            "encoder.conv.",
        ],
        prefixes: &["deberta.", "0.", "auto_model.", "base_model.", "model.", "module."],
        unused: &[
            "embeddings.position_ids",
            "embeddings.position_embeddings.", // in files of models that do not add positions
            "pooler.",
            "classifier.",
            "cls.",
            "qa_outputs.",
            "lm_predictions.",
            "mask_predictions.",
        ],
        ties: &[],
    },
};

/// The largest distance for which a table of buckets is made.
const DISTANCES: usize = 1 << 16;

const NAMES: PostNormNames = PostNormNames {
    projections: ["attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj"],
    ..PostNormNames::BERT
};

/// The settings that the graph depends on.
#[derive(Clone, Debug, PartialEq)]
struct Deberta {
    sizes: Sizes,
    vocabulary: usize,
    /// Rows of the table of absolute positions; none where positions are not added.
    positions: Option<usize>,
    token_types: usize,
    relative: Option<Relative>,
    convolution: Option<Convolution>,
    head_activation: Activation,
}

/// What the largest models add to the first layer: a look at the neighbours.
#[derive(Clone, Debug, PartialEq)]
struct Convolution {
    /// Tokens in a window; odd.
    window: usize,
    groups: usize,
    activation: Activation,
}

/// How distances take part.
#[expect(clippy::struct_excessive_bools, reason = "switches of a configuration, which are independent")]
#[derive(Clone, Debug, PartialEq)]
struct Relative {
    /// Half of the rows of the table.
    span: usize,
    /// Whether distances beyond half of the span share rows.
    buckets: bool,
    farthest: usize,
    content_to_position: bool,
    position_to_content: bool,
    /// Whether positions are projected by the matrices of the content.
    shared: bool,
    norm: bool,
}

pub(super) fn read(settings: Settings<'_>) -> Result<Box<dyn Transformer>, Error> {
    let sizes = Sizes::read(settings, 1e-7)?;
    if let Some(width) = settings.get("embedding_size").filter(|width| **width != sizes.hidden) {
        return Err(settings.wrong("embedding_size", width, "the hidden size"));
    }
    let rows = settings.size("max_position_embeddings", 512, ROWS)?;
    Ok(Box::new(Deberta {
        sizes,
        vocabulary: settings.size("vocab_size", 128_100, ROWS)?,
        positions: settings.flag("position_biased_input", true)?.then_some(rows),
        token_types: settings.size("type_vocab_size", 0, 0..=*ROWS.end())?,
        relative: Relative::read(settings, rows)?,
        convolution: Convolution::read(settings, sizes.hidden)?,
        head_activation: settings.activation("pooler_hidden_act", "gelu")?,
    }))
}

impl Convolution {
    fn read(settings: Settings<'_>, hidden: usize) -> Result<Option<Self>, Error> {
        let window = settings.size("conv_kernel_size", 0, 0..=hidden)?;
        if window == 0 {
            return Ok(None);
        }
        if window.is_multiple_of(2) {
            return Err(settings.wrong(
                "conv_kernel_size",
                window,
                "odd, so that there is a window for each token",
            ));
        }
        let groups = settings.size("conv_groups", 1, 1..=hidden)?;
        if !hidden.is_multiple_of(groups) {
            return Err(settings.wrong("conv_groups", groups, format!("a divisor of the width {hidden}")));
        }
        Ok(Some(Self { window, groups, activation: settings.activation("conv_act", "tanh")? }))
    }
}

impl Relative {
    fn read(settings: Settings<'_>, positions: usize) -> Result<Option<Self>, Error> {
        if !settings.flag("relative_attention", false)? {
            return Ok(None);
        }
        // Both may be −1, which means: none.
        let positive = |key: &str| {
            let number = settings.get(key).and_then(serde_json::Value::as_u64).filter(|number| *number > 0);
            number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number <= DISTANCES)
        };
        let farthest = positive("max_relative_positions").unwrap_or(positions);
        let buckets = positive("position_buckets");
        if farthest > DISTANCES || buckets.is_some_and(|buckets| farthest <= 1 + buckets / 2) {
            let expected = "larger than half of position_buckets, and no more than 65536";
            return Err(settings.wrong("max_relative_positions", farthest, expected));
        }
        let kinds = match settings.get("pos_att_type") {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        Ok(Some(Self {
            span: buckets.unwrap_or(farthest),
            buckets: buckets.is_some(),
            farthest,
            content_to_position: kinds.contains("c2p"),
            position_to_content: kinds.contains("p2c"),
            shared: settings.flag("share_att_key", false)?,
            norm: settings.text("norm_rel_ebd", "none")?.to_lowercase().contains("layer_norm"),
        }))
    }

    /// Whether any distance takes part in the scores.
    fn terms(&self) -> u8 {
        u8::from(self.content_to_position) + u8::from(self.position_to_content)
    }

    /// The row of the table for how far a key lies behind its query.
    fn row(&self, offset: i64) -> i64 {
        let [span, farthest] = [self.span, self.farthest].map(signed);
        let bucket = if self.buckets { log_bucket(-offset, span, farthest) } else { -offset };
        (bucket + span).clamp(0, 2 * span - 1)
    }
}

/// What all layers share.
#[derive(Clone, Copy)]
struct Shared {
    attention: Attention,
    /// The table of distances, `[2 · span, hidden]`, and the row of every pair of tokens.
    distances: Option<(ValueId, ValueId)>,
}

impl Deberta {
    fn embed(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> ValueId {
        let width = self.sizes.hidden;
        let types = (self.token_types > 0).then(|| Sequence::declare_token_types(builder));
        builder.within("embeddings", |builder| {
            let mut sum = lookup(builder, "word_embeddings", sequence.input_ids, [self.vocabulary, width]);
            if let Some(rows) = self.positions {
                let positions = absolute_positions(builder, "position_embeddings", sequence, [rows, width]);
                sum = builder.add(sum, positions);
            }
            if let Some(types) = types {
                let types = lookup(builder, "token_type_embeddings", types, [self.token_types, width]);
                sum = builder.add(sum, types);
            }
            let normal = self.sizes.norm().apply(builder, "LayerNorm", sum);
            Sequence::flatten(builder, normal, width)
        })
    }

    fn distances(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Option<(ValueId, ValueId)> {
        let relative = self.relative.as_ref().filter(|relative| relative.terms() > 0)?;
        Some(builder.within("encoder", |builder| {
            let rows = [2 * relative.span, self.sizes.hidden];
            let mut table = builder.weight("rel_embeddings.weight", &rows);
            if relative.norm {
                table = self.sizes.norm().apply(builder, "LayerNorm", table);
            }
            let row = |offset| relative.row(offset);
            let places = bucket_indices(builder, "rel_embeddings", sequence, relative.farthest, row);
            let heads = builder.int64s(&[1, signed(self.sizes.heads), 1, 1]);
            let places = builder.unsqueeze(places, &[0, 1]);
            (table, builder.apply(Op::Expand, &[places, heads]))
        }))
    }

    fn layer(&self, builder: &mut GraphBuilder, shared: Shared, hidden: ValueId) -> ValueId {
        let Sizes { hidden: width, intermediate, activation, .. } = self.sizes;
        let [query, key, value] = NAMES.projections.map(|name| linear(builder, name, hidden, (width, width)));
        let context = builder.within("attention.self", |builder| {
            let attention = shared.attention;
            let query = self.heads_of(builder, attention, query, &[0, 2, 1, 3]);
            let key = self.heads_of(builder, attention, key, &[0, 2, 1, 3]);
            let value = self.heads_of(builder, attention, value, &[0, 2, 1, 3]);
            let across = builder.transpose(key, &[0, 1, 3, 2]);
            let mut scores = builder.matmul(query, across);
            if let (Some(distances), Some(relative)) = (shared.distances, &self.relative) {
                scores = self.add_distances(builder, relative, distances, scores, [query, key]);
            }
            if let Some(divisor) = attention.divisor {
                let divisor = builder.float32(divisor);
                scores = builder.div(scores, divisor);
            }
            let scores = builder.add(scores, attention.mask);
            attention.context(builder, scores, value)
        });
        let projected = linear(builder, NAMES.output, context, (width, width));
        let sum = builder.add(projected, hidden);
        let attended = self.sizes.norm().apply(builder, NAMES.attention_norm, sum);
        let feed_forward = FeedForward { hidden: width, intermediate, activation };
        let changed = feed_forward.apply(builder, NAMES.feed_forward, attended);
        let sum = builder.add(changed, attended);
        self.sizes.norm().apply(builder, NAMES.norm, sum)
    }

    /// What the first layer answered, with what windows over its input see.
    fn convolve(
        &self,
        builder: &mut GraphBuilder,
        sequence: &Sequence,
        convolution: &Convolution,
        [before, after]: [ValueId; 2],
    ) -> ValueId {
        let Convolution { window, groups, activation } = *convolution;
        let width = self.sizes.hidden;
        builder.within("encoder.conv", |builder| {
            let tokens = sequence.unflatten(builder, before, width);
            let tokens = sequence.without_padding(builder, tokens);
            let channels = builder.transpose(tokens, &[0, 2, 1]);
            let seen = builder.within("conv", |builder| {
                let weight = builder.weight("weight", &[width, width / groups, window]);
                let bias = builder.weight("bias", &[width]);
                let op = Op::Conv { groups: signed(groups), padding: signed(window / 2) };
                builder.apply(op, &[channels, weight, bias])
            });
            let seen = builder.transpose(seen, &[0, 2, 1]);
            let seen = Sequence::flatten(builder, seen, width);
            let seen = activation.apply(builder, seen);
            let sum = builder.add(after, seen);
            self.sizes.norm().apply(builder, "LayerNorm", sum)
        })
    }

    fn heads_of(
        &self,
        builder: &mut GraphBuilder,
        attention: Attention,
        value: ValueId,
        perm: &[i64],
    ) -> ValueId {
        let split = attention.split(builder, value, self.sizes.heads);
        builder.transpose(split, perm)
    }

    /// Adds to the scores what queries say of distances, and what keys say of them.
    fn add_distances(
        &self,
        builder: &mut GraphBuilder,
        relative: &Relative,
        (table, places): (ValueId, ValueId),
        mut scores: ValueId,
        [query, key]: [ValueId; 2],
    ) -> ValueId {
        let shape = builder.shape(scores, 0, None);
        let places = builder.apply(Op::Expand, &[places, shape]);
        let names =
            if relative.shared { ["key_proj", "query_proj"] } else { ["pos_key_proj", "pos_query_proj"] };
        if relative.content_to_position {
            let positions = self.project_distances(builder, names[0], table, relative.span);
            let all = builder.matmul(query, positions);
            let picked = builder.apply(Op::GatherElements { axis: 3 }, &[all, places]);
            scores = builder.add(scores, picked);
        }
        if relative.position_to_content {
            let positions = self.project_distances(builder, names[1], table, relative.span);
            let all = builder.matmul(key, positions);
            // By key and query here, so the distances are the other way round, and so is the result.
            let across = builder.transpose(places, &[0, 1, 3, 2]);
            let picked = builder.apply(Op::GatherElements { axis: 3 }, &[all, across]);
            let picked = builder.transpose(picked, &[0, 1, 3, 2]);
            scores = builder.add(scores, picked);
        }
        scores
    }

    /// The table of distances, projected: `[1, heads, width of a head, 2 · span]`.
    fn project_distances(
        &self,
        builder: &mut GraphBuilder,
        name: &str,
        table: ValueId,
        span: usize,
    ) -> ValueId {
        let Sizes { hidden, heads, .. } = self.sizes;
        let projected = linear(builder, name, table, (hidden, hidden));
        let shape = builder.int64s(&[1, 2 * span, heads, hidden / heads].map(|size: usize| signed(size)));
        let split = builder.reshape(projected, shape);
        builder.transpose(split, &[0, 2, 3, 1])
    }
}

impl Transformer for Deberta {
    fn hidden(&self) -> usize {
        self.sizes.hidden
    }

    fn layers(&self, builder: &mut GraphBuilder, sequence: &Sequence) -> Vec<ValueId> {
        let embedded = self.embed(builder, sequence);
        let width = self.sizes.hidden / self.sizes.heads;
        let mask = Reach::FULL.mask(builder, sequence);
        let mut attention = Attention::new(sequence, self.sizes.heads, width, mask);
        let terms = 1 + self.relative.as_ref().map_or(0, Relative::terms);
        attention.divisor = attention.divisor.map(|root| root * f32::from(terms).sqrt());
        let shared = Shared { attention, distances: self.distances(builder, sequence) };
        stack(builder, "encoder.layer", self.sizes.layers, embedded, |builder, place, hidden| {
            let changed = self.layer(builder, shared, hidden);
            match self.convolution.as_ref().filter(|_| place == 0) {
                Some(convolution) => builder
                    .outside(|builder| self.convolve(builder, sequence, convolution, [hidden, changed])),
                None => changed,
            }
        })
    }

    fn classifier(&self) -> Option<Classifier> {
        Some(Classifier::of_first("pooler.dense", self.head_activation, "classifier"))
    }
}
