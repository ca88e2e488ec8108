//! Interrupted runs, and readers that go away.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Place, ran};

/// Starts a run that waits for more texts with its output begun.
fn waiting(place: &Place) -> Child {
    let args = ["encode", "-m", "TINY", "-i", "-", "-o", "out.jsonl"];
    let mut child = place
        .command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"a text\n").unwrap();
    let started = Instant::now();
    while place.names().is_empty() {
        assert!(started.elapsed() < Duration::from_mins(1), "the output was never begun");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

#[track_caller]
fn check(signal: &str, code: Option<i32>, left: usize) {
    let place = Place::new();
    let mut child = waiting(&place);
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), code);
    assert!(!place.path("out.jsonl").exists());
    assert_eq!(place.names().len(), left, "{:?}", place.names());
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    check("-INT", Some(130), 0);
    check("-TERM", Some(130), 0);
}

#[test]
fn a_killed_run_leaves_nothing_under_the_final_name() {
    check("-KILL", None, 1);
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let place = Place::new();
    let mut child = place
        .command(&["encode", "-m", "TINY", "a text"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}
