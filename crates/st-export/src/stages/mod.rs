//! Modules of sentence-transformers on top of a transformer, inside the graph.
//!
//! They pass on what the reference calls features: token embeddings, and from pooling on a sentence embedding.

mod pooling;
mod words;

use crate::blocks::{Activation, LayerNorm, Sequence, linear, project};
use crate::head::{Dense, DenseActivation, Feature, ModuleWeights, Stage};
use crate::ir::{GraphBuilder, Op, ValueId};

/// Smallest length that a vector is divided by.
const SMALLEST_LENGTH: f32 = 1e-12;
/// What a LayerNorm module adds to the variance.
const LAYER_NORM_EPSILON: f32 = 1e-5;

/// What modules read and change.
pub(crate) struct Features {
    /// The batch.
    pub(crate) sequence: Sequence,
    /// Where pooling leaves tokens out, truth values `[batch, sequence]`.
    pub(crate) unpooled: ValueId,
    /// Token embeddings after each layer, `[tokens, hidden]`; the first is the sum of the embedding tables.
    pub(crate) layers: Vec<ValueId>,
    /// Token embeddings `[batch, sequence, width]` and their width.
    pub(crate) tokens: (ValueId, usize),
    /// What means divide by instead of the number of tokens, `[batch, 1]`, once tokens have weights.
    pub(crate) total: Option<ValueId>,
    /// Sentence embeddings `[batch, width]` and their width, once there are some.
    pub(crate) sentence: Option<(ValueId, usize)>,
}

impl Features {
    /// Applies one module.
    pub(crate) fn apply(&mut self, builder: &mut GraphBuilder, stage: &Stage) {
        match stage {
            Stage::Pooling(modes) => {
                let width = self.tokens.1;
                let pooled = pooling::sentence_embedding(builder, modes, self);
                self.sentence = Some((pooled, width * modes.len()));
            }
            Stage::Normalize(feature) => self.change(*feature, |value, width| {
                (builder.within("normalize", |builder| normalize(builder, value)), width)
            }),
            Stage::Dense(dense) => {
                self.change(dense.feature, |value, _| (apply_dense(builder, dense, value), dense.to));
            }
            Stage::LayerNorm { weights } => self.change(Feature::Sentence, |value, width| {
                let norm = LayerNorm::new(width, LAYER_NORM_EPSILON);
                (builder.within(&weights.name, |builder| norm.apply(builder, "norm", value)), width)
            }),
            Stage::LayerWeights { weights, first } => self.weigh_layers(builder, weights, *first),
            Stage::WordWeights { name, numbers } => self.weigh_words(builder, name, numbers),
            Stage::Cnn(cnn) => self.convolve(builder, cnn),
            Stage::Lstm(lstm) => self.recur(builder, lstm),
            Stage::Splade { sum, twice } => self.splade(builder, *sum, *twice),
            Stage::SparseAutoEncoder { weights, hidden, normalize } => {
                self.change(Feature::Sentence, |value, width| {
                    (sparse_codes(builder, weights, value, (width, *hidden), *normalize), *hidden)
                });
            }
        }
    }

    /// Changes one of the features; a sentence embedding that is not there stays away.
    fn change(&mut self, feature: Feature, change: impl FnOnce(ValueId, usize) -> (ValueId, usize)) {
        match feature {
            Feature::Tokens => self.tokens = change(self.tokens.0, self.tokens.1),
            Feature::Sentence => {
                self.sentence = self.sentence.map(|(value, width)| change(value, width));
            }
        }
    }

    fn weigh_layers(&mut self, builder: &mut GraphBuilder, weights: &ModuleWeights, first: usize) {
        let layers = self.layers.get(first..).unwrap_or_default().to_vec();
        let (_, width) = self.tokens;
        let sequence = self.sequence;
        self.tokens.0 = builder.within(&weights.name, |builder| {
            let numbers = builder.weight("layer_weights", &[layers.len()]);
            let total = builder.reduce_sum(numbers, 0, true);
            let mut sum: Option<ValueId> = None;
            for (place, layer) in (0..).zip(layers) {
                let number = builder.slice(numbers, 0, place, place + 1);
                let part = builder.mul(layer, number);
                sum = Some(match sum {
                    Some(sum) => builder.add(sum, part),
                    None => part,
                });
            }
            let sum = sum.unwrap_or(total);
            let mean = builder.div(sum, total);
            sequence.unflatten(builder, mean, width)
        });
    }

