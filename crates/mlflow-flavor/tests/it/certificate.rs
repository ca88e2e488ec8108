//! Certificates: which encoders they accept, and hostile ones.

use mlflow_flavor::{Certificate, Comparison, Error, MadeBy, SaveOptions, load_model, save_model};
use ndarray::Array2;
use proptest::prelude::*;
use serde_json::{Value, json};
use st_core::{
    BoxError, EncodeOptions, Encoded, Encoder, Mode, Prompt, Similarity, TokenEmbeddings, Vectors,
};

use crate::folder::tiny_encoder;

/// Two dimensions that depend on the text, and what somebody changed about them.
#[derive(Clone, Copy, Debug)]
struct Changed {
    max_tokens: Option<usize>,
    dim: usize,
    change: fn(&str, &mut [f32]),
}

const PLAIN: Changed = Changed { max_tokens: Some(256), dim: 2, change: |_, _| {} };

impl Encoder for Changed {
    fn dim(&self) -> usize {
        self.dim
    }

    fn max_tokens(&self) -> Option<usize> {
        self.max_tokens
    }

    fn similarity(&self) -> Similarity {
        Similarity::Cosine
    }

    fn encode(&self, texts: &[&str], options: &EncodeOptions) -> Result<Encoded, BoxError> {
        assert_eq!(options.prompt, Prompt::Text(String::new()), "the model's own prompt is switched off");
        let mut rows = Array2::zeros((texts.len(), self.dim));
        for (text, mut row) in texts.iter().zip(rows.rows_mut()) {
            // Sums of powers of two: the same on every machine.
            row[0] = 0.5;
            row[1] = 0.25 + f32::from(u8::try_from(text.len() % 8).unwrap()) / 8.0;
            (self.change)(text, row.as_slice_mut().unwrap());
        }
        Ok(Encoded::new(Vectors::Float32(rows), 0, 0))
    }

    fn encode_tokens(&self, _: &[&str], _: &EncodeOptions) -> Result<TokenEmbeddings, BoxError> {
        Err("certificates need no token embeddings".into())
    }

    fn count_tokens(&self, texts: &[&str]) -> Result<Vec<usize>, BoxError> {
        Ok(texts.iter().map(|text| text.split_whitespace().count() + 2).collect())
    }
}

fn certificate() -> Certificate {
    Certificate::make(&PLAIN, MadeBy::new("tests 1.0").with_exporter("none").with_runtime("none")).unwrap()
}

#[test]
fn the_encoder_that_made_it_is_accepted() {
    let certificate = certificate();
    assert_eq!(certificate.references.len(), 12);
    for (mode, comparison) in [
        (Some(Mode::Exact), Comparison::Elements),
        (Some(Mode::Fast), Comparison::Direction),
        (None, Comparison::Direction),
    ] {
        let report = certificate.check(&PLAIN, mode).unwrap();
        assert_eq!((report.comparison, report.compared, report.skipped), (comparison, 12, 0));
        assert!(report.largest_difference == 0.0 && (report.smallest_cosine - 1.0).abs() < 1e-6);
    }
}

#[track_caller]
fn refused(encoder: Changed, mode: Mode, message: &str) {
    let error = certificate().check(&encoder, Some(mode)).unwrap_err();
    assert_eq!(error.to_string(), format!("the model answers otherwise than when it was saved: {message}"));
}

#[test]
fn the_text_that_is_off_by_most_is_named() {
    fn some_are_off(text: &str, row: &mut [f32]) {
        row[0] += match text {
            "a" => 0.25,
            "" => 0.125,
            _ => 1e-6,
        };
    }
    refused(
        Changed { change: some_are_off, ..PLAIN },
        Mode::Exact,
        "the vector of \"a\" is off by 2.5e-1, where 1.5e-5 is allowed",
    );
    refused(
        Changed {
            change: |text, row| {
                if text == "a" {
                    row[1] = f32::NAN;
                }
            },
            ..PLAIN
        },
        Mode::Exact,
        "the vector of \"a\" is off by inf, where 1.3749999e-5 is allowed",
    );
    // Scaled vectors: no direction tells, so only the elements do.
    let scaled = Changed { change: |_, row| row.iter_mut().for_each(|element| *element *= 2.0), ..PLAIN };
    assert!(matches!(
        certificate().check(&scaled, Some(Mode::Exact)),
        Err(Error::CertificateDifference { .. })
    ));
    let report = certificate().check(&scaled, Some(Mode::Fast)).unwrap();
    assert!(report.largest_difference > 0.4, "{report:?}");
}

