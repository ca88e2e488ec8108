use std::fs;

use ndarray::array;
use tempfile::tempdir;

use super::*;
use crate::input::{Columns, Origin, Source};

const ALL: Labels = Labels { text: true, id: true, span: false, tokens: false };

fn target(path: PathBuf, labels: Labels) -> Target {
    Target { path: Some(path), format: None, force: false, labels, header: false }
}

fn chunk(texts: &[&str]) -> Chunk {
    let ids = texts.iter().map(|text| format!("id-{text}")).collect();
    Chunk { texts: texts.iter().map(|&text| text.to_owned()).collect(), ids, ..Chunk::default() }
}

/// Writes two chunks and gives the bytes of the file.
fn written(name: &str, labels: Labels, vectors: [&Vectors; 2]) -> Vec<u8> {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    let mut sink = target(path.clone(), labels).open().unwrap();
    sink.write(&chunk(&["a", "b"]), vectors[0]).unwrap();
    sink.write(&chunk(&["c"]), vectors[1]).unwrap();
    assert!(!path.exists(), "the name is given at the end only");
    sink.finish().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the output stays");
    fs::read(path).unwrap()
}

fn floats() -> [Vectors; 2] {
    [Vectors::Float32(array![[0.5, -1.0], [1e-9, 2.0]]), Vectors::Float32(array![[3.0, 0.1]])]
}

#[test]
fn arrays_have_a_header_that_fits_all_chunks() {
    let [first, second] = floats();
    let bytes = written("a.npy", Labels::default(), [&first, &second]);
    assert_eq!(bytes.len(), 128 + 3 * 2 * 4);
    let header = String::from_utf8_lossy(&bytes[10..128]);
    assert!(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } "), "{header}");
    assert_eq!(bytes[128..132], 0.5_f32.to_le_bytes());
}

#[test]
fn lines_hold_what_was_asked_for() {
    let [first, second] = floats();
    let bytes = written("a.jsonl", ALL, [&first, &second]);
    let expected = "{\"id\":\"id-a\",\"text\":\"a\",\"embedding\":[0.5,-1.0]}\n\
                    {\"id\":\"id-b\",\"text\":\"b\",\"embedding\":[1e-9,2.0]}\n\
                    {\"id\":\"id-c\",\"text\":\"c\",\"embedding\":[3.0,0.1]}\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    let bits = Vectors::Ubinary(array![[255], [0]]);
    let bytes = written("a.jsonl", Labels::default(), [&bits, &bits]);
    assert!(bytes.starts_with(b"{\"embedding\":[255]}\n{\"embedding\":[0]}\n"));
}

#[test]
fn tables_name_their_dimensions() {
    let [first, second] = floats();
    let bytes = written("a.csv", Labels { text: true, id: false, ..Labels::default() }, [&first, &second]);
    let expected = "text,dim_0,dim_1\na,0.5,-1\nb,0.000000001,2\nc,3,0.1\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn parquet_is_read_back_with_its_texts() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let [first, second] = floats();
    fs::write(&path, written("a.parquet", ALL, [&first, &second])).unwrap();
    let columns = Columns { text: Some("text".to_owned()), id: Some("id".to_owned()) };
    let chunk = Source::open(&Origin::File(path, None), &columns).unwrap().read_all().unwrap();
    assert_eq!(chunk.texts, ["a", "b", "c"]);
    assert_eq!(chunk.ids, ["id-a", "id-b", "id-c"]);
}

#[test]
fn what_a_format_cannot_hold_is_refused_at_once() {
    let folder = tempdir().unwrap();
    let open = |name: &str, labels: Labels| {
        let path = folder.path().join(name);
        target(path, labels)
            .open()
            .err()
            .map(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    };
    fs::write(folder.path().join("there.npy"), "").unwrap();
    assert_eq!(open("there.npy", Labels::default()).unwrap(), "there.npy: output exists");
    assert_eq!(open("a.npy", ALL).unwrap(), "a.npy: an array holds vectors only, no texts");
    assert_eq!(
        open("a.bin", ALL).unwrap(),
        "a.bin: the extension names no format; known are .npy, .jsonl, .csv, .parquet, .npz and `-`"
    );
    assert_eq!(open("no-folder/a.npy", Labels::default()).unwrap(), "cannot write no-folder/a.npy");
}

#[test]
fn json_refuses_what_it_cannot_say() {
    let folder = tempdir().unwrap();
    let mut sink = target(folder.path().join("a.jsonl"), Labels::default()).open().unwrap();
    sink.write(&chunk(&["a"]), &Vectors::Float32(array![[1.0, 2.0]])).unwrap();
    let vectors = Vectors::Float32(array![[1.0, 2.0], [3.0, f32::NEG_INFINITY]]);
    let error = sink.write(&chunk(&["b", "c"]), &vectors).unwrap_err();
    assert_eq!(error.to_string(), "text 3: dimension 1 is -inf, which JSON cannot say");
    drop(sink);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays of a failure");
}

#[test]
fn an_output_that_appears_meanwhile_is_not_replaced() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let mut sink = target(path.clone(), Labels::default()).open().unwrap();
    sink.write(&chunk(&["a"]), &Vectors::Float32(array![[1.0]])).unwrap();
    fs::write(&path, "somebody else").unwrap();
    assert!(sink.finish().unwrap_err().to_string().ends_with("a.jsonl: output exists"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else");
}
