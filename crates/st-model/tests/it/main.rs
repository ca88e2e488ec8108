//! The encoder against Python's answers, and everything that may be wrong with a folder.

#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod architectures;
mod company;
mod cross_encoder;
mod fast;
mod folder;
mod given_graph;
mod lines;
mod long_text;
mod minilm;
mod modules;
mod multi_vector;
mod provenance;
mod readme;
mod real;
mod runtime;
mod sparse;
mod sts;
mod support;
mod tiny;
mod tokenizers;
mod whole_graph;
mod words;
