//! What a sentence-transformers folder says of itself, and whether Python could load it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Error;
use crate::safe_path;

/// Files of weights that Python's loader reads, best first.
const WEIGHTS: [&str; 6] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "adapter_model.safetensors",
    "adapter_model.bin",
];
/// The start of a Git LFS pointer.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// Largest header of a safetensors file that is read for a width.
const MAX_HEADER: u64 = 16 << 20;

/// What a model makes of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One dense vector a text.
    #[default]
    SentenceTransformer,
    /// So many scores for each pair of texts.
    CrossEncoder {
        /// How many.
        labels: usize,
    },
    /// A vector as wide as a vocabulary, nearly all of it zero.
    SparseEncoder,
    /// A vector for each token.
    MultiVectorEncoder,
}

/// What a folder says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Version of the library that saved it.
    pub(crate) library_version: Option<String>,
    /// Whether one of its modules is a transformer.
    pub(crate) has_transformer: bool,
    /// The class of the transformer, such as `BertModel`.
    pub(crate) transformer_class: Option<String>,
    /// Width of the vectors.
    pub(crate) embedding_dim: Option<usize>,
    /// What it makes of texts.
    pub(crate) kind: Kind,
}

/// Reads the configuration files of a folder; no weight is read.
///
/// # Errors
///
/// [`Error::ModelFolder`], [`Error::LfsPointer`], [`Error::UnsafePath`], [`Error::Json`] and [`Error::Io`].
pub(crate) fn inspect(folder: &Path) -> Result<Facts, Error> {
    if !folder.is_dir() {
        return Err(refused(folder, "is not a folder"));
    }
    let mut facts = Facts::default();
    if let Some(config) = read_json(&folder.join("config_sentence_transformers.json"))? {
        let version = config.get("__version__").and_then(|versions| versions.get("sentence_transformers"));
        facts.library_version = version.and_then(Value::as_str).map(str::to_owned);
    }
    let scores = is_cross_encoder(folder)?;
    let modules = modules(folder)?;
    facts.kind = kind(folder, &modules)?;
    for module in modules {
        let own = module.path.as_os_str().is_empty();
        let place = if own { folder.to_owned() } else { folder.join(&module.path) };
        facts.embedding_dim = match module.class.as_str() {
            "Transformer" | "MLMTransformer" => {
                let config = required_json(&place, "config.json")?;
                check_weights(&place)?;
                check_tokenizer(&place)?;
                facts.has_transformer = true;
                facts.transformer_class = transformer_class(&config, &place, &module.class, scores)?;
                if scores {
                    facts.kind = Kind::CrossEncoder { labels: labels(&config) };
                }
                hidden_size(&config)
            }
            "Pooling" => pooled_dim(&required_json(&place, "config.json")?).or(facts.embedding_dim),
            "Dense" => {
                check_weights(&place)?;
                number(&required_json(&place, "config.json")?, "out_features")
            }
            "StaticEmbedding" => {
                check_weights(&place)?;
                check_tokenizer(&place)?;
                static_dim(&place.join("model.safetensors"))?
            }
            "Normalize" | "Dropout" | "LayerNorm" => facts.embedding_dim,
            _ => None,
        };
    }
    Ok(facts)
}

/// Which encoder it says it is, or its modules imply.
fn kind(folder: &Path, modules: &[Module]) -> Result<Kind, Error> {
    let config = read_json(&folder.join("config_sentence_transformers.json"))?;
    let named = config.as_ref().and_then(|config| config.get("model_type")?.as_str());
    let has = |classes: &[&str]| modules.iter().any(|module| classes.contains(&module.class.as_str()));
    Ok(match named {
        Some("SparseEncoder") => Kind::SparseEncoder,
        // PyLate's word for it.
        Some("MultiVectorEncoder" | "ColBERT") => Kind::MultiVectorEncoder,
        None if has(&["SpladePooling", "SparseStaticEmbedding", "SparseAutoEncoder"]) => Kind::SparseEncoder,
        None if has(&["MultiVectorMask"]) => Kind::MultiVectorEncoder,
        _ => Kind::SentenceTransformer,
    })
}

