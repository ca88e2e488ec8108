//! What a search compares texts with: one vector each, a sparse one, or one for each token.

use ndarray::Array2;
use st_core::{
    BoxError, EncodeOptions, Encoder, MultiVectorEncoder as _, Overlong, Similarity, SparseEncoder as _,
    SparseOptions, SparseVectors, Task,
};
use st_model::{ModelKind, ModelSpec, MultiVectorEncoder, SparseEncoder};
use st_pooling::{late_interaction, similarity, sparse_similarity};

use crate::args::SearchArgs;
use crate::error::Error;
use crate::model::{self, Loaded, Located};
use crate::settings::Settings;

/// A model to search with.
pub(crate) enum Searcher {
    Dense(Box<Loaded>),
    Sparse(Box<Loaded<SparseEncoder>>),
    Late(Box<Loaded<MultiVectorEncoder>>),
}

/// What a model makes of texts.
pub(crate) enum Rows {
    Dense(Array2<f32>),
    Sparse(SparseVectors),
    Late(Vec<Array2<f32>>),
}

impl Searcher {
    /// Loads the model as what it is, if the arguments fit.
    pub(crate) fn load(located: &Located, args: &SearchArgs, settings: &Settings) -> anyhow::Result<Self> {
        // What is wrong with the folder is told when it is loaded.
        let kind = ModelSpec::read(&located.folder).map(|spec| spec.kind);
        let options = settings.load_options(&args.model);
        Ok(match kind {
            Ok(ModelKind::SparseEncoder) => {
                check(args, "a sparse encoder", false)?;
                Self::Sparse(Box::new(model::load_sparse(located, &options)?))
            }
            Ok(ModelKind::MultiVectorEncoder) => {
                check(args, "a late-interaction model", true)?;
                Self::Late(Box::new(model::load_multi_vector(located, &options)?))
            }
            _ => Self::Dense(Box::new(model::load_located(located, &args.model, settings)?)),
        })
    }

    /// In which numbers it computes.
    pub(crate) fn mode(&self) -> &'static str {
        match self {
            Self::Dense(loaded) => model::mode(&loaded.encoder),
            Self::Sparse(loaded) => model::mode_name(loaded.encoder.mode()),
            Self::Late(loaded) => model::mode_name(loaded.encoder.mode()),
        }
    }

    /// Longest text of the corpus.
    pub(crate) fn max_tokens(&self) -> Option<usize> {
        match self {
            Self::Dense(loaded) => loaded.encoder.max_tokens(),
            Self::Sparse(loaded) => loaded.encoder.max_tokens(),
            Self::Late(loaded) => loaded.encoder.limit(Some(Task::Document)),
        }
    }

    /// How texts are compared unless it was said.
    fn similarity(&self) -> Similarity {
        match self {
            Self::Dense(loaded) => loaded.encoder.similarity(),
            Self::Sparse(loaded) => loaded.encoder.similarity(),
            Self::Late(_) => Similarity::Dot,
        }
    }

    /// What the comparison is called.
    pub(crate) fn function(&self, asked: Option<Similarity>) -> &'static str {
        match self {
            Self::Late(loaded) => loaded.encoder.interaction().name(),
            _ => asked.unwrap_or(self.similarity()).name(),
        }
    }

    /// Reads texts.
    pub(crate) fn encode(
        &self,
        texts: &[&str],
        options: &EncodeOptions,
    ) -> Result<(Rows, Vec<Overlong>), BoxError> {
        match self {
            Self::Dense(loaded) => {
                let encoded = loaded.encoder.encode(texts, options)?;
                let rows = encoded.vectors.into_float32().ok_or("the encoder quantised unasked")?;
                Ok((Rows::Dense(rows), encoded.overlong))
            }
            Self::Sparse(loaded) => {
                let mut own = SparseOptions::default().with_prompt(options.prompt.clone());
                own.task = options.task;
                let encoded = loaded.encoder.encode(texts, &own)?;
                Ok((Rows::Sparse(encoded.vectors), encoded.overlong))
            }
            Self::Late(loaded) => {
                let encoded = loaded.encoder.encode(texts, options)?;
                Ok((Rows::Late(encoded.texts), encoded.overlong))
            }
        }
    }

    /// Scores of each query with each text.
    pub(crate) fn scores(
        &self,
        queries: &Rows,
        texts: &Rows,
        asked: Option<Similarity>,
    ) -> anyhow::Result<Array2<f32>> {
        let function = asked.unwrap_or(self.similarity());
        Ok(match (self, queries, texts) {
            (_, Rows::Dense(queries), Rows::Dense(texts)) => {
                similarity(queries.view(), texts.view(), function)?
            }
            (_, Rows::Sparse(queries), Rows::Sparse(texts)) => sparse_similarity(queries, texts, function)?,
            (Self::Late(loaded), Rows::Late(queries), Rows::Late(texts)) => {
                late_interaction(queries, texts, loaded.encoder.interaction())?
            }
            _ => anyhow::bail!("queries and texts were read by different models"),
        })
    }
}

/// Options that only models with one dense vector a text can follow.
fn check(args: &SearchArgs, what: &str, is_late: bool) -> Result<(), Error> {
    let refused = if !args.vectors.is_empty() {
        "`--vectors`"
    } else if args.long_text.long_text.is_some() {
        "`--long-text`"
    } else if is_late && args.function.is_some() {
        "`--function`"
    } else {
        return Ok(());
    };
    let problem = format!("{refused} is for models with one dense vector a text, and this is {what}");
    Err(Error::Usage { problem })
}
