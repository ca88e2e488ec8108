//! Heads that checkpoints bring along: for labels, and for the vocabulary.

use super::{Activation, LayerNorm, Sequence, linear, project};
use crate::ir::{GraphBuilder, ValueId};

/// What a classifier reads of the tokens of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenChoice {
    /// The token in the first column.
    First,
    /// The mean of all that count.
    Mean,
    /// The last that counts and is not this token, the padding of the configuration, where there is one.
    Last(Option<i64>),
}

/// One number for each label: a token, perhaps a hidden layer, a linear layer.
#[derive(Clone, Debug)]
pub(crate) struct Classifier {
    /// What it reads.
    pub(crate) token: TokenChoice,
    /// Name, function and bias of the hidden layer.
    pub(crate) dense: Option<(&'static str, Activation, bool)>,
    /// Normalisation behind the hidden layer.
    pub(crate) norm: Option<(&'static str, LayerNorm)>,
    /// Name of the last layer.
    pub(crate) output: &'static str,
    /// Whether the last layer has a bias.
    pub(crate) output_bias: bool,
}

impl Classifier {
    /// Reads the first token, through the hidden layer `dense` and the last layer `output`, both with a bias.
    pub(crate) const fn of_first(dense: &'static str, activation: Activation, output: &'static str) -> Self {
        Self {
            token: TokenChoice::First,
            dense: Some((dense, activation, true)),
            norm: None,
            output,
            output_bias: true,
        }
    }

    /// `tokens` `[batch, sequence, hidden]` to `[batch, labels]`.
    pub(crate) fn apply(
        &self,
        builder: &mut GraphBuilder,
        sequence: &Sequence,
        tokens: ValueId,
        (hidden, labels): (usize, usize),
    ) -> ValueId {
        let mut value = builder.within("classified token", |builder| match self.token {
            TokenChoice::First => {
                let first = builder.slice(tokens, 1, 0, 1);
                builder.squeeze(first, &[1])
            }
            TokenChoice::Mean => mean(builder, sequence, tokens),
            TokenChoice::Last(padding) => last(builder, sequence, tokens, padding),
        });
        if let Some((name, activation, bias)) = self.dense {
            let layer = if bias { linear } else { project };
            value = layer(builder, name, value, (hidden, hidden));
            value = builder.within(name, |builder| activation.apply(builder, value));
        }
        if let Some((name, norm)) = self.norm {
            value = norm.apply(builder, name, value);
        }
        let layer = if self.output_bias { linear } else { project };
        layer(builder, self.output, value, (hidden, labels))
    }
}

fn mean(builder: &mut GraphBuilder, sequence: &Sequence, tokens: ValueId) -> ValueId {
    let weights = sequence.weights(builder);
    let count = builder.reduce_sum(weights, 1, true);
    let row = builder.unsqueeze(weights, &[1]);
    let sum = builder.matmul(row, tokens);
    let sum = builder.squeeze(sum, &[1]);
    builder.div(sum, count)
}

/// Padding may also be what closes a text; then what stands before it is read, as the reference does.
fn last(builder: &mut GraphBuilder, sequence: &Sequence, tokens: ValueId, padding: Option<i64>) -> ValueId {
    let mut skipped = sequence.masked;
    if let Some(padding) = padding {
        let padding = builder.int64(padding);
        let is_padding = builder.equal(sequence.input_ids, padding);
        skipped = builder.or(skipped, is_padding);
    }
    let [zero, one] = [0.0, 1.0].map(|number| builder.float32(number));
    let counts = builder.select(skipped, zero, one);
    let index = builder.arg_max(counts, true);
    builder.pick(tokens, index)
}

/// One number for each token of the vocabulary: a hidden layer, normalisation, and the table of word embeddings
/// once more.
#[derive(Clone, Debug)]
pub(crate) struct LanguageHead {
    /// Name, function and bias of the hidden layer.
    pub(crate) dense: (&'static str, Activation, bool),
    /// Normalisation behind it.
    pub(crate) norm: (&'static str, LayerNorm),
    /// The last layer's weight `[vocabulary, width]`.
    pub(crate) decoder: Tied,
    /// The last layer's bias.
    pub(crate) bias: Option<Tied>,
    /// Width between hidden layer and vocabulary.
    pub(crate) width: usize,
    /// Size of the vocabulary.
    pub(crate) vocabulary: usize,
}

/// A tensor that mostly is another one: files may keep it again, or something else under its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tied {
    /// Full name of its own, which counts where a file holds other numbers under it.
    pub(crate) own: &'static str,
    /// Full name of the tensor that it mostly is.
    pub(crate) shared: &'static str,
}

impl LanguageHead {
    /// `[tokens, hidden]` to `[tokens, vocabulary]`; `decoder` and `bias` are the full names of the last layer's
    /// weight and bias.
    pub(crate) fn apply(
        &self,
        builder: &mut GraphBuilder,
        value: ValueId,
        hidden: usize,
        (decoder, bias): (&str, Option<&str>),
    ) -> ValueId {
        let (name, activation, dense_bias) = self.dense;
        let layer = if dense_bias { linear } else { project };
        let value = layer(builder, name, value, (hidden, self.width));
        let value = builder.within(name, |builder| activation.apply(builder, value));
        let (name, norm) = self.norm;
        let value = norm.apply(builder, name, value);
        builder.within("decoder", |builder| {
            let weight = builder.weight_named(decoder, &[self.vocabulary, self.width]);
            match bias {
                Some(bias) => {
                    let bias = builder.weight_named(bias, &[self.vocabulary]);
                    builder.linear(value, weight, bias)
                }
                None => builder.project(value, weight),
            }
        })
    }
}
