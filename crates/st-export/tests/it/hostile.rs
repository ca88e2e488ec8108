//! ONNX files that ask for what is not allowed.

use std::fs;
use std::path::Path;

use st_export::onnx::{open_header, read_header};

use crate::fixture::words;

/// A protobuf field with content.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend_from_slice(content);
    bytes
}

/// A protobuf field with a small number.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

fn model(graph: &[Vec<u8>]) -> Vec<u8> {
    field(7, &graph.concat())
}

fn node(operator: &str, domain: &str) -> Vec<u8> {
    field(1, &[field(4, operator.as_bytes()), field(7, domain.as_bytes())].concat())
}

/// Four floats called `w`, somewhere else.
fn external(entries: &[(&str, &str)]) -> Vec<u8> {
    let entry = |(key, value): &(&str, &str)| {
        field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
    };
    let entries: Vec<u8> = entries.iter().flat_map(entry).collect();
    field(5, &[number(1, 4), number(2, 1), field(8, b"w"), entries, number(14, 1)].concat())
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &str) {
    assert_eq!(read_header(bytes).unwrap_err().to_string(), expected);
}

/// The file is refused on disk, after `prepare` has put something beside it.
#[track_caller]
fn check_beside(bytes: &[u8], prepare: impl FnOnce(&Path), expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    fs::write(&path, bytes).unwrap();
    prepare(folder.path());
    let error = open_header(&path).unwrap_err();
    assert_eq!(words(&error, folder.path()), expected);
}

#[test]
fn custom_operators_are_refused_wherever_they_hide() {
    let refused = "operator `Own` of domain `org.example` needs a custom library, which is never loaded";
    check_refused(&model(&[node("Add", ""), node("Own", "org.example")]), refused);
    // In the body of a condition.
    let body = field(5, &field(6, &node("Own", "org.example")));
    check_refused(&model(&[field(1, &[field(4, b"If"), body].concat())]), refused);
    // In a function that the file defines.
    let function = [vec![0xca, 0x01], {
        let content = [
            field(1, b"Local"),
            field(7, &[field(4, b"Own"), field(7, b"org.example")].concat()),
            field(10, b"local"),
        ]
        .concat();
        field(0, &content)[1..].to_vec()
    }]
    .concat();
    check_refused(&[model(&[node("Local", "local")]), function].concat(), refused);
}

#[test]
fn known_domains_and_functions_of_the_file_are_accepted() {
    let graph = [node("Add", "ai.onnx"), node("Add", ""), node("Gelu", "com.microsoft")];
    let header = read_header(&model(&graph)).unwrap();
    assert_eq!(header.operators[""]["Add"], 2);
    assert_eq!(header.operators["com.microsoft"]["Gelu"], 1);
    let function =
        [&[0xca, 0x01][..], &field(0, &[field(1, b"Local"), field(10, b"local")].concat())[1..]].concat();
    let header = read_header(&[model(&[node("Local", "local")]), function].concat()).unwrap();
    assert_eq!(header.operators["local"]["Local"], 1);
}

#[test]
fn external_data_must_have_a_plain_name() {
    for location in ["../secret", "/etc/passwd", "sub/data", "..", "", "a\\b", "C:data", "*/_ORT_MEM_ADDR_/*"]
    {
        check_refused(
            &model(&[external(&[("location", location)])]),
            &format!("tensor `w` has its data in `{location}`, which is not a plain file name"),
        );
    }
    // The first of two names counts, too, and so does one in a constant inside an operator.
    let twice = external(&[("location", "../secret"), ("location", "data")]);
    check_refused(&model(&[twice]), "tensor `w` has its data in `../secret`, which is not a plain file name");
    let constant = field(5, &field(5, &external(&[("location", "/dev/mem")])[2..]));
    check_refused(
        &model(&[field(1, &[field(4, b"Constant"), constant].concat())]),
        "tensor `w` has its data in `/dev/mem`, which is not a plain file name",
    );
    check_refused(&model(&[external(&[])]), "tensor `w` has its data in another file but does not say which");
    check_refused(
        &model(&[external(&[("location", "data"), ("offset", "-1")])]),
        "tensor `w` has the offset `-1`, which is not a number of bytes",
    );
}

