//! Columns as values of the protocol.

use mlflow_types::experiments::LifecycleStage;
use mlflow_types::runs::RunStatus;
use mlflow_types::tags::{Param, Tag};
use mlflow_types::{ExperimentId, ModelVersionNumber};
use rusqlite::types::Type;
use rusqlite::{Connection, Row};

/// A text; nothing is an empty one.
pub(super) fn text_or_empty(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(row.get::<_, Option<String>>(index)?.unwrap_or_default())
}

/// A text that must fit a type with rules of its own.
pub(super) fn parsed<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text_or_empty(row, index)?
        .parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error)))
}

/// A tag: key and value.
pub(super) fn tag(row: &Row<'_>) -> rusqlite::Result<Tag> {
    Ok(Tag { key: row.get(0)?, value: text_or_empty(row, 1)? })
}

/// A param: key and value.
pub(super) fn param(row: &Row<'_>) -> rusqlite::Result<Param> {
    Ok(Param { key: row.get(0)?, value: text_or_empty(row, 1)? })
}

/// The identifier of an experiment with this number.
pub(super) fn experiment_id(number: i64) -> ExperimentId {
    let digits = number.unsigned_abs().to_string();
    ExperimentId::try_new(digits).unwrap_or_else(|_| unreachable!("digits are an experiment id"))
}

/// The word for a stage.
pub(super) fn stage_word(stage: LifecycleStage) -> &'static str {
    match stage {
        LifecycleStage::Active => "active",
        LifecycleStage::Deleted => "deleted",
    }
}

/// A stage; a row has nothing but these two words, and none means that it is in use.
pub(super) fn stage(row: &Row<'_>, index: usize) -> rusqlite::Result<LifecycleStage> {
    Ok(match row.get::<_, Option<String>>(index)?.as_deref() {
        Some("deleted") => LifecycleStage::Deleted,
        _ => LifecycleStage::Active,
    })
}

/// How far a run is.
pub(super) fn run_status(row: &Row<'_>, index: usize) -> rusqlite::Result<RunStatus> {
    Ok(match row.get::<_, Option<String>>(index)?.as_deref() {
        Some("SCHEDULED") => RunStatus::Scheduled,
        Some("FINISHED") => RunStatus::Finished,
        Some("FAILED") => RunStatus::Failed,
        Some("KILLED") => RunStatus::Killed,
        _ => RunStatus::Running,
    })
}

/// The value of a metric from its two columns.
pub(super) fn metric_value(row: &Row<'_>, value: usize, is_nan: usize) -> rusqlite::Result<f64> {
    Ok(if row.get(is_nan)? { f64::NAN } else { row.get(value)? })
}

/// What stands in the two columns of a metric: SQL knows no number that is none, and none beyond all others.
pub(super) fn metric_columns(value: f64) -> (f64, bool) {
    if value.is_nan() { (0.0, true) } else { (value.clamp(f64::MIN, f64::MAX), false) }
}

/// All rows of a statement that asks for one thing.
pub(super) fn rows<T>(
    connection: &Connection,
    sql: &str,
    key: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map([key], read)?.collect()
}

/// The number of a version.
pub(super) fn version(row: &Row<'_>, index: usize) -> rusqlite::Result<ModelVersionNumber> {
    row.get(index).map(ModelVersionNumber::new)
}
