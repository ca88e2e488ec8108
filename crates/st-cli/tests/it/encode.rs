//! Vectors in every format, equal to Python's.

use std::fs;

use ndarray::Array2;
use serde_json::Value;
use st_core::{Precision, Ranges, Vectors};
use st_testkit::{TinyGolden, Tolerance, assert_rows_close, npy, tiny_texts};

use crate::support::{Place, TINY};

/// The texts of the goldens as a file, and what Python answered.
fn with_golden_texts() -> (Place, Array2<f32>) {
    let place = Place::new();
    let lines: Vec<String> = tiny_texts().iter().map(|text| serde_json::to_string(text).unwrap()).collect();
    place.write("texts.jsonl", lines.join("\n"));
    let golden = TinyGolden::load(TINY);
    let case = golden.cases.iter().find(|case| case.name == "encode").unwrap();
    (place, case.vectors.clone())
}

/// The vectors of `{"embedding": …}` lines.
fn lines(text: &str) -> Array2<f32> {
    let rows: Vec<Vec<f32>> = text
        .lines()
        .map(|line| {
            serde_json::from_value(serde_json::from_str::<Value>(line).unwrap()["embedding"].clone()).unwrap()
        })
        .collect();
    let dim = rows[0].len();
    Array2::from_shape_vec((rows.len(), dim), rows.concat()).unwrap()
}

#[test]
fn every_format_holds_the_vectors_of_python() {
    let (place, expected) = with_golden_texts();
    let encode = |output: &str| place.ok(&["encode", "-m", "TINY", "-i", "texts.jsonl", "-o", output]);
    encode("out.npy");
    let array = npy::read_2d::<f32>(&place.path("out.npy")).unwrap();
    assert_rows_close(array.view(), expected.view(), Tolerance::MODEL);

    encode("out.jsonl");
    assert_eq!(lines(&place.read("out.jsonl")), array);
    assert_eq!(lines(&encode("-")), array);

    encode("out.csv");
    let table = place.read("out.csv");
    let values: Vec<f32> =
        table.lines().skip(1).flat_map(|row| row.split(',').map(|cell| cell.parse().unwrap())).collect();
    assert_eq!(Array2::from_shape_vec(array.dim(), values).unwrap(), array);

    encode("out.parquet");
    assert_eq!(parquet_rows(&place), array);
}

