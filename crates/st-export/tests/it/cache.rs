//! The cache of exported graphs.

use std::fs;
use std::path::Path;
use std::thread;

use st_core::PoolingMode;
use st_export::{CacheState, GraphCache, Head, Quantization, onnx};

use crate::fixture::{Tiny, mean, words};

/// A folder with a checkpoint and a cache beside it.
fn start() -> (tempfile::TempDir, GraphCache) {
    let folder = tempfile::tempdir().unwrap();
    Tiny::new().write(folder.path());
    let cache = GraphCache::new(folder.path().join("cache/graphs"));
    (folder, cache)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_graph_is_built_once_and_found_again() {
    let (folder, cache) = start();
    let built = cache.get_or_export(folder.path(), Some(&mean()), Quantization::None).unwrap();
    assert_eq!(built.state, CacheState::Built);
    let entry = built.path.parent().unwrap();
    assert_eq!(entry.file_name().unwrap().to_str(), Some(built.digest.as_str()));
    assert_eq!(names(entry), ["entry.json", "model.onnx", "model.onnx_data"]);
    onnx::open_header(&built.path).unwrap();

    let hit = cache.get_or_export(folder.path(), Some(&mean()), Quantization::None).unwrap();
    assert_eq!((hit.state, &hit.path, &hit.digest), (CacheState::Hit, &built.path, &built.digest));
    assert_eq!(names(entry.parent().unwrap()), [built.digest.as_str()], "nothing unfinished stays");
}

#[test]
fn the_digest_depends_on_all_that_the_graph_depends_on() {
    let (folder, cache) = start();
    let mut digests = vec![];
    let mut note = |folder: &Path, head: Option<&Head>| {
        let graph = cache.get_or_export(folder, head, Quantization::None).unwrap();
        assert_eq!(graph.state, CacheState::Built);
        digests.push(graph.digest);
    };
    note(folder.path(), None);
    note(folder.path(), Some(&mean()));
    note(folder.path(), Some(&mean().with_normalize(false)));
    note(folder.path(), Some(&Head::new([PoolingMode::Cls])));
    Tiny::new().with_setting("layer_norm_eps", 1e-5).write(folder.path());
    note(folder.path(), None);
    Tiny::new().edited("embeddings.LayerNorm.bias", |tensor| tensor.bytes[0] ^= 1).write(folder.path());
    note(folder.path(), None);
    let int8 = cache.get_or_export(folder.path(), None, Quantization::Int8).unwrap();
    assert_eq!(int8.state, CacheState::Built);
    digests.push(int8.digest);
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 7);

    // A key that the graph does not depend on changes nothing.
    Tiny::new().with_setting("transformers_version", "5.0").write(folder.path());
    assert_eq!(cache.get_or_export(folder.path(), None, Quantization::None).unwrap().state, CacheState::Hit);
}

#[test]
fn damage_is_noticed_and_repaired() {
    let (folder, cache) = start();
    let built = cache.get_or_export(folder.path(), None, Quantization::None).unwrap();
    let entry = built.path.parent().unwrap();
    let sound: Vec<Vec<u8>> = names(entry).iter().map(|name| fs::read(entry.join(name)).unwrap()).collect();
    let flip = |name: &str| {
        let mut bytes = fs::read(entry.join(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(entry.join(name), bytes).unwrap();
    };
    let damages: [&dyn Fn(); 7] = [
        &|| flip("model.onnx"),
        &|| flip("model.onnx_data"),
        &|| flip("entry.json"),
        &|| fs::write(entry.join("model.onnx_data"), "").unwrap(),
        &|| fs::remove_file(entry.join("model.onnx")).unwrap(),
        &|| fs::remove_file(entry.join("entry.json")).unwrap(),
        &|| {
            fs::remove_dir_all(entry).unwrap();
            fs::write(entry, "a file in place of the folder").unwrap();
        },
    ];
    for (place, damage) in damages.iter().enumerate() {
        damage();
        let rebuilt = cache.get_or_export(folder.path(), None, Quantization::None).unwrap();
        assert_eq!((rebuilt.state, &rebuilt.path), (CacheState::Rebuilt, &built.path), "damage {place}");
        let now: Vec<Vec<u8>> = names(entry).iter().map(|name| fs::read(entry.join(name)).unwrap()).collect();
        assert!(now == sound, "damage {place}");
        assert_eq!(
            cache.get_or_export(folder.path(), None, Quantization::None).unwrap().state,
            CacheState::Hit
        );
        assert_eq!(names(entry.parent().unwrap()).len(), 1, "damage {place} leaves nothing behind");
    }
}

#[test]
fn many_may_ask_at_once() {
    let (folder, cache) = start();
    let ask = || cache.get_or_export(folder.path(), None, Quantization::None).unwrap();
    let paths = thread::scope(|scope| {
        let askers: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        askers.into_iter().map(|asker| asker.join().unwrap().path).collect::<Vec<_>>()
    });
    assert!(paths.iter().all(|path| *path == paths[0]));
    assert_eq!(ask().state, CacheState::Hit);
    assert_eq!(names(&folder.path().join("cache/graphs")).len(), 1);
}

#[test]
fn a_checkpoint_that_cannot_be_exported_leaves_the_cache_empty() {
    let (folder, cache) = start();
    let spoil = |bytes: &mut Vec<u8>| bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    Tiny::new().edited("embeddings.LayerNorm.bias", |tensor| spoil(&mut tensor.bytes)).write(folder.path());
    let error = cache.get_or_export(folder.path(), None, Quantization::None).unwrap_err();
    assert_eq!(
        words(&error, folder.path()),
        "tensor `embeddings.LayerNorm.bias` of `FOLDER/model.safetensors` holds NaN at index 0"
    );
    assert_eq!(names(&folder.path().join("cache/graphs")), Vec::<String>::new());
}
