//! The language of searches: `metrics.spearman > 0.8 AND params.pooling = 'mean'`, and what results are ordered by.
//!
//! A [`Filter`] is a list of [`Comparison`]s that must all hold; the language knows neither `OR` nor parentheses. It is
//! built with types or read from text, and its `Display` is text that the server understands:
//!
//! ```
//! use mlflow_types::filter::{Filter, Searched};
//!
//! let filter = Filter::metric("spearman").greater(0.8).and(Filter::param("pooling").equals("mean"));
//! assert_eq!(filter.to_string(), "metrics.spearman > 0.8 AND params.pooling = 'mean'");
//! assert_eq!(Filter::parse(Searched::Runs, &filter.to_string())?, filter);
//! # Ok::<(), mlflow_types::filter::InvalidFilter>(())
//! ```
//!
//! What a server of MLflow 3.17 accepts is accepted here, including what it accepts by accident: an `AND` may be missing
//! or dangle. What it refuses is refused, in its words as far as they are stable.
//!
//! # What a comparison means
//!
//! A thing that has no such metric, param, tag, dataset or attribute fits no comparison with it, not even `!=`; only
//! `IS NULL` asks for its absence. A metric that is not a number differs from every number (`!=`) and fits nothing else.
//! Texts are compared byte by byte. In `LIKE`, `%` stands for any characters, also none, and `_` for exactly one; nothing
//! escapes them. `LIKE` tells capital letters from small ones; `ILIKE` does not, for the letters of ASCII only.
//! A run's name is that of its tag `mlflow.runName`; its datasets fit when one of them does. The metrics of a logged
//! model fit when one of their values does, of whatever step. A search of registered models or versions leaves prompts
//! out, unless the first comparison of the tag `mlflow.prompt.is_prompt` asks for them.

mod build;
mod display;
mod fields;
mod lexer;
mod matching;
mod order;
mod parse;
mod rules;

pub use build::{NumberField, TextField};
pub use fields::{Attribute, DatasetAttribute, Field, Searched};
pub use matching::like;
pub use order::{
    Direction, OrderBy, compare_experiments, compare_logged_models, compare_model_versions,
    compare_registered_models, compare_runs,
};

/// Comparisons that must all hold; none, and everything fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// The comparisons, in the order of the text.
    pub comparisons: Vec<Comparison>,
}

/// A field and what must be true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The field.
    pub field: Field,
    /// What must be true of it.
    pub test: Test,
}

/// What must be true of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Its number stands so to this one.
    Number(Order, Number),
    /// Its text is so like this one.
    Text(Likeness, String),
    /// Its text is one of these.
    OneOf(Vec<String>),
    /// It has a text, and that is none of these.
    NoneOf(Vec<String>),
    /// It is absent.
    IsNull,
    /// It is there.
    IsNotNull,
}

/// How a number stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// How a text is like another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Likeness {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `LIKE`: the other is a pattern of `%` and `_`.
    Like,
    /// `ILIKE`: the same, where small and capital letters of ASCII are one.
    ILike,
}

/// A number of a filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// Another.
    Float(f64),
}

impl Order {
    /// The operator.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

impl Likeness {
    /// The operator.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Like => "LIKE",
            Self::ILike => "ILIKE",
        }
    }
}

impl Number {
    /// The number as a double.
    pub fn as_f64(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "what SQL does when it compares with a double")]
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

/// A filter or an order that the server would refuse, or that its language cannot say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidFilter {
    /// What is wrong, in the server's words where they are stable.
    pub problem: String,
}

impl InvalidFilter {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into() }
    }
}

impl Filter {
    /// Reads a filter; an empty text is the filter that everything fits.
    ///
    /// # Errors
    /// [`InvalidFilter`] where the server would refuse a search with it.
    pub fn parse(searched: Searched, text: &str) -> Result<Self, InvalidFilter> {
        parse::filter(searched, text)
    }

    /// Reads the filter of a search, which may have none.
    ///
    /// # Errors
    /// [`InvalidFilter`] where the server would refuse a search with it.
    pub fn parse_optional(searched: Searched, text: Option<&str>) -> Result<Self, InvalidFilter> {
        text.map_or_else(|| Ok(Self::default()), |text| Self::parse(searched, text))
    }

    /// Whether the filter fits what is searched, and can be said in text.
    ///
    /// # Errors
    /// [`InvalidFilter`] names the first comparison that does not.
    pub fn check(&self, searched: Searched) -> Result<(), InvalidFilter> {
        self.comparisons.iter().try_for_each(|comparison| rules::check(searched, comparison))
    }

    /// The text of the filter for a search, after [`check`](Self::check).
    ///
    /// Where the search allows it, an `=` or `!=` with a text that single quotes cannot hold becomes `IN` or `NOT IN`.
    ///
    /// # Errors
    /// [`InvalidFilter`] names the first comparison that cannot be said.
    pub fn text_for(&self, searched: Searched) -> Result<String, InvalidFilter> {
        self.check(searched)?;
        Ok(display::text_for(self, searched))
    }

    /// This and the other filter.
    #[must_use]
    pub fn and(mut self, other: impl Into<Self>) -> Self {
        self.comparisons.extend(other.into().comparisons);
        self
    }
}

impl From<Comparison> for Filter {
    fn from(comparison: Comparison) -> Self {
        Self { comparisons: vec![comparison] }
    }
}

impl FromIterator<Filter> for Filter {
    fn from_iter<I: IntoIterator<Item = Filter>>(filters: I) -> Self {
        Self { comparisons: filters.into_iter().flat_map(|filter| filter.comparisons).collect() }
    }
}