fn parquet_rows(place: &Place) -> Array2<f32> {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float32Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let file = fs::File::open(place.path("out.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut values = Vec::new();
    let mut rows = 0;
    for batch in reader {
        let batch = batch.unwrap();
        let lists = batch.column_by_name("embedding").unwrap().as_fixed_size_list().clone();
        values.extend_from_slice(lists.values().as_primitive::<Float32Type>().values());
        rows += batch.num_rows();
    }
    let dim = values.len() / rows;
    Array2::from_shape_vec((rows, dim), values).unwrap()
}

#[test]
fn eight_bits_are_calibrated_over_all_texts() {
    let (place, _) = with_golden_texts();
    place.ok(&["encode", "-m", "TINY", "-i", "texts.jsonl", "-o", "float.npy"]);
    let ran =
        place.run(&["encode", "-m", "TINY", "-i", "texts.jsonl", "--precision", "int8", "-o", "int8.npy"]);
    let texts = tiny_texts().len();
    let warning = format!("warning: int8 ranges come from {texts} texts only");
    assert!(ran.stderr.starts_with(&warning), "{}", ran.stderr);

    let rows = npy::read_2d::<f32>(&place.path("float.npy")).unwrap();
    let expected = st_pooling::quantize(rows.view(), Precision::Int8, None).unwrap();
    let Vectors::Int8(expected) = expected else { panic!("int8 was asked for") };
    // 128 bytes of header, then one byte a number.
    let bytes = fs::read(place.path("int8.npy")).unwrap();
    let got: Vec<i8> = bytes[128..].iter().map(|byte| byte.cast_signed()).collect();
    assert_eq!(got, expected.iter().copied().collect::<Vec<_>>());
}

#[test]
fn given_ranges_need_no_second_look() {
    let place = Place::new();
    let ranges = Ranges(Array2::from_shape_fn((2, 24), |(row, _)| if row == 0 { -1.0 } else { 1.0 }));
    place.write("ranges.npy", array_file(&ranges.0));
    let args = ["--precision", "uint8", "--ranges", "ranges.npy", "a text"];
    let codes = place.ok(&[["encode", "-m", "TINY"].as_slice(), &args].concat());
    let float = lines(&place.ok(&["encode", "-m", "TINY", "a text"]));
    let Vectors::Uint8(expected) =
        st_pooling::quantize(float.view(), Precision::Uint8, Some(&ranges)).unwrap()
    else {
        panic!("uint8 was asked for")
    };
    assert_eq!(lines(&codes), expected.mapv(f32::from));
}

/// The format of `NumPy`, with the shortest header that it allows.
fn array_file(rows: &Array2<f32>) -> Vec<u8> {
    let dict = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {:?}, }}\n", rows.dim());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(dict.len()).unwrap().to_le_bytes());
    bytes.extend(dict.into_bytes());
    bytes.extend(rows.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[test]
fn texts_and_ids_go_with_their_vectors() {
    let place = Place::new();
    place.write("a.csv", "key,text\nk1,one\nk2,\"two, three\"\n");
    let args = ["encode", "-m", "TINY", "-i", "a.csv", "--id-column", "key", "--with-text"];
    let lines: Vec<Value> = place.ok(&args).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let labels: Vec<_> = lines.iter().map(|line| (line["id"].as_str(), line["text"].as_str())).collect();
    assert_eq!(labels, [(Some("k1"), Some("one")), (Some("k2"), Some("two, three"))]);
}

#[test]
fn standard_input_is_one_text_a_line() {
    let place = Place::new();
    let piped = place.run_with_input(&["encode", "-m", "TINY"], "one\ntwo\n");
    assert_eq!((piped.code, piped.stderr.as_str()), (0, ""));
    assert_eq!(piped.stdout, place.ok(&["encode", "-m", "TINY", "one", "two"]));
    let json = place.run_with_input(&["encode", "-m", "TINY", "--input-format", "jsonl"], "\"one\"\n\"two\"");
    assert_eq!(json.stdout, piped.stdout);
}

#[test]
fn the_summary_counts_what_was_cut() {
    let place = Place::new();
    let long = "word ".repeat(500);
    let args = ["encode", "-m", "TINY", "-o", "out.npy", "--json", "short", &long];
    let ran = place.run(&args);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(summary["texts"], 2);
    assert_eq!(summary["truncated"], 1);
    assert_eq!(summary["dim"], 24);
    assert_eq!(summary["output"], "out.npy");
    let golden = TinyGolden::load(TINY);
    let limit = golden.max_seq_length.unwrap();
    let expected = format!(
        "note: 1 of 2 texts were longer than {limit} tokens and lost their end (row 2: {} of 2002 tokens)\n",
        2002 - limit
    );
    assert_eq!(summary["long_texts"][0]["row"], 2);
    assert_eq!(summary["long_texts"][0]["lost"], 2002 - limit);
    assert_eq!(ran.stderr, expected);
}

#[test]
fn options_change_the_vectors_as_in_python() {
    let (place, _) = with_golden_texts();
    let args = ["encode", "-m", "TINY", "-i", "texts.jsonl", "--truncate-dim", "7", "--normalize"];
    let cut = lines(&place.ok(&args));
    let full = lines(&place.ok(&["encode", "-m", "TINY", "-i", "texts.jsonl"]));
    let expected = st_pooling::normalize(st_pooling::truncate(full.view(), 7));
    assert_rows_close(cut.view(), expected.view(), Tolerance::MODEL);

    let prompted = place.ok(&["encode", "-m", "TINY", "--prompt", "query: ", "one"]);
    assert_eq!(prompted, place.ok(&["encode", "-m", "TINY", "query: one"]));
}

#[test]
fn token_embeddings_have_one_row_a_token() {
    let (place, _) = with_golden_texts();
    let golden = TinyGolden::load(TINY);
    let args = ["encode", "-m", "TINY", "-i", "texts.jsonl", "--output-value", "token_embeddings"];
    let answer = place.ok(&args);
    for (line, expected) in answer.lines().zip(&golden.token_embeddings) {
        let line: Value = serde_json::from_str(line).unwrap();
        let rows: Vec<Vec<f32>> = serde_json::from_value(line["token_embeddings"].clone()).unwrap();
        let got = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap();
        assert_rows_close(got.view(), expected.view(), Tolerance::MODEL);
    }
    assert_eq!(answer.lines().count(), tiny_texts().len());
}
