//! ONNX Runtime missing, too old, or something else; each needs a process of its own.

use st_testkit::cache_dir;

use crate::support::Place;

const HINT: &str = "hint: run `cargo xtask setup` in a checkout, or set ORT_DYLIB_PATH to a libonnxruntime of \
                    1.24 or newer (the Python package `onnxruntime` has one); `st doctor` shows what was found";

/// Encodes with this library; gives standard error without the hint, which must be there.
#[track_caller]
fn refusal(place: &Place, library: &str) -> String {
    let output = place.command(&["encode", "-m", "TINY", "a text"]).env("ORT_DYLIB_PATH", library).output();
    let ran = crate::support::ran(output.unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    let (message, hint) = ran.stderr.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(hint, HINT);
    message.to_owned()
}

#[test]
fn a_missing_runtime_is_named_with_its_place() {
    let message = refusal(&Place::new(), "/no/libonnxruntime.so");
    assert!(
        message.ends_with("caused by: ONNX Runtime was not found; looked for /no/libonnxruntime.so"),
        "{message}"
    );
}

#[test]
fn an_old_runtime_is_named_with_both_versions() {
    let library = cache_dir().join("runtime/1.20.1/libonnxruntime.so.1.20.1");
    assert!(library.is_file(), "{}: not there; `cargo xtask setup` fetches it", library.display());
    let library = library.to_str().unwrap();
    let message = refusal(&Place::new(), library);
    let expected = format!("caused by: ONNX Runtime 1.20.1 at {library} is too old; 1.24 or newer is needed");
    assert!(message.ends_with(&expected), "{message}");
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    let place = Place::new();
    place.write("lib.so", "not a library");
    let path = place.path("lib.so");
    let message = refusal(&place, path.to_str().unwrap());
    let expected = format!("caused by: cannot load ONNX Runtime from {}", path.display());
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn the_doctor_says_what_is_missing_and_ends_with_one() {
    let place = Place::new();
    let output = place.command(&["doctor"]).env("ORT_DYLIB_PATH", "/no/lib.so").output().unwrap();
    let ran = crate::support::ran(output);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("cargo xtask setup"), "{}", ran.stdout);
    assert!(ran.stdout.contains("/no/lib.so"), "{}", ran.stdout);

    // A library that cannot be used is no better than none.
    let library = cache_dir().join("runtime/1.20.1/libonnxruntime.so.1.20.1");
    let output = place.command(&["doctor"]).env("ORT_DYLIB_PATH", library).output().unwrap();
    let ran = crate::support::ran(output);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("is too old; 1.24 or newer is needed"), "{}", ran.stdout);

    let answer: serde_json::Value = serde_json::from_str(&place.ok(&["doctor", "--json"])).unwrap();
    assert!(answer["runtime"]["file"].as_str().unwrap().contains("onnxruntime"), "{answer}");
}