/// Whether it scores pairs of texts instead of making vectors: it says so, or is a bare classifier.
fn is_cross_encoder(folder: &Path) -> Result<bool, Error> {
    if folder.join("modules.json").is_file() {
        let config = read_json(&folder.join("config_sentence_transformers.json"))?;
        let kind = config.as_ref().and_then(|config| config.get("model_type")?.as_str());
        return Ok(kind == Some("CrossEncoder"));
    }
    let config = read_json(&folder.join("config.json"))?;
    let class = config.as_ref().and_then(|config| config.pointer("/architectures/0")?.as_str());
    Ok(class.is_some_and(|class| class.ends_with("ForSequenceClassification")))
}

/// As many as have names; transformers does not write the names of two.
fn labels(config: &Value) -> usize {
    let named = config.get("id2label").and_then(Value::as_object).map(serde_json::Map::len);
    named.or_else(|| number(config, "num_labels")).unwrap_or(2)
}

fn refused(folder: &Path, problem: impl Into<String>) -> Error {
    Error::ModelFolder { folder: folder.to_owned(), problem: problem.into() }
}

struct Module {
    /// The last part of the dotted type.
    class: String,
    /// Plain and relative; empty for the folder itself.
    path: PathBuf,
}

fn modules(folder: &Path) -> Result<Vec<Module>, Error> {
    let file = folder.join("modules.json");
    let Some(value) = read_json(&file)? else {
        if !folder.join("config.json").is_file() {
            let problem = "has neither modules.json nor config.json: it is not a sentence-transformers model";
            return Err(refused(folder, problem));
        }
        // Python puts mean pooling behind a bare transformer.
        return Ok(vec![Module { class: "Transformer".to_owned(), path: PathBuf::new() }]);
    };
    let entries = value.as_array().ok_or_else(|| refused(folder, "has a modules.json that is no list"))?;
    let module = |(index, entry): (usize, &Value)| {
        let key = |key: &str| {
            entry.get(key).and_then(Value::as_str).ok_or_else(|| Error::Key {
                file: file.display().to_string(),
                key: format!("{index}.{key}"),
                problem: "must be text".to_owned(),
            })
        };
        let class = key("type")?.rsplit('.').next().unwrap_or_default().to_owned();
        let path = key("path")?;
        // `./` and a slash at the end appear in real files.
        let plain = path.trim_start_matches("./").trim_end_matches('/');
        let path = if matches!(path, "" | "." | "./") {
            PathBuf::new()
        } else {
            safe_path::relative(plain).map_err(|problem| Error::UnsafePath {
                file: file.display().to_string(),
                key: format!("{index}.path"),
                path: path.to_owned(),
                problem,
            })?
        };
        Ok(Module { class, path })
    };
    entries.iter().enumerate().map(module).collect()
}

/// A JSON file; none if it is not there.
fn read_json(path: &Path) -> Result<Option<Value>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    check_pointer(path)?;
    let text = fs::read(path).map_err(Error::io("read", path))?;
    let value = serde_json::from_slice(&text);
    value.map(Some).map_err(|error| Error::Json { path: path.to_owned(), source: error.into() })
}

fn required_json(folder: &Path, name: &str) -> Result<Value, Error> {
    read_json(&folder.join(name))?.ok_or_else(|| refused(folder, format!("has no {name}")))
}

/// Refuses a Git LFS pointer.
fn check_pointer(path: &Path) -> Result<(), Error> {
    let mut start = [0; LFS_POINTER.len()];
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    match file.read_exact(&mut start) {
        Ok(()) if start == LFS_POINTER => Err(Error::LfsPointer { path: path.to_owned() }),
        // Too short for a pointer, or something else.
        _ => Ok(()),
    }
}

