//! What a sentence-transformers folder says of itself.
