//! One way through a model: what reads the text, and what stands behind it.

use std::path::{Path, PathBuf};

use st_core::PoolingMode;
use st_export::{Cnn, Dense, Feature, Head, Lstm, Stage, Task};

use super::input::{self, InputSpec};
use super::json::{Object, read_text};
use super::kind::ModelKind;
use super::modules::{ModuleEntry, ModuleKind};
use super::pooling::PoolingSpec;
use super::stage;
use super::transformer::TransformerSpec;
use crate::Error;

/// One way through a model; a router has several, all others one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteSpec {
    /// Its name in the router; empty where there is none.
    pub name: String,
    /// Its modules in order, with paths below the model folder.
    pub modules: Vec<ModuleEntry>,
    /// What reads the text.
    pub input: InputSpec,
    /// What follows inside the graph.
    pub stages: Vec<Stage>,
    /// How token embeddings are pooled, where they are.
    pub pooling: Option<PoolingSpec>,
    /// How many values of a sparse autoencoder are kept.
    pub max_active_dims: Option<usize>,
    /// Width of what it answers, before any truncation.
    pub dim: usize,
}

impl RouteSpec {
    /// Reads the modules of one way; `list` is only named in errors.
    pub(super) fn read(
        root: &Path,
        list: &Path,
        name: String,
        modules: Vec<ModuleEntry>,
        kind: ModelKind,
    ) -> Result<Self, Error> {
        let order = |problem| Error::ModuleOrder {
            path: list.to_owned(),
            found: modules.iter().map(|module| module.kind.name()).collect::<Vec<_>>().join(", "),
            problem,
        };
        let Some((first, rest)) = modules.split_first() else { return Err(order("there is none")) };
        let (input, width) = input::read(&below(root, &first.path), first.kind)
            .ok_or_else(|| order("the first must read text, as a Transformer or a StaticEmbedding does"))??;
        let mut route = Self {
            name,
            input,
            stages: Vec::new(),
            pooling: None,
            max_active_dims: None,
            dim: width,
            modules: Vec::new(),
        };
        let vocabulary = route.input.vocab_size();
        let mut widths = Widths { tokens: width, sentence: None, codes: false, vocabulary };
        if !route.input.has_graph() {
            widths.sentence = Some(width);
        }
        for (place, module) in rest.iter().enumerate() {
            let stage = route.read_stage(root, (place + 1, module), kind, &widths);
            let Some(stage) = stage.map_err(|problem| problem.of_list(order))? else { continue };
            if !route.input.has_graph() && reads_tokens(&stage) {
                return Err(order("a table answers no token embeddings for what follows it"));
            }
            widths.follow(&stage).map_err(order)?;
            route.stages.push(stage);
        }
        if kind != ModelKind::SentenceTransformer
            && matches!(route.input, InputSpec::Words(_) | InputSpec::Bag { .. })
        {
            return Err(order(
                "WordEmbeddings and BoW run in a SentenceTransformer only; for this one, take Python",
            ));
        }
        route.dim = widths.sentence.unwrap_or(widths.tokens);
        route.modules = modules;
        Ok(route)
    }

    /// What a module behind the first does; nothing for some.
    fn read_stage(
        &mut self,
        root: &Path,
        (place, module): (usize, &ModuleEntry),
        kind: ModelKind,
        widths: &Widths,
    ) -> Result<Option<Stage>, StageProblem> {
        let folder = &below(root, &module.path);
        let name = &if module.path.is_empty() { place.to_string() } else { module.path.clone() };
        Ok(Some(match module.kind {
            ModuleKind::Dropout | ModuleKind::MultiVectorMask => return Ok(None),
            ModuleKind::Pooling => {
                let pooling = self.read_pooling(root, folder, widths.tokens)?;
                let stage = Stage::Pooling(pooling.modes.clone());
                self.pooling = Some(pooling);
                stage
            }
            ModuleKind::Normalize => stage::normalize(folder)?,
            ModuleKind::Dense => stage::dense(folder, name, kind)?,
            ModuleKind::LayerNorm => stage::layer_norm(folder, name),
            // The reference leaves the module out, and says nothing, where the transformer does not hand on its layers.
            ModuleKind::WeightedLayerPooling if !self.gives_layers() => {
                tracing::warn!(folder = %folder.display(), "no effect without `output_hidden_states`");
                return Ok(None);
            }
            ModuleKind::WeightedLayerPooling => stage::layer_weights(folder, name)?,
            ModuleKind::WordWeights => stage::word_weights(folder, name)?,
            ModuleKind::Cnn => stage::cnn(folder, name)?,
            ModuleKind::Lstm if !self.reads_words() => {
                return Err(StageProblem::Order("an LSTM needs WordEmbeddings before it, which count words"));
            }
            ModuleKind::Lstm => stage::lstm(folder, name)?,
            ModuleKind::SpladePooling => stage::splade(folder)?,
            ModuleKind::SparseAutoEncoder if kind != ModelKind::SparseEncoder => {
                return Err(StageProblem::Order("a SparseAutoEncoder belongs to a SparseEncoder"));
            }
            ModuleKind::SparseAutoEncoder => {
                let (stage, kept) = stage::sparse_auto_encoder(folder, name)?;
                self.max_active_dims = Some(kept);
                stage
            }
            ModuleKind::Transformer
            | ModuleKind::MlmTransformer
            | ModuleKind::StaticEmbedding
            | ModuleKind::SparseStaticEmbedding
            | ModuleKind::WordEmbeddings
            | ModuleKind::BoW
            | ModuleKind::Router => return Err(StageProblem::Order("only the first reads text")),
        }))
    }

