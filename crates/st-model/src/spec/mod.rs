//! A model folder as a value: pure parsing, before anything is loaded.

mod cross_encoder;
mod defaults;
mod input;
mod json;
mod kind;
mod modules;
mod multi_vector;
mod pooling;
mod route;
mod router;
mod sentence;
mod stage;
mod transformer;
mod words;

use std::path::{Path, PathBuf};

use st_core::{LongText, Similarity, Task};

pub use cross_encoder::{ActivationSource, CrossEncoderSpec};
pub use defaults::Defaults;
pub use input::InputSpec;
pub use kind::ModelKind;
pub use modules::{ModuleEntry, ModuleKind, Refusal};
pub(crate) use modules::{REFUSED, SUPPORTED};
pub(crate) use multi_vector::PYLATE_KEYS;
pub use multi_vector::{MultiVectorSpec, QueryExpansion};
pub use pooling::PoolingSpec;
pub use route::RouteSpec;
pub use router::RouterSpec;
pub use sentence::SentenceSpec;
pub(crate) use transformer::MODULE_CONFIGS;
pub use transformer::{TokenizerSpec, TransformerConfig, TransformerSpec};
pub use words::WordsSpec;

use crate::Error;
use json::Object;
pub(crate) use json::{read_json, read_text};

/// Everything that a sentence-transformers folder says of itself.
///
/// ```no_run
/// # fn main() -> Result<(), st_model::Error> {
/// let spec = st_model::ModelSpec::read("all-MiniLM-L6-v2".as_ref())?;
/// println!("a {} of {} dimensions", spec.kind.name(), spec.dim());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelSpec {
    /// The model folder.
    pub root: PathBuf,
    /// What kind of model it is.
    pub kind: ModelKind,
    /// The modules as listed; made up if the folder is a bare transformer.
    pub modules: Vec<ModuleEntry>,
    /// The ways through the model: one, or several where a router chooses.
    pub routes: Vec<RouteSpec>,
    /// How one of several ways is chosen.
    pub router: Option<RouterSpec>,
    /// How questions and documents are read, if a vector for each of their tokens is kept.
    pub multi_vector: Option<MultiVectorSpec>,
    /// Prompts, similarity and defaults.
    pub sentence: SentenceSpec,
    /// What happens to texts that are too long, if [`Defaults`] in the folder say so.
    pub long_text: Option<LongText>,
    /// Labels and activation, of a cross-encoder.
    pub cross_encoder: Option<CrossEncoderSpec>,
}

