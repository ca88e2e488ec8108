//! Searches of runs.

use mlflow_types::filter::{
    Attribute, Comparison, DatasetAttribute, Field, Filter, Order, OrderBy, Searched, Test,
};
use mlflow_types::runs::{SearchRuns, SearchRunsResponse};
use mlflow_types::tags::system;
use rusqlite::Connection;

use super::query::{Keyed, Query};
use super::{LARGEST_PAGE, direction};
use crate::embedded::page::Page;
use crate::embedded::refusal::Outcome;
use crate::embedded::{rules, run_rows};

const PAGE: u32 = 1000;

const TAGS: Keyed = keyed("tags");
const PARAMS: Keyed = keyed("params");
const METRICS: Keyed = keyed("latest_metrics");

const fn keyed(table: &'static str) -> Keyed {
    Keyed { table, link: "t.run_uuid = runs.run_uuid", key: "t.key", value: "t.value" }
}

/// Runs, a page.
pub(in crate::embedded) fn runs(connection: &Connection, call: &SearchRuns) -> Outcome<SearchRunsResponse> {
    let size = call.max_results.unwrap_or(PAGE);
    rules::page_size(size, LARGEST_PAGE)?;
    let filter = Filter::parse_optional(Searched::Runs, call.filter.as_deref())?;
    let orders = OrderBy::parse_all(Searched::Runs, &call.order_by)?;
    let page = Page::new(Some(size), call.page_token.as_deref(), "")?;
    let mut query = Query::new("SELECT run_uuid FROM runs WHERE 1");
    query.push_experiments(&call.experiment_ids)?;
    query.push_view(call.run_view_type);
    for comparison in &filter.comparisons {
        push_comparison(&mut query, comparison);
    }
    push_orders(&mut query, &orders);
    let (ids, next_page_token) = query.keys::<String>(connection, &page)?;
    let runs = ids.iter().map(|run_id| run_rows::run(connection, run_id)).collect::<Outcome<_>>()?;
    Ok(SearchRunsResponse { runs, next_page_token })
}

fn push_comparison(query: &mut Query, comparison: &Comparison) {
    let test = &comparison.test;
    match &comparison.field {
        // Runs of MLflow 1 have their name in the tag alone.
        Field::Attribute(Attribute::RunName) => query.push_keyed(TAGS, system::RUN_NAME, test),
        Field::Attribute(attribute) => match column(*attribute) {
            Some(column) => query.push_test(column, test),
            None => query.push(" AND 0"),
        },
        Field::Metric(key) => query.push_exists(METRICS, key, false, |query| push_metric(query, test)),
        Field::Param(key) => query.push_keyed(PARAMS, key, test),
        Field::Tag(key) => query.push_keyed(TAGS, key, test),
        Field::Dataset(attribute) => push_dataset(query, *attribute, test),
    }
}

/// A metric that is no number has the value 0 in its row; it differs from every number and fits nothing else.
fn push_metric(query: &mut Query, test: &Test) {
    query.push(" AND (");
    query.test("t.value", test);
    query.push(match test {
        Test::Number(Order::NotEqual, _) => " OR t.is_nan)",
        _ => " AND NOT t.is_nan)",
    });
}

fn push_dataset(query: &mut Query, attribute: DatasetAttribute, test: &Test) {
    query.push(
        " AND EXISTS (SELECT 1 FROM inputs AS i JOIN datasets AS d ON d.dataset_uuid = i.source_id
                      LEFT JOIN input_tags AS u ON u.input_uuid = i.input_uuid AND u.name = ",
    );
    query.bind(system::DATASET_CONTEXT.to_owned());
    query.push(" WHERE i.destination_type = 'RUN' AND i.destination_id = runs.run_uuid");
    let column = match attribute {
        DatasetAttribute::Name => "d.name",
        DatasetAttribute::Digest => "d.digest",
        _ => "u.value",
    };
    query.push_test(column, test);
    query.push(")");
}

fn push_orders(query: &mut Query, orders: &[OrderBy]) {
    query.push(" ORDER BY ");
    for order in orders {
        match &order.field {
            Field::Attribute(attribute) => {
                let column = column(*attribute).unwrap_or("NULL");
                query.push(&format!("{column} IS NULL, {column}"));
            }
            Field::Metric(key) => {
                // What is no number comes behind the numbers, what is absent behind that.
                push_value(query, METRICS, "coalesce(max(t.is_nan), 2)", key);
                query.push(", ");
                push_value(query, METRICS, "t.value", key);
            }
            Field::Param(key) => push_text_order(query, PARAMS, key),
            Field::Tag(key) => push_text_order(query, TAGS, key),
            Field::Dataset(_) => query.push("NULL"),
        }
        query.push(direction(order.direction));
        query.push(", ");
    }
    let by_start = Field::Attribute(Attribute::StartTime);
    if !orders.iter().any(|order| order.field == by_start) {
        query.push("start_time DESC, ");
    }
    query.push("run_uuid");
}

fn push_text_order(query: &mut Query, keyed: Keyed, key: &str) {
    push_value(query, keyed, "t.value", key);
    query.push(" IS NULL, ");
    push_value(query, keyed, "t.value", key);
}

fn push_value(query: &mut Query, keyed: Keyed, what: &str, key: &str) {
    let Keyed { table, link, key: column, .. } = keyed;
    query.push(&format!("(SELECT {what} FROM {table} AS t WHERE {link} AND {column} = "));
    query.bind(key.to_owned());
    query.push(")");
}

fn column(attribute: Attribute) -> Option<&'static str> {
    Some(match attribute {
        Attribute::ArtifactUri => "artifact_uri",
        Attribute::EndTime => "end_time",
        Attribute::RunId => "run_uuid",
        Attribute::RunName => "name",
        Attribute::StartTime => "start_time",
        Attribute::Status => "status",
        Attribute::UserId => "user_id",
        _ => return None,
    })
}