    /// How its token embeddings, which have that width, are pooled.
    fn read_pooling(&self, root: &Path, folder: &Path, width: usize) -> Result<PoolingSpec, StageProblem> {
        let mut pooling = read_pooling(root, folder, width)?;
        if self.reads_words() {
            if pooling.modes.contains(&PoolingMode::Cls) {
                return Err(StageProblem::Order(
                    "words have no token for a whole text, which `cls` asks for",
                ));
            }
            // The reference does not count the words of a prompt, and so cannot leave them out.
            pooling.include_prompt = true;
        }
        Ok(pooling)
    }

    fn reads_words(&self) -> bool {
        matches!(self.input, InputSpec::Words(_))
    }

    /// The transformer, where one reads the text.
    pub fn transformer(&self) -> Option<&TransformerSpec> {
        match &self.input {
            InputSpec::Transformer(transformer, _) => Some(transformer),
            _ => None,
        }
    }

    fn gives_layers(&self) -> bool {
        self.transformer().is_some_and(|transformer| transformer.gives_layers)
    }

    /// Width of a token embedding as the graph hands it out.
    pub fn token_dim(&self) -> usize {
        let width = match &self.input {
            InputSpec::Transformer(transformer, Task::Vocabulary) => transformer.vocab_size.unwrap_or(0),
            InputSpec::Transformer(transformer, _) => transformer.hidden_size,
            InputSpec::Words(words) => words.hidden_size,
            _ => self.dim,
        };
        self.stages.iter().rev().find_map(Stage::token_width).unwrap_or(width)
    }

    /// The first module that does more than pooling and normalisation, which need no graph.
    pub fn module_beyond_pooling(&self) -> Option<ModuleKind> {
        use ModuleKind::{Dropout, MultiVectorMask, Normalize, Pooling};
        let behind = self.modules.iter().skip(1).map(|module| module.kind);
        let of_tokens = self.stages.contains(&Stage::Normalize(Feature::Tokens));
        let needs_graph = |kind: &ModuleKind| match kind {
            Pooling | Dropout | MultiVectorMask => false,
            Normalize => of_tokens,
            _ => true,
        };
        behind.into_iter().find(needs_graph)
    }

    /// The folder of what reads the text.
    pub fn input_folder(&self) -> &Path {
        self.input.folder()
    }

    /// Whether a module makes one vector of the embeddings of a text's tokens.
    pub(crate) fn pools(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage, Stage::Pooling(_) | Stage::Splade { .. }))
    }

    /// How token embeddings are pooled, in order; empty where they are not.
    pub fn pooling_modes(&self) -> &[PoolingMode] {
        self.pooling.as_ref().map_or(&[], |pooling| pooling.modes.as_slice())
    }

    /// Whether it answers sentence embeddings of length one.
    pub fn normalizes(&self) -> bool {
        self.stages.last() == Some(&Stage::Normalize(Feature::Sentence))
    }

    /// The head that its graph gets.
    pub fn head(&self) -> Head {
        let task = match &self.input {
            InputSpec::Transformer(_, task) => *task,
            _ => Task::Features,
        };
        let own_mask = self.pooling.as_ref().is_some_and(|pooling| !pooling.include_prompt);
        Head::of_stages(task, self.stages.clone()).with_pooling_mask(own_mask)
    }
}

