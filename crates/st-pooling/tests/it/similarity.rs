//! `similarity` and `similarity_pairwise` against the similarity functions of the reference.

use ndarray::{ArrayView2, Axis};
use serde_json::Value;
use st_core::Similarity;
use st_pooling::{similarity, similarity_pairwise};

use crate::golden::{assert_close, cases, matrix, vector};

const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/pooling/similarity.json"));

#[track_caller]
fn check(case: &Value, kind: Similarity) {
    let name = format!("{} {kind}", case["name"]);
    let (left, right) = (matrix(&case["left"]), matrix(&case["right"]));
    let want = &case[kind.name()];
    let all = similarity(left.view(), right.view(), kind).expect("equal widths");
    assert_close(&name, all.view(), matrix(&want["all"]).view());

    let pairs = left.nrows().min(right.nrows());
    let first = |rows: ArrayView2<'_, f32>| rows.split_at(Axis(0), pairs).0.to_owned();
    let (left, right) = (first(left.view()), first(right.view()));
    let pairwise = similarity_pairwise(left.view(), right.view(), kind).expect("as many on both sides");
    assert_close(&name, pairwise.view(), vector(&want["pairwise"]).view());
}

#[test]
fn every_function_agrees_with_python() {
    for case in cases(GOLDEN) {
        for &kind in Similarity::ALL {
            check(&case, kind);
        }
    }
}
