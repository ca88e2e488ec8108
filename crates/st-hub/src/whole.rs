//! Whether a snapshot in the cache is the whole model, as far as that can be told without a network.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Error, file};
use crate::files::{self, Wanted};
use crate::repository::{Repository, is_absent};

/// Files that change what a model answers, and that a model may not have. Python asks for each and notes those that are not
/// there; a program that loaded only the transformer asked for none.
const OPTIONAL: [&str; 2] = ["modules.json", "config_sentence_transformers.json"];
/// The same, in the folder of the transformer.
const LIMITS: &str = "sentence_bert_config.json";
/// Only a download of the whole repository has it.
const EVERYTHING: &str = ".gitattributes";
/// Most files and folders that a snapshot may have, and how deep they lie.
const MOST: usize = 20_000;
const DEEPEST: usize = 8;
/// Largest list of modules or of parts, in bytes.
const LARGEST_LIST: u64 = 64 << 20;
/// Larger than any pointer of Git LFS, in bytes.
const LARGEST_POINTER: u64 = 1024;

/// What a look at a snapshot gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Everything is there.
    Whole,
    /// Everything that must be there is; whether the model has this file, too, nobody noted.
    Unsure(String),
    /// This is not there.
    Missing(String),
}

/// Looks at the snapshot of a commit: names, links and lists of names, and no weight.
pub(crate) fn look(repository: &Repository, commit: &str, wanted: Wanted) -> Result<State, Error> {
    let folder = repository.snapshot(commit);
    let found = match walk(repository, &folder)? {
        Walked::Files(found) => found,
        Walked::Dangling(path) => return Ok(State::Missing(path)),
    };
    let snapshot = Snapshot { folder: &folder, found: &found };
    if let Some(missing) = snapshot.missing(wanted)? {
        return Ok(State::Missing(missing));
    }
    let tree = Tree::read(repository, commit);
    let is_known = |path: &str| {
        let told = match &tree {
            Some(tree) => !tree.files.contains_key(path),
            None => repository.is_known_absent(commit, path) || found.contains(EVERYTHING),
        };
        found.contains(path) || told
    };
    if !is_known(OPTIONAL[0]) {
        // It says how token embeddings are pooled: to guess would be to answer with other vectors.
        return Ok(State::Missing(OPTIONAL[0].to_owned()));
    }
    let optional = snapshot.optional()?;
    let unsure = optional.into_iter().find(|path| !is_known(path));
    let listed = || tree.as_ref()?.essential(wanted).into_iter().find(|path| !found.contains(path));
    Ok(unsure.or_else(listed).map_or(State::Whole, State::Unsure))
}

/// Notes which of the files that a model may have the commit does not have.
pub(crate) fn note_absent(repository: &Repository, commit: &str, all: &[&str]) -> Result<(), Error> {
    let folder = repository.snapshot(commit);
    let Walked::Files(found) = walk(repository, &folder)? else { return Ok(()) };
    let mut optional = Snapshot { folder: &folder, found: &found }.optional()?;
    optional.push(OPTIONAL[0].to_owned());
    for path in optional.iter().filter(|path| !all.contains(&path.as_str())) {
        repository.set_absent(commit, path)?;
    }
    Ok(())
}

enum Walked {
    /// Paths with `/` between their parts.
    Files(BTreeSet<String>),
    /// A link that leads nowhere.
    Dangling(String),
}

/// The files of a snapshot; links are followed to the blobs only.
fn walk(repository: &Repository, folder: &Path) -> Result<Walked, Error> {
    let mut found = BTreeSet::new();
    let mut open = vec![(folder.to_owned(), String::new(), 0)];
    let mut count = 0;
    while let Some((folder, prefix, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(file(&folder, "list"))? {
            let entry = entry.map_err(file(&folder, "list"))?;
            count += 1;
            let name = entry.file_name();
            let (Some(name), true) = (name.to_str(), count <= MOST && depth < DEEPEST) else {
                return Err(Error::Escape { link: entry.path() });
            };
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(file(entry.path(), "look at"))?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{path}/"), depth + 1));
            } else if repository.resolve(&entry.path())?.is_none() {
                return Ok(Walked::Dangling(path));
            } else {
                found.insert(path);
            }
        }
    }
    Ok(Walked::Files(found))
}

/// All files of a commit, as Python noted them.
#[derive(Deserialize)]
struct Tree {
    files: Map<String, Value>,
}

