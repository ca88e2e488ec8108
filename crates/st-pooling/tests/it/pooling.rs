//! `pool` against the `Pooling` module of the reference.

use serde_json::Value;
use st_core::{PoolingMode, TokenView};
use st_pooling::pool;

use crate::golden::{assert_close, cases, integer, integers, matrix, tensor};

const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/pooling/pooling.json"));

#[track_caller]
fn check(case: &Value) {
    let modes = case["modes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let modes: Vec<PoolingMode> = modes.map(|mode| mode.parse().expect("a known mode")).collect();
    let (hidden, mask) = (tensor(&case["hidden"]), integers(&case["mask"]));
    let tokens = TokenView::new(hidden.view(), mask.view()).expect("a mask of the shape");
    let prompts = vec![integer(&case["prompt_tokens"]); mask.nrows()];
    let got = pool(tokens, &modes, &prompts);
    assert_close(case["name"].as_str().unwrap_or_default(), got.view(), matrix(&case["want"]).view());
}

#[test]
fn every_mode_agrees_with_python() {
    cases(GOLDEN).iter().for_each(check);
}
