//! Modules of models that are older than transformers: weights of words, convolutions, recurrence.

use super::Features;
use crate::blocks::signed;
use crate::head::{Cnn, Lstm, Numbers};
use crate::ir::{ElementType, GraphBuilder, Op, ValueId};

impl Features {
    /// Multiplies each token by the number that its word has, and lets means divide by the sum of them.
    pub(super) fn weigh_words(&mut self, builder: &mut GraphBuilder, name: &str, numbers: &Numbers) {
        builder.within(name, |builder| {
            let table = builder.float32_tensor(name, &[numbers.len(), 1], numbers.to_vec());
            let numbers = builder.gather(table, self.sequence.input_ids);
            let numbers = self.sequence.without_padding(builder, numbers);
            let total = builder.reduce_sum(numbers, 1, false);
            self.total = Some(total);
            self.tokens.0 = builder.mul(self.tokens.0, numbers);
        });
    }

    /// Convolutions of several widths over the tokens of a text, behind whose ends there are zeros: what the reference
    /// answers for a text alone. In a batch it lets windows see the padding.
    pub(super) fn convolve(&mut self, builder: &mut GraphBuilder, cnn: &Cnn) {
        let value = builder.within(&cnn.weights.name, |builder| {
            let tokens = self.sequence.without_padding(builder, self.tokens.0);
            let channels = builder.transpose(tokens, &[0, 2, 1]);
            let convolve = |(place, &window): (usize, &usize)| {
                builder.within(&format!("convs.{place}"), |builder| {
                    let weight = builder.weight("weight", &[cnn.filters, cnn.from, window]);
                    let bias = builder.weight("bias", &[cnn.filters]);
                    let op = Op::Conv { groups: 1, padding: signed(window / 2) };
                    builder.apply(op, &[channels, weight, bias])
                })
            };
            let parts: Vec<ValueId> = cnn.windows.iter().enumerate().map(convolve).collect();
            let joined = builder.concat(&parts, 1);
            builder.transpose(joined, &[0, 2, 1])
        });
        self.tokens = (value, cnn.width());
    }

    /// Layers of long short-term memory over the tokens of a text.
    pub(super) fn recur(&mut self, builder: &mut GraphBuilder, lstm: &Lstm) {
        let tokens = self.tokens.0;
        let value = builder.within(&lstm.weights.name, |builder| {
            let lengths = self.lengths(builder);
            let mut width = lstm.from;
            let mut value = builder.transpose(tokens, &[1, 0, 2]);
            for layer in 0..lstm.layers {
                value = recur(builder, lstm, value, (layer, width), lengths);
                width = lstm.width();
            }
            builder.transpose(value, &[1, 0, 2])
        });
        self.tokens = (value, lstm.width());
    }

    /// How many tokens each text has, 32-bit `[batch]`; one for none, as the reference and the operator want it.
    fn lengths(&self, builder: &mut GraphBuilder) -> ValueId {
        let weights = self.sequence.weights(builder);
        let count = builder.reduce_sum(weights, 1, false);
        let one = builder.float32(1.0);
        let count = builder.max(count, one);
        builder.cast(count, ElementType::Int32)
    }
}

/// One layer, `[sequence, batch, width]` to `[sequence, batch, directions · hidden]`.
fn recur(
    builder: &mut GraphBuilder,
    lstm: &Lstm,
    value: ValueId,
    (layer, width): (usize, usize),
    lengths: ValueId,
) -> ValueId {
    let hidden = lstm.hidden;
    let endings: &[&str] = if lstm.bidirectional { &["", "_reverse"] } else { &[""] };
    let rows = 4 * hidden;
    let mut weights = [Vec::new(), Vec::new(), Vec::new()];
    for ending in endings {
        let mut gates = |kind: &str, dims: &[usize]| {
            let stored = builder.weight(&format!("encoder.{kind}_l{layer}{ending}"), dims);
            reordered(builder, stored, signed(hidden))
        };
        let of_input = gates("weight_ih", &[rows, width]);
        let of_state = gates("weight_hh", &[rows, hidden]);
        let biases = [gates("bias_ih", &[rows]), gates("bias_hh", &[rows])];
        let biases = builder.concat(&biases, 0);
        for (list, part) in weights.iter_mut().zip([of_input, of_state, biases]) {
            list.push(builder.unsqueeze(part, &[0]));
        }
    }
    let [of_input, of_state, biases] = weights.map(|parts| builder.concat(&parts, 0));
    let op = Op::Lstm { hidden: signed(hidden), bidirectional: lstm.bidirectional };
    let states = builder.apply(op, &[value, of_input, of_state, biases, lengths]);
    let states = builder.transpose(states, &[0, 2, 1, 3]);
    let shape = builder.int64s(&[0, 0, signed(lstm.width())]);
    builder.reshape(states, shape)
}

/// The rows of four gates in the operator's order, which torch stores as input, forget, cell, output.
fn reordered(builder: &mut GraphBuilder, stored: ValueId, hidden: i64) -> ValueId {
    let gates = [0, 3, 1, 2].map(|gate| builder.slice(stored, 0, gate * hidden, (gate + 1) * hidden));
    builder.concat(&gates, 0)
}
