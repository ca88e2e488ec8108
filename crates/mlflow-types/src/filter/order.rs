//! What results are ordered by.
//!
//! Whatever is asked for, an order is made total: of runs by `start_time DESC` and then by identifier, of experiments by
//! identifier, of models by name, of versions by name and number. Of runs, what has no such field comes last in both
//! directions, and a metric that is not a number just before it. Texts are ordered byte by byte, and params, though they
//! look like numbers, are texts.

use std::cmp::Ordering;
use std::fmt;

use super::display::FieldText;
use super::lexer::{Lexeme, lexemes};
use super::{Attribute, Field, InvalidFilter, Searched, parse, rules};
use crate::experiments::Experiment;
use crate::logged_models::{LoggedModel, LoggedModelOrder};
use crate::metrics::Metric;
use crate::model_versions::ModelVersion;
use crate::registered_models::RegisteredModel;
use crate::runs::Run;
use crate::tags::system;

/// A field to order by, and in which direction: `metrics.spearman DESC`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderBy {
    /// The field.
    pub field: Field,
    /// The direction.
    pub direction: Direction,
}

/// A direction of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The smallest first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}

impl OrderBy {
    /// The smallest first.
    pub fn ascending(field: Field) -> Self {
        Self { field, direction: Direction::Ascending }
    }

    /// The greatest first.
    pub fn descending(field: Field) -> Self {
        Self { field, direction: Direction::Descending }
    }

    /// Reads one clause. Logged models have no such clauses, but [`LoggedModelOrder`].
    ///
    /// # Errors
    /// [`InvalidFilter`] where the server would refuse it.
    pub fn parse(searched: Searched, text: &str) -> Result<Self, InvalidFilter> {
        let unreadable =
            || InvalidFilter::new(format!("Invalid order_by clause '{text}'. Could not be parsed."));
        let lexemes = lexemes(text).map_err(|_| unreadable())?;
        let (name, direction) = match lexemes.as_slice() {
            [Lexeme::Name(name)] => (*name, Direction::Ascending),
            [Lexeme::Name(name), word] if word.is_word("ASC") => (*name, Direction::Ascending),
            [Lexeme::Name(name), word] if word.is_word("DESC") => (*name, Direction::Descending),
            [Lexeme::Name(_), Lexeme::Name(_)] => {
                return Err(InvalidFilter::new(format!("Invalid ordering key in order_by clause '{text}'.")));
            }
            _ => return Err(unreadable()),
        };
        Ok(Self { field: order_field(searched, name)?, direction })
    }

    /// Reads the clauses of a search, of which no two may name the same field (but of experiments they may).
    ///
    /// # Errors
    /// [`InvalidFilter`] where the server would refuse them.
    pub fn parse_all(searched: Searched, texts: &[String]) -> Result<Vec<Self>, InvalidFilter> {
        let orders: Vec<Self> =
            texts.iter().map(|text| Self::parse(searched, text)).collect::<Result<_, _>>()?;
        let repeated = orders
            .iter()
            .enumerate()
            .any(|(index, order)| orders.iter().take(index).any(|earlier| earlier.field == order.field));
        if repeated && searched != Searched::Experiments {
            return Err(InvalidFilter::new(format!("`order_by` contains duplicate fields: {texts:?}")));
        }
        Ok(orders)
    }

    fn directed(&self, ascending: Ordering) -> Ordering {
        match self.direction {
            Direction::Ascending => ascending,
            Direction::Descending => ascending.reverse(),
        }
    }

    fn is_by(&self, attribute: Attribute) -> bool {
        self.field == Field::Attribute(attribute)
    }
}

impl fmt::Display for OrderBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        write!(formatter, "{} {direction}", FieldText(&self.field))
    }
}

/// The field of an order, which knows other attributes than a filter.
fn order_field(searched: Searched, name: &str) -> Result<Field, InvalidFilter> {
    let is_attribute = !name.contains('.') || name.starts_with("attribute") || name.starts_with("attr.");
    if is_attribute && searched != Searched::Runs {
        let key = name.split_once('.').map_or(name, |(_, key)| key).trim_matches('`');
        return Attribute::of_order(searched, key)
            .map(Field::Attribute)
            .ok_or_else(|| rules::invalid_attribute(key, searched.order_attributes()));
    }
    let field = parse::field(searched, name)?;
    let sortable = match (&field, searched) {
        (Field::Tag(_), searched) => searched == Searched::Runs,
        (field, _) => !matches!(field, Field::Dataset(_)),
    };
    if sortable {
        Ok(field)
    } else {
        Err(InvalidFilter::new(format!("Invalid order_by entity: {}", FieldText(&field))))
    }
}

