//! What stands on top of the transformer inside the graph.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use st_core::PoolingMode;

/// What follows the transformer inside the graph, so that only what is asked for leaves the runtime.
///
/// ```
/// use st_core::PoolingMode;
/// use st_export::Head;
///
/// let head = Head::new([PoolingMode::Mean]).with_normalize(true);
/// assert_eq!(head.dim(384), 384);
/// assert_eq!(Head::new([PoolingMode::Cls, PoolingMode::Max]).dim(384), 768);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Head {
    /// Which of the transformer's own heads comes first.
    pub task: Task,
    /// Modules of sentence-transformers behind it, in order.
    pub stages: Vec<Stage>,
    /// Whether the graph takes one more input, `pooling_mask`, int64 `[batch, sequence]`: 1 for tokens that are
    /// pooled. It is for models that leave the tokens of a prompt out; without it the attention mask decides.
    pub pooling_mask: bool,
}

/// The head that the transformer itself brings along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Task {
    /// None: token embeddings.
    #[default]
    Features,
    /// One number for each label and text: `logits` `[batch, labels]`.
    Classification {
        /// How many.
        labels: usize,
    },
    /// One number for each token of the vocabulary at every token, which stages then read as token embeddings.
    Vocabulary,
}

/// Which of the values that modules pass on a stage changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// `token_embeddings` `[batch, sequence, width]`.
    Tokens,
    /// `sentence_embedding` `[batch, width]`.
    Sentence,
}

/// A module of sentence-transformers as part of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Token embeddings to a sentence embedding; modes are concatenated in this order, at least one.
    Pooling(Vec<PoolingMode>),
    /// Scales to Euclidean length one.
    Normalize(Feature),
    /// A linear layer with a function behind it.
    Dense(Dense),
    /// Normalisation to mean zero and variance one, then scale and bias.
    LayerNorm {
        /// Where its weights are.
        weights: ModuleWeights,
    },
    /// Token embeddings become the weighted mean of the embeddings after each layer from `first` on, 0 being the
    /// sum of the embedding tables.
    LayerWeights {
        /// Where its weights are.
        weights: ModuleWeights,
        /// The first layer that counts.
        first: usize,
    },
    /// Token embeddings times a number for each token of the vocabulary; means divide by the sum of these numbers.
    WordWeights {
        /// A name that no other module of the model has.
        name: String,
        /// For each token of the vocabulary.
        numbers: Numbers,
    },
    /// Convolutions over neighbouring token embeddings.
    Cnn(Cnn),
    /// Long short-term memory over token embeddings.
    Lstm(Lstm),
    /// Numbers for each token of the vocabulary to a sparse sentence embedding: not below zero, logarithmic, the
    /// largest or the sum over the tokens of a text.
    Splade {
        /// Sum instead of maximum.
        sum: bool,
        /// The logarithm twice, as opensearch's third generation has it.
        twice: bool,
    },
    /// A sentence embedding to the activations of a sparse autoencoder, before all but the largest are dropped.
    SparseAutoEncoder {
        /// Where its weights are.
        weights: ModuleWeights,
        /// Width of the activations.
        hidden: usize,
        /// Whether the embedding is standardised first.
        normalize: bool,
    },
}

/// The settings of a [`Stage::Dense`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Dense {
    /// Where its weights are.
    pub weights: ModuleWeights,
    /// What it changes.
    pub feature: Feature,
    /// Width of what goes in.
    pub from: usize,
    /// Width of what comes out.
    pub to: usize,
    /// Whether the linear layer has a bias.
    pub bias: bool,
    /// The function behind it.
    pub activation: DenseActivation,
    /// Whether what went in is added to what comes out, through a linear layer of its own where widths differ.
    pub residual: bool,
}

/// Numbers that a configuration holds, and no file of weights. Two are equal if all of their bits are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Numbers(Arc<[u32]>);

impl Numbers {
    /// Keeps them.
    pub fn new(numbers: &[f32]) -> Self {
        Self(numbers.iter().map(|number| number.to_bits()).collect())
    }

    /// As they were.
    pub fn to_vec(&self) -> Vec<f32> {
        self.0.iter().map(|bits| f32::from_bits(*bits)).collect()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Their count and a digest: graphs are found again by what their settings print.
impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hasher = blake3::Hasher::new();
        for bits in self.0.iter() {
            hasher.update(&bits.to_le_bytes());
        }
        write!(f, "{} numbers {}", self.0.len(), hasher.finalize())
    }
}

/// The settings of a [`Stage::Cnn`]: for each width of a window as many filters, all with a bias and steps of one token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cnn {
    /// Where its weights are.
    pub weights: ModuleWeights,
    /// Width of what goes in.
    pub from: usize,
    /// Filters for each window.
    pub filters: usize,
    /// Tokens in each window; odd, so that there are as many windows as tokens.
    pub windows: Vec<usize>,
}

/// The settings of a [`Stage::Lstm`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lstm {
    /// Where its weights are.
    pub weights: ModuleWeights,
    /// Width of what goes in.
    pub from: usize,
    /// Width of the state.
    pub hidden: usize,
    /// How many on top of each other.
    pub layers: usize,
    /// Whether each has a second one that reads from the end.
    pub bidirectional: bool,
}

