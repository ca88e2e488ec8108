//! Searches: a filter and an order become one statement that finds keys, a page of them; the rows are then read as those
//! of a single thing are.
//!
//! What a filter means is written in [`mlflow_types::filter`]; here it is said in SQL. Every value is bound, never part
//! of the statement's text.

mod logged_models;
mod query;
mod registry;
mod runs;

use mlflow_types::experiments::{SearchExperiments, SearchExperimentsResponse, ViewType};
use mlflow_types::filter::{Attribute, Comparison, Direction, Field, Filter, OrderBy, Searched};
use rusqlite::Connection;

pub(super) use logged_models::logged_models;
pub(super) use registry::{model_versions, registered_models};
pub(super) use runs::runs;

use super::page::Page;
use super::refusal::Outcome;
use super::{experiments, rules};
use query::{Keyed, Query};

/// Experiments or runs a page, at most.
const LARGEST_PAGE: u32 = 50_000;

/// Experiments, a page.
pub(super) fn experiments(
    connection: &Connection,
    call: &SearchExperiments,
) -> Outcome<SearchExperimentsResponse> {
    rules::page_size(call.max_results, LARGEST_PAGE)?;
    let filter = Filter::parse_optional(Searched::Experiments, call.filter.as_deref())?;
    let orders = OrderBy::parse_all(Searched::Experiments, &call.order_by)?;
    let page = Page::new(Some(call.max_results), call.page_token.as_deref(), "")?;
    let mut query = Query::new("SELECT experiment_id FROM experiments WHERE workspace = 'default'");
    query.push_view(call.view_type);
    for comparison in &filter.comparisons {
        push_experiment(&mut query, comparison);
    }
    query.push(" ORDER BY ");
    if orders.is_empty() {
        query.push("creation_time DESC, experiment_id ASC");
    } else {
        for order in &orders {
            query.push(experiment_column(&order.field).unwrap_or("NULL"));
            query.push(direction(order.direction));
            query.push(", ");
        }
        query.push("experiment_id DESC");
    }
    let (numbers, next_page_token) = query.keys::<i64>(connection, &page)?;
    let experiments =
        numbers.into_iter().map(|number| experiments::by_number(connection, number, ViewType::All));
    Ok(SearchExperimentsResponse { experiments: experiments.collect::<Outcome<_>>()?, next_page_token })
}

fn push_experiment(query: &mut Query, comparison: &Comparison) {
    const TAGS: Keyed = Keyed {
        table: "experiment_tags",
        link: "t.experiment_id = experiments.experiment_id",
        key: "t.key",
        value: "t.value",
    };
    match (&comparison.field, experiment_column(&comparison.field)) {
        (Field::Tag(key), _) => query.push_keyed(TAGS, key, &comparison.test),
        (_, Some(column)) => query.push_test(column, &comparison.test),
        _ => query.push(" AND 0"),
    }
}

fn experiment_column(field: &Field) -> Option<&'static str> {
    match field {
        Field::Attribute(Attribute::Name) => Some("name"),
        Field::Attribute(Attribute::ExperimentId) => Some("experiment_id"),
        Field::Attribute(Attribute::CreationTime) => Some("creation_time"),
        Field::Attribute(Attribute::LastUpdateTime) => Some("last_update_time"),
        _ => None,
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => " ASC",
        Direction::Descending => " DESC",
    }
}
