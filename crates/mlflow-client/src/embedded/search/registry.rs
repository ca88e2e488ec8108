//! Searches of registered models and versions. Prompts live in the same tables, and are left out unless they are asked
//! for.

use mlflow_types::filter::{Attribute, Comparison, Field, Filter, OrderBy, Searched};
use mlflow_types::model_versions::{SearchModelVersions, SearchModelVersionsResponse};
use mlflow_types::registered_models::{SearchRegisteredModels, SearchRegisteredModelsResponse};
use mlflow_types::tags::system;
use rusqlite::Connection;

use super::direction;
use super::query::{Keyed, Query};
use crate::embedded::page::Page;
use crate::embedded::refusal::Outcome;
use crate::embedded::{model_versions as versions, registered_models as models, rules};

/// Registered models a page, if nobody says how many, and at most.
const MODELS: (u32, u32) = (100, 1000);
/// Versions a page, likewise.
const VERSIONS: (u32, u32) = (10_000, 200_000);

const MODEL_TAGS: Keyed = Keyed {
    table: "registered_model_tags",
    link: "t.workspace = 'default' AND t.name = registered_models.name",
    key: "t.key",
    value: "t.value",
};

const VERSION_TAGS: Keyed = Keyed {
    table: "model_version_tags",
    link: "t.workspace = 'default' AND t.name = model_versions.name AND t.version = model_versions.version",
    key: "t.key",
    value: "t.value",
};

/// One version that is a prompt makes all versions of its name prompts.
const NAME_TAGS: Keyed =
    Keyed { link: "t.workspace = 'default' AND t.name = model_versions.name", ..VERSION_TAGS };

/// Registered models, a page.
pub(in crate::embedded) fn registered_models(
    connection: &Connection,
    call: &SearchRegisteredModels,
) -> Outcome<SearchRegisteredModelsResponse> {
    let size = call.max_results.unwrap_or(MODELS.0);
    rules::page_size(size, MODELS.1)?;
    let filter = Filter::parse_optional(Searched::RegisteredModels, call.filter.as_deref())?;
    let orders = OrderBy::parse_all(Searched::RegisteredModels, &call.order_by)?;
    let page = Page::new(Some(size), call.page_token.as_deref(), "")?;
    let mut query = Query::new("SELECT name FROM registered_models WHERE workspace = 'default'");
    push_prompts(&mut query, &filter, MODEL_TAGS);
    for comparison in without_prompts(&filter) {
        match &comparison.field {
            Field::Tag(key) => query.push_keyed(MODEL_TAGS, key, &comparison.test),
            _ => query.push_test("name", &comparison.test),
        }
    }
    query.push(" ORDER BY ");
    for order in &orders {
        query.push(match order.field {
            Field::Attribute(Attribute::LastUpdatedTimestamp) => "last_updated_time",
            _ => "name",
        });
        query.push(direction(order.direction));
        query.push(", ");
    }
    query.push("name");
    let (names, next_page_token) = query.keys::<String>(connection, &page)?;
    let models = names.iter().map(|name| models::get(connection, name));
    Ok(SearchRegisteredModelsResponse { registered_models: models.collect::<Outcome<_>>()?, next_page_token })
}

/// Versions, a page; as from a server, without their aliases.
pub(in crate::embedded) fn model_versions(
    connection: &Connection,
    call: &SearchModelVersions,
) -> Outcome<SearchModelVersionsResponse> {
    let size = call.max_results.unwrap_or(VERSIONS.0);
    rules::page_size(size, VERSIONS.1)?;
    let filter = Filter::parse_optional(Searched::ModelVersions, call.filter.as_deref())?;
    let orders = OrderBy::parse_all(Searched::ModelVersions, &call.order_by)?;
    let page = Page::new(Some(size), call.page_token.as_deref(), "")?;
    let mut query = Query::new(format!(
        "SELECT {} FROM model_versions WHERE workspace = 'default' AND current_stage <> '{}'",
        versions::COLUMNS,
        versions::DELETED
    ));
    push_prompts(&mut query, &filter, NAME_TAGS);
    for comparison in without_prompts(&filter) {
        match &comparison.field {
            Field::Tag(key) => query.push_keyed(VERSION_TAGS, key, &comparison.test),
            field => query.push_test(version_column(field), &comparison.test),
        }
    }
    query.push(" ORDER BY ");
    if orders.is_empty() {
        query.push("last_updated_time DESC, ");
    }
    for order in &orders {
        query.push(version_column(&order.field));
        query.push(direction(order.direction));
        query.push(", ");
    }
    query.push("name ASC, version DESC");
    let (mut model_versions, next_page_token) = query.rows(connection, &page, versions::read)?;
    for version in &mut model_versions {
        versions::fill_tags(connection, version)?;
    }
    Ok(SearchModelVersionsResponse { model_versions, next_page_token })
}

fn push_prompts(query: &mut Query, filter: &Filter, tags: Keyed) {
    if !filter.asks_for_prompts() {
        query.push_exists(tags, system::IS_PROMPT, true, |query| query.push(" AND t.value = 'true'"));
    }
}

/// The comparisons; those of the prompts' tag say nothing more when prompts are left out.
fn without_prompts(filter: &Filter) -> impl Iterator<Item = &Comparison> {
    let asks = filter.asks_for_prompts();
    filter.comparisons.iter().filter(move |comparison| {
        asks || !matches!(&comparison.field, Field::Tag(key) if key == system::IS_PROMPT)
    })
}

fn version_column(field: &Field) -> &'static str {
    match field {
        Field::Attribute(Attribute::RunId) => "run_id",
        Field::Attribute(Attribute::SourcePath) => "source",
        Field::Attribute(Attribute::VersionNumber) => "version",
        Field::Attribute(Attribute::CreationTimestamp) => "creation_time",
        Field::Attribute(Attribute::LastUpdatedTimestamp) => "last_updated_time",
        _ => "name",
    }
}
