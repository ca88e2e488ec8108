//! Whether a thing fits a filter: the meaning of the language, without a database.

use super::{Attribute, Comparison, DatasetAttribute, Field, Filter, Likeness, Number, Order, Test};
use crate::experiments::Experiment;
use crate::inputs::DatasetInput;
use crate::logged_models::{DatasetFilter, LoggedModel};
use crate::metrics::Metric;
use crate::model_versions::ModelVersion;
use crate::registered_models::RegisteredModel;
use crate::runs::Run;
use crate::tags::{Param, Tag, system};

/// What a thing has in a field.
enum Found<'a> {
    /// Texts: none, one, or of datasets many.
    Texts(Vec<&'a str>),
    /// Numbers: none, one, or of a logged model's metric many.
    Numbers(Vec<f64>),
    /// A whole number, or none.
    Integer(Option<i64>),
    /// A text that exists only here.
    Owned(String),
}

impl Filter {
    /// Whether an experiment fits.
    pub fn matches_experiment(&self, experiment: &Experiment) -> bool {
        self.comparisons
            .iter()
            .all(|comparison| comparison.fits(in_experiment(&comparison.field, experiment)))
    }

    /// Whether a run fits. Of its metrics only the latest values count.
    pub fn matches_run(&self, run: &Run) -> bool {
        self.comparisons.iter().all(|comparison| comparison.fits(in_run(&comparison.field, run)))
    }

    /// Whether a logged model fits, where only metrics on these datasets count, if there are any; and one such metric
    /// it must have.
    pub fn matches_logged_model(&self, model: &LoggedModel, datasets: &[DatasetFilter]) -> bool {
        let on_dataset =
            |metric: &Metric| datasets.is_empty() || datasets.iter().any(|dataset| is_on(metric, dataset));
        let metrics: Vec<&Metric> = model.data.metrics.iter().filter(|metric| on_dataset(metric)).collect();
        (datasets.is_empty() || !metrics.is_empty())
            && self
                .comparisons
                .iter()
                .all(|comparison| comparison.fits(in_logged_model(&comparison.field, model, &metrics)))
    }

    /// Whether a registered model fits. It never does when it is a prompt and the filter does not ask for prompts.
    pub fn matches_registered_model(&self, model: &RegisteredModel) -> bool {
        self.prompts_fit(&model.tags)
            && self.without_prompt_tag().all(|comparison| {
                comparison.fits(match &comparison.field {
                    Field::Attribute(Attribute::Name) => Found::Texts(vec![model.name.as_str()]),
                    field => in_tags(field, &model.tags),
                })
            })
    }

    /// Whether a version fits. It never does when its model is a prompt (`model_tags` say so) and the filter does not ask
    /// for prompts.
    pub fn matches_model_version(&self, version: &ModelVersion) -> bool {
        self.prompts_fit(&version.tags)
            && self
                .without_prompt_tag()
                .all(|comparison| comparison.fits(in_model_version(&comparison.field, version)))
    }

    /// Whether the filter asks for prompts: its first comparison of the prompts' tag decides.
    pub fn asks_for_prompts(&self) -> bool {
        let first = self.comparisons.iter().find(|comparison| is_prompt_tag(&comparison.field));
        match first.map(|comparison| &comparison.test) {
            Some(Test::Text(Likeness::Equal, text)) => text.eq_ignore_ascii_case("true"),
            Some(Test::Text(Likeness::NotEqual, text)) => text.eq_ignore_ascii_case("false"),
            _ => false,
        }
    }

    fn prompts_fit(&self, tags: &[Tag]) -> bool {
        self.asks_for_prompts() || !tags.iter().any(|tag| tag.key == system::IS_PROMPT && tag.value == "true")
    }

    /// The comparisons; without those of the prompts' tag when prompts are left out anyway.
    fn without_prompt_tag(&self) -> impl Iterator<Item = &Comparison> {
        let asks = self.asks_for_prompts();
        self.comparisons.iter().filter(move |comparison| asks || !is_prompt_tag(&comparison.field))
    }
}

fn is_prompt_tag(field: &Field) -> bool {
    matches!(field, Field::Tag(key) if key == system::IS_PROMPT)
}

