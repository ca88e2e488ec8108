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

/// Copying 90 MB takes long enough for a signal to come in between, mostly; whenever it comes, nothing half stays.
#[test]
fn an_interrupted_save_leaves_all_or_nothing() {
    let model = st_testkit::model_dir("all-MiniLM-L6-v2");
    for _ in 0..5 {
        let place = Place::new();
        let mut child =
            place.command(&["save", "-m", model.to_str().unwrap(), "-o", "saved"]).spawn().unwrap();
        while place.names().is_empty() {
            thread::sleep(Duration::from_millis(1));
        }
        // It may have ended already.
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 130)), "{code:?}");
        let names = place.names();
        assert!(names.is_empty() || names == ["saved"], "{names:?}");
        assert!(code == Some(130) || names == ["saved"], "it ended well and left nothing");
        assert!(names.is_empty() || place.path("saved/MLmodel").exists());
    }
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
