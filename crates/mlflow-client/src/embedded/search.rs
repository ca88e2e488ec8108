//! Searches.

use mlflow_types::ErrorCode;
use mlflow_types::experiments::{SearchExperiments, SearchExperimentsResponse, ViewType};
use mlflow_types::logged_models::{SearchLoggedModels, SearchLoggedModelsResponse};
use mlflow_types::model_versions::{SearchModelVersions, SearchModelVersionsResponse};
use mlflow_types::registered_models::{SearchRegisteredModels, SearchRegisteredModelsResponse};
use mlflow_types::runs::{SearchRuns, SearchRunsResponse};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::page::Page;
use super::refusal::{Outcome, Refusal};
use super::{experiments, logged_models, model_versions, registered_models, rules, run_rows};

fn plain(filter: Option<&str>, ordered: bool) -> Outcome<()> {
    if filter.is_some_and(|filter| !filter.trim().is_empty()) || ordered {
        return Err(Refusal::Said(ErrorCode::NotImplemented, "filters and orders are to come".to_owned()));
    }
    Ok(())
}

fn ids<T: rusqlite::types::FromSql>(
    connection: &Connection,
    sql: &str,
    values: Vec<Value>,
    page: &Page,
) -> Outcome<(Vec<T>, Option<String>)> {
    let values = values.into_iter().chain([Value::from(page.limit()), Value::from(page.offset())]);
    let mut statement = connection.prepare(&format!("{sql} LIMIT ? OFFSET ?"))?;
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(page.cut(rows.collect::<Result<Vec<T>, _>>()?))
}

fn view(view: ViewType) -> &'static str {
    match view {
        ViewType::ActiveOnly => "lifecycle_stage = 'active'",
        ViewType::DeletedOnly => "lifecycle_stage = 'deleted'",
        ViewType::All => "lifecycle_stage IN ('active', 'deleted')",
    }
}

/// Experiments, a page.
pub(super) fn experiments(
    connection: &Connection,
    call: &SearchExperiments,
) -> Outcome<SearchExperimentsResponse> {
    rules::page_size(call.max_results, 50_000)?;
    plain(call.filter.as_deref(), !call.order_by.is_empty())?;
    let page = Page::new(Some(call.max_results), call.page_token.as_deref(), "")?;
    let sql = format!(
        "SELECT experiment_id FROM experiments WHERE {} ORDER BY creation_time DESC, experiment_id ASC",
        view(call.view_type)
    );
    let (numbers, next_page_token) = ids::<i64>(connection, &sql, Vec::new(), &page)?;
    let experiments =
        numbers.into_iter().map(|number| experiments::by_number(connection, number, ViewType::All));
    Ok(SearchExperimentsResponse { experiments: experiments.collect::<Outcome<_>>()?, next_page_token })
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Runs, a page.
pub(super) fn runs(connection: &Connection, call: &SearchRuns) -> Outcome<SearchRunsResponse> {
    let size = call.max_results.unwrap_or(1000);
    rules::page_size(size, 50_000)?;
    plain(call.filter.as_deref(), !call.order_by.is_empty())?;
    let page = Page::new(Some(size), call.page_token.as_deref(), "")?;
    let experiments = call.experiment_ids.iter().map(|id| Ok(rules::experiment_number(id.as_str())?.into()));
    let sql = format!(
        "SELECT run_uuid FROM runs WHERE experiment_id IN ({}) AND {} ORDER BY start_time DESC, run_uuid",
        marks(call.experiment_ids.len()),
        view(call.run_view_type)
    );
    let (ids, next_page_token) =
        ids::<String>(connection, &sql, experiments.collect::<Outcome<_>>()?, &page)?;
    let runs = ids.iter().map(|run_id| run_rows::run(connection, run_id)).collect::<Outcome<_>>()?;
    Ok(SearchRunsResponse { runs, next_page_token })
}

/// Logged models, a page.
pub(super) fn logged_models(
    connection: &Connection,
    call: &SearchLoggedModels,
) -> Outcome<SearchLoggedModelsResponse> {
    plain(call.filter.as_deref(), !call.order_by.is_empty() || !call.datasets.is_empty())?;
    let page = Page::new(Some(call.max_results.unwrap_or(100)), call.page_token.as_deref(), "")?;
    let experiments = call.experiment_ids.iter().map(|id| Ok(rules::experiment_number(id.as_str())?.into()));
    let sql = format!(
        "SELECT model_id FROM logged_models WHERE experiment_id IN ({}) AND lifecycle_stage <> 'deleted'
         ORDER BY creation_timestamp_ms DESC, model_id",
        marks(call.experiment_ids.len())
    );
    let (ids, next_page_token) =
        ids::<String>(connection, &sql, experiments.collect::<Outcome<_>>()?, &page)?;
    let models = ids.iter().map(|model_id| logged_models::get(connection, model_id));
    Ok(SearchLoggedModelsResponse { models: models.collect::<Outcome<_>>()?, next_page_token })
}

/// Registered models, a page.
pub(super) fn registered_models(
    connection: &Connection,
    call: &SearchRegisteredModels,
) -> Outcome<SearchRegisteredModelsResponse> {
    let size = call.max_results.unwrap_or(100);
    rules::page_size(size, 1000)?;
    plain(call.filter.as_deref(), !call.order_by.is_empty())?;
    let page = Page::new(Some(size), call.page_token.as_deref(), "")?;
    let sql = "SELECT name FROM registered_models WHERE workspace = 'default' ORDER BY name";
    let (names, next_page_token) = ids::<String>(connection, sql, Vec::new(), &page)?;
    let models = names.iter().map(|name| registered_models::get(connection, name));
    Ok(SearchRegisteredModelsResponse { registered_models: models.collect::<Outcome<_>>()?, next_page_token })
}

/// Versions, a page.
pub(super) fn model_versions(
    connection: &Connection,
    call: &SearchModelVersions,
) -> Outcome<SearchModelVersionsResponse> {
    let size = call.max_results.unwrap_or(10_000);
    rules::page_size(size, 200_000)?;
    plain(call.filter.as_deref(), !call.order_by.is_empty())?;
    let page = Page::new(Some(size), call.page_token.as_deref(), "")?;
    let sql = format!(
        "SELECT {} FROM model_versions WHERE workspace = 'default' AND current_stage <> 'Deleted_Internal'
         ORDER BY last_updated_time DESC, name, version DESC LIMIT ? OFFSET ?",
        model_versions::COLUMNS
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([page.limit(), page.offset()], model_versions::read)?;
    let (mut model_versions, next_page_token) = page.cut(rows.collect::<Result<Vec<_>, _>>()?);
    for version in &mut model_versions {
        model_versions::fill_tags(connection, version)?;
    }
    Ok(SearchModelVersionsResponse { model_versions, next_page_token })
}