/// Whether a metric was measured on a dataset.
pub(super) fn is_on(metric: &Metric, dataset: &DatasetFilter) -> bool {
    metric.dataset_name.as_deref() == Some(dataset.dataset_name.as_str())
        && (dataset.dataset_digest.is_none() || dataset.dataset_digest == metric.dataset_digest)
}

fn in_experiment<'a>(field: &Field, experiment: &'a Experiment) -> Found<'a> {
    match field {
        Field::Attribute(Attribute::Name) => Found::Texts(vec![&experiment.name]),
        Field::Attribute(Attribute::ExperimentId) => Found::Texts(vec![experiment.experiment_id.as_str()]),
        Field::Attribute(Attribute::CreationTime) => Found::Integer(experiment.creation_time),
        Field::Attribute(Attribute::LastUpdateTime) => Found::Integer(experiment.last_update_time),
        field => in_tags(field, &experiment.tags),
    }
}

fn in_run<'a>(field: &Field, run: &'a Run) -> Found<'a> {
    match field {
        Field::Attribute(attribute) => run_attribute(*attribute, run),
        Field::Metric(key) => Found::Numbers(numbers(run.data.metrics.iter(), key)),
        Field::Param(key) => Found::Texts(param(&run.data.params, key)),
        Field::Tag(_) => in_tags(field, &run.data.tags),
        Field::Dataset(attribute) => Found::Texts(
            run.inputs.dataset_inputs.iter().flat_map(|input| dataset(*attribute, input)).collect(),
        ),
    }
}

fn run_attribute(attribute: Attribute, run: &Run) -> Found<'_> {
    let info = &run.info;
    Found::Texts(match attribute {
        Attribute::ArtifactUri => vec![&info.artifact_uri],
        Attribute::RunId => vec![info.run_id.as_str()],
        Attribute::RunName => tag(&run.data.tags, system::RUN_NAME),
        Attribute::Status => vec![info.status.as_str()],
        Attribute::UserId => vec![&info.user_id],
        Attribute::StartTime => return Found::Integer(info.start_time),
        Attribute::EndTime => return Found::Integer(info.end_time),
        _ => Vec::new(),
    })
}

fn in_logged_model<'a>(field: &Field, model: &'a LoggedModel, metrics: &[&'a Metric]) -> Found<'a> {
    match field {
        Field::Attribute(attribute) => logged_model_attribute(*attribute, model),
        Field::Metric(key) => Found::Numbers(numbers(metrics.iter().copied(), key)),
        Field::Param(key) => Found::Texts(param(&model.data.params, key)),
        Field::Tag(_) => in_tags(field, &model.info.tags),
        Field::Dataset(_) => Found::Texts(Vec::new()),
    }
}

fn logged_model_attribute(attribute: Attribute, model: &LoggedModel) -> Found<'_> {
    let info = &model.info;
    Found::Texts(match attribute {
        Attribute::ArtifactLocation => vec![&info.artifact_uri],
        Attribute::ExperimentId => vec![info.experiment_id.as_str()],
        Attribute::LifecycleStage => vec!["active"],
        Attribute::ModelId => vec![info.model_id.as_str()],
        Attribute::ModelType => present(info.model_type.as_deref()),
        Attribute::Name => vec![&info.name],
        Attribute::SourceRunId => present(info.source_run_id.as_deref()),
        Attribute::StatusMessage => present(info.status_message.as_deref()),
        Attribute::Status => return Found::Owned(info.status.number().to_string()),
        Attribute::CreationTimestamp => return Found::Integer(info.creation_timestamp_ms),
        Attribute::LastUpdatedTimestamp => return Found::Integer(info.last_updated_timestamp_ms),
        _ => Vec::new(),
    })
}

/// A text that may be absent in the database, where answers leave it out or empty.
fn present(text: Option<&str>) -> Vec<&str> {
    text.filter(|text| !text.is_empty()).into_iter().collect()
}

fn in_model_version<'a>(field: &Field, version: &'a ModelVersion) -> Found<'a> {
    match field {
        Field::Attribute(Attribute::Name) => Found::Texts(vec![version.name.as_str()]),
        Field::Attribute(Attribute::RunId) => Found::Texts(version.run_id.as_deref().into_iter().collect()),
        Field::Attribute(Attribute::SourcePath) => Found::Texts(vec![&version.source]),
        Field::Attribute(Attribute::VersionNumber) => Found::Integer(Some(version.version.get().into())),
        field => in_tags(field, &version.tags),
    }
}

