//! Searches of logged models.

use mlflow_types::filter::{Attribute, Comparison, Field, Filter, Searched};
use mlflow_types::logged_models::{
    DatasetFilter, LoggedModelOrder, SearchLoggedModels, SearchLoggedModelsResponse,
};
use rusqlite::Connection;

use super::query::{Keyed, Query};
use crate::embedded::logged_models as models;
use crate::embedded::page::Page;
use crate::embedded::refusal::{Outcome, invalid};

/// Logged models a page, if nobody says how many.
const PAGE: u32 = 100;

const PARAMS: Keyed = Keyed {
    table: "logged_model_params",
    link: "t.model_id = logged_models.model_id",
    key: "t.param_key",
    value: "t.param_value",
};

const TAGS: Keyed = Keyed { table: "logged_model_tags", key: "t.tag_key", value: "t.tag_value", ..PARAMS };

const METRICS: Keyed =
    Keyed { table: "logged_model_metrics", key: "t.metric_name", value: "t.metric_value", ..PARAMS };

/// Logged models, a page.
pub(in crate::embedded) fn logged_models(
    connection: &Connection,
    call: &SearchLoggedModels,
) -> Outcome<SearchLoggedModelsResponse> {
    if call.datasets.iter().any(|dataset| dataset.dataset_name.is_empty()) {
        return Err(invalid("`dataset_name` in the `datasets` clause must be specified."));
    }
    let filter = Filter::parse_optional(Searched::LoggedModels, call.filter.as_deref())?;
    let searched = format!("{:?} {:?} {:?}", call.experiment_ids, call.filter, call.order_by);
    let size = call.max_results.filter(|size| *size > 0).unwrap_or(PAGE);
    let page = Page::new(Some(size), call.page_token.as_deref(), &searched)?;
    let mut query = Query::new("SELECT model_id FROM logged_models WHERE lifecycle_stage <> 'deleted'");
    query.push_experiments(&call.experiment_ids)?;
    for comparison in &filter.comparisons {
        push_comparison(&mut query, comparison, &call.datasets);
    }
    let of_metrics = |comparison: &Comparison| matches!(comparison.field, Field::Metric(_));
    if !call.datasets.is_empty() && !filter.comparisons.iter().any(of_metrics) {
        query.push(
            " AND EXISTS (SELECT 1 FROM logged_model_metrics AS t WHERE t.model_id = logged_models.model_id",
        );
        push_datasets(&mut query, &call.datasets);
        query.push(")");
    }
    push_orders(&mut query, &call.order_by)?;
    let (ids, next_page_token) = query.keys::<String>(connection, &page)?;
    let models = ids.iter().map(|model_id| models::get(connection, model_id));
    Ok(SearchLoggedModelsResponse { models: models.collect::<Outcome<_>>()?, next_page_token })
}

fn push_comparison(query: &mut Query, comparison: &Comparison, datasets: &[DatasetFilter]) {
    let test = &comparison.test;
    match &comparison.field {
        Field::Attribute(attribute) => match column(attribute.as_str()) {
            Some(column) => query.push_test(column, test),
            None => query.push(" AND 0"),
        },
        Field::Metric(key) => query.push_exists(METRICS, key, false, |query| {
            query.push_test("t.metric_value", test);
            push_datasets(query, datasets);
        }),
        Field::Param(key) => query.push_keyed(PARAMS, key, test),
        Field::Tag(key) => query.push_keyed(TAGS, key, test),
        Field::Dataset(_) => query.push(" AND 0"),
    }
}

/// A metric on one of these datasets; on any, if there are none.
fn push_datasets(query: &mut Query, datasets: &[DatasetFilter]) {
    for (index, dataset) in datasets.iter().enumerate() {
        query.push(if index == 0 { " AND (" } else { " OR " });
        query.push("(t.dataset_name = ");
        query.bind(dataset.dataset_name.clone());
        if let Some(digest) = &dataset.dataset_digest {
            query.push(" AND t.dataset_digest = ");
            query.bind(digest.clone());
        }
        query.push(")");
    }
    if !datasets.is_empty() {
        query.push(")");
    }
}

fn push_orders(query: &mut Query, orders: &[LoggedModelOrder]) -> Outcome<()> {
    query.push(" ORDER BY ");
    let mut by_creation = false;
    for order in orders {
        let field = order.field_name.as_str();
        let direction = if order.ascending { " ASC, " } else { " DESC, " };
        match field.split_once('.') {
            Some(("metrics", key)) => {
                push_latest(query, order, key);
                query.push(" IS NULL, ");
                push_latest(query, order, key);
            }
            Some(_) => {
                return Err(invalid(format!(
                    "Invalid order by field name: {field}. Only metrics are supported."
                )));
            }
            None => {
                let column =
                    column(field).ok_or_else(|| invalid(format!("Invalid order by field name: {field}")))?;
                by_creation |= column == CREATION;
                query.push(&format!("{column} IS NULL, {column}"));
            }
        }
        query.push(direction);
    }
    if !by_creation {
        query.push(CREATION);
        query.push(" DESC, ");
    }
    query.push("model_id ASC");
    Ok(())
}

/// The latest value of a metric, on the order's dataset if it names one.
fn push_latest(query: &mut Query, order: &LoggedModelOrder, key: &str) {
    query.push(
        "(SELECT t.metric_value FROM logged_model_metrics AS t WHERE t.model_id = logged_models.model_id
          AND t.metric_name = ",
    );
    query.bind(key.to_owned());
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    for (column, wanted) in
        [("dataset_name", named(&order.dataset_name)), ("dataset_digest", named(&order.dataset_digest))]
    {
        if let Some(wanted) = wanted {
            query.push(&format!(" AND t.{column} = "));
            query.bind(wanted);
        }
    }
    query.push(" ORDER BY t.metric_timestamp_ms DESC, t.metric_step DESC, t.run_id LIMIT 1)");
}

const CREATION: &str = "creation_timestamp_ms";

/// The column of an attribute, by its name or an older one.
fn column(name: &str) -> Option<&'static str> {
    if matches!(name, "creation_time" | "creation_timestamp" | CREATION) {
        return Some(CREATION);
    }
    if matches!(name, "last_updated_timestamp" | "last_updated_timestamp_ms") {
        return Some("last_updated_timestamp_ms");
    }
    [
        Attribute::ArtifactLocation,
        Attribute::ExperimentId,
        Attribute::LifecycleStage,
        Attribute::ModelId,
        Attribute::ModelType,
        Attribute::Name,
        Attribute::SourceRunId,
        Attribute::Status,
        Attribute::StatusMessage,
    ]
    .into_iter()
    .map(Attribute::as_str)
    .find(|known| *known == name)
}