    fn splade(&mut self, builder: &mut GraphBuilder, sum: bool, twice: bool) {
        let (tokens, width) = self.tokens;
        let sequence = self.sequence;
        let pooled = builder.within("splade", |builder| {
            let one = builder.float32(1.0);
            let weights = sequence.weights(builder);
            let weights = builder.unsqueeze(weights, &[2]);
            // None of the functions changes the order, and zero stays zero: so the largest first, and the
            // functions over one vector for each text only.
            let log1p = |builder: &mut GraphBuilder, value| {
                let value = builder.add(value, one);
                builder.apply(Op::Log, &[value])
            };
            let saturate = |builder: &mut GraphBuilder, value| {
                let value = builder.apply(Op::Relu, &[value]);
                let value = log1p(builder, value);
                if twice { log1p(builder, value) } else { value }
            };
            let masked = builder.mul(tokens, weights);
            if sum {
                let values = saturate(builder, masked);
                builder.reduce_sum(values, 1, false)
            } else {
                let largest = builder.reduce_max(masked, 1, false);
                saturate(builder, largest)
            }
        });
        self.sentence = Some((pooled, width));
    }
}

fn apply_dense(builder: &mut GraphBuilder, dense: &Dense, value: ValueId) -> ValueId {
    let widths = (dense.from, dense.to);
    builder.within(&dense.weights.name, |builder| {
        // Tokens have three axes, which a linear layer does not take.
        let shape = match dense.feature {
            Feature::Tokens => Some(builder.shape(value, 0, Some(2))),
            Feature::Sentence => None,
        };
        let value = if shape.is_some() { Sequence::flatten(builder, value, dense.from) } else { value };
        let layer = if dense.bias { linear } else { project };
        let mut result = layer(builder, "linear", value, widths);
        if let Some(activation) = activation(dense.activation) {
            result = activation.apply(builder, result);
        }
        if dense.residual {
            let kept =
                if dense.from == dense.to { value } else { project(builder, "residual", value, widths) };
            result = builder.add(result, kept);
        }
        match shape {
            Some(shape) => {
                let width = builder.int64s(&[crate::blocks::signed(dense.to)]);
                let shape = builder.concat(&[shape, width], 0);
                builder.reshape(result, shape)
            }
            None => result,
        }
    })
}

fn activation(activation: DenseActivation) -> Option<Activation> {
    match activation {
        DenseActivation::Identity => None,
        DenseActivation::Tanh => Some(Activation::Tanh),
        DenseActivation::Relu => Some(Activation::Relu),
        DenseActivation::Gelu => Some(Activation::Gelu),
        DenseActivation::Sigmoid => Some(Activation::Sigmoid),
        DenseActivation::Silu => Some(Activation::Silu),
    }
}

fn sparse_codes(
    builder: &mut GraphBuilder,
    weights: &ModuleWeights,
    value: ValueId,
    (width, hidden): (usize, usize),
    standardize: bool,
) -> ValueId {
    builder.within(&weights.name, |builder| {
        let value = if standardize { standardized(builder, value, width) } else { value };
        let shift = builder.weight("pre_bias", &[width]);
        let value = builder.sub(value, shift);
        let value = project(builder, "encoder", value, (width, hidden));
        let bias = builder.weight("latent_bias", &[hidden]);
        builder.add(value, bias)
    })
}

/// Mean zero, and deviation (with one degree of freedom less than dimensions) one.
fn standardized(builder: &mut GraphBuilder, value: ValueId, width: usize) -> ValueId {
    let mean = builder.reduce_mean(value, -1);
    let value = builder.sub(value, mean);
    let squares = builder.mul(value, value);
    let sum = builder.reduce_sum(squares, -1, true);
    #[expect(clippy::cast_precision_loss, reason = "far narrower than 2^24")]
    let freedom = builder.float32(width.saturating_sub(1) as f32);
    let variance = builder.div(sum, freedom);
    let deviation = builder.sqrt(variance);
    let smallest = builder.float32(1e-5);
    let deviation = builder.add(deviation, smallest);
    builder.div(value, deviation)
}

fn normalize(builder: &mut GraphBuilder, value: ValueId) -> ValueId {
    let length = builder.length(value);
    let smallest = builder.float32(SMALLEST_LENGTH);
    let length = builder.max(length, smallest);
    builder.div(value, length)
}
