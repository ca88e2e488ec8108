//! Which model this is: a digest of everything in its folder that decides its vectors.
//!
//! Contents count, not names of places: a copy of the folder is the same model, and so is what `st save` makes of it.
//! Neither our version nor the exporter's is part of it, so vectors of last year still belong to their model. What a
//! call may change (mode, limit, prompt) stands beside it in a [`Provenance`](crate::Provenance).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::graph::{Graph, GraphState};
use crate::spec::{ModelKind, ModuleKind, PYLATE_KEYS, RouteSpec};
use crate::{Error, GraphInfo, ModelSpec};

/// Raise it whenever the recipe changes: old digests then fit nothing, rather than something else.
const RECIPE: &str = "sentence-transformers model 1";

/// Files beside a transformer that change its vectors. A closed list, because its folder is mostly that of the whole
/// model, where people keep notes; prompts, similarity and our own files are not among them.
const TRANSFORMER_FILES: [&str; 12] = [
    "added_tokens.json",
    "config.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "spiece.model",
    "spm.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
];

/// The digest of a model whose routes run `graphs`, in their order; none for a table.
pub(crate) fn model_digest<'a>(
    spec: &ModelSpec,
    graphs: impl Iterator<Item = Option<&'a Graph>>,
) -> Result<String, Error> {
    let mut recipe = Recipe::new();
    for (route, graph) in spec.routes.iter().zip(graphs) {
        if !route.name.is_empty() {
            recipe.add("route", &route.name);
        }
        recipe.add_route(spec, route, graph)?;
    }
    if spec.router.is_some() {
        // Which way a text goes of which nothing is known.
        let places = ["router_config.json", "config.json"].map(|name| spec.root.join(name));
        if let Some(path) = places.iter().find(|path| path.is_file()) {
            recipe.add_file(path)?;
        }
    }
    if spec.kind == ModelKind::MultiVectorEncoder {
        recipe.add_settings(&spec.root.join("config_sentence_transformers.json"))?;
    }
    Ok(recipe.finish())
}

fn failed(path: &Path) -> impl FnOnce(st_export::Error) -> Error {
    move |source| Error::Digest { path: path.to_owned(), source: Box::new(source) }
}

/// A digest in the making, of names and digests of contents.
struct Recipe(blake3::Hasher);

impl Recipe {
    fn new() -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(RECIPE.as_bytes());
        Self(hasher)
    }

    /// No part can be taken for two: neither may hold the byte between them.
    fn add(&mut self, name: &str, value: &str) {
        for part in ["\n", name, "\0", value] {
            self.0.update(part.as_bytes());
        }
    }

    fn add_route(&mut self, spec: &ModelSpec, route: &RouteSpec, graph: Option<&Graph>) -> Result<(), Error> {
        let transformer = route.transformer().map(|transformer| transformer.folder.as_path());
        match (transformer, graph) {
            (_, Some(Graph { info: GraphInfo { path: Some(path), state: GraphState::Given, .. }, .. })) => {
                self.add_graph(path)?;
            }
            (Some(folder), graph) => {
                let known = graph.and_then(|graph| graph.weights_digest.clone());
                let found = || st_export::weights_digest(folder).map_err(failed(folder));
                self.add("weights", &known.map_or_else(found, Ok)?);
            }
            (None, _) => {}
        }
        for module in &route.modules {
            self.add("module", module.kind.name());
            let folder =
                if module.path.is_empty() { spec.root.clone() } else { spec.root.join(&module.path) };
            let files = match module.kind {
                ModuleKind::Transformer | ModuleKind::MlmTransformer => transformer_files(&folder),
                // In the root lie the notes of people, too.
                ModuleKind::StaticEmbedding | ModuleKind::SparseStaticEmbedding => table_files(&folder),
                ModuleKind::WordEmbeddings | ModuleKind::BoW => word_files(&folder),
                _ if folder == spec.root || Some(folder.as_path()) == transformer => Vec::new(),
                _ => all_files(&folder)?,
            };
            for path in files {
                self.add_file(&path)?;
            }
        }
        Ok(())
    }

    /// What PyLate keeps beside prompts: lengths, prefixes, expansion and skip list, and that it was PyLate.
    fn add_settings(&mut self, path: &Path) -> Result<(), Error> {
        if !path.is_file() {
            return Ok(());
        }
        let text =
            fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        // The folder was read before: what is no object is told there.
        let Ok(Value::Object(settings)) = serde_json::from_str(&text) else { return Ok(()) };
        if settings.get("model_type").and_then(Value::as_str) == Some("ColBERT") {
            self.add("model_type", "ColBERT");
        }
        for key in PYLATE_KEYS {
            if let Some(value) = settings.get(key) {
                self.add(key, &value.to_string());
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let digest = st_export::file_digest(path).map_err(failed(path))?;
        self.add(&name, &digest);
        Ok(())
    }

    /// An ONNX file and the files with its weights.
    fn add_graph(&mut self, path: &Path) -> Result<(), Error> {
        let header = st_export::onnx::open_header(path).map_err(failed(path))?;
        let digest = st_export::file_digest(path).map_err(failed(path))?;
        self.add("graph", &digest);
        let external = header.initializers.iter().filter_map(|weight| weight.external.as_ref());
        let files: BTreeSet<&str> = external.map(|external| external.location.as_str()).collect();
        for file in files {
            self.add_file(&path.with_file_name(file))?;
        }
        Ok(())
    }

    fn finish(self) -> String {
        format!("blake3:{}", self.0.finalize().to_hex())
    }
}

fn table_files(folder: &Path) -> Vec<PathBuf> {
    let names = ["model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"];
    names.map(|name| folder.join(name)).into_iter().filter(|path| path.is_file()).collect()
}

fn word_files(folder: &Path) -> Vec<PathBuf> {
    let names = [
        "model.safetensors",
        "wordembedding_config.json",
        "whitespacetokenizer_config.json",
        // Of a bag of words.
        "config.json",
    ];
    names.map(|name| folder.join(name)).into_iter().filter(|path| path.is_file()).collect()
}

fn transformer_files(folder: &Path) -> Vec<PathBuf> {
    let module = crate::spec::MODULE_CONFIGS.iter();
    let names = TRANSFORMER_FILES.iter().chain(module);
    names.map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
}

/// Every file of a module with a folder of its own, such as the weights of a Dense; a Normalize may have no folder.
fn all_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let fail = |source| Error::Read { path: folder.to_owned(), source };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(fail)?.collect::<Result<Vec<_>, _>>().map_err(fail)?;
    let mut files: Vec<_> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}
