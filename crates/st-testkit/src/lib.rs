//! st-testkit: not written yet.
