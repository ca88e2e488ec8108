//! A hub that means harm, or is broken in the same way.

use std::fs;

use st_hub::Error;
use st_testkit::{Fault, FaultProxy, HubModel, Rule};

use crate::support::{NAME, WEIGHTS, World, files, model};

/// Nothing that was refused may look like a model, now or later.
#[track_caller]
fn check_nothing_is_kept(world: &World, announced: &HubModel, path: &str) {
    let blob = world.path("blobs").join(announced.digest(path));
    assert!(!blob.exists() && !blob.with_added_extension("incomplete").exists());
    assert!(!world.path("refs/main").exists());
    world.server.add(NAME, model());
    assert_eq!(fs::read(world.get(NAME).unwrap().folder.join(WEIGHTS)).unwrap().len(), 70_688);
}

#[test]
fn other_bytes_than_announced() {
    let mut bytes = fs::read(st_testkit::tiny_model_dir("mean-normalize").join(WEIGHTS)).unwrap();
    bytes[60_000] ^= 1;
    let world = World::with(model().lying_about_content(WEIGHTS, bytes));
    let error = world.get(NAME).unwrap_err();
    assert!(matches!(&error, Error::Digest { algorithm: "SHA-256", file, .. } if file == WEIGHTS), "{error}");
    assert_eq!(world.fetched_from_storage(), 1);
    check_nothing_is_kept(&world, &model(), WEIGHTS);
}

#[test]
fn another_small_file_than_announced() {
    let length = fs::read(st_testkit::tiny_model_dir("mean-normalize").join("modules.json")).unwrap().len();
    let world = World::with(model().lying_about_content("modules.json", vec![b' '; length]));
    let error = world.get(NAME).unwrap_err();
    assert!(matches!(&error, Error::Digest { algorithm: "git digest", .. }), "{error}");
    check_nothing_is_kept(&world, &model(), "modules.json");
}

#[test]
fn more_bytes_than_announced() {
    let world = World::with(model().lying_about_content(WEIGHTS, vec![0; 1 << 20]));
    let error = world.get(NAME).unwrap_err();
    assert!(matches!(&error, Error::Size { expected: 70_688, .. }), "{error}");
    check_nothing_is_kept(&world, &model(), WEIGHTS);
}

#[test]
fn fewer_bytes_than_announced() {
    let world = World::with(model().lying_about_content(WEIGHTS, vec![0; 1000]));
    let error = world.get(NAME).unwrap_err();
    // The rest is asked for, and there is none; what came is not what was announced.
    assert!(matches!(&error, Error::Size { .. } | Error::Digest { .. }), "{error}");
    check_nothing_is_kept(&world, &model(), WEIGHTS);
}

#[test]
fn a_pointer_in_place_of_weights() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    let world = World::with(model().with_file(WEIGHTS, pointer));
    let error = world.get(NAME).unwrap_err();
    assert_eq!(error.to_string(), format!("{NAME}/{WEIGHTS} is a pointer of Git LFS, not the file itself"));
    check_nothing_is_kept(&world, &model().with_file(WEIGHTS, pointer), WEIGHTS);
}

#[test]
fn names_that_leave_the_folder() {
    let hostile = [
        "../../../evil.json",
        "/tmp/evil.json",
        "a/../../evil.json",
        "a\\..\\evil.json",
        "evil\0.json",
        "C:/x",
    ];
    for name in hostile {
        let world = World::with(model().lying_about_name("README.md", name));
        let error = world.get(NAME).unwrap_err();
        assert!(matches!(&error, Error::HostilePath { path, .. } if path == name), "{error}");
        assert_eq!(files(world.cache()), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_file_that_fills_the_disk() {
    let world = World::new();
    let commit = model().commit();
    let listing = format!(
        r#"{{"sha": "{commit}", "siblings": [
            {{"rfilename": "model.safetensors", "size": 1, "lfs": {{"sha256": "{}", "size": 50000000001}}}}]}}"#,
        "a".repeat(64)
    );
    let rules = vec![Rule::new("GET", "/api/*", Fault::answer(200, &[], &listing))];
    let proxy = FaultProxy::start(world.server.address(), rules);
    let error =
        world.get_with(world.settings_with(|settings| settings.endpoint = proxy.url()), NAME).unwrap_err();
    assert!(matches!(error, Error::TooLarge { size: 50_000_000_001, .. }), "{error}");
}

#[test]
fn a_digest_that_is_a_path() {
    let world = World::new();
    let listing = format!(
        r#"{{"sha": "{}", "siblings": [{{"rfilename": "model.safetensors", "size": 1, "blobId": "../../../evil"}}]}}"#,
        model().commit()
    );
    let rules = vec![
        Rule::new("GET", "/api/*", Fault::answer(200, &[], &listing)),
        Rule::new("HEAD", "*", Fault::answer(200, &[("ETag", "\"../../../evil\"")], "")),
    ];
    let proxy = FaultProxy::start(world.server.address(), rules);
    let error =
        world.get_with(world.settings_with(|settings| settings.endpoint = proxy.url()), NAME).unwrap_err();
    assert!(matches!(error, Error::Unverifiable { .. }), "{error}");
}

#[test]
fn another_commit_than_the_one_that_was_asked_for() {
    let world = World::new();
    let listing = format!(r#"{{"sha": "{}", "siblings": []}}"#, "a".repeat(40));
    let rules = vec![Rule::new("GET", "/api/*", Fault::answer(200, &[], &listing))];
    let proxy = FaultProxy::start(world.server.address(), rules);
    let settings = world.settings_with(|settings| settings.endpoint = proxy.url());
    let error = world.get_with(settings, &format!("{NAME}@{}", model().commit())).unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}

#[test]
fn redirections_without_end_and_to_no_web() {
    let world = World::new();
    for (location, expected) in [
        ("/api/models/x", "more than 10 redirections"),
        ("file:///etc/passwd", "a redirection to something that is not the web"),
    ] {
        let rule = Rule::new("GET", "/api/*", Fault::answer(302, &[("Location", location)], ""));
        let proxy = FaultProxy::start(world.server.address(), vec![rule.times(usize::MAX)]);
        let settings = world.settings_with(|settings| settings.endpoint = proxy.url());
        let error = world.get_with(settings, NAME).unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[test]
fn words_of_a_server_are_short_and_on_one_line() {
    let world = World::new();
    let message = "x".repeat(5000);
    let rules = vec![Rule::new("GET", "/api/*", Fault::answer(418, &[("X-Error-Message", &message)], ""))];
    let proxy = FaultProxy::start(world.server.address(), rules);
    let error =
        world.get_with(world.settings_with(|settings| settings.endpoint = proxy.url()), NAME).unwrap_err();
    assert!(error.to_string().len() < 500, "{error}");
}
