//! A sentence-transformers folder with everything but real weights.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const LFS_POINTER: &str =
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90868376\n";

const MODULES: &str = r#"[
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.base.modules.normalize.Normalize"}
]"#;

pub(crate) const FILES: &[(&str, &str)] = &[
    ("modules.json", MODULES),
    ("config.json", r#"{"architectures": ["BertModel"], "hidden_size": 8, "model_type": "bert"}"#),
    ("config_sentence_transformers.json", r#"{"__version__": {"sentence_transformers": "6.2.0"}}"#),
    ("sentence_bert_config.json", r#"{"transformer_task": "feature-extraction"}"#),
    ("model.safetensors", "not really weights"),
    ("tokenizer.json", "{}"),
    (
        "1_Pooling/config.json",
        r#"{"embedding_dimension": 8, "pooling_mode": "mean", "include_prompt": true}"#,
    ),
    ("2_Normalize/config.json", "{}"),
];

/// Writes the folder `tiny-encoder` into `parent`.
pub(crate) fn tiny_encoder(parent: &Path) -> PathBuf {
    let folder = parent.join("tiny-encoder");
    for (name, text) in FILES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// All files under `folder`, with `/` between the parts, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    fn collect(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    collect(folder, "", &mut found);
    found.sort();
    found
}
