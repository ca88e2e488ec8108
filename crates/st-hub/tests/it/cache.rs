//! Caches that Python, other programs and other people wrote.

use std::fs;

use st_hub::{Error, HubEvent};

use crate::support::{NAME, WEIGHTS, World, model};

/// A world whose cache has the model; the hub has forgotten that.
fn filled() -> World {
    let world = World::new();
    world.get(NAME).unwrap();
    // What Python leaves behind has no notes of ours.
    let _ = fs::remove_dir_all(world.path(".no_exist"));
    world.server.forget();
    world
}

fn snapshot(world: &World) -> std::path::PathBuf {
    world.path("snapshots").join(model().commit())
}

/// Takes files away: offline that is an error, and with a network they are fetched.
#[track_caller]
fn check_completed(gone: &[&str], missing: &str) {
    let world = filled();
    for path in gone {
        let path = snapshot(&world).join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }
    let offline = world.settings_with(|settings| settings.offline = true);
    let error = world.get_with(offline, NAME).unwrap_err();
    assert!(matches!(&error, Error::OfflineIncomplete { missing: found, .. } if found == missing), "{error}");
    assert!(world.get(NAME).unwrap().fetched);
    for path in gone {
        assert!(snapshot(&world).join(path).exists(), "{path}");
    }
    // The contents were there all the time.
    assert_eq!(world.fetched_from_storage(), 0);
}

#[test]
fn a_snapshot_without_weights_is_completed() {
    check_completed(&[WEIGHTS], WEIGHTS);
}

#[test]
fn a_snapshot_without_tokenizer_is_completed() {
    check_completed(&["tokenizer.json"], "tokenizer.json");
}

#[test]
fn a_snapshot_without_a_module_is_completed() {
    check_completed(&["1_Pooling"], "1_Pooling");
}

/// What `AutoModel` and `AutoTokenizer` leave behind is not the sentence encoder: it would be pooled by guessing.
#[test]
fn what_only_transformers_fetched_is_not_the_model() {
    let ours = ["modules.json", "1_Pooling", "2_Normalize", "sentence_bert_config.json"];
    check_completed(&ours, "modules.json");
}

#[test]
fn a_commit_that_is_known_to_have_no_modules_is_whole() {
    let world = filled();
    for path in ["modules.json", "sentence_bert_config.json"] {
        fs::remove_file(snapshot(&world).join(path)).unwrap();
        let note = world.path(".no_exist").join(model().commit()).join(path);
        fs::create_dir_all(note.parent().unwrap()).unwrap();
        fs::write(note, "").unwrap();
    }
    assert!(!world.get(NAME).unwrap().fetched);
    assert_eq!(world.server.requests(), []);
}

#[test]
fn a_file_that_the_model_may_not_have_is_looked_for_if_there_is_a_network() {
    let world = filled();
    fs::remove_file(snapshot(&world).join("config_sentence_transformers.json")).unwrap();
    let (outcome, events) = world.events(world.settings_with(|settings| settings.offline = true));
    assert!(!outcome.unwrap().fetched);
    let unsure = HubEvent::Unsure { file: "config_sentence_transformers.json".to_owned() };
    assert_eq!(events, [unsure]);
    assert!(world.get(NAME).unwrap().fetched);
    assert!(snapshot(&world).join("config_sentence_transformers.json").is_file());
}

#[test]
fn the_listing_that_python_keeps_says_what_is_missing() {
    let world = filled();
    let trees = world.path("trees");
    fs::create_dir_all(&trees).unwrap();
    let tree = r#"{"format_version": 1, "files": {
        "config.json": {"size": 1, "blob_id": "x"}, "modules.json": {"size": 1, "blob_id": "x"},
        "model.safetensors": {"size": 1, "blob_id": "x"}, "3_Dense/model.safetensors": {"size": 1, "blob_id": "x"}}}"#;
    fs::write(trees.join(format!("{}.json", model().commit())), tree).unwrap();
    let (outcome, events) = world.events(world.settings_with(|settings| settings.offline = true));
    assert!(!outcome.unwrap().fetched);
    assert_eq!(events, [HubEvent::Unsure { file: "3_Dense/model.safetensors".to_owned() }]);
}

/// Since its version 2, Python keeps contents that several models have in one place, with a link in each model's blobs.
#[cfg(unix)]
#[test]
fn contents_that_models_share_are_found() {
    let world = filled();
    let blob = world.path("blobs").join(model().digest(WEIGHTS));
    let shared = world.cache().join("blobs/ab").join(format!("ab{}", "0".repeat(62)));
    fs::create_dir_all(shared.parent().unwrap()).unwrap();
    fs::rename(&blob, &shared).unwrap();
    let target = format!("../../blobs/ab/{}", shared.file_name().unwrap().to_str().unwrap());
    std::os::unix::fs::symlink(target, &blob).unwrap();
    let found = world.get(NAME).unwrap();
    assert_eq!((found.verify().is_ok(), world.server.requests().len()), (true, 0));
    assert!(world.refresh(NAME).is_ok());
    assert_eq!(world.fetched_from_storage(), 0);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_cache_are_refused() {
    use std::os::unix::fs::symlink;
    for target in ["/etc/passwd", "../../../../outside", "/"] {
        let world = filled();
        fs::write(world.cache().parent().unwrap().join("outside"), "x").unwrap();
        let link = snapshot(&world).join("extra.json");
        symlink(target, &link).unwrap();
        let error = world.get(NAME).unwrap_err();
        assert!(matches!(&error, Error::Escape { link: found } if *found == link), "{target}: {error}");
    }
    let world = filled();
    let module = snapshot(&world).join("1_Pooling");
    fs::remove_dir_all(&module).unwrap();
    symlink("/etc", &module).unwrap();
    assert!(matches!(world.get(NAME).unwrap_err(), Error::Escape { .. }));
    assert!(matches!(world.refresh(NAME).unwrap_err(), Error::Escape { .. }));
}

#[test]
fn a_blob_that_was_damaged_is_seen_when_the_model_is_fetched_again() {
    let world = filled();
    let blob = fs::canonicalize(snapshot(&world).join(WEIGHTS)).unwrap();
    let mut bytes = fs::read(&blob).unwrap();
    bytes[60_000] ^= 1;
    fs::write(&blob, &bytes).unwrap();
    world.refresh(NAME).unwrap();
    assert_ne!(fs::read(&blob).unwrap(), bytes);
}

#[test]
fn files_are_compared_with_their_names() {
    let world = filled();
    let snapshot = world.get(NAME).unwrap();
    snapshot.verify().unwrap();
    fs::write(snapshot.folder.join("tokenizer.json"), "{}").unwrap();
    let error = snapshot.verify().unwrap_err().to_string();
    assert!(error.starts_with("org/tiny/tokenizer.json: the git digest is "), "{error}");
}

#[test]
fn a_clone_without_large_files_is_told_from_a_model() {
    let world = filled();
    let blob = fs::canonicalize(snapshot(&world).join(WEIGHTS)).unwrap();
    fs::write(&blob, "version https://git-lfs.github.com/spec/v1\n").unwrap();
    assert!(matches!(world.get(NAME).unwrap_err(), Error::LfsPointer { .. }));
}
