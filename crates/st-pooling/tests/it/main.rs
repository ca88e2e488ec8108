//! Every kernel against what Python's sentence-transformers answered, as written by
//! `fixtures/generate/pooling.py`.

mod golden;
mod pooling;
mod quantization;
mod similarity;
