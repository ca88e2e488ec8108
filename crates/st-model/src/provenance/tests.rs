use ndarray::array;

use super::*;

fn provenance() -> Provenance {
    Provenance {
        format_version: FORMAT_VERSION,
        made_by: "st 0.1.0".to_owned(),
        model: ModelIdentity {
            name: Some("minilm".to_owned()),
            id: None,
            digest: "blake3:0123456789abcdef".to_owned(),
        },
        dimension: 2,
        mode: Some(Mode::Exact),
        pooling: vec![PoolingMode::Mean, PoolingMode::Cls],
        normalized: true,
        similarity: Similarity::Cosine,
        precision: Precision::Int8,
        calibration: Some(Calibrated::new(&Ranges(array![[-0.1, 1e-9], [0.25, 3.0]]), RangesFrom::Input)),
        output_value: "sentence_embedding".to_owned(),
        max_active_dims: None,
        prompt: PromptUsed { task: None, name: Some("query".to_owned()), text: "q: ".to_owned() },
        max_tokens: Some(256),
        long_text: LongText::Chunk { overlap: 8 }.into(),
    }
}

#[test]
fn what_is_written_is_read_back() {
    let written = provenance();
    assert_eq!(Provenance::from_json(&written.to_json()).unwrap(), written);
    let given = Provenance { mode: None, calibration: None, max_tokens: None, ..written };
    assert_eq!(Provenance::from_json(&given.to_json()).unwrap(), given);
}

/// What the difference is called once `change` was made to one side.
#[track_caller]
fn check(change: impl FnOnce(&mut Provenance), expected: &str) {
    let left = provenance();
    let mut right = provenance();
    change(&mut right);
    let difference = left.difference(&right).map(|difference| difference.to_string());
    assert_eq!(difference.as_deref().unwrap_or("none"), expected);
}

#[test]
fn what_must_not_be_mixed_is_named_with_both_sides() {
    check(
        |side| {
            side.model =
                ModelIdentity { name: Some("bge".to_owned()), id: None, digest: "blake3:fe".to_owned() }
        },
        "the model is minilm (0123456789ab) on one side and bge (fe) on the other",
    );
    check(|side| side.mode = Some(Mode::Fast), "mode is exact on one side and fast on the other");
    check(|side| side.mode = None, "mode is exact on one side and that of a given graph on the other");
    check(|side| side.dimension = 1, "dimension is 2 on one side and 1 on the other");
    check(|side| side.normalized = false, "normalisation is done on one side and not done on the other");
    check(|side| side.precision = Precision::Uint8, "precision is int8 on one side and uint8 on the other");
    check(
        |side| side.output_value = "token_embeddings".to_owned(),
        "output value is sentence_embedding on one side and token_embeddings on the other",
    );
    let ranges = Calibrated::new(&Ranges(array![[0.0, 0.0], [1.0, 1.0]]), RangesFrom::File);
    let digest = short(&ranges.digest);
    let own = short(&provenance().calibration.unwrap().digest);
    check(
        |side| side.calibration = Some(ranges),
        &format!("the calibration is {own} on one side and {digest} on the other"),
    );
}

#[test]
fn what_may_differ_is_no_difference() {
    check(|side| side.prompt.text = "d: ".to_owned(), "none");
    check(|side| side.max_tokens = Some(8), "none");
    check(|side| side.long_text = LongTextUsed::default(), "none");
    check(|side| side.made_by = "st 9".to_owned(), "none");
    check(|side| side.model.name = None, "none");
    // The same numbers, wherever they were kept.
    check(|side| side.calibration.as_mut().unwrap().source = RangesFrom::Model, "none");
    let float = Provenance { precision: Precision::Float32, calibration: None, ..provenance() };
    assert_eq!(provenance().space_difference(&float), None, "one space, two number formats");
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = Provenance::from_json(text).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains(expected), "{source}");
    assert_eq!(error.to_string(), "not understood as the provenance of vectors");
}

#[test]
fn foreign_text_is_refused() {
    refused("{}", "missing field `format_version`");
    refused("[1", "");
    refused(r#"{"format_version": 2, "space": "new"}"#, "its format is 2, and 1 is the newest known");
    refused(
        &provenance().to_json().replace("exact", "quick"),
        "`quick` is not a known mode; known are exact, fast",
    );
}
