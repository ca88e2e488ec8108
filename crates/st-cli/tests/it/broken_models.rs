//! Model folders that are damaged, foreign or hostile, as a user of the command sees them.

use std::fs;
use std::path::Path;

use st_testkit::{model_dir, temp_copy, tiny_model_dir};

use crate::support::{Place, TINY};

/// Damages a copy of the tiny model; the model is called `M` in the message.
#[track_caller]
fn check(damage: impl FnOnce(&Path), expected: &str) {
    let place = Place::new();
    let model = temp_copy(&tiny_model_dir(TINY));
    damage(model.path());
    let path = model.path().to_str().unwrap();
    let ran = place.run(&["encode", "-m", path, "-o", "out.npy", "a text"]);
    let message = ran.stderr.replace(path, "M");
    assert_eq!((ran.code, message.trim_end()), (2, expected));
    assert_eq!(place.names(), Vec::<String>::new());
}

fn replace(folder: &Path, name: &str, from: &str, to: &str) {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn missing_weights() {
    check(
        |folder| fs::remove_file(folder.join("model.safetensors")).unwrap(),
        "error: cannot load the model M\n  caused by: cannot make a graph of M\n  \
         caused by: folder `M` has neither `model.safetensors` nor `model.safetensors.index.json`",
    );
}

#[test]
fn weights_in_a_pickle_only() {
    check(
        |folder| fs::rename(folder.join("model.safetensors"), folder.join("pytorch_model.bin")).unwrap(),
        "error: cannot load the model M\n  caused by: cannot make a graph of M\n  \
         caused by: `M/pytorch_model.bin` is a pickle, which is never read, and there is no `model.safetensors` \
         beside it; in Python, load the model and call \
         `model.save_pretrained(folder, safe_serialization=True)`",
    );
}

#[test]
fn a_git_lfs_pointer_instead_of_the_weights() {
    let pointer = model_dir("xlm-r-tokenizer").join("model.onnx");
    check(
        |folder| assert!(fs::copy(&pointer, folder.join("model.safetensors")).unwrap() > 0),
        "error: cannot load the model M\n  caused by: cannot make a graph of M\n  \
         caused by: `M/model.safetensors` is a Git LFS pointer, not the file itself; run `git lfs pull` where it \
         was cloned",
    );
}

#[test]
fn a_path_that_leaves_the_folder() {
    check(
        |folder| replace(folder, "modules.json", "\"1_Pooling\"", "\"../1_Pooling\""),
        "error: cannot load the model M\n  \
         caused by: M/modules.json: the path `../1_Pooling` leaves the model folder",
    );
}

#[test]
fn a_module_that_is_refused() {
    check(
        |folder| replace(folder, "modules.json", "normalize.Normalize", "clip_model.CLIPModel"),
        "error: cannot load the model M\n  \
         caused by: M/modules.json: module 2 is a CLIPModel, which is refused: it reads pictures, and this release reads \
         text only; encode with Python",
    );
}

#[test]
fn an_architecture_that_is_refused() {
    check(
        |folder| replace(folder, "config.json", "\"bert\"", "\"longformer\""),
        "error: cannot load the model M\n  caused by: cannot make a graph of M\n  \
         caused by: `M/config.json` asks for the architecture `longformer (BertModel)`, which is refused: its attention \
         leaves out most pairs of tokens by a pattern of its own; export it with Python's optimum and name the graph",
    );
}
