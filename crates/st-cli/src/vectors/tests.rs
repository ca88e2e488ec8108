use ndarray::{array, concatenate};
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::output::{Labels, Target};

/// What an array of these precisions says of itself.
fn provenance(precision: Precision, dim: usize) -> Provenance {
    let text = format!(
        r#"{{"format_version": 1, "made_by": "st", "model": {{"name": "tiny", "digest": "blake3:aa"}},
        "dimension": {dim}, "mode": "exact", "pooling": ["mean"], "normalized": false, "similarity": "dot",
        "precision": "{precision}", "output_value": "sentence_embedding", "prompt": {{"text": ""}}, "max_tokens": 8}}"#
    );
    Provenance::from_json(&text).unwrap()
}

fn rows() -> Array2<f32> {
    array![[0.5, -1.0, 0.25], [1e-3, 2.0, -0.5], [0.75, 0.5, 0.0]]
}

/// Writes `rows` as two chunks and says how they are read back.
fn round_trip(name: &str, precision: Precision) -> (TempDir, Result<Array2<f32>, Error>) {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    let labels = Labels { text: name.ends_with("parquet"), id: false, ..Labels::default() };
    let target = Target { path: Some(path.clone()), format: None, force: false, labels, header: false };
    let mut sink = target.open().unwrap();
    let ranges = Ranges(array![[0.0, -1.0, -0.5], [1.0, 2.0, 0.5]]);
    let mut provenance = provenance(precision, 3);
    if matches!(precision, Precision::Int8 | Precision::Uint8) {
        provenance.calibration = Some(st_model::Calibrated::new(&ranges, st_model::RangesFrom::File));
    }
    sink.describe(&provenance).unwrap();
    for (rows, texts) in [(0..2, ["a", "b"].as_slice()), (2..3, &["c"])] {
        let rows = rows_of(rows);
        let vectors = st_pooling::quantize(rows.view(), precision, Some(&ranges)).unwrap();
        let texts = texts.iter().map(|&text| text.to_owned()).collect();
        sink.write(&Chunk { texts, ..Chunk::default() }, &vectors).unwrap();
    }
    sink.finish().unwrap();
    let read = read(&path, false);
    (folder, read)
}

fn rows_of(range: std::ops::Range<usize>) -> Array2<f32> {
    rows().slice_axis(ndarray::Axis(0), ndarray::Slice::from(range)).to_owned()
}

fn read(path: &Path, trusted: bool) -> Result<Array2<f32>, Error> {
    let mut saved = Saved::open(path, trusted)?;
    let mut all = Vec::new();
    while let Some((rows, _)) = saved.next_chunk()? {
        all.push(rows);
    }
    let views: Vec<_> = all.iter().map(|rows| rows.view()).collect();
    Ok(concatenate(ndarray::Axis(0), &views).unwrap())
}

#[test]
fn every_precision_is_read_back() {
    for name in ["a.npy", "a.parquet"] {
        let (_folder, float) = round_trip(name, Precision::Float32);
        assert_eq!(float.unwrap(), rows(), "{name}");
        for precision in [Precision::Int8, Precision::Uint8] {
            let (_folder, codes) = round_trip(name, precision);
            let error = (codes.unwrap() - rows()).mapv(f32::abs);
            assert!(
                error.iter().all(|error| *error <= 0.5 * 3.0 / 255.0 + 1e-6),
                "{name} {precision}: {error}"
            );
        }
        for precision in [Precision::Binary, Precision::Ubinary] {
            let (_folder, bits) = round_trip(name, precision);
            let signs = rows().mapv(|value| if value > 0.0 { 1.0 } else { -1.0 });
            assert_eq!(bits.unwrap(), signs, "{name} {precision}");
        }
    }
}

#[test]
fn parquet_brings_its_texts() {
    let (folder, _) = round_trip("a.parquet", Precision::Float32);
    let mut saved = Saved::open(&folder.path().join("a.parquet"), false).unwrap();
    assert_eq!((saved.rows, saved.dim), (3, 3));
    let (_, labels) = saved.next_chunk().unwrap().unwrap();
    assert_eq!(labels.texts, ["a", "b", "c"]);
}

/// How a file is refused once `damage` was done to its folder.
#[track_caller]
fn check(damage: impl FnOnce(&Path), trusted: bool, expected: &str) {
    let (folder, _) = round_trip("a.npy", Precision::Int8);
    damage(folder.path());
    let error = read(&folder.path().join("a.npy"), trusted).unwrap_err().to_string();
    assert_eq!(error.replace(&format!("{}/", folder.path().display()), ""), expected);
}

#[test]
fn what_does_not_belong_together_is_noticed() {
    let remove = |folder: &Path| fs::remove_file(folder.join("a.npy.json")).unwrap();
    check(remove, false, "a.npy does not say which model made its vectors");
    check(remove, true, "a.npy: it holds int8 numbers, and nothing says whether they are codes or bits");
    check(
        |folder| {
            let mut bytes = fs::read(folder.join("a.npy")).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(folder.join("a.npy"), bytes).unwrap();
        },
        false,
        "a.npy: a.npy.json was written beside other vectors",
    );
    check(
        |folder| {
            let bytes = fs::read(folder.join("a.npy")).unwrap();
            fs::write(folder.join("a.npy"), &bytes[..bytes.len() - 1]).unwrap();
        },
        false,
        "a.npy: it is shorter than its shape says",
    );
    let edit = |from: &'static str, to: &'static str| {
        move |folder: &Path| {
            let path = folder.join("a.npy.json");
            fs::write(&path, fs::read_to_string(&path).unwrap().replace(from, to)).unwrap();
        }
    };
    check(
        edit("\"int8\"", "\"float32\""),
        false,
        "a.npy: it holds int8 numbers, and says that its precision is float32",
    );
    check(
        edit("\"dimension\": 3", "\"dimension\": 4"),
        false,
        "a.npy: it holds 3 numbers a vector, and says that it holds 4",
    );
    check(
        edit("\"format_version\": 1", "\"format_version\": 9"),
        false,
        "cannot understand what a.npy.json says of where vectors come from",
    );
    check(
        |folder| fs::write(folder.join("a.npy"), "no array").unwrap(),
        false,
        "a.npy: it is not an array of NumPy",
    );
}

#[test]
fn a_shape_that_fills_the_memory_reserves_none() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.npy");
    for (kind, dim) in [("<f8", MAX_DIM), ("<f4", 3)] {
        fs::write(&path, crate::output::npy::header(kind, &[usize::MAX, dim])).unwrap();
        let error = read(&path, true).unwrap_err().to_string();
        assert_eq!(error, format!("{}: it is shorter than its shape says", path.display()));
    }
}

proptest! {
    /// Whatever happened to a file, or to what is said beside it: it is read or refused.
    #[test]
    fn damaged_files_are_read_or_refused(
        name in prop::sample::select(&["a.npy", "a.npy.json", "a.parquet"][..]),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..5),
        cut in prop::option::of(any::<Index>()),
    ) {
        let vectors = name.trim_end_matches(".json");
        let (folder, _) = round_trip(vectors, Precision::Int8);
        let mut bytes = fs::read(folder.path().join(name)).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        fs::write(folder.path().join(name), bytes).unwrap();
        for trusted in [false, true] {
            let Ok(mut saved) = Saved::open(&folder.path().join(vectors), trusted) else { continue };
            while let Ok(Some((rows, _))) = saved.next_chunk() {
                prop_assert_eq!(rows.ncols(), saved.dim);
            }
        }
    }
}