fn in_tags<'a>(field: &Field, tags: &'a [Tag]) -> Found<'a> {
    Found::Texts(match field {
        Field::Tag(key) => tag(tags, key),
        _ => Vec::new(),
    })
}

fn tag<'a>(tags: &'a [Tag], key: &str) -> Vec<&'a str> {
    tags.iter().filter(|tag| tag.key == key).map(|tag| tag.value.as_str()).collect()
}

fn param<'a>(params: &'a [Param], key: &str) -> Vec<&'a str> {
    params.iter().filter(|param| param.key == key).map(|param| param.value.as_str()).collect()
}

fn numbers<'a>(metrics: impl Iterator<Item = &'a Metric>, key: &str) -> Vec<f64> {
    metrics.filter(|metric| metric.key == key).map(|metric| metric.value).collect()
}

fn dataset(attribute: DatasetAttribute, input: &DatasetInput) -> Vec<&str> {
    match attribute {
        DatasetAttribute::Name => vec![&input.dataset.name],
        DatasetAttribute::Digest => vec![&input.dataset.digest],
        DatasetAttribute::Context => tag(&input.tags, system::DATASET_CONTEXT),
    }
}

impl Comparison {
    fn fits(&self, found: Found<'_>) -> bool {
        match found {
            Found::Texts(texts) => self.test.fits_texts(&texts),
            Found::Owned(text) => self.test.fits_texts(&[&text]),
            Found::Numbers(numbers) => match &self.test {
                Test::Number(order, number) => {
                    numbers.iter().any(|found| fits_double(*found, *order, number.as_f64()))
                }
                _ => false,
            },
            Found::Integer(found) => match &self.test {
                Test::Number(order, number) => {
                    found.is_some_and(|found| fits_integer(found, *order, *number))
                }
                _ => false,
            },
        }
    }
}

impl Test {
    fn fits_texts(&self, found: &[&str]) -> bool {
        match self {
            Self::Text(likeness, text) => found.iter().any(|found| match likeness {
                Likeness::Equal => found == text,
                Likeness::NotEqual => found != text,
                Likeness::Like => like(found, text),
                Likeness::ILike => like(&found.to_ascii_lowercase(), &text.to_ascii_lowercase()),
            }),
            Self::OneOf(texts) => found.iter().any(|found| texts.iter().any(|text| text == found)),
            Self::NoneOf(texts) => found.iter().any(|found| texts.iter().all(|text| text != found)),
            Self::IsNull => found.is_empty(),
            Self::IsNotNull => !found.is_empty(),
            Self::Number(..) => false,
        }
    }
}

#[expect(clippy::float_cmp, reason = "`=` of the language compares exactly, as SQL does")]
fn fits_double(found: f64, order: Order, number: f64) -> bool {
    match order {
        Order::Equal => found == number,
        Order::NotEqual => found != number,
        Order::Greater => found > number,
        Order::GreaterOrEqual => found >= number,
        Order::Less => found < number,
        Order::LessOrEqual => found <= number,
    }
}

fn fits_integer(found: i64, order: Order, number: Number) -> bool {
    let Number::Integer(number) = number else {
        return fits_double(Number::Integer(found).as_f64(), order, number.as_f64());
    };
    match order {
        Order::Equal => found == number,
        Order::NotEqual => found != number,
        Order::Greater => found > number,
        Order::GreaterOrEqual => found >= number,
        Order::Less => found < number,
        Order::LessOrEqual => found <= number,
    }
}

/// Whether a text fits a pattern of `LIKE`: `%` stands for any characters, also none, and `_` for exactly one.
pub fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut expected) = (0, 0);
    // Where the last `%` stands, and how much of the text it has swallowed so far.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(at) {
        match pattern.get(expected) {
            Some('%') => {
                star = Some((expected, at));
                expected += 1;
            }
            Some(wanted) if *wanted == '_' || wanted == character => {
                at += 1;
                expected += 1;
            }
            _ => {
                let Some((percent, swallowed)) = star else { return false };
                star = Some((percent, swallowed + 1));
                at = swallowed + 1;
                expected = percent + 1;
            }
        }
    }
    pattern.iter().skip(expected).all(|rest| *rest == '%')
}
