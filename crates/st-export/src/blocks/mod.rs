//! The parts that transformers are made of; an architecture is a page that puts them together.
//!
//! Linear layers run over tokens flattened to `[batch · sequence, width]`: one product over all tokens, which
//! ONNX Runtime computes up to 15% faster than the same product over three axes. Weights stay `[out, in]`, as
//! PyTorch stores them: the runtime packs them when it loads, so nothing is gained by transposing, and the
//! file keeps the checkpoint's own bytes.

mod activation;
mod attention;
mod embedding;
mod feed_forward;
mod linear;
mod normalization;
mod pooling;
mod sequence;

pub(crate) use activation::Activation;
pub(crate) use attention::SelfAttention;
pub(crate) use embedding::{absolute_positions, lookup};
pub(crate) use feed_forward::FeedForward;
pub(crate) use linear::linear;
pub(crate) use normalization::LayerNorm;
pub(crate) use pooling::sentence_embedding;
pub(crate) use sequence::Sequence;