/// Why a module cannot stand where it does.
enum StageProblem {
    /// What stands before it is the reason.
    Order(&'static str),
    /// It cannot be read.
    Module(Error),
}

impl From<Error> for StageProblem {
    fn from(error: Error) -> Self {
        Self::Module(error)
    }
}

impl StageProblem {
    /// As an error; `order` makes one about the list of modules.
    fn of_list(self, order: impl Fn(&'static str) -> Error) -> Error {
        match self {
            Self::Order(problem) => order(problem),
            Self::Module(error) => error,
        }
    }
}

/// The folder of a module; the model folder itself where the path is empty.
fn below(root: &Path, path: &str) -> PathBuf {
    if path.is_empty() { root.to_owned() } else { root.join(path) }
}

/// The widths of what modules pass on, which have to fit.
struct Widths {
    tokens: usize,
    sentence: Option<usize>,
    /// Whether the sentence embedding is the code of a sparse autoencoder.
    codes: bool,
    /// Tokens that there are, where the configuration says it.
    vocabulary: Option<usize>,
}

impl Widths {
    fn follow(&mut self, stage: &Stage) -> Result<(), &'static str> {
        const NONE: &str = "there is no sentence embedding yet where one is changed";
        if self.codes {
            return Err("nothing may follow a SparseAutoEncoder, whose largest values are chosen at the end");
        }
        match stage {
            Stage::Pooling(modes) => self.sentence = Some(modes.len().saturating_mul(self.tokens)),
            Stage::Splade { .. } => self.sentence = Some(self.tokens),
            Stage::Dense(dense) => {
                let width = match dense.feature {
                    Feature::Tokens => &mut self.tokens,
                    Feature::Sentence => self.sentence.as_mut().ok_or(NONE)?,
                };
                if *width != dense.from {
                    return Err("a Dense expects another width than it is given");
                }
                *width = dense.to;
            }
            Stage::WordWeights { numbers, .. }
                if self.vocabulary.is_some_and(|vocabulary| numbers.len() < vocabulary) =>
            {
                return Err("WordWeights have fewer numbers than there are words");
            }
            Stage::Cnn(Cnn { from, .. }) | Stage::Lstm(Lstm { from, .. }) => {
                if self.tokens != *from {
                    return Err("a CNN or LSTM expects another width than it is given");
                }
                self.tokens = stage.token_width().unwrap_or(self.tokens);
            }
            Stage::SparseAutoEncoder { hidden, .. } => {
                *self.sentence.as_mut().ok_or(NONE)? = *hidden;
                self.codes = true;
            }
            Stage::Normalize(Feature::Sentence) | Stage::LayerNorm { .. } => {
                self.sentence.ok_or(NONE)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether a stage needs an embedding of each token.
fn reads_tokens(stage: &Stage) -> bool {
    !matches!(
        stage,
        Stage::Normalize(Feature::Sentence)
            | Stage::Dense(Dense { feature: Feature::Sentence, .. })
            | Stage::LayerNorm { .. }
            | Stage::SparseAutoEncoder { .. }
    )
}

/// A Pooling folder may be missing only where the reference would make one up: in a bare transformer.
fn read_pooling(root: &Path, folder: &Path, tokens: usize) -> Result<PoolingSpec, Error> {
    if !root.join("modules.json").is_file() {
        return bare_pooling(root);
    }
    let path = folder.join("config.json");
    let spec = PoolingSpec::parse(&path, &read_text(&path)?)?;
    match spec.token_dim.filter(|dim| *dim != tokens) {
        Some(dim) => Err(Error::Config {
            path,
            problem: format!("pools {dim} dimensions but token embeddings have {tokens}"),
        }),
        None => Ok(spec),
    }
}

/// The mean; of a decoder the last token, unless it looks both ways.
fn bare_pooling(root: &Path) -> Result<PoolingSpec, Error> {
    let path = root.join("config.json");
    let object = Object::parse(&path, &read_text(&path)?)?;
    let decoder = super::kind::architecture(root)?.is_some_and(|name| name.ends_with("ForCausalLM"));
    let both_ways = object.boolean("is_causal")? == Some(false);
    let mut spec = PoolingSpec::default();
    if decoder && !both_ways {
        spec.modes = vec![PoolingMode::LastToken];
    }
    Ok(spec)
}
