//! The closed sets of names that sentence-transformers uses in its configuration files.

use std::fmt;
use std::str::FromStr;

use crate::NameError;

/// Declares an enum whose variants are spelled in configuration files, with both directions of the spelling.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every variant, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The spelling that configuration files use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::ALL.iter().copied().find(|item| item.name() == text).ok_or_else(|| NameError {
                    what: $what,
                    name: text.to_owned(),
                    known: Self::ALL.iter().map(|item| item.name()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

names! {
    /// How token embeddings become one sentence embedding.
    ///
    /// The order of the variants is the order in which the older, boolean configuration concatenates.
    PoolingMode, "pooling mode" {
        /// The first token that is not masked.
        Cls = "cls",
        /// The largest value of each dimension.
        Max = "max",
        /// The mean of the tokens.
        Mean = "mean",
        /// The sum of the tokens over the square root of their number.
        MeanSqrtLen = "mean_sqrt_len_tokens",
        /// The mean weighted by position, counted from one at the first real token.
        WeightedMean = "weightedmean",
        /// The last token that is not masked.
        LastToken = "lasttoken",
    }
}

names! {
    /// The number format of the vectors that are handed out.
    Precision, "precision" {
        /// 32-bit floating point: what the model computed.
        Float32 = "float32",
        /// Eight bits for each dimension, −128 to 127, within calibrated ranges.
        Int8 = "int8",
        /// Eight bits for each dimension, 0 to 255, within calibrated ranges.
        Uint8 = "uint8",
        /// One bit for each dimension, eight to a byte, the byte minus 128.
        Binary = "binary",
        /// One bit for each dimension, eight to a byte, most significant bit first.
        Ubinary = "ubinary",
    }
}

names! {
    /// How two embeddings are compared; larger is always more similar.
    Similarity, "similarity function" {
        /// The cosine of the angle; a zero vector gives 0.
        Cosine = "cosine",
        /// The dot product.
        Dot = "dot",
        /// The negative Euclidean distance.
        Euclidean = "euclidean",
        /// The negative Manhattan distance.
        Manhattan = "manhattan",
    }
}

names! {
    /// In which numbers a model computes; never how its answer is written, which is [`Precision`].
    Mode, "mode" {
        /// 32-bit floats, as the reference: the same vectors within 1e-5.
        Exact = "exact",
        /// Linear layers in eight bits: about twice as fast, and nearly the same vectors.
        Fast = "fast",
    }
}

names! {
    /// What a cross-encoder does to the numbers of its head, row by row.
    Activation, "activation" {
        /// Nothing: the raw numbers, of any size.
        Identity = "identity",
        /// The logistic function, 0 to 1, each number by itself.
        Sigmoid = "sigmoid",
        /// Shares of all labels of a row, which sum to 1.
        Softmax = "softmax",
        /// The hyperbolic tangent, −1 to 1, each number by itself.
        Tanh = "tanh",
        /// Zero for what is negative.
        Relu = "relu",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that makes the enum does not mark a default")]
impl Default for Mode {
    fn default() -> Self {
        Self::Exact
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that makes the enum does not mark a default")]
impl Default for Precision {
    fn default() -> Self {
        Self::Float32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_list_what_is_known() {
        for mode in PoolingMode::ALL {
            assert_eq!(mode.name().parse::<PoolingMode>().as_ref(), Ok(mode));
        }
        for mode in Mode::ALL {
            assert_eq!(mode.name().parse::<Mode>().as_ref(), Ok(mode));
        }
        for activation in Activation::ALL {
            assert_eq!(activation.name().parse::<Activation>().as_ref(), Ok(activation));
        }
        let error = "angular".parse::<Similarity>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`angular` is not a known similarity function; known are cosine, dot, euclidean, manhattan"
        );
    }
}
