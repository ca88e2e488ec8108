//! Which files of a repository make the model: patterns over names, nothing of what is in the files.

use std::collections::BTreeSet;

/// Folders of other formats, and of a training's remains.
const NEVER: [&str; 8] = ["onnx", "openvino", "coreml", "flax", "tf", "gguf", "runs", "logs"];
/// The graph that exporters write, where they write it.
const GRAPHS: [&str; 2] = ["onnx/model.onnx", "model.onnx"];
/// Formats that are never fetched; a message names them when there is nothing else.
const OTHER_WEIGHTS: [&str; 10] =
    [".bin", ".h5", ".ot", ".msgpack", ".gguf", ".pt", ".pth", ".ckpt", ".tflite", ".mlmodel"];
/// Deepest folder that a file of a model lies in.
const DEPTH: usize = 3;

/// What to fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wanted {
    /// The ONNX graph, too, although there are safetensors.
    pub onnx: bool,
}

impl Wanted {
    /// With the ONNX graph of the repository, or without.
    #[must_use]
    pub fn with_onnx(mut self, onnx: bool) -> Self {
        self.onnx = onnx;
        self
    }
}

/// The paths among `all` that make the model: configurations, tokenizer, and weights as safetensors; the ONNX graph if there
/// are none, or if it is wanted. `None` if there are neither safetensors nor a graph.
pub(crate) fn selected<'a>(all: &[&'a str], wanted: Wanted) -> Option<Vec<&'a str>> {
    let weights = safetensors(all);
    let graph = graph(all);
    if weights.is_empty() && graph.is_empty() {
        return None;
    }
    let with_graph = wanted.onnx || weights.is_empty();
    let mut chosen: BTreeSet<&str> = all.iter().copied().filter(|path| is_configuration(path)).collect();
    chosen.extend(weights);
    chosen.extend(if with_graph { graph } else { Vec::new() });
    Some(chosen.into_iter().collect())
}

/// Names of the weights in formats that are never read, for a message.
pub(crate) fn other_weights(all: &[&str]) -> Vec<String> {
    let is_other = |path: &&&str| OTHER_WEIGHTS.iter().any(|ending| path.ends_with(ending));
    all.iter().filter(is_other).take(3).map(|path| (*path).to_owned()).collect()
}

/// Whether a file holds numbers rather than text.
pub(crate) fn is_weights(path: &str) -> bool {
    let name = name(path);
    is_safetensors(path)
        || has_ending(name, ".onnx")
        || name.ends_with(".onnx_data")
        || name.ends_with(".onnx.data")
}

pub(crate) fn is_safetensors(path: &str) -> bool {
    has_ending(path, ".safetensors")
}

pub(crate) fn has_ending(path: &str, ending: &str) -> bool {
    path.len() > ending.len() && path.ends_with(ending)
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a folder may be that of a module: `1_Pooling`, `0_Transformer`, `query_encoder`; the root is one.
fn is_module_folder(folder: &str) -> bool {
    let never = |part: &str| {
        let lower = part.to_ascii_lowercase();
        part.starts_with('.') || lower.starts_with("checkpoint") || NEVER.contains(&lower.as_str())
    };
    folder.is_empty() || (folder.split('/').count() < DEPTH && !folder.split('/').any(never))
}

/// `config.json`, `sentence_bert_config.json`, `modules.json`, and all that a tokenizer may need.
fn is_configuration(path: &str) -> bool {
    let name = name(path);
    let json = name.strip_suffix(".json").is_some_and(|stem| {
        let known = ["modules", "vocab", "added_tokens", "special_tokens_map", "tokenizer"];
        // Ours, which Python passes over.
        let ours = ["st_defaults", "st_calibration"];
        let config = stem.starts_with("config") || stem.ends_with("config");
        // Data of a training, not of the model.
        (config || known.contains(&stem) || ours.contains(&stem))
            && !matches!(stem, "data_config" | "train_config")
    });
    // The template is never rendered, but a model that has one may have to be refused.
    let tokenizer =
        ["vocab.txt", "merges.txt", "chat_template.jinja"].contains(&name) || has_ending(name, ".model");
    (json || tokenizer) && is_module_folder(folder(path))
}

/// The safetensors of each module: the one that loaders read by default, or its parts, and no variant beside it.
fn safetensors<'a>(all: &[&'a str]) -> Vec<&'a str> {
    let all: Vec<&str> = all.iter().copied().filter(|path| is_module_folder(folder(path))).collect();
    let standard: BTreeSet<&str> =
        all.iter().copied().filter(|path| name(path) == "model.safetensors").map(folder).collect();
    let parted: BTreeSet<&str> =
        all.iter().copied().filter(|path| name(path) == "model.safetensors.index.json").map(folder).collect();
    let is_chosen = |path: &&str| {
        let (folder, name) = (folder(path), name(path));
        let is_part = name.starts_with("model-") && name.contains("-of-") && is_safetensors(name);
        match (standard.contains(folder), parted.contains(folder)) {
            (true, _) => name == "model.safetensors",
            (false, true) => is_part || name == "model.safetensors.index.json",
            (false, false) => is_safetensors(name) && !name.starts_with("adapter_"),
        }
    };
    all.into_iter().filter(is_chosen).collect()
}

