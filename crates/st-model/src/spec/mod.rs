//! A model folder as a value: pure parsing, before anything is loaded.

mod defaults;
mod json;
mod modules;
mod pooling;
mod sentence;
mod transformer;

use std::path::{Path, PathBuf};

use st_core::{LongText, Similarity};

pub use defaults::Defaults;
pub use modules::{ModuleEntry, ModuleKind};
pub use pooling::PoolingSpec;
pub use sentence::SentenceSpec;
pub(crate) use transformer::MODULE_CONFIGS;
pub use transformer::{TokenizerSpec, TransformerConfig, TransformerSpec};

use crate::Error;
pub(crate) use json::read_text;

/// Everything that a sentence-transformers folder says of itself.
///
/// ```no_run
/// # fn main() -> Result<(), st_model::Error> {
/// let spec = st_model::ModelSpec::read("all-MiniLM-L6-v2".as_ref())?;
/// println!("{} dimensions, at most {:?} tokens", spec.dim(), spec.transformer.max_tokens);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelSpec {
    /// The model folder.
    pub root: PathBuf,
    /// The modules as listed; made up if the folder is a bare transformer.
    pub modules: Vec<ModuleEntry>,
    /// The first module.
    pub transformer: TransformerSpec,
    /// How token embeddings are pooled.
    pub pooling: PoolingSpec,
    /// Whether the model itself scales its vectors to length one.
    pub normalize: bool,
    /// Prompts, similarity and defaults.
    pub sentence: SentenceSpec,
    /// What happens to texts that are too long, if [`Defaults`] in the folder say so.
    pub long_text: Option<LongText>,
}

impl ModelSpec {
    /// Reads the configuration files of `folder`; no weights, no tokenizer.
    ///
    /// A folder without `modules.json` but with `config.json` is a bare transformer, which the reference
    /// pools by the mean.
    ///
    /// # Errors
    ///
    /// A folder that is no model, files that cannot be parsed, modules that are not supported.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let list = folder.join("modules.json");
        let modules = if list.is_file() {
            ModuleEntry::parse_list(&list, &read_text(&list)?)?
        } else if folder.join("config.json").is_file() {
            bare_transformer()
        } else {
            return Err(Error::NotAModel { folder: folder.to_owned() });
        };
        check_order(&list, &modules)?;
        let transformer = TransformerSpec::read(&module_folder(folder, &modules, ModuleKind::Transformer))?;
        Ok(Self {
            pooling: read_pooling(folder, &modules, transformer.hidden_size)?,
            normalize: modules.iter().any(|module| module.kind == ModuleKind::Normalize),
            sentence: SentenceSpec::read(folder)?,
            long_text: Defaults::read(folder)?.long_text,
            root: folder.to_owned(),
            modules,
            transformer,
        })
    }

    /// Width of a sentence embedding before any truncation.
    pub fn dim(&self) -> usize {
        self.transformer.hidden_size * self.pooling.modes.len()
    }

    /// How vectors of this model are meant to be compared.
    pub fn similarity(&self) -> Similarity {
        self.sentence.similarity
    }
}

fn bare_transformer() -> Vec<ModuleEntry> {
    let entry = |kind, path: &str| ModuleEntry { kind, path: path.to_owned() };
    vec![entry(ModuleKind::Transformer, ""), entry(ModuleKind::Pooling, "1_Pooling")]
}

/// Transformer, Pooling, then any number of Normalize; Dropout may stand anywhere, it does nothing.
fn check_order(list: &Path, modules: &[ModuleEntry]) -> Result<(), Error> {
    use ModuleKind::{Dropout, Normalize, Pooling, Transformer};
    let kinds: Vec<_> = modules.iter().map(|module| module.kind).filter(|kind| *kind != Dropout).collect();
    match kinds.as_slice() {
        [Transformer, Pooling, rest @ ..] if rest.iter().all(|kind| *kind == Normalize) => Ok(()),
        _ => Err(Error::ModuleOrder {
            path: list.to_owned(),
            found: modules.iter().map(|module| module.kind.name()).collect::<Vec<_>>().join(", "),
        }),
    }
}

fn module_folder(root: &Path, modules: &[ModuleEntry], kind: ModuleKind) -> PathBuf {
    let path = modules.iter().find(|module| module.kind == kind).map_or("", |module| module.path.as_str());
    if path.is_empty() { root.to_owned() } else { root.join(path) }
}

/// A Pooling folder may be missing only where the reference would make one up: in a bare transformer.
fn read_pooling(root: &Path, modules: &[ModuleEntry], hidden_size: usize) -> Result<PoolingSpec, Error> {
    let path = module_folder(root, modules, ModuleKind::Pooling).join("config.json");
    if !root.join("modules.json").is_file() {
        return Ok(PoolingSpec::default());
    }
    let spec = PoolingSpec::parse(&path, &read_text(&path)?)?;
    match spec.token_dim.filter(|dim| *dim != hidden_size) {
        Some(dim) => Err(Error::Config {
            path,
            problem: format!("pools {dim} dimensions but the transformer has {hidden_size}"),
        }),
        None => Ok(spec),
    }
}