#[test]
fn another_direction_is_refused_in_every_mode() {
    let turned = |text: &str, row: &mut [f32]| {
        if text == "a" {
            row[1] = -row[1];
        }
    };
    refused(
        Changed { change: turned, ..PLAIN },
        Mode::Fast,
        "the vector of \"a\" has a cosine of 0.28 to the one of then, where 0.9 is the least",
    );
    refused(Changed { dim: 3, ..PLAIN }, Mode::Fast, "its vectors have 3 dimensions instead of 2");
}

#[test]
fn texts_that_are_cut_elsewhere_are_not_compared() {
    let wrong_where_long = |text: &str, row: &mut [f32]| {
        if text.split_whitespace().count() + 2 > 9 {
            row[0] += 1.0;
        }
    };
    let encoder = Changed { max_tokens: Some(9), change: wrong_where_long, ..PLAIN };
    let report = certificate().check(&encoder, Some(Mode::Exact)).unwrap();
    assert_eq!((report.compared, report.skipped), (8, 4));
    let unlimited = Changed { max_tokens: None, ..PLAIN };
    assert_eq!(certificate().check(&unlimited, Some(Mode::Exact)).unwrap().skipped, 0);
}

#[test]
fn it_travels_with_the_model_and_every_bit_stays() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("m");
    let mut options = SaveOptions::default();
    options.certificate = Some(certificate());
    let without =
        save_model(&tiny_encoder(temporary.path()), &temporary.path().join("n"), &SaveOptions::default());
    let saved = save_model(&temporary.path().join("tiny-encoder"), &path, &options).unwrap();
    assert_eq!(saved.model_size_bytes, without.unwrap().model_size_bytes, "Python does not count it");
    assert_eq!(load_model(&path).unwrap().certificate().unwrap(), options.certificate);
    assert_eq!(load_model(&temporary.path().join("n")).unwrap().certificate().unwrap(), None);
}

#[track_caller]
fn unreadable(change: impl FnOnce(&mut Value), message: &str) {
    let mut document: Value = serde_json::from_str(&certificate().to_json()).unwrap();
    change(&mut document);
    let error = Certificate::parse(document.to_string().as_bytes(), "C".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn certificates_that_cannot_be_checked_are_refused() {
    unreadable(|file| *file = json!([]), "`C` cannot be read as JSON");
    unreadable(|file| file["tolerance"] = json!(1e300), "`C` cannot be read as JSON");
    unreadable(
        |file| file["format_version"] = json!(2),
        "`C`: key `format_version` is 2, and 1 is the only one known",
    );
    for tolerance in [json!(0.0), json!(-1.0), json!(0.1), json!(1e30)] {
        let mut document: Value = serde_json::from_str(&certificate().to_json()).unwrap();
        document["tolerance"] = tolerance;
        let error = Certificate::parse(document.to_string().as_bytes(), "C".as_ref()).unwrap_err();
        assert!(
            error.to_string().starts_with("`C`: key `tolerance` must be above 0 and at most 0.001"),
            "{error}"
        );
    }
    unreadable(|file| file["references"] = json!([]), "`C`: key `references` must be 1 to 64 texts, not 0");
    unreadable(
        |file| file["references"] = json!(vec![json!({"text": "", "float32_le": ""}); 65]),
        "`C`: key `references` must be 1 to 64 texts, not 65",
    );
    unreadable(
        |file| file["references"][1]["text"] = json!("a".repeat(4097)),
        "`C`: key `references.1.text` has 4097 bytes, and 4096 are allowed",
    );
    for digits in ["", "00", "0000000000000000ff", "000000000000000", "000000000000000G"] {
        unreadable(
            |file| file["references"][1]["float32_le"] = json!(digits),
            "`C`: key `references.1.float32_le` must be 2 numbers, of 8 hexadecimal digits each",
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_certificate_or_an_error(bytes: Vec<u8>) {
        drop(Certificate::parse(&bytes, "C".as_ref()));
    }

    #[test]
    fn vectors_are_kept_bit_by_bit(elements in prop::collection::vec(any::<u32>(), 1..20)) {
        let mut certificate = certificate();
        for reference in &mut certificate.references {
            reference.vector = elements.iter().map(|bits| f32::from_bits(*bits)).collect();
        }
        let read = Certificate::parse(certificate.to_json().as_bytes(), "C".as_ref()).unwrap();
        let bits: Vec<u32> = read.references[3].vector.iter().map(|element| element.to_bits()).collect();
        prop_assert_eq!(bits, elements);
    }
}