impl Tree {
    /// A listing that is not there, or of a version that we do not know, says nothing.
    fn read(repository: &Repository, commit: &str) -> Option<Self> {
        let path = repository.tree(commit);
        if fs::metadata(&path).ok()?.len() > LARGEST_LIST {
            return None;
        }
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// The weights and configurations of the model. Of the files of a tokenizer, Python fetches only those that it reads.
    fn essential(&self, wanted: Wanted) -> Vec<String> {
        let all: Vec<&str> = self.files.keys().map(String::as_str).collect();
        let is_essential = |path: &&str| files::is_weights(path) || path.ends_with("config.json");
        let chosen = files::selected(&all, wanted).unwrap_or_default();
        chosen.into_iter().filter(is_essential).map(str::to_owned).collect()
    }
}

/// A folder and what is in it.
struct Snapshot<'a> {
    folder: &'a Path,
    found: &'a BTreeSet<String>,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Snapshot<'_> {
    fn has(&self, path: &str) -> bool {
        self.found.contains(path)
    }

    /// The modules, if there is a list of them that can be understood; if not, whoever loads the model says so.
    fn modules(&self) -> Result<Vec<Module>, Error> {
        let Some(bytes) = self.read("modules.json")? else { return Ok(Vec::new()) };
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// The folder of the transformer, with a slash behind it unless it is the root. Models that are no transformer, or several,
    /// have none.
    fn transformer(&self) -> Result<Option<String>, Error> {
        let modules = self.modules()?;
        let Some(first) = modules.first() else { return Ok(Some(String::new())) };
        let path = first.path.trim_matches('/');
        let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
        Ok(first.kind.ends_with("Transformer").then_some(folder))
    }

    /// Files that the model may not have, and that change what it answers. Without a list of modules Python reads none.
    fn optional(&self) -> Result<Vec<String>, Error> {
        if !self.has(OPTIONAL[0]) {
            return Ok(Vec::new());
        }
        let limits = self.transformer()?.map(|folder| folder + LIMITS);
        Ok([OPTIONAL[1].to_owned()].into_iter().chain(limits).collect())
    }

    /// A short file of the snapshot.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        if !self.has(path) {
            return Ok(None);
        }
        let path = self.folder.join(path);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() > LARGEST_LIST => return Ok(None),
            Ok(_) => {}
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => return Err(file(path, "look at")(source)),
        }
        fs::read(&path).map(Some).map_err(file(path, "read"))
    }

    /// The first file or folder that must be there and is not.
    fn missing(&self, wanted: Wanted) -> Result<Option<String>, Error> {
        let transformer = self.transformer()?;
        let in_transformer = |name: &str| format!("{}{name}", transformer.as_deref().unwrap_or_default());
        if transformer.is_some() && !self.has(&in_transformer("config.json")) {
            return Ok(Some(in_transformer("config.json")));
        }
        for module in self.modules()? {
            // A module that normalises has nothing to keep, and git keeps no empty folder.
            let path = module.path.trim_matches('/');
            let empty = path.is_empty() || module.kind.ends_with("Normalize");
            if !empty && !self.found.iter().any(|file| file.starts_with(&format!("{path}/"))) {
                return Ok(Some(path.to_owned()));
            }
        }
        let tokenizer = |path: &String| {
            let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
            matches!(name, "tokenizer.json" | "vocab.txt" | "vocab.json" | "whitespacetokenizer_config.json")
                || files::has_ending(name, ".model")
        };
        if !self.found.iter().any(tokenizer) {
            return Ok(Some(in_transformer("tokenizer.json")));
        }
        match &transformer {
            Some(folder) => self.missing_weights(folder, wanted),
            None if self.found.iter().any(|path| files::is_weights(path)) => Ok(None),
            None => Ok(Some("model.safetensors".to_owned())),
        }
    }

    fn missing_weights(&self, transformer: &str, wanted: Wanted) -> Result<Option<String>, Error> {
        let index = format!("{transformer}model.safetensors.index.json");
        if let Some(bytes) = self.read(&index)? {
            let parts = parts(&bytes).into_iter().map(|part| format!("{transformer}{part}"));
            if let Some(missing) = parts.into_iter().find(|part| !self.has(part)) {
                return Ok(Some(missing));
            }
        }
        let is_own = |path: &&String| {
            let inside = path.strip_prefix(transformer);
            inside.is_some_and(|name| files::is_safetensors(name) && !name.contains('/'))
        };
        let weights: Vec<&String> = self.found.iter().filter(is_own).collect();
        for path in &weights {
            refuse_pointer(&self.folder.join(path))?;
        }
        let graphs = ["onnx/model.onnx", "model.onnx"];
        let graph = graphs.iter().any(|graph| self.has(graph) || self.has(&format!("{transformer}{graph}")));
        if weights.is_empty() && !graph {
            return Ok(Some(format!("{transformer}model.safetensors")));
        }
        Ok((wanted.onnx && !graph).then(|| graphs[0].to_owned()))
    }
}

/// The files that an index of safetensors names.
fn parts(index: &[u8]) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: HashMap<String, String>,
    }
    let index = serde_json::from_slice::<Index>(index).ok();
    index.map(|index| index.weight_map.into_values().collect()).unwrap_or_default()
}

/// A repository that was cloned without Git LFS has pointers where the weights should be.
pub(crate) fn refuse_pointer(path: &Path) -> Result<(), Error> {
    let size = fs::metadata(path).map_err(file(path, "look at"))?.len();
    if size > LARGEST_POINTER {
        return Ok(());
    }
    let bytes = fs::read(path).map_err(file(path, "read"))?;
    if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Err(Error::LfsPointer { file: path.display().to_string() });
    }
    Ok(())
}
