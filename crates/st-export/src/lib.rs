//! st-export: not written yet.
