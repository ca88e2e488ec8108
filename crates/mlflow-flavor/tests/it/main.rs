//! One binary for all integration tests.
//!
//! The goldens under `fixtures/golden/mlflow/` were made by Python's MLflow 3.17.2; `fixtures/generate/mlflow_flavor.py`
//! says how.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not marked as tests")]

mod certificate;
mod cross_encoder;
mod difference;
mod digests;
mod encoder;
mod folder;
mod golden;
mod graph;
mod load;
mod mlmodel;
mod other_kinds;
mod plan;
mod predict;
mod predict_kinds;
mod refusal;
mod save;
mod scoring;