#[test]
fn external_data_must_be_there_and_long_enough() {
    let there = model(&[external(&[("location", "data"), ("offset", "8"), ("length", "16")])]);
    let prefix = "cannot accept the ONNX file `FOLDER/model.onnx`: tensor `w`";
    check_beside(&there, |_| {}, &format!("{prefix} has its data in `data`, which is not there"));
    check_beside(
        &there,
        |folder| fs::create_dir(folder.join("data")).unwrap(),
        &format!("{prefix} has its data in `data`, which is not a regular file"),
    );
    check_beside(
        &there,
        |folder| fs::write(folder.join("data"), [0; 23]).unwrap(),
        &format!("{prefix} ends at byte 24 of `data`, which has 23"),
    );
    let pointer = "version https://git-lfs.github.com/spec/v1\n";
    check_beside(
        &there,
        |folder| fs::write(folder.join("data"), pointer).unwrap(),
        "`FOLDER/data` is a Git LFS pointer, not the file itself; run `git lfs pull` where it was cloned",
    );
    let short = model(&[external(&[("location", "data"), ("length", "12")])]);
    check_beside(
        &short,
        |folder| fs::write(folder.join("data"), [0; 99]).unwrap(),
        &format!("{prefix} is [4] of float32 but its data has 12 bytes"),
    );
    let far = model(&[external(&[("location", "data"), ("offset", "18446744073709551615")])]);
    check_beside(
        &far,
        |folder| fs::write(folder.join("data"), [0; 99]).unwrap(),
        &format!("{prefix} ends at byte 18446744073709551615 of `data`, which has 99"),
    );
}

#[cfg(unix)]
#[test]
fn links_lead_outside_and_are_refused() {
    let there = model(&[external(&[("location", "data")])]);
    check_beside(
        &there,
        |folder| {
            fs::write(folder.join("elsewhere"), [0; 99]).unwrap();
            std::os::unix::fs::symlink(folder.join("elsewhere"), folder.join("data")).unwrap();
        },
        "cannot accept the ONNX file `FOLDER/model.onnx`: tensor `w` has its data in `data`, which is not a regular file",
    );
}

#[test]
fn sizes_must_agree() {
    let tensor = field(5, &[number(1, 4), number(2, 1), field(8, b"w"), field(9, &[0; 12])].concat());
    check_refused(&model(&[tensor]), "tensor `w` is [4] of float32 but its data has 12 bytes");
    let port = field(11, &field(1, b"x"));
    check_refused(&model(&[port]), "`x` is not a tensor");
    check_refused(&[], "it holds no graph");
    check_refused(&[0x3a, 0x7f], "byte 2 does not continue the model");
    let long = field(1, &field(4, &vec![b'a'; 70_000]));
    check_refused(&model(&[long]), "an operator's name takes 70000 bytes but 65536 is the limit");
    let many = number(1, 1).repeat(65);
    check_refused(&model(&[field(5, &many)]), "it has more than 64 axes");
}

#[test]
fn nesting_ends() {
    let mut graph = node("Add", "");
    for _ in 0..20 {
        graph = field(1, &[field(4, b"If"), field(5, &field(6, &graph))].concat());
    }
    check_refused(&model(&[graph]), "its graphs are nested more than 16 deep");
}

#[test]
fn a_pointer_or_a_folder_in_place_of_the_file_is_told() {
    check_beside(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        |_| {},
        "`FOLDER/model.onnx` is a Git LFS pointer, not the file itself; run `git lfs pull` where it was cloned",
    );
    let folder = tempfile::tempdir().unwrap();
    let error = open_header(folder.path()).unwrap_err();
    assert_eq!(
        words(&error, folder.path()),
        "cannot accept the ONNX file `FOLDER`: it is not a regular file"
    );
}
