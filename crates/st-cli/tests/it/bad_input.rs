//! Every mistake has its exact words, and leaves nothing behind.

use crate::support::{Place, ran};

/// Runs `st encode` on a file; checks the words and that only the file stays.
#[track_caller]
fn check_file(name: &str, content: &[u8], more: &[&str], expected: &str) {
    let place = Place::new();
    place.write(name, content);
    let mut args = vec!["encode", "-m", "TINY", "-i", name, "-o", "out.npy"];
    args.extend(more);
    place.fails(&args, expected);
    assert_eq!(place.names(), [name]);
}

#[test]
fn a_line_that_is_not_utf8_is_named_by_its_number() {
    check_file(
        "a.txt",
        b"fine\nalso fine\n\xe9t\xe9\n",
        &[],
        "error: a.txt, line 3: not valid UTF-8\n\
         hint: convert the file, for example with `iconv -f latin1 -t utf-8 FILE`",
    );
}

#[test]
fn an_empty_file_is_no_input() {
    check_file("a.txt", b"", &[], "error: a.txt holds no texts");
    let place = Place::new();
    place.fails(&["encode", "-m", "TINY"], "error: standard input holds no texts");
}

#[test]
fn a_missing_column_lists_those_that_are_there() {
    check_file(
        "a.csv",
        b"id,body\n1,one\n",
        &[],
        "error: a.csv has no column `text`; it has `id`, `body`\nhint: name the column with `--column`",
    );
    check_file(
        "a.jsonl",
        b"{\"body\": \"one\"}\n",
        &["--column", "texts"],
        "error: a.jsonl, line 1 has no column `texts`; it has `body`\nhint: name the column with `--column`",
    );
}

#[test]
fn a_cell_that_is_no_text_is_named_by_its_row() {
    check_file(
        "a.jsonl",
        b"{\"text\": \"one\"}\n{\"text\": 2}\n",
        &[],
        "error: a.jsonl, row 2: column `text` holds a number, not a text",
    );
}

#[test]
fn broken_lines_of_json_are_named_by_their_number() {
    check_file(
        "a.jsonl",
        b"{\"text\": \"one\"}\n{\"text\"\n",
        &[],
        "error: a.jsonl, line 2: not valid JSON\n  caused by: EOF while parsing an object at line 1 column 7",
    );
}

#[test]
fn inputs_that_are_not_there_or_unknown() {
    let place = Place::new();
    place.fails(
        &["encode", "-m", "TINY", "-i", "no.txt"],
        "error: cannot read no.txt\n  caused by: No such file or directory (os error 2)",
    );
    place.fails(
        &["encode", "-m", "TINY", "-i", "a.pdf"],
        "error: a.pdf: the extension names no format; known are .txt, .jsonl, .csv, .tsv and .parquet\n\
         hint: say it with `--input-format` or `--output-format`",
    );
}

#[test]
fn an_unknown_prompt_name_lists_those_of_the_model() {
    let place = Place::new();
    place.fails(
        &["encode", "-m", "TINY", "--prompt-name", "passage", "a text"],
        "error: cannot encode the texts\n  \
         caused by: the model has no prompt named `passage`; it has document, query\n\
         hint: `st inspect` lists the prompts; `--prompt TEXT` takes any text",
    );
}

#[test]
fn an_output_that_exists_is_kept_unless_forced() {
    let place = Place::new();
    place.write("out.jsonl", "precious");
    let args = ["encode", "-m", "TINY", "-o", "out.jsonl", "a text"];
    place.fails(&args, "error: out.jsonl: output exists\nhint: pass `--force` to replace it");
    assert_eq!(place.read("out.jsonl"), "precious");
    place.ok(&[args.as_slice(), &["--force"]].concat());
    assert!(place.read("out.jsonl").starts_with("{\"embedding\":["));
    assert_eq!(place.names(), ["out.jsonl"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said() {
    let place = Place::new();
    place.fails(
        &["encode", "-m", "TINY", "-o", "/dev/full", "--output-format", "jsonl", "a text"],
        "error: cannot write /dev/full\n  caused by: No space left on device (os error 28)\n\
         hint: make room, or choose another folder; nothing was left behind",
    );
}

/// A limit on the size of files stands in for a disk that fills up while vectors are written.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_leaves_no_half_file() {
    let place = Place::new();
    place.ok(&["encode", "-m", "TINY", "the graph is in the cache from now on"]);
    place.write("a.txt", "a text\n".repeat(300));
    for name in ["out.npy", "out.jsonl", "out.csv", "out.parquet"] {
        let script = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
        let before = ["-c", script, "sh", env!("CARGO_BIN_EXE_st")];
        let args = ["encode", "-m", "TINY", "-i", "a.txt", "-o", name];
        let ran = ran(place.with_program("bash".as_ref(), &before, &args).output().unwrap());
        let expected = format!("error: cannot write {name}\n  caused by: File too large (os error 27)\n");
        assert_eq!((ran.code, ran.stderr.as_str()), (2, expected.as_str()));
        assert_eq!(place.names(), ["a.txt"], "{name}");
    }
}

#[test]
fn models_that_are_not_there() {
    let place = Place::new();
    place.fails(
        &["encode", "-m", "./no-such", "a text"],
        "error: model folder ./no-such does not exist\nhint: `-m` takes a folder, an MLflow URI, or the name of a model \
         on the hub: ORG/NAME",
    );
    place.fails(
        &["encode", "-m", "models:/minilm@champion", "a text"],
        "error: there is no MLflow store here: no server is named, and this folder has no mlflow.db\n\
         hint: name a server or a store with `--tracking-uri` or MLFLOW_TRACKING_URI; `st log` makes a store in this folder",
    );
    assert_eq!(place.names(), [""; 0], "looking makes no store");
    std::fs::create_dir(place.path("empty")).unwrap();
    place.fails(
        &["encode", "-m", "empty", "a text"],
        "error: cannot load the model empty\n  \
         caused by: empty is not a model folder: it has neither modules.json nor config.json\n\
         hint: a sentence-transformers folder holds modules.json, config.json, tokenizer.json and \
         model.safetensors",
    );
}

#[test]
fn options_that_contradict_each_other() {
    let place = Place::new();
    place.fails(
        &["encode", "-m", "TINY", "--json", "a text"],
        "error: `--json` prints a summary on standard output, where the vectors go: add `-o FILE`",
    );
    place.fails(
        &["encode", "-m", "TINY", "--with-text", "-o", "a.npy", "a text"],
        "error: a.npy: an array holds vectors only, no texts\nhint: write .jsonl, .csv or .parquet",
    );
    place.fails(
        &["encode", "-m", "TINY", "--precision", "int8", "a text"],
        "error: one text alone gives no ranges for int8\n\
         hint: encode more texts at once, pass `--ranges FILE.npy`, or keep ranges with the model: `st calibrate`",
    );
    let ran = place.run(&["encode", "-m", "TINY", "--precision", "int4", "a text"]);
    assert_eq!(ran.code, 2);
    let expected = "`int4` is not a known precision; known are float32, int8, uint8, binary, ubinary";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
}
