//! Files of sparse vectors: what they hold, and what cannot hold them.

use std::fs::File;
use std::io::Read;

use ndarray::Array2;
use serde_json::json;
use st_testkit::{Tolerance, assert_rows_close, tiny_texts};

use crate::kinds::{model, parsed, sparse_golden, write_texts};
use crate::support::Place;

/// The dictionary and the numbers of a member of an archive.
fn member(archive: &mut zip::ZipArchive<File>, name: &str) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00", "{name}");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0, "NumPy aligns what follows");
    let dict = String::from_utf8(bytes[10..10 + length].to_vec()).unwrap();
    (dict.trim_end().to_owned(), bytes[10 + length..].to_vec())
}

fn numbers(bytes: &[u8]) -> Vec<usize> {
    bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number) as usize).collect()
}

#[test]
fn an_archive_is_a_matrix_in_compressed_rows_as_scipy_keeps_it() {
    let place = Place::new();
    let texts = tiny_texts();
    write_texts(&place, &texts);
    let golden = sparse_golden("splade-bert");
    let folder = model("sparse", "splade-bert");
    let ran = place.run(&["encode", "-m", &folder, "--sparse", "-i", "texts.jsonl", "-o", "a.npz"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nsparsity ratio  0."), "{}", ran.stderr);
    assert_eq!(place.names(), ["a.npz", "texts.jsonl"]);

    let mut archive = zip::ZipArchive::new(File::open(place.path("a.npz")).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(
        names,
        ["indices.npy", "indptr.npy", "format.npy", "shape.npy", "data.npy", "st.provenance.json"]
    );
    let dict = |descr: &str, shape: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
    };
    let (rows, dim) = (texts.len(), golden.dim);
    let (format, bytes) = member(&mut archive, "format.npy");
    assert_eq!((format, bytes.as_slice()), (dict("|S3", "()"), b"csr".as_slice()));
    let (shape, bytes) = member(&mut archive, "shape.npy");
    assert_eq!(shape, dict("<i8", "(2,)"));
    assert_eq!(bytes, [(rows as u64).to_le_bytes(), (dim as u64).to_le_bytes()].concat());
    let (indptr, ends) = member(&mut archive, "indptr.npy");
    assert_eq!(indptr, dict("<i4", &format!("({},)", rows + 1)));
    let ends = numbers(&ends);
    let entries = *ends.last().unwrap();
    let (header, indices) = member(&mut archive, "indices.npy");
    assert_eq!(header, dict("<i4", &format!("({entries},)")));
    let indices = numbers(&indices);
    let (header, data) = member(&mut archive, "data.npy");
    assert_eq!(header, dict("<f4", &format!("({entries},)")));
    let data: Vec<f32> = data.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let mut got = Array2::zeros((rows, dim));
    for (row, bounds) in ends.windows(2).enumerate() {
        for place in bounds[0]..bounds[1] {
            got[(row, indices[place])] = data[place];
        }
    }
    assert_rows_close(got.view(), golden.cases[0].vectors.view(), Tolerance::MODEL);
    let mut provenance = String::new();
    archive.by_name("st.provenance.json").unwrap().read_to_string(&mut provenance).unwrap();
    let provenance = parsed(&provenance);
    assert_eq!(
        (&provenance["output_value"], &provenance["dimension"]),
        (&json!("sparse_embedding"), &json!(dim))
    );
}

#[test]
fn a_parquet_file_has_lists_and_says_where_they_come_from() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{ListAccessor, RowAccessor};
    let place = Place::new();
    let folder = model("sparse", "splade-bert");
    let args = ["encode", "-m", &folder, "--sparse", "--with-tokens", "-o", "a.parquet", "A man", "dog"];
    assert_eq!(place.run(&args).code, 0);
    let reader = SerializedFileReader::new(File::open(place.path("a.parquet")).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata();
    let columns: Vec<_> =
        metadata.schema_descr().columns().iter().map(|column| column.path().string()).collect();
    assert_eq!(columns, ["indices.list.item", "values.list.item", "tokens.list.item"]);
    let entries = metadata.key_value_metadata().unwrap();
    let provenance = entries.iter().find(|entry| entry.key == "st.provenance").unwrap();
    assert_eq!(parsed(provenance.value.as_deref().unwrap())["output_value"], json!("sparse_embedding"));
    // A token stands beside its dimension, here and in a line.
    let lines = ["encode", "-m", &folder, "--sparse", "--with-tokens", "A man", "dog"];
    for (row, line) in reader.get_row_iter(None).unwrap().zip(place.ok(&lines).lines().map(parsed)) {
        let row = row.unwrap();
        let lists = [0, 1, 2].map(|column| row.get_list(column).unwrap());
        let [indices, values, tokens] = lists;
        assert_eq!((indices.len(), tokens.len()), (values.len(), values.len()));
        for place in 0..values.len() {
            assert_eq!(line["indices"][place], json!(indices.get_uint(place).unwrap()));
            let value = &line["tokens"][tokens.get_string(place).unwrap()];
            assert_eq!(value.to_string(), values.get_float(place).unwrap().to_string());
        }
    }
}

#[test]
fn formats_that_cannot_hold_it_are_refused_before_the_model_is_loaded() {
    let place = Place::new();
    for (flags, expected) in [
        (
            &["--sparse", "-o", "a.npy"][..],
            "error: a.npy: an array cannot hold sparse vectors\nhint: write .jsonl, .npz or .parquet",
        ),
        (
            &["--sparse", "-o", "a.csv"],
            "error: a.csv: a table cannot hold sparse vectors\nhint: write .jsonl, .npz or .parquet",
        ),
        (
            &["--sparse", "--with-text", "-o", "a.npz"],
            "error: a.npz: an archive of arrays holds vectors only, no texts\nhint: write .jsonl or .parquet",
        ),
        (
            &["-o", "a.npz"],
            "error: a.npz: an archive of arrays holds sparse vectors only\n\
             hint: add `--sparse` if the model is a sparse encoder; vectors go into .npy",
        ),
        (
            &["--sparse", "--output-format", "npz"],
            "error: standard output cannot be an archive of arrays or a Parquet file",
        ),
        (
            &["--multi-vector", "-o", "a.npy"],
            "error: token embeddings have a width and a length: only .jsonl and `-` can hold them",
        ),
    ] {
        place.fails(&[&["encode", "-m", "nowhere"], flags, &["a"]].concat(), expected);
    }
    let ran = place.run(&["encode", "-m", "nowhere", "--sparse", "--precision", "int8", "a"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("'--sparse' cannot be used with '--precision"),
        "{}",
        ran.stderr
    );
    assert!(place.names().is_empty());
}

#[test]
fn a_full_disk_is_told_once() {
    let place = Place::new();
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = model("sparse", "splade-bert");
    place.fails(
        &["encode", "-m", &folder, "--sparse", "-o", "/dev/full", "--output-format", "npz", "a man"],
        "error: cannot write /dev/full\n  caused by: No space left on device (os error 28)\n\
         hint: make room, or choose another folder; nothing was left behind",
    );
}
