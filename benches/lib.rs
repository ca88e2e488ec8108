//! Criterion benches; see the files beside this one. Nothing lives here.
