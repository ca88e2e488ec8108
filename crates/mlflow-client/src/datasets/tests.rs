//! Schemas and profiles as `mlflow.data.from_pandas` of MLflow 3.17.2 with pandas 3 has them for the same table.

use std::fs;

use super::*;

#[track_caller]
fn check(name: &str, text: &str, columns: &str, profile: (u64, u64)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let dataset = from_file(&path, None).unwrap();
    let schema = (!columns.is_empty()).then(|| format!(r#"{{"mlflow_colspec": [{columns}]}}"#));
    assert_eq!(dataset.schema, schema);
    let (rows, elements) = profile;
    assert_eq!(dataset.profile, Some(format!(r#"{{"num_rows": {rows}, "num_elements": {elements}}}"#)));
}

fn column(kind: &str, name: &str, required: bool) -> String {
    format!(r#"{{"type": "{kind}", "name": "{name}", "required": {required}}}"#)
}

#[track_caller]
fn check_columns(name: &str, text: &str, columns: &[(&str, &str, bool)], rows: u64) {
    let specs: Vec<String> =
        columns.iter().map(|(kind, name, required)| column(kind, name, *required)).collect();
    check(name, text, &specs.join(", "), (rows, rows * u64::try_from(columns.len()).unwrap()));
}

#[test]
fn a_csv_has_the_schema_that_pandas_gives_it() {
    let all = "text,label,score,flag\nhello,1,0.5,true\nworld,2,0.25,false\n";
    let expected = [
        ("string", "text", true),
        ("long", "label", true),
        ("double", "score", true),
        ("boolean", "flag", true),
    ];
    check_columns("a.csv", all, &expected, 2);
    check_columns("a.tsv", &all.replace(',', "\t"), &expected, 2);
    check_columns("a.csv", "a,b\n1,x\n,y\n", &[("double", "a", false), ("string", "b", true)], 2);
    check_columns("a.csv", "a,b\nTrue,x\n,y\n", &[("boolean", "a", false), ("string", "b", true)], 2);
    check_columns("a.csv", "a,b\nTrue,1\n2,1.5\n", &[("string", "a", true), ("double", "b", true)], 2);
    check_columns("a.csv", "a,b\n1,\nx,\n", &[("string", "a", true), ("double", "b", false)], 2);
    check_columns(
        "a.csv",
        "a,a,b\n1,2,3\n",
        &[("long", "a", true), ("long", "a.1", true), ("long", "b", true)],
        1,
    );
    check_columns("a.csv", "a,b\n 1 ,1e5\n2,inf\n", &[("long", "a", true), ("double", "b", true)], 2);
    check_columns("a.csv", "a,b\nNA,null\nx,y\n", &[("string", "a", false), ("string", "b", false)], 2);
    check_columns("a.csv", "\u{feff}a\n\n1\n", &[("long", "a", true)], 1);
    check_columns("a.csv", "a,b\n", &[("string", "a", true), ("string", "b", true)], 0);
    check_columns("a.csv", "é\n\"q\"\"x\"\n", &[("string", "\\u00e9", true)], 1);
}

#[test]
fn json_lines_keep_their_types() {
    let two = [("string", "a", false), ("long", "b", true)];
    check_columns("a.jsonl", "{\"a\":\"x\",\"b\":1}\n{\"a\":null,\"b\":2}\n", &two, 2);
    check_columns("a.jsonl", "{\"a\":1}\n{\"a\":null}\n", &[("double", "a", false)], 2);
    check_columns("a.jsonl", "{\"a\":1}\n{\"a\":2.5}", &[("double", "a", true)], 2);
    check_columns(
        "a.jsonl",
        "{\"a\":1}\n\n{\"b\":\"x\"}\n",
        &[("double", "a", false), ("string", "b", false)],
        2,
    );
    check_columns("a.jsonl", "{\"a\":[]}\n{\"a\":[]}\n", &[("any", "a", true)], 2);
    let array = r#"{"type": "array", "items": {"type": "long"}, "name": "a", "required": true}"#;
    check("a.jsonl", "{\"a\":[1,2]}\n{\"a\":[]}\n", array, (2, 2));
    let nested = r#"{"type": "array", "items": {"type": "string"}, "name": "a", "required": true}, {"type": "object", "properties": {"p": {"type": "array", "items": {"type": "string"}, "required": true}}, "name": "c", "required": true}"#;
    check("a.jsonl", r#"{"a":["x"],"c":{"p":["q"]}}"#, nested, (1, 2));
    let optional = r#"{"type": "object", "properties": {"x": {"type": "long", "required": true}, "y": {"type": "string", "required": false}}, "name": "a", "required": true}"#;
    check("a.jsonl", "{\"a\":{\"x\":1,\"y\":\"s\"}}\n{\"a\":{\"x\":2}}\n", optional, (2, 2));
    // What has no common type has no schema, in Python neither.
    check("a.jsonl", "{\"a\":1}\n{\"a\":\"x\"}\n", "", (2, 2));
}

#[test]
fn a_dataset_is_known_by_the_bytes_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sts.test.txt");
    fs::write(&path, "one\ntwo\n").unwrap();
    let dataset = from_file(&path, None).unwrap();
    assert_eq!((dataset.name.as_str(), dataset.source_type.as_str()), ("sts.test", "local"));
    assert_eq!(dataset.source, format!(r#"{{"uri": "{}"}}"#, path.display()));
    assert_eq!(dataset.digest, "c3f9c8c2", "sha256sum of the file");
    assert_eq!(dataset.profile.as_deref(), Some(r#"{"num_rows": 2, "num_elements": 2}"#));
    let parquet = folder.path().join("sts.parquet");
    fs::write(&parquet, "one\ntwo\n").unwrap();
    let parquet = from_file(&parquet, Some("other")).unwrap();
    assert_eq!((parquet.name.as_str(), parquet.digest), ("other", dataset.digest));
    assert_eq!((parquet.schema, parquet.profile), (None, None));
}

#[track_caller]
fn check_refused(name: &str, text: &[u8], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let error = from_file(&path, None).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
}

#[test]
fn what_is_no_table_is_told_with_its_line() {
    check_refused("a.csv", b"a,b\n1,2\n1,2,3\n", "line 3 has 3 values, but there are 2 columns");
    check_refused("a.csv", b"a,b\n1,\xff\n", "line 2 is not UTF-8");
    check_refused("a.jsonl", b"{}\n[1]\n", "line 2 is not a JSON object");
    check_refused(
        "a.jsonl",
        b"{}\n{\n",
        "line 2 is not JSON: EOF while parsing an object at line 1 column 1",
    );
}
