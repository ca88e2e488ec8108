//! sentence-transformers: not written yet.