/// Functions that a Dense module has behind its linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenseActivation {
    /// None.
    Identity,
    /// Hyperbolic tangent.
    Tanh,
    /// Zero for what is negative.
    Relu,
    /// Gaussian error linear unit, exact.
    Gelu,
    /// Logistic function.
    Sigmoid,
    /// `x · sigmoid(x)`.
    Silu,
}

/// The folder of a module, and the word under which its weights appear in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModuleWeights {
    /// The folder with its safetensors.
    pub folder: PathBuf,
    /// A name that no other module of the model has, such as `2_Dense`.
    pub name: String,
}

impl Dense {
    /// A linear layer with bias from `from` to `to` dimensions, and the reference's default function behind it.
    pub fn new(weights: ModuleWeights, from: usize, to: usize) -> Self {
        let activation = DenseActivation::Tanh;
        Self { weights, feature: Feature::Sentence, from, to, bias: true, activation, residual: false }
    }
}

impl Head {
    /// A head that pools and does not normalise.
    pub fn new(pooling: impl Into<Vec<PoolingMode>>) -> Self {
        Self::of_stages(Task::Features, [Stage::Pooling(pooling.into())])
    }

    /// A head of those stages on the transformer's own `task`.
    pub fn of_stages(task: Task, stages: impl Into<Vec<Stage>>) -> Self {
        Self { task, stages: stages.into(), pooling_mask: false }
    }

    /// Sets whether the graph takes a mask of its own for pooling.
    #[must_use]
    pub fn with_pooling_mask(mut self, pooling_mask: bool) -> Self {
        self.pooling_mask = pooling_mask;
        self
    }

    /// Sets whether the sentence embedding is normalised at the end.
    #[must_use]
    pub fn with_normalize(mut self, normalize: bool) -> Self {
        self.stages.retain(|stage| *stage != Stage::Normalize(Feature::Sentence));
        if normalize {
            self.stages.push(Stage::Normalize(Feature::Sentence));
        }
        self
    }

    /// Width of the sentence embedding over token embeddings of `hidden` dimensions; where there is none, of the
    /// token embeddings.
    pub fn dim(&self, hidden: usize) -> usize {
        let [mut tokens, mut sentence] = [hidden, 0];
        for stage in &self.stages {
            match stage {
                Stage::Pooling(modes) => sentence = modes.len() * tokens,
                Stage::Dense(dense) if dense.feature == Feature::Sentence => sentence = dense.to,
                Stage::Splade { .. } => sentence = tokens,
                Stage::SparseAutoEncoder { hidden, .. } => sentence = *hidden,
                _ => {}
            }
            tokens = stage.token_width().unwrap_or(tokens);
        }
        if sentence == 0 { tokens } else { sentence }
    }

    /// Folders of the modules that have weights of their own.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &ModuleWeights> {
        self.stages.iter().filter_map(Stage::weights)
    }

    /// All that the graph depends on but the weights, always spelled alike, without where files are.
    pub(crate) fn settings(&self) -> String {
        let mut head = self.clone();
        for weights in head.stages.iter_mut().filter_map(Stage::weights_mut) {
            weights.folder = PathBuf::new();
        }
        format!("{head:?}")
    }
}

impl Cnn {
    /// Width of what comes out.
    pub fn width(&self) -> usize {
        self.filters.saturating_mul(self.windows.len())
    }
}

impl Lstm {
    /// Width of what comes out.
    pub fn width(&self) -> usize {
        self.hidden.saturating_mul(1 + usize::from(self.bidirectional))
    }
}

impl Stage {
    /// Width of the token embeddings that it makes; none if it leaves their width as it is.
    pub fn token_width(&self) -> Option<usize> {
        match self {
            Self::Dense(dense) if dense.feature == Feature::Tokens => Some(dense.to),
            Self::Cnn(cnn) => Some(cnn.width()),
            Self::Lstm(lstm) => Some(lstm.width()),
            _ => None,
        }
    }

    fn weights(&self) -> Option<&ModuleWeights> {
        match self {
            Self::Dense(Dense { weights, .. })
            | Self::LayerNorm { weights }
            | Self::LayerWeights { weights, .. }
            | Self::Cnn(Cnn { weights, .. })
            | Self::Lstm(Lstm { weights, .. })
            | Self::SparseAutoEncoder { weights, .. } => Some(weights),
            Self::Pooling(_) | Self::Normalize(_) | Self::WordWeights { .. } | Self::Splade { .. } => None,
        }
    }

    fn weights_mut(&mut self) -> Option<&mut ModuleWeights> {
        match self {
            Self::Dense(Dense { weights, .. })
            | Self::LayerNorm { weights }
            | Self::LayerWeights { weights, .. }
            | Self::Cnn(Cnn { weights, .. })
            | Self::Lstm(Lstm { weights, .. })
            | Self::SparseAutoEncoder { weights, .. } => Some(weights),
            Self::Pooling(_) | Self::Normalize(_) | Self::WordWeights { .. } | Self::Splade { .. } => None,
        }
    }
}
