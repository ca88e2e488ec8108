//! `st runs import`.

use std::fs;

use serde_json::{Value, json};

use crate::support::Place;

const RUN: &str = "0123456789abcdef0123456789abcdef";
const HINT: &str =
    "hint: `st runs import mlruns` carries everything of that folder over into mlflow.db, without Python";

/// A folder as MLflow 2 wrote it, with one run.
fn old() -> Place {
    let place = Place::new();
    let run = format!("mlruns/0/{RUN}");
    for folder in ["metrics", "params", "tags", "artifacts"] {
        fs::create_dir_all(place.path(&format!("{run}/{folder}"))).unwrap();
    }
    let experiment = format!(
        "artifact_location: {}\ncreation_time: 1700000000000\nexperiment_id: '0'\nlast_update_time: 1700000000000\n\
         lifecycle_stage: active\nname: Default\n",
        place.path("mlruns/0").display()
    );
    place.write("mlruns/0/meta.yaml", experiment);
    let meta = format!(
        "artifact_uri: {}\nend_time: 1700000001000\nentry_point_name: ''\nexperiment_id: '0'\nlifecycle_stage: active\n\
         run_id: {RUN}\nrun_name: old\nrun_uuid: {RUN}\nsource_name: ''\nsource_type: 4\nsource_version: ''\n\
         start_time: 1700000000000\nstatus: 3\ntags: []\nuser_id: ann\n",
        place.path(&format!("{run}/artifacts")).display()
    );
    place.write(&format!("{run}/meta.yaml"), meta);
    place.write(&format!("{run}/metrics/loss"), "1700000000000 0.5 0\n1700000000001 0.25 1\n");
    place.write(&format!("{run}/params/lr"), "0.1");
    place.write(&format!("{run}/artifacts/notes.txt"), "kept");
    place
}

#[test]
fn an_old_folder_is_carried_over_once() {
    let place = old();
    for args in [&["runs", "list"][..], &["log", "-m", "TINY", "--no-certificate"]] {
        let refused = place.run(args);
        assert_eq!((refused.code, refused.stderr.lines().last()), (2, Some(HINT)), "{}", refused.stderr);
    }
    assert_eq!(place.names(), ["mlruns"]);

    let imported: Value = serde_json::from_str(&place.ok(&["runs", "import", "mlruns", "--json"])).unwrap();
    assert_eq!((&imported["experiments"], &imported["runs"]), (&json!(1), &json!(1)), "{imported}");
    let values: Value =
        serde_json::from_str(&place.ok(&["runs", "show", RUN, "--metric", "loss", "--json"])).unwrap();
    let values: Vec<&Value> = values.as_array().unwrap().iter().map(|metric| &metric["value"]).collect();
    assert_eq!(values, [&json!(0.5), &json!(0.25)]);
    place.ok(&["runs", "artifacts", "download", RUN, "notes.txt", "-o", "copy"]);
    assert_eq!(place.read("copy/notes.txt"), "kept");

    let again = place.run(&["runs", "import", "mlruns"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("an import needs an empty one"), "{}", again.stderr);
}

#[test]
fn what_cannot_be_imported_is_said_before_anything_is_made() {
    let place = old();
    fs::create_dir(place.path("empty")).unwrap();
    let failed = place.run(&["runs", "import", "empty"]);
    assert!(failed.stderr.contains("holds no experiments of MLflow's store of files"), "{}", failed.stderr);
    let uri = "http://127.0.0.1:9";
    let failed = place.run(&["runs", "import", "mlruns", "--tracking-uri", uri]);
    let expected = "error: an import writes into a database file, and http://127.0.0.1:9 is none";
    assert_eq!((failed.code, failed.stderr.lines().next()), (2, Some(expected)));
    assert_eq!(place.names(), ["empty", "mlruns"]);
}
