//! Both ways of confinement, under the same attacks.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;

use super::*;
use crate::artifacts::ArtifactPath;

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::try_new(text).unwrap()
}

macro_rules! suite {
    ($name:ident, $confined:ty) => {
        mod $name {
            use super::*;

            #[test]
            fn files_are_written_listed_read_and_replaced() {
                let folder = tempfile::tempdir().unwrap();
                let root = <$confined>::open(folder.path()).unwrap();
                root.create(&path("a/b/c.txt")).unwrap().write_all(b"one").unwrap();
                assert!(root.create(&path("a/b/c.txt")).is_err());
                root.create(&path("new")).unwrap().write_all(b"other").unwrap();
                root.rename(&path("new"), &path("a/b/c.txt")).unwrap();
                let mut text = String::new();
                root.read(&path("a/b/c.txt")).unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text, "other");
                let entry = |name: &str, kind| Entry { name: name.to_owned(), kind };
                assert_eq!(root.list(None).unwrap(), [entry("a", Kind::Directory)]);
                assert_eq!(root.list(Some(&path("a/b"))).unwrap(), [entry("c.txt", Kind::File(5))]);
                assert_eq!(root.list(Some(&path("a/b/c.txt"))).unwrap(), []);
                assert_eq!(root.list(Some(&path("none/x"))).unwrap(), []);
                root.sync(Some(&path("a"))).unwrap();
                root.remove(&path("a/b/c.txt")).unwrap();
                assert_eq!(root.list(Some(&path("a/b"))).unwrap(), []);
            }

            #[test]
            fn links_are_listed_as_foreign_and_never_followed() {
                let outside = tempfile::tempdir().unwrap();
                fs::write(outside.path().join("secret"), "s").unwrap();
                let folder = tempfile::tempdir().unwrap();
                symlink(outside.path(), folder.path().join("dir")).unwrap();
                symlink(outside.path().join("secret"), folder.path().join("file")).unwrap();
                symlink(outside.path().join("new"), folder.path().join("dangling")).unwrap();
                let root = <$confined>::open(folder.path()).unwrap();
                assert!(root.list(None).unwrap().iter().all(|entry| entry.kind == Kind::Other));
                assert!(root.read(&path("file")).is_err());
                assert!(root.read(&path("dir/secret")).is_err());
                assert!(root.create(&path("dir/new")).is_err());
                assert!(root.create(&path("dangling")).is_err());
                assert!(root.create_directory(&path("dir")).is_err());
                assert!(root.create_directory(&path("dir/sub")).is_err());
                assert!(root.remove(&path("dir/secret")).is_err());
                assert_eq!(root.list(Some(&path("dir"))).unwrap_or_default(), []);
                assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
            }

            #[test]
            fn the_root_itself_may_be_a_link_but_must_be_a_folder() {
                let folder = tempfile::tempdir().unwrap();
                fs::create_dir(folder.path().join("real")).unwrap();
                symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
                <$confined>::open(&folder.path().join("link")).unwrap().create(&path("x")).unwrap();
                assert!(folder.path().join("real/x").exists());
                assert!(<$confined>::open(&folder.path().join("real/x")).is_err());
            }

            #[test]
            fn a_directory_is_not_read_as_a_file() {
                let folder = tempfile::tempdir().unwrap();
                fs::create_dir(folder.path().join("d")).unwrap();
                let root = <$confined>::open(folder.path()).unwrap();
                assert_eq!(root.read(&path("d")).unwrap_err().to_string(), "it is not a plain file");
            }
        }
    };
}

suite!(handles, Confined);
suite!(looks, portable::Confined);