/// The order of two experiments. Without any clause the newest come first.
pub fn compare_experiments(orders: &[OrderBy], left: &Experiment, right: &Experiment) -> Ordering {
    let number = |experiment: &Experiment| experiment.experiment_id.as_str().parse::<i64>().ok();
    if orders.is_empty() {
        return right.creation_time.cmp(&left.creation_time).then_with(|| number(left).cmp(&number(right)));
    }
    let chosen = first_difference(orders, |order| {
        order.directed(match order.field {
            Field::Attribute(Attribute::Name) => left.name.cmp(&right.name),
            Field::Attribute(Attribute::ExperimentId) => number(left).cmp(&number(right)),
            Field::Attribute(Attribute::CreationTime) => left.creation_time.cmp(&right.creation_time),
            Field::Attribute(Attribute::LastUpdateTime) => left.last_update_time.cmp(&right.last_update_time),
            _ => Ordering::Equal,
        })
    });
    chosen.then_with(|| number(right).cmp(&number(left)))
}

/// The order of two runs. Without any clause those started last come first.
pub fn compare_runs(orders: &[OrderBy], left: &Run, right: &Run) -> Ordering {
    let chosen = first_difference(orders, |order| {
        let (left, right) = (run_key(&order.field, left), run_key(&order.field, right));
        left.0.cmp(&right.0).then_with(|| order.directed(left.1.compare(&right.1)))
    });
    let by_start = if orders.iter().any(|order| order.is_by(Attribute::StartTime)) {
        Ordering::Equal
    } else {
        right.info.start_time.cmp(&left.info.start_time)
    };
    chosen.then(by_start).then_with(|| left.info.run_id.cmp(&right.info.run_id))
}

/// A value to order by.
enum Key<'a> {
    Absent,
    Text(&'a str),
    Integer(i64),
    Double(f64),
}

impl Key<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Integer(left), Self::Integer(right)) => left.cmp(right),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        }
    }
}

/// What a run has in a field, behind how far back it goes: numbers, then what is no number, then nothing.
fn run_key<'a>(field: &Field, run: &'a Run) -> (u8, Key<'a>) {
    let text = |text: Option<&'a str>| text.map_or((2, Key::Absent), |text| (0, Key::Text(text)));
    let integer = |number: Option<i64>| number.map_or((2, Key::Absent), |number| (0, Key::Integer(number)));
    let info = &run.info;
    match field {
        Field::Metric(key) => match run.data.metrics.iter().find(|metric| metric.key == *key) {
            Some(metric) if metric.value.is_nan() => (1, Key::Double(0.0)),
            Some(metric) => (0, Key::Double(metric.value)),
            None => (2, Key::Absent),
        },
        Field::Param(key) => {
            text(run.data.params.iter().find(|param| param.key == *key).map(|param| param.value.as_str()))
        }
        Field::Tag(key) => text(tag(run, key)),
        Field::Attribute(Attribute::StartTime) => integer(info.start_time),
        Field::Attribute(Attribute::EndTime) => integer(info.end_time),
        Field::Attribute(Attribute::ArtifactUri) => text(Some(&info.artifact_uri)),
        Field::Attribute(Attribute::RunId) => text(Some(info.run_id.as_str())),
        Field::Attribute(Attribute::RunName) => text(tag(run, system::RUN_NAME).or(Some(&info.run_name))),
        Field::Attribute(Attribute::Status) => text(Some(info.status.as_str())),
        Field::Attribute(Attribute::UserId) => text(Some(&info.user_id)),
        Field::Attribute(_) | Field::Dataset(_) => (2, Key::Absent),
    }
}

fn tag<'a>(run: &'a Run, key: &str) -> Option<&'a str> {
    run.data.tags.iter().find(|tag| tag.key == key).map(|tag| tag.value.as_str())
}

/// The order of two registered models: by name, unless something else comes first.
pub fn compare_registered_models(
    orders: &[OrderBy],
    left: &RegisteredModel,
    right: &RegisteredModel,
) -> Ordering {
    let chosen = first_difference(orders, |order| {
        order.directed(match order.field {
            Field::Attribute(Attribute::Name) => left.name.cmp(&right.name),
            _ => left.last_updated_timestamp.cmp(&right.last_updated_timestamp),
        })
    });
    chosen.then_with(|| left.name.cmp(&right.name))
}

