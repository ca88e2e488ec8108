//! Texts that are too long, on the command line.

use serde_json::Value;
use st_testkit::{temp_copy, tiny_model_dir};

use crate::support::{Place, TINY};

fn place() -> Place {
    let place = Place::new();
    let long: Vec<String> = (0..60).map(|word| format!("river{}", word % 7)).collect();
    place.write(
        "texts.jsonl",
        format!("{{\"id\":\"a\",\"text\":\"short\"}}\n{{\"id\":\"b\",\"text\":\"{}\"}}\n", long.join(" ")),
    );
    place
}

const ENCODE: [&str; 7] = ["encode", "-m", "TINY", "-i", "texts.jsonl", "--column", "text"];

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_policy_is_followed_and_told() {
    let place = place();
    let run = |more: &[&str]| place.run(&[&ENCODE, more].concat());
    let cut = run(&[]);
    assert!(
        cut.stderr.starts_with("note: 1 of 2 texts were longer than 32 tokens and lost their end (row 2: "),
        "{}",
        cut.stderr
    );
    let chunked = run(&["--long-text", "chunk", "--overlap", "4", "-o", "out.npy", "--json"]);
    assert!(
        chunked.stderr.starts_with("note: 1 of 2 texts were longer than 32 tokens and were read in "),
        "{}",
        chunked.stderr
    );
    let summary: Value = serde_json::from_str(&chunked.stdout).unwrap();
    assert_eq!(
        (&summary["truncated"], &summary["long_texts"][0]["lost"]),
        (&Value::from(0), &Value::from(0))
    );
    let side: Value = serde_json::from_str(&place.read("out.npy.json")).unwrap();
    assert_eq!(side["provenance"]["long_text"], serde_json::json!({"policy": "chunk", "overlap": 4}));

    let refused = run(&["--long-text", "error"]);
    let (first, rest) = refused.stderr.split_once('\n').unwrap();
    assert_eq!((refused.code, first), (2, "error: cannot encode the texts"));
    assert!(
        rest.starts_with("  caused by: text 2 has ") && rest.contains(", and the model reads 32"),
        "{rest}"
    );
    assert!(
        rest.ends_with("hint: `--long-text truncate` cuts it, `--long-text chunk` reads it in windows\n"),
        "{rest}"
    );
    let alone = run(&["--overlap", "4"]);
    assert_eq!(alone.stderr, "error: `--overlap` is of windows: add `--long-text chunk`\n");
}

#[test]
fn a_model_keeps_its_policy() {
    let place = place();
    let folder = temp_copy(&tiny_model_dir(TINY));
    let model = folder.path().to_str().unwrap();
    let args = ["encode", "-m", model, "-i", "texts.jsonl", "--column", "text"];
    let plain = place.ok(&args);
    place.ok(&["configure", "-m", model, "--long-text", "chunk", "--overlap", "3"]);
    let kept = place.ok(&args);
    assert_ne!(kept, plain);
    assert_eq!(kept, place.ok(&[&ENCODE[..], &["--long-text", "chunk", "--overlap", "3"]].concat()));
    assert_eq!(place.ok(&[&args[..], &["--long-text", "truncate"]].concat()), plain, "the call wins");
    let shown = place.ok(&["inspect", "-m", model]);
    assert!(shown.contains("long text\n  policy   chunk\n  overlap  3\n"), "{shown}");

    place.ok(&["save", "-m", model, "-o", "saved"]);
    assert_eq!(place.ok(&["encode", "-m", "saved", "-i", "texts.jsonl", "--column", "text"]), kept);
    let sealed = place.run(&["configure", "-m", "saved", "--long-text", "error"]);
    assert!(sealed.stderr.starts_with("error: saved is not to be changed"), "{}", sealed.stderr);
}

#[test]
fn late_chunks_say_what_they_are_of() {
    let place = place();
    let late = |more: &[&str]| place.ok(&[&ENCODE[..], &["--late-chunking", "16"], more].concat());
    let chunks = lines(&late(&["--with-text", "--id-column", "id", "--overlap", "4"]));
    let text = lines(&place.read("texts.jsonl"))[1]["text"].as_str().unwrap().to_owned();
    assert_eq!((&chunks[0]["id"], &chunks[0]["text"]), (&Value::from("a#0"), &Value::from("short")));
    let mut whole = String::new();
    for (number, chunk) in chunks[1..].iter().enumerate() {
        assert_eq!(chunk["id"], format!("b#{number}"));
        let (start, end) = (chunk["start"].as_u64().unwrap(), chunk["end"].as_u64().unwrap());
        let part = &text[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
        assert_eq!(chunk["text"], part);
        whole.push_str(part);
    }
    assert_eq!(whole, text, "nothing is left out and nothing doubled");
    assert_eq!(lines(&late(&[]))[1]["id"], "2#0", "without ids rows are counted");

    late(&["-o", "out.csv"]);
    assert!(place.read("out.csv").starts_with("id,start,end,dim_0,"));
    let side: Value = serde_json::from_str(&place.read("out.csv.json")).unwrap();
    let used = &side["provenance"]["long_text"];
    assert_eq!((&used["policy"], &used["chunk_tokens"]), (&Value::from("late"), &Value::from(16)));
    late(&["-o", "out.parquet", "--with-text"]);
    let answer =
        place.ok(&["search", "-m", "TINY", "--vectors", "out.parquet", "-q", "short", "-k", "1", "--json"]);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["queries"][0]["hits"][0]["id"], "1#0");
    place.fails(
        &[&ENCODE[..], &["--late-chunking", "16", "-o", "out.npy"]].concat(),
        "error: out.npy: an array holds vectors only, no chunks\nhint: write .jsonl, .csv or .parquet",
    );
}
