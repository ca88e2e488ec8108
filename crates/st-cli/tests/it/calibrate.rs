//! Calibration that is kept with a model.

use std::fs;
use std::path::Path;

use serde_json::Value;
use st_core::{Precision, Ranges, Vectors};
use st_testkit::{npy, temp_copy, tiny_model_dir};
use tempfile::TempDir;

use crate::support::Place;

/// A model that may be changed, as the argument of `-m`.
fn model() -> (TempDir, String) {
    let folder = temp_copy(&tiny_model_dir("mean-normalize"));
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

fn place() -> Place {
    let place = Place::new();
    let texts: Vec<String> =
        (0..120).map(|number| format!("text {number} of the moon and {}", number * 7)).collect();
    place.write("corpus.txt", texts.join("\n"));
    place
}

fn codes(text: &str) -> Vec<f32> {
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    serde_json::from_value(line["embedding"].clone()).unwrap()
}

#[test]
fn ranges_are_kept_and_used() {
    let (_folder, model) = model();
    let place = place();
    // Alone a text has no ranges.
    let alone = ["encode", "-m", &model, "--precision", "int8", "the river"];
    assert_eq!(place.run(&alone).code, 2);

    place.ok(&["calibrate", "-m", &model, "-i", "corpus.txt"]);
    place.ok(&["encode", "-m", &model, "-i", "corpus.txt", "-o", "float.npy"]);
    let rows = npy::read_2d::<f32>(&place.path("float.npy")).unwrap();
    let ranges = st_pooling::Calibration::new(24);
    let mut calibration = ranges;
    calibration.extend(rows.view()).unwrap();
    let ranges = calibration.ranges().unwrap();

    let float = codes(&place.ok(&["encode", "-m", &model, "the river"]));
    let float = ndarray::Array2::from_shape_vec((1, 24), float).unwrap();
    let Vectors::Int8(expected) = st_pooling::quantize(float.view(), Precision::Int8, Some(&ranges)).unwrap()
    else {
        panic!("int8 was asked for")
    };
    assert_eq!(codes(&place.ok(&alone)), expected.mapv(f32::from).into_raw_vec_and_offset().0);

    // The output says so, and the array is that of the ranges.
    place.ok(&["encode", "-m", &model, "--precision", "int8", "the river", "-o", "int8.npy"]);
    let side: Value = serde_json::from_str(&place.read("int8.npy.json")).unwrap();
    assert_eq!(side["provenance"]["calibration"]["source"], "model");
    place.ok(&["calibrate", "-m", &model, "-i", "corpus.txt", "-o", "ranges.npy"]);
    let Ranges(ranges) = ranges;
    assert_eq!(npy::read_2d::<f32>(&place.path("ranges.npy")).unwrap(), ranges);
    let by_file = [alone.as_slice(), &["--ranges", "ranges.npy"]].concat();
    assert_eq!(place.ok(&by_file), place.ok(&alone));

    // Its own ranges on request.
    let own = [
        "encode",
        "-m",
        &model,
        "-i",
        "corpus.txt",
        "--precision",
        "int8",
        "--ranges",
        "input",
        "-o",
        "own.npy",
    ];
    place.ok(&own);
    let side: Value = serde_json::from_str(&place.read("own.npy.json")).unwrap();
    assert_eq!(side["provenance"]["calibration"]["source"], "input");
    assert_eq!(side["provenance"]["precision"], "int8");
    let shown = place.ok(&["inspect", "-m", &model]);
    assert!(shown.contains("ranges  exact, 24 dimensions, normalised: 120 texts"), "{shown}");
}

/// A command that fails, and what it says, the model called `M`.
#[track_caller]
fn refused(place: &Place, model: &str, args: &[&str], expected: &str) {
    let ran = place.run(args);
    assert_eq!((ran.code, ran.stderr.trim_end().replace(model, "M").as_str()), (2, expected));
}

#[test]
fn ranges_of_something_else_are_refused() {
    let (folder, model) = model();
    let place = place();
    place.ok(&["calibrate", "-m", &model, "-i", "corpus.txt"]);
    refused(
        &place,
        &model,
        &["calibrate", "-m", &model, "-i", "corpus.txt"],
        "error: M/st_calibration.json has a calibration for exact, 24 dimensions, normalised already, of 120 texts\n\
         hint: pass `--force` to replace it",
    );
    place.ok(&["calibrate", "-m", &model, "-i", "corpus.txt", "--force"]);
    place.ok(&["calibrate", "-m", &model, "-i", "corpus.txt", "--truncate-dim", "8"]);
    refused(
        &place,
        &model,
        &["encode", "-m", &model, "--precision", "uint8", "--truncate-dim", "7", "a text"],
        "error: cannot encode the texts\n  \
         caused by: M/st_calibration.json has no calibration for exact, 7 dimensions; it has exact, 24 dimensions, \
         normalised; exact, 8 dimensions\n\
         hint: `st calibrate` makes one; `--ranges input` takes that of the vectors themselves",
    );
    place.ok(&["encode", "-m", &model, "--precision", "uint8", "--truncate-dim", "8", "a text"]);

    let weights = folder.path().join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let ran = place.run(&["encode", "-m", &model, "--precision", "uint8", "a text"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("st_calibration.json was made for the model "), "{}", ran.stderr);
}

#[test]
fn ranges_travel_with_the_model_and_seal_nothing_open() {
    let (_folder, model) = model();
    let place = place();
    place.ok(&["calibrate", "-m", &model, "-i", "corpus.txt"]);
    place.ok(&["save", "-m", &model, "-o", "saved"]);
    let kept = place.path("saved/model.sentence_transformer/st_calibration.json");
    assert!(kept.is_file() || find(&place.path("saved")), "the file was not saved");
    let text = ["--precision", "int8", "the river"];
    let saved = place.ok(&[["encode", "-m", "saved"].as_slice(), &text].concat());
    assert_eq!(saved, place.ok(&[["encode", "-m", model.as_str()].as_slice(), &text].concat()));
    place.fails(
        &["calibrate", "-m", "saved", "-i", "corpus.txt", "--force"],
        "error: saved is not to be changed: its digests would no longer fit\n\
         hint: change the sentence-transformers folder and save or log it again; `st calibrate -o ranges.npy` writes \
         ranges to a file",
    );
    place.ok(&["calibrate", "-m", "saved", "-i", "corpus.txt", "-o", "ranges.npy"]);
}

fn find(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        path.is_dir() && find(&path) || path.ends_with("st_calibration.json")
    })
}