/// The order of two versions. Without any clause those changed last come first.
pub fn compare_model_versions(orders: &[OrderBy], left: &ModelVersion, right: &ModelVersion) -> Ordering {
    let by_change = if orders.is_empty() {
        right.last_updated_timestamp.cmp(&left.last_updated_timestamp)
    } else {
        Ordering::Equal
    };
    let chosen = first_difference(orders, |order| {
        order.directed(match order.field {
            Field::Attribute(Attribute::Name) => left.name.cmp(&right.name),
            Field::Attribute(Attribute::VersionNumber) => left.version.cmp(&right.version),
            Field::Attribute(Attribute::CreationTimestamp) => {
                left.creation_timestamp.cmp(&right.creation_timestamp)
            }
            _ => left.last_updated_timestamp.cmp(&right.last_updated_timestamp),
        })
    });
    by_change
        .then(chosen)
        .then_with(|| left.name.cmp(&right.name))
        .then_with(|| right.version.cmp(&left.version))
}

/// The order of two logged models. Without any clause those made last come first.
pub fn compare_logged_models(
    orders: &[LoggedModelOrder],
    left: &LoggedModel,
    right: &LoggedModel,
) -> Ordering {
    let mut chosen = Ordering::Equal;
    for order in orders {
        let (left, right) = (logged_model_key(order, left), logged_model_key(order, right));
        let directed = left.1.compare(&right.1);
        chosen = chosen.then_with(|| left.0.cmp(&right.0)).then(if order.ascending {
            directed
        } else {
            directed.reverse()
        });
    }
    let by_creation = if orders.iter().any(|order| is_creation(&order.field_name)) {
        Ordering::Equal
    } else {
        right.info.creation_timestamp_ms.cmp(&left.info.creation_timestamp_ms)
    };
    chosen.then(by_creation).then_with(|| left.info.model_id.cmp(&right.info.model_id))
}

fn is_creation(field_name: &str) -> bool {
    Searched::LoggedModels.attribute_of(field_name) == Some(Attribute::CreationTimestamp)
}

fn logged_model_key<'a>(order: &LoggedModelOrder, model: &'a LoggedModel) -> (u8, Key<'a>) {
    let text = |text: Option<&'a str>| text.map_or((2, Key::Absent), |text| (0, Key::Text(text)));
    let integer = |number: Option<i64>| number.map_or((2, Key::Absent), |number| (0, Key::Integer(number)));
    let info = &model.info;
    if let Some(key) = order.field_name.strip_prefix("metrics.") {
        return latest(order, key, &model.data.metrics)
            .filter(|metric| !metric.value.is_nan())
            .map_or((2, Key::Absent), |metric| (0, Key::Double(metric.value)));
    }
    match Searched::LoggedModels.attribute_of(&order.field_name) {
        Some(Attribute::CreationTimestamp) => integer(info.creation_timestamp_ms),
        Some(Attribute::LastUpdatedTimestamp) => integer(info.last_updated_timestamp_ms),
        Some(Attribute::Status) => integer(Some(info.status.number())),
        Some(Attribute::ExperimentId) => integer(info.experiment_id.as_str().parse().ok()),
        Some(Attribute::Name) => text(Some(&info.name)),
        Some(Attribute::ModelId) => text(Some(info.model_id.as_str())),
        Some(Attribute::ModelType) => text(info.model_type.as_deref()),
        Some(Attribute::SourceRunId) => text(info.source_run_id.as_deref()),
        Some(Attribute::ArtifactLocation) => text(Some(&info.artifact_uri)),
        _ => (2, Key::Absent),
    }
}

/// The latest value of a metric on the order's dataset.
fn latest<'a>(order: &LoggedModelOrder, key: &str, metrics: &'a [Metric]) -> Option<&'a Metric> {
    metrics
        .iter()
        .filter(|metric| metric.key == key)
        .filter(|metric| order.dataset_name.is_none() || order.dataset_name == metric.dataset_name)
        .filter(|metric| order.dataset_digest.is_none() || order.dataset_digest == metric.dataset_digest)
        .max_by(|left, right| {
            (left.timestamp, left.step)
                .cmp(&(right.timestamp, right.step))
                .then_with(|| right.run_id.cmp(&left.run_id))
        })
}

fn first_difference(orders: &[OrderBy], compare: impl Fn(&OrderBy) -> Ordering) -> Ordering {
    orders.iter().map(compare).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}
