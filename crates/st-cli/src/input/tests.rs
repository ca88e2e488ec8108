use std::fs;

use tempfile::tempdir;

use super::*;

/// Reads a file of this name and content; gives the texts and ids, or the message.
fn read_file(name: &str, content: &[u8], columns: &Columns) -> Result<Chunk, String> {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let message = |error: Error| error.to_string().replace(&format!("{}/", folder.path().display()), "");
    Source::open(&Origin::File(path, None), columns).and_then(Source::read_all).map_err(message)
}

#[track_caller]
fn check_texts(name: &str, content: &str, column: Option<&str>, expected: &[&str]) {
    let columns = Columns { text: column.map(str::to_owned), id: None };
    assert_eq!(read_file(name, content.as_bytes(), &columns).unwrap().texts, expected);
}

#[track_caller]
fn check_error(name: &str, content: &[u8], column: Option<&str>, expected: &str) {
    let columns = Columns { text: column.map(str::to_owned), id: None };
    assert_eq!(read_file(name, content, &columns).unwrap_err(), expected);
}

#[test]
fn lines_are_texts_whatever_their_ends() {
    check_texts("a.txt", "one\r\n\ntwo \nthree", None, &["one", "", "two ", "three"]);
    check_texts("a.txt", "\u{feff}one\n\u{feff}two\n", None, &["one", "\u{feff}two"]);
}

#[test]
fn json_lines_are_texts_or_objects() {
    check_texts("a.jsonl", "\"one\"\n\n{\"text\": \"two\", \"n\": 1}\n", None, &["one", "two"]);
    check_texts("a.jsonl", "{\"body\": \"b\", \"text\": 3}", Some("body"), &["b"]);
}

#[test]
fn tables_have_a_header_and_quotes() {
    check_texts("a.csv", "id,text\n1,\"one, \"\"two\"\"\nthree\"\n", None, &["one, \"two\"\nthree"]);
    check_texts("a.csv", "\u{feff}question\nwhy?\n", None, &["why?"]);
    check_texts("a.tsv", "text\tother\na, b\tc\n", None, &["a, b"]);
}

#[test]
fn ids_go_with_their_texts() {
    let columns = Columns { text: None, id: Some("_id".to_owned()) };
    let chunk = read_file(
        "a.jsonl",
        b"{\"_id\": \"x\", \"text\": \"one\"}\n{\"_id\": 7, \"text\": \"two\"}",
        &columns,
    );
    assert_eq!(
        chunk.unwrap(),
        Chunk {
            texts: vec!["one".into(), "two".into()],
            ids: vec!["x".into(), "7".into()],
            ..Chunk::default()
        }
    );
}

#[test]
fn bad_input_is_named_with_its_place() {
    check_error("a.txt", b"fine\nalso\n\xff\xfe\n", None, "a.txt, line 3: not valid UTF-8");
    check_error("a.csv", b"text\nfine\n\xff\n", None, "a.csv, line 3: not valid UTF-8");
    check_error("a.txt", b"", None, "a.txt holds no texts");
    check_error("a.jsonl", b"\n \n", None, "a.jsonl holds no texts");
    check_error("a.csv", b"", None, "a.csv holds no texts");
    check_error("a.csv", b"text\n", None, "a.csv holds no texts");
    check_error("a.csv", b"a,b\n1,2\n", None, "a.csv has no column `text`; it has `a`, `b`");
    check_error("a.csv", b"a,b\n1,2,3\n", Some("a"), "cannot read the table a.csv");
    check_error("a.txt", b"a\n", Some("text"), "a.txt is plain text and has no columns");
    check_error("a.jsonl", b"{\"a\": 1}", None, "a.jsonl, line 1 has no column `text`; it has `a`");
    check_error(
        "a.jsonl",
        b"\"one\"\n{\"text\": null}",
        None,
        "a.jsonl, row 2: column `text` holds null, not a text",
    );
    check_error(
        "a.jsonl",
        b"[1]",
        None,
        "a.jsonl, line 1: a list is neither a text nor an object with columns",
    );
    check_error("a.jsonl", b"{\"text\": ", None, "a.jsonl, line 1: not valid JSON");
    check_error(
        "a.docx",
        b"",
        None,
        "a.docx: the extension names no format; known are .txt, .jsonl, .csv, .tsv and .parquet",
    );
    check_error("a.parquet", b"PAR1", None, "cannot read the Parquet file a.parquet");
}

#[test]
fn chunks_end_with_a_number_of_texts() {
    let texts: Vec<String> = (0..5).map(|number| number.to_string()).collect();
    let source = Source::open(&Origin::Inline(texts), &Columns::default()).unwrap();
    let mut source = source.with_chunk_texts(2);
    let mut lengths = Vec::new();
    while let Some(chunk) = source.next_chunk().unwrap() {
        lengths.push(chunk.texts.len());
    }
    assert_eq!(lengths, [2, 2, 1]);
    assert_eq!((source.gauge.done(), source.gauge.total), (5, Some(5)));
}
