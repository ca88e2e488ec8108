//! st-model: not written yet.
