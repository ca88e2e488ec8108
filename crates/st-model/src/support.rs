//! What runs and what is refused, as data: the manual's tables are written from it.

use st_export::{Family, RefusedFamily};

use crate::spec::{ModelKind, ModuleKind, REFUSED, Refusal, SUPPORTED};

/// What runs and what is refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Support {
    /// Kinds of model.
    pub kinds: Vec<ModelKind>,
    /// Transformers.
    pub families: Vec<&'static Family>,
    /// Transformers that are refused by name.
    pub refused_families: Vec<&'static RefusedFamily>,
    /// Modules.
    pub modules: Vec<ModuleKind>,
    /// Modules that are refused by name.
    pub refused_modules: Vec<Refusal>,
}

/// What this release runs and refuses.
///
/// ```
/// let support = st_model::support();
/// assert!(support.families.iter().any(|family| family.name == "modernbert"));
/// assert!(support.refused_modules.iter().any(|refusal| refusal.class == "CLIPModel"));
/// ```
pub fn support() -> Support {
    Support {
        kinds: vec![
            ModelKind::SentenceTransformer,
            ModelKind::CrossEncoder,
            ModelKind::SparseEncoder,
            ModelKind::MultiVectorEncoder,
        ],
        families: st_export::families().collect(),
        refused_families: st_export::refused_families().collect(),
        modules: SUPPORTED.to_vec(),
        refused_modules: REFUSED.to_vec(),
    }
}