/// The ONNX graph and the file with its numbers, if that is apart.
fn graph<'a>(all: &[&'a str]) -> Vec<&'a str> {
    let Some(graph) = GRAPHS.iter().find(|graph| all.contains(*graph)) else { return Vec::new() };
    let belongs = |path: &&str| {
        path == graph || path.strip_prefix(*graph).is_some_and(|rest| ["_data", ".data"].contains(&rest))
    };
    all.iter().copied().filter(belongs).collect()
}

/// Whether a name of the hub, or of a file in the cache, stays inside of the folder that it is joined to, on every system.
pub(crate) fn is_plain(path: &str) -> bool {
    const LONGEST: usize = 1024;
    let plain = |part: &str| {
        let bad = part.bytes().any(|byte| byte < 0x20 || byte == 0x7f || byte == b'\\');
        !part.is_empty() && part.len() <= 255 && part != "." && part != ".." && !bad
    };
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    path.len() <= LONGEST && !is_drive && path.split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINILM: [&str; 24] = [
        ".gitattributes",
        "1_Pooling/config.json",
        "README.md",
        "config.json",
        "config_sentence_transformers.json",
        "data_config.json",
        "model.safetensors",
        "modules.json",
        "onnx/model.onnx",
        "onnx/model_O1.onnx",
        "openvino/openvino_model.bin",
        "openvino/openvino_model.xml",
        "pytorch_model.bin",
        "rust_model.ot",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tf_model.h5",
        "tokenizer.json",
        "tokenizer_config.json",
        "train_script.py",
        "vocab.txt",
        "checkpoint-500/model.safetensors",
        "2_Dense/config.json",
        "2_Dense/model.safetensors",
    ];

    #[test]
    fn of_a_usual_model_only_what_it_needs_is_fetched() {
        let expected = [
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.txt",
        ];
        assert_eq!(selected(&MINILM, Wanted::default()).unwrap(), expected);
        let with_graph = selected(&MINILM, Wanted::default().with_onnx(true)).unwrap();
        assert_eq!(with_graph.len(), expected.len() + 1);
        assert!(with_graph.contains(&"onnx/model.onnx"));
    }

    #[track_caller]
    fn check(all: &[&str], expected: Option<&[&str]>) {
        assert_eq!(selected(all, Wanted::default()).as_deref(), expected);
    }

    #[test]
    fn the_graph_stands_in_for_weights_that_are_not_there() {
        let all = ["config.json", "onnx/model.onnx", "onnx/model.onnx_data", "pytorch_model.bin"];
        check(&all, Some(&["config.json", "onnx/model.onnx", "onnx/model.onnx_data"]));
        let pickle = ["config.json", "pytorch_model.bin"];
        check(&pickle, None);
        assert_eq!(other_weights(&pickle), ["pytorch_model.bin"]);
    }

    #[test]
    fn our_own_files_come_along() {
        let ours = ["config.json", "model.safetensors", "st_calibration.json", "st_defaults.json"];
        check(&[ours[0], ours[1], "results.json", ours[2], ours[3]], Some(&ours));
    }

    #[test]
    fn parts_are_whole_and_variants_are_left() {
        let parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        let index = "model.safetensors.index.json";
        check(&["model.fp16.safetensors", parts[0], parts[1], index], Some(&[parts[0], parts[1], index]));
        check(&["model.fp16.safetensors", "model.safetensors", parts[0]], Some(&["model.safetensors"]));
        check(&["0_Transformer/weights.safetensors"], Some(&["0_Transformer/weights.safetensors"]));
        check(&["adapter_model.safetensors"], None);
    }

    proptest::proptest! {
        /// Whatever a server calls a file: what passes is made of names, and of nothing that goes up or elsewhere.
        #[test]
        fn what_passes_stays_inside(path in r"([a-z.]{0,3}[/\\:\x00.]?){0,6}|.{0,12}") {
            use std::path::{Component, Path};
            if is_plain(&path) {
                let parts = Path::new(&path).components().all(|part| matches!(part, Component::Normal(_)));
                proptest::prop_assert!(parts, "{path:?}");
            }
        }
    }

    #[test]
    fn paths_that_leave_the_folder_are_seen() {
        for path in ["config.json", "1_Pooling/config.json", ".gitattributes", "a b/c", "ü/ß.json"] {
            assert!(is_plain(path), "{path}");
        }
        let hostile = [
            "",
            "..",
            "../x",
            "a/../x",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "a\\..\\b",
            "C:x",
            "a\0b",
            "a\nb",
        ];
        for path in hostile {
            assert!(!is_plain(path), "{path:?}");
        }
        assert!(!is_plain(&"a/".repeat(600)));
    }
}
