//! `cargo xtask fuzz sentencepiece`
#![no_main]

#[path = "../targets.rs"]
#[expect(dead_code, reason = "each target uses one function")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::sentencepiece(bytes));
