//! `quantize` against `quantize_embeddings` of the reference, to the bit.

use serde_json::Value;
use st_core::{Precision, Ranges, Vectors};
use st_pooling::quantize;

use crate::golden::{cases, integers, matrix};

const GOLDEN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/pooling/quantization.json"));

#[track_caller]
fn check(case: &Value, precision: Precision) {
    let want = &case[precision.name()];
    let want = match precision {
        Precision::Float32 => Vectors::Float32(matrix(&case["rows"])),
        Precision::Int8 => Vectors::Int8(integers(want)),
        Precision::Uint8 => Vectors::Uint8(integers(want)),
        Precision::Binary => Vectors::Binary(integers(want)),
        Precision::Ubinary => Vectors::Ubinary(integers(want)),
    };
    let ranges = (!case["ranges"].is_null()).then(|| Ranges(matrix(&case["ranges"])));
    let got = quantize(matrix(&case["rows"]).view(), precision, ranges.as_ref());
    assert_eq!(got, Ok(want), "{}", case["name"]);
}

#[test]
fn every_precision_agrees_with_python() {
    for case in cases(GOLDEN) {
        for &precision in Precision::ALL {
            check(&case, precision);
        }
    }
}