impl ModelSpec {
    /// Reads the configuration files of `folder`; no weights, no tokenizer.
    ///
    /// A folder without `modules.json` but with `config.json` is a bare transformer, which the reference
    /// pools by the mean, a decoder by its last token.
    ///
    /// # Errors
    ///
    /// A folder that is no model, files that cannot be parsed, modules that are not supported.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Self::read_as(folder, None)
    }

    /// The same for a folder that is to be taken for a model of that kind: the reference makes a sparse encoder
    /// of a bare masked language model if it is asked for one.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`Error::OtherKind`] if the folder says that it is of another kind.
    pub fn read_as(folder: &Path, asked: Option<ModelKind>) -> Result<Self, Error> {
        let list = folder.join("modules.json");
        let listed = if list.is_file() {
            ModuleEntry::parse_list(&list, &read_text(&list)?)?
        } else if folder.join("config.json").is_file() {
            Vec::new()
        } else {
            return Err(Error::NotAModel { folder: folder.to_owned() });
        };
        let kind = Self::kind(folder, &listed, asked)?;
        if listed.is_empty() && kind == ModelKind::MultiVectorEncoder {
            // The reference would put a linear layer of random numbers behind it.
            let found = "transformer without the layer that makes a MultiVectorEncoder of it";
            return Err(Error::OtherKind { folder: folder.to_owned(), found, asked: kind.name() });
        }
        let modules = if list.is_file() {
            listed
        } else if has_chat_template(folder)? {
            return Err(Error::ChatTemplate { folder: folder.to_owned() });
        } else {
            bare_modules(kind)
        };
        let multi_vector = match kind {
            ModelKind::MultiVectorEncoder => Some(MultiVectorSpec::read(folder, &modules)?),
            _ => None,
        };
        let (router, mut found) = read_routes(folder, &list, &modules, kind)?;
        let cross_encoder = match kind {
            ModelKind::CrossEncoder => Some(CrossEncoderSpec::of_routes(folder, &list, &mut found)?),
            _ => None,
        };
        let sentence = SentenceSpec::read(folder, kind)?;
        let long_text = Defaults::read(folder)?.long_text;
        Ok(Self {
            root: folder.to_owned(),
            kind,
            modules,
            routes: found,
            router,
            multi_vector,
            cross_encoder,
            sentence,
            long_text,
        })
    }

    fn kind(folder: &Path, listed: &[ModuleEntry], asked: Option<ModelKind>) -> Result<ModelKind, Error> {
        let found = ModelKind::of_folder(folder, listed)?;
        let Some(asked) = asked.filter(|asked| *asked != found) else { return Ok(found) };
        // A bare transformer may be taken for anything; what sentence-transformers saved says what it is.
        if listed.is_empty() {
            return Ok(asked);
        }
        Err(Error::OtherKind { folder: folder.to_owned(), found: found.name(), asked: asked.name() })
    }

    /// The way of texts of which nothing is known.
    pub fn default_route(&self) -> &RouteSpec {
        let place = self.route_place(None).unwrap_or(0);
        // There is at least one, which reading has made sure of.
        &self.routes[place]
    }

    /// The place in [`routes`](Self::routes) of the way for a task.
    pub(crate) fn route_place(&self, task: Option<Task>) -> Option<usize> {
        let Some(router) = &self.router else { return Some(0) };
        let name = router.resolve(task, |name| self.routes.iter().any(|route| route.name == name))?;
        self.routes.iter().position(|route| route.name == name)
    }

    /// The same, or an error that names what there is.
    pub(crate) fn route_for(&self, task: Option<Task>) -> Result<usize, Error> {
        self.route_place(task).ok_or_else(|| Error::NoRoute {
            asked: task
                .map_or(
                    "a text of which it is not said whether it is a query or a document",
                    router::task_name,
                )
                .to_owned(),
            known: self.routes.iter().map(|route| route.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The transformer of the default way, where one reads the text.
    pub fn transformer(&self) -> Option<&TransformerSpec> {
        self.default_route().transformer()
    }

    /// Width of an embedding before any truncation.
    pub fn dim(&self) -> usize {
        self.default_route().dim
    }

    /// Whether the model itself scales its vectors to length one.
    pub fn normalizes(&self) -> bool {
        self.default_route().normalizes()
    }

    /// How vectors of this model are meant to be compared.
    pub fn similarity(&self) -> Similarity {
        self.sentence.similarity
    }
}

/// Whether a tokenizer has a template for chats. What sentence-transformers saved says whether it is used; without that
/// the reference uses it.
fn has_chat_template(folder: &Path) -> Result<bool, Error> {
    let path = folder.join("tokenizer_config.json");
    let inside = path.is_file() && Object::parse(&path, &read_text(&path)?)?.get("chat_template").is_some();
    let beside = ["chat_template.jinja", "additional_chat_templates"];
    Ok(inside || beside.iter().any(|name| folder.join(name).exists()))
}

/// What the reference makes of a folder without a list.
fn bare_modules(kind: ModelKind) -> Vec<ModuleEntry> {
    let entry = |kind, path: &str| ModuleEntry { kind, path: path.to_owned() };
    match kind {
        ModelKind::SentenceTransformer => {
            vec![entry(ModuleKind::Transformer, ""), entry(ModuleKind::Pooling, "1_Pooling")]
        }
        ModelKind::SparseEncoder => {
            vec![entry(ModuleKind::MlmTransformer, ""), entry(ModuleKind::SpladePooling, "1_SpladePooling")]
        }
        ModelKind::CrossEncoder => vec![entry(ModuleKind::Transformer, "")],
        ModelKind::MultiVectorEncoder => {
            vec![entry(ModuleKind::Transformer, ""), entry(ModuleKind::MultiVectorMask, "")]
        }
    }
}

/// One way for a plain list; for a router one for each of its lists, with what stands before and behind it.
fn read_routes(
    root: &Path,
    list: &Path,
    modules: &[ModuleEntry],
    kind: ModelKind,
) -> Result<(Option<RouterSpec>, Vec<RouteSpec>), Error> {
    let is_router = |module: &ModuleEntry| module.kind == ModuleKind::Router;
    let Some(place) = modules.iter().position(is_router) else {
        let route = RouteSpec::read(root, list, String::new(), modules.to_vec(), kind)?;
        return Ok((None, vec![route]));
    };
    let (choice, ways) = RouterSpec::read(root, &modules[place].path)?;
    let (before, behind) = (&modules[..place], &modules[place + 1..]);
    let route = |(name, way): (String, Vec<ModuleEntry>)| {
        RouteSpec::read(root, list, name, [before, way.as_slice(), behind].concat(), kind)
    };
    let routes: Vec<RouteSpec> = ways.into_iter().map(route).collect::<Result<_, Error>>()?;
    let width = |route: &RouteSpec| route.dim;
    if routes.windows(2).any(|pair| matches!(pair, [left, right] if width(left) != width(right))) {
        return Err(Error::ModuleOrder {
            path: list.to_owned(),
            found: modules.iter().map(|module| module.kind.name()).collect::<Vec<_>>().join(", "),
            problem: "its routes answer vectors of different widths",
        });
    }
    Ok((Some(choice), routes))
}
