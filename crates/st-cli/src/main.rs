//! st: not written yet.
fn main() {}
