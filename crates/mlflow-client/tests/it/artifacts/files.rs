//! Files, one by one.

use mlflow_client::artifacts::{Digest, FileInfo, LocalFile, ReadStart};

use super::{Place, path};

/// More than two of the smallest parts, and no whole number of them.
const LARGE: usize = (11 << 20) + 3;

/// Bytes in which no part is as another.
fn large() -> Vec<u8> {
    (0..LARGE as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56).to_le_bytes()[0]).collect()
}

pub(super) async fn an_empty_folder_has_nothing_in_it(place: &Place) {
    assert_eq!(place.store.list(None).await.unwrap(), []);
    assert_eq!(place.store.list(Some(&path("a/b"))).await.unwrap(), []);
}

pub(super) async fn one_is_listed_and_read(place: &Place) {
    place.write("MLmodel", b"a: 1\n").await;
    place.write("model/1_Pooling/config.json", b"{}").await;
    let expected = [FileInfo::file(path("MLmodel"), Some(5)), FileInfo::directory(path("model"))];
    assert_eq!(place.store.list(None).await.unwrap(), expected);
    assert_eq!(place.list(Some("model")).await, ["model/1_Pooling/"]);
    assert_eq!(place.list(Some("model/1_Pooling")).await, ["model/1_Pooling/config.json"]);
    let read = place.store.read(&path("MLmodel"), &ReadStart::default()).await.unwrap();
    assert_eq!((read.offset, read.length), (0, Some(5)));
    assert_eq!(read.bytes(10).await.unwrap(), b"a: 1\n");
}

pub(super) async fn odd_names_stay_what_they_are(place: &Place) {
    let names = ["a b/ü & 100%.txt", "a b/x+y=z.txt", "a b/it's (1).json", "a b/日本語", "a b/~x,y;z@w.$"];
    for name in names {
        place.write(name, name.as_bytes()).await;
    }
    let mut expected = names.map(str::to_owned);
    expected.sort();
    assert_eq!(place.list(Some("a b")).await, expected);
    for name in names {
        assert_eq!(place.text(name).await, name);
    }
}

pub(super) async fn one_is_replaced(place: &Place) {
    place.write("a/b", b"first and long").await;
    place.write("a/b", b"second").await;
    assert_eq!(place.text("a/b").await, "second");
    assert_eq!(place.store.list(Some(&path("a"))).await.unwrap(), [FileInfo::file(path("a/b"), Some(6))]);
}

pub(super) async fn an_empty_one_arrives(place: &Place) {
    place.write("model/__init__.py", b"").await;
    let infos = place.store.list(Some(&path("model"))).await.unwrap();
    // MLflow's server leaves a zero out of its answers.
    let expected = FileInfo { file_size: infos[0].file_size.filter(|size| *size > 0), ..infos[0].clone() };
    assert_eq!(expected, FileInfo::file(path("model/__init__.py"), None));
    assert_eq!(place.text("model/__init__.py").await, "");
}

pub(super) async fn one_is_read_from_its_middle(place: &Place) {
    place.write("x", b"0123456789").await;
    let (_, whole, tag) = place.read("x", &ReadStart::default()).await;
    assert_eq!(whole, b"0123456789");
    let (offset, rest, _) = place.read("x", &ReadStart { offset: 7, tag }).await;
    // A store that cannot begin in the middle begins at 0.
    let expected: &[u8] = if offset == 0 { &whole } else { b"789" };
    assert_eq!(rest, expected);
}

pub(super) async fn one_that_changed_is_read_from_its_beginning(place: &Place) {
    place.write("x", b"0123456789").await;
    let (_, _, tag) = place.read("x", &ReadStart::default()).await;
    let Some(tag) = tag else { return };
    place.write("x", b"abcdefghij").await;
    let (offset, bytes, other) = place.read("x", &ReadStart { offset: 7, tag: Some(tag.clone()) }).await;
    assert_eq!((offset, bytes.as_slice()), (0, b"abcdefghij".as_slice()));
    assert_ne!(other, Some(tag));
}

pub(super) async fn what_is_not_there_is_said_to_be_missing(place: &Place) {
    place.write("a/b", b"x").await;
    for name in ["a/c", "c", "a/b/c"] {
        let error = place.store.read(&path(name), &ReadStart::default()).await.unwrap_err();
        assert!(error.is_not_found(), "{error:?}");
        assert!(
            error.to_string().contains(&format!("No such artifact: '{name}'")) || error.as_api().is_some()
        );
    }
    for name in ["a/b", "c", "a/c"] {
        assert_eq!(place.list(Some(name)).await, Vec::<String>::new(), "{name}");
    }
}

pub(super) async fn a_name_that_begins_alike_is_another(place: &Place) {
    for name in ["model/x", "model-2/y", "model.txt"] {
        place.write(name, b"x").await;
    }
    assert_eq!(place.list(Some("model")).await, ["model/x"]);
    assert_eq!(place.list(None).await, ["model/", "model-2/", "model.txt"]);
}

pub(super) async fn a_large_one_arrives_whole(place: &Place) {
    let content = large();
    place.write("weights/model.safetensors", &content).await;
    let expected = [FileInfo::file(path("weights/model.safetensors"), Some(LARGE as u64))];
    assert_eq!(place.store.list(Some(&path("weights"))).await.unwrap(), expected);
    let (_, bytes, _) = place.read("weights/model.safetensors", &ReadStart::default()).await;
    assert_eq!(Digest::of(&bytes), Digest::of(&content));
}

/// Of a small file and of one that travels in parts.
pub(super) async fn one_that_grew_leaves_nothing(place: &Place) {
    for content in [b"12345".to_vec(), large()] {
        let file = place.file(&content);
        let file = LocalFile { length: file.length - 1, ..file };
        place.store.write(&path("x"), &file).await.unwrap_err();
        assert_eq!(place.list(None).await, Vec::<String>::new());
    }
}

pub(super) async fn one_that_shrank_leaves_nothing(place: &Place) {
    for content in [b"12345".to_vec(), large()] {
        let file = place.file(&content);
        let file = LocalFile { length: file.length + 1, ..file };
        place.store.write(&path("x"), &file).await.unwrap_err();
        assert_eq!(place.list(None).await, Vec::<String>::new());
    }
}
