//! Integration tests, one topic a module.
