//! What is fetched, and how it lies in the cache then.

use std::fs;
use std::thread;

use st_hub::{Hub, HubEvent, Wanted};
use st_testkit::{HubModel, tiny_model_dir};

use crate::support::{FOLDER, NAME, WEIGHTS, World, files, model};

/// What of the model is needed.
const NEEDED: [&str; 9] = [
    "1_Pooling/config.json",
    "2_Normalize/config.json",
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

#[test]
fn a_model_is_fetched_once_and_lies_as_python_has_it() {
    let world = World::new();
    let (outcome, events) = world.events(world.settings());
    let snapshot = outcome.unwrap();
    assert_eq!((snapshot.commit.as_str(), snapshot.fetched), (model().commit().as_str(), true));
    assert_eq!(snapshot.folder, world.path("snapshots").join(&snapshot.commit));
    assert_eq!(files(&snapshot.folder), NEEDED);
    for file in NEEDED {
        let original = fs::read(tiny_model_dir("mean-normalize").join(file)).unwrap();
        assert_eq!(fs::read(snapshot.folder.join(file)).unwrap(), original, "{file}");
    }
    assert_eq!(fs::read_to_string(world.path("refs/main")).unwrap(), snapshot.commit);
    assert_eq!(world.leftovers(), Vec::<String>::new());

    let asking = HubEvent::Asking { name: format!("{NAME}@main"), endpoint: world.server.url() };
    assert_eq!(events[0], asking);
    let HubEvent::Fetching { files: 9, bytes } = events[1] else { panic!("{events:?}") };
    let received = |event: &HubEvent| if let HubEvent::Received { bytes } = event { *bytes } else { 0 };
    assert_eq!(events.iter().map(received).sum::<u64>(), bytes);

    world.server.forget();
    let again = world.get(NAME).unwrap();
    assert_eq!((again.folder, again.fetched), (snapshot.folder, false));
    assert_eq!(world.server.requests(), []);
}

#[cfg(unix)]
#[test]
fn links_are_relative_and_named_by_digest() {
    let world = World::new();
    let snapshot = world.get(NAME).unwrap();
    let link = |path: &str| fs::read_link(snapshot.folder.join(path)).unwrap();
    let weights = link(WEIGHTS);
    let name = weights.file_name().unwrap().to_str().unwrap();
    assert_eq!((weights.to_str().unwrap(), name.len()), (format!("../../blobs/{name}").as_str(), 64));
    let pooling = link("1_Pooling/config.json");
    let name = pooling.file_name().unwrap().to_str().unwrap();
    assert_eq!((pooling.to_str().unwrap(), name.len()), (format!("../../../blobs/{name}").as_str(), 40));
}

#[test]
fn without_links_there_are_copies() {
    let world = World::new();
    let settings = world.settings_with(|settings| settings.symlinks = false);
    let snapshot = world.get_with(settings.clone(), NAME).unwrap();
    assert!(!snapshot.folder.join(WEIGHTS).is_symlink());
    world.server.forget();
    assert!(!world.get_with(settings, NAME).unwrap().fetched);
    assert_eq!(world.server.requests(), []);
}

#[test]
fn a_commit_a_branch_and_a_tag_are_told_apart() {
    let world = World::with(model().with_revision("refs/pr/1").with_revision("v1"));
    let commit = model().commit();
    for revision in ["v1", "refs/pr/1", commit.as_str()] {
        let snapshot = world.get(&format!("hf://{NAME}@{revision}")).unwrap();
        assert_eq!(snapshot.commit, commit, "{revision}");
        assert_eq!(world.path("refs").join(revision).is_file(), revision != commit, "{revision}");
    }
    // One commit, one download.
    assert_eq!(world.fetched_from_storage(), 1);
    assert!(!world.path("refs/main").exists());
    let first = &world.server.requests()[0];
    assert_eq!(first.path, format!("/api/models/{NAME}/revision/v1?blobs=true"));

    let other = model().with_file("config.json", "{}");
    world.server.add(NAME, other.clone());
    // What was fetched stays what it was; a commit that the hub no longer shows is there, too.
    assert!(!world.get(&format!("{NAME}@{commit}")).unwrap().fetched);
    assert_eq!(world.get(&format!("{NAME}@main")).unwrap().commit, other.commit());
}

#[test]
fn a_branch_that_moved_is_seen_when_asked_for() {
    let world = World::new();
    world.get(NAME).unwrap();
    let moved = model().with_file("config_sentence_transformers.json", "{\"prompts\": {}}");
    world.server.add(NAME, moved.clone());
    assert_eq!(world.get(NAME).unwrap().commit, model().commit());
    let fresh = world.refresh(NAME).unwrap();
    assert_eq!(fresh.commit, moved.commit());
    assert_eq!(world.get(NAME).unwrap().commit, moved.commit());
    // The weights are the same, and were not fetched again.
    assert_eq!(world.fetched_from_storage(), 1);
    assert_eq!(files(&fresh.folder), NEEDED);
}

#[test]
fn where_there_are_no_safetensors_the_graph_is_fetched() {
    let world = World::with(model().without(WEIGHTS));
    let snapshot = world.get(NAME).unwrap();
    assert!(snapshot.folder.join("onnx/model.onnx").is_file());
    assert!(!snapshot.folder.join("pytorch_model.bin").exists());
    world.server.forget();
    assert!(!world.get(NAME).unwrap().fetched);
}

/// Static embeddings have no configuration, a router has its transformers further down: neither is the business of this crate.
#[test]
fn models_of_other_shapes_are_whole_as_well() {
    let world = World::new();
    let list = |kind: &str, path: &str| {
        format!(r#"[{{"idx": 0, "name": "0", "path": "{path}", "type": "{kind}"}}]"#)
    };
    let statics = HubModel::default()
        .with_file("modules.json", list("sentence_transformers.models.StaticEmbedding", "0_StaticEmbedding"))
        .with_file("0_StaticEmbedding/model.safetensors", vec![1; 2000])
        .with_file("0_StaticEmbedding/tokenizer.json", "{}");
    let router = HubModel::default()
        .with_file("modules.json", list("sentence_transformers.models.Router", ""))
        .with_file("router_config.json", "{}")
        .with_file("query_0_Transformer/config.json", "{}")
        .with_file("query_0_Transformer/model.safetensors", vec![2; 2000])
        .with_file("query_0_Transformer/tokenizer.json", "{}");
    let words = HubModel::default()
        .with_file("modules.json", list("sentence_transformers.models.WordEmbeddings", "0_WordEmbeddings"))
        .with_file("0_WordEmbeddings/model.safetensors", vec![3; 2000])
        .with_file("0_WordEmbeddings/wordembedding_config.json", "{}")
        .with_file("0_WordEmbeddings/whitespacetokenizer_config.json", "{}");
    // Nobody renders the template, but a folder that has one may have to be refused.
    let chat = HubModel::default()
        .with_file("config.json", "{}")
        .with_file("tokenizer.json", "{}")
        .with_file("chat_template.jinja", "{{ messages }}")
        .with_file("model.safetensors", vec![4; 2000]);
    let all = [
        ("org/static", statics, 3),
        ("org/router", router, 5),
        ("org/words", words, 4),
        ("org/chat", chat, 4),
    ];
    for (name, model, count) in all {
        world.server.add(name, model);
        assert_eq!(files(&world.get(name).unwrap().folder).len(), count, "{name}");
        world.server.forget();
        assert!(!world.get(name).unwrap().fetched, "{name}");
        assert_eq!(world.server.requests(), []);
    }
}

#[test]
fn a_graph_that_is_wanted_comes_beside_the_safetensors() {
    let world = World::new();
    world.get(NAME).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let hub = Hub::new(world.settings()).unwrap().with_wanted(Wanted::default().with_onnx(true));
    let snapshot = runtime.block_on(hub.snapshot(&NAME.parse().unwrap())).unwrap();
    assert!(snapshot.folder.join("onnx/model.onnx").is_file() && snapshot.folder.join(WEIGHTS).is_file());
}

#[test]
fn a_model_with_pickle_only_is_refused_by_name() {
    let world = World::with(model().without(WEIGHTS).without("onnx/model.onnx"));
    let error = world.get(NAME).unwrap_err().to_string();
    let commit = model().without(WEIGHTS).without("onnx/model.onnx").commit();
    let expected =
        format!("{NAME} at {commit} has neither safetensors nor an ONNX graph; it has pytorch_model.bin");
    assert_eq!(error, expected);
}

#[test]
fn a_listing_of_names_alone_is_completed_by_the_heads() {
    let world = World::with(model().terse());
    assert_eq!(files(&world.get(NAME).unwrap().folder), NEEDED);
    let heads = world.server.requests().iter().filter(|request| request.method == "HEAD").count();
    assert_eq!(heads, NEEDED.len());
}

#[test]
fn several_that_want_a_model_download_it_once() {
    let world = World::with(model().with_file("big/model.safetensors", vec![7; 3 << 20]));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                let settings = world.settings();
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(Hub::new(settings).unwrap().snapshot(&NAME.parse().unwrap())).unwrap()
                })
            })
            .collect();
        let folders: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().folder).collect();
        assert!(folders.iter().all(|folder| *folder == folders[0]));
    });
    assert_eq!(world.fetched_from_storage(), 2);
    assert_eq!(world.leftovers(), Vec::<String>::new());
}

#[test]
fn the_old_models_have_no_organisation() {
    let world = World::new();
    world.server.add("bert-base-uncased", HubModel::of_folder(&tiny_model_dir("plain")));
    let snapshot = world.get("bert-base-uncased").unwrap();
    assert!(snapshot.folder.starts_with(world.cache().join("models--bert-base-uncased")));
    // It is known that it has no list of modules; nobody is asked again.
    world.server.forget();
    assert!(!world.get("bert-base-uncased").unwrap().fetched);
    assert_eq!(world.server.requests(), []);
    assert!(!world.cache().join(FOLDER).exists());
}