fn check_weights(folder: &Path) -> Result<(), Error> {
    let Some(name) = WEIGHTS.into_iter().find(|name| folder.join(name).exists()) else {
        let onnx = folder.join("model.onnx").exists() || folder.join("onnx").is_dir();
        let only = if onnx { ", only ONNX graphs, which Python's flavor does not load" } else { "" };
        return Err(refused(
            folder,
            format!(
                "has no weights that Python could load (model.safetensors, pytorch_model.bin or shards of them){only}"
            ),
        ));
    };
    let path = folder.join(name);
    check_pointer(&path)?;
    let Some(index) = name.ends_with(".index.json").then(|| read_json(&path)).transpose()?.flatten() else {
        return Ok(());
    };
    let shards = index.get("weight_map").and_then(Value::as_object);
    let shards = shards.ok_or_else(|| refused(folder, format!("has a {name} without `weight_map`")))?;
    let mut checked: Vec<&str> = Vec::new();
    for shard in shards.values() {
        let shard = shard.as_str().unwrap_or_default();
        if checked.contains(&shard) {
            continue;
        }
        checked.push(shard);
        let plain = safe_path::relative(shard).map_err(|problem| Error::UnsafePath {
            file: path.display().to_string(),
            key: "weight_map".to_owned(),
            path: shard.to_owned(),
            problem,
        })?;
        if !folder.join(&plain).is_file() {
            return Err(refused(folder, format!("has no {shard}, which {name} names")));
        }
        check_pointer(&folder.join(&plain))?;
    }
    Ok(())
}

fn check_tokenizer(folder: &Path) -> Result<(), Error> {
    for name in ["tokenizer.json", "vocab.txt", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model"]
    {
        let path = folder.join(name);
        if path.is_file() {
            check_pointer(&path)?;
        }
    }
    Ok(())
}

/// The class that Python makes of a configuration: `AutoModel` leaves the head of `BertForMaskedLM` off.
fn transformer_class(
    config: &Value,
    place: &Path,
    module: &str,
    scores: bool,
) -> Result<Option<String>, Error> {
    let Some(class) = config.pointer("/architectures/0").and_then(Value::as_str) else { return Ok(None) };
    let settings = read_json(&place.join("sentence_bert_config.json"))?;
    let task =
        settings.as_ref().and_then(|settings| settings.get("transformer_task")).and_then(Value::as_str);
    let keeps_head =
        scores || module == "MLMTransformer" || task.is_some_and(|task| task != "feature-extraction");
    let base = class.split_once("For").map(|(base, _)| base).filter(|base| !base.is_empty());
    Ok(Some(match base {
        Some("T5" | "MT5" | "UMT5") if !keeps_head => {
            class.split_once("For").map_or("", |(base, _)| base).to_owned() + "EncoderModel"
        }
        Some(base) if !keeps_head => format!("{base}Model"),
        _ => class.to_owned(),
    }))
}

fn number(config: &Value, key: &str) -> Option<usize> {
    config.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
}

fn hidden_size(config: &Value) -> Option<usize> {
    let of = |config: &Value| {
        ["hidden_size", "d_model", "dim", "n_embd"].iter().find_map(|key| number(config, key))
    };
    of(config).or_else(|| config.get("text_config").and_then(of))
}

/// Width after pooling; both schemas. Several modes are concatenated.
fn pooled_dim(config: &Value) -> Option<usize> {
    let width =
        number(config, "embedding_dimension").or_else(|| number(config, "word_embedding_dimension"))?;
    let modes = match config.get("pooling_mode") {
        Some(Value::Array(modes)) => modes.len(),
        Some(_) => 1,
        None => {
            let entries = config.as_object()?;
            let is_flag = |key: &str| key.starts_with("pooling_mode_");
            entries.iter().filter(|(key, value)| is_flag(key) && **value == Value::Bool(true)).count()
        }
    };
    width.checked_mul(modes.max(1))
}

/// Width of a static embedding, from the header of its safetensors file.
fn static_dim(path: &Path) -> Result<Option<usize>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(Error::io("read", path))?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER {
        return Ok(None);
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(Error::io("read", path))?;
    let header: Value = serde_json::from_slice(&header)
        .map_err(|error| Error::Json { path: path.to_owned(), source: error.into() })?;
    let tensor = ["embedding.weight", "embeddings"].iter().find_map(|name| header.get(name));
    let width = tensor.and_then(|tensor| tensor.pointer("/shape/1")).and_then(Value::as_u64);
    Ok(width.and_then(|width| usize::try_from(width).ok()))
}
