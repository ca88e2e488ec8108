//! st-pooling: not written yet.
