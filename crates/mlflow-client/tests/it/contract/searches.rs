//! Searches: filters, orders and pages.

use mlflow_client::types::experiments::{CreateExperiment, SearchExperiments, ViewType};
use mlflow_client::types::metrics::Metric;
use mlflow_client::types::registered_models::{CreateRegisteredModel, SearchRegisteredModels};
use mlflow_client::types::runs::{DeleteRun, LogBatch, Run, SearchRuns};
use mlflow_client::types::tags::{Param, Tag};

use super::{Backend, unique};
use crate::support::{LONG_AGO, all_pages, check_code};

pub(super) async fn runs_by_metric_and_param_in_order_and_in_pages(backend: &Backend) {
    let experiment_id = backend.experiment().await;
    let mut made = Vec::new();
    for number in 0..5_u8 {
        let run_id = backend.run_in(&experiment_id).await;
        let call = LogBatch {
            run_id: run_id.clone(),
            metrics: vec![Metric::new("spearman", f64::from(number) / 10.0, LONG_AGO, 0)],
            params: vec![Param::new("mode", if number == 2 { "fast" } else { "exact" })],
            tags: vec![Tag::new("round", number.to_string())],
        };
        backend.tracking.log_batch(&call).await.unwrap();
        made.push(run_id);
    }
    backend.tracking.delete_run(&DeleteRun { run_id: made[4].clone() }).await.unwrap();
    let search = async |filter: &str, order: &str, run_view_type: ViewType| {
        let call = SearchRuns {
            experiment_ids: vec![experiment_id.clone()],
            filter: Some(filter.to_owned()),
            run_view_type,
            max_results: Some(2),
            order_by: vec![order.to_owned()],
            page_token: None,
        };
        let runs = all_pages(async |page_token| {
            let call = SearchRuns { page_token, ..call.clone() };
            let page = backend.tracking.search_runs(&call).await.unwrap();
            assert!(page.runs.len() <= 2);
            (page.runs, page.next_page_token)
        })
        .await;
        let place = |run: &Run| made.iter().position(|made| *made == run.info.run_id).unwrap();
        runs.iter().map(place).collect::<Vec<_>>()
    };
    let (active, all) = (ViewType::ActiveOnly, ViewType::All);
    assert_eq!(search("", "metrics.spearman DESC", active).await, [3, 2, 1, 0]);
    assert_eq!(search("", "metrics.spearman ASC", all).await, [0, 1, 2, 3, 4]);
    assert_eq!(search("", "metrics.spearman", ViewType::DeletedOnly).await, [4]);
    assert_eq!(
        search("metrics.spearman >= 0.1 AND params.mode = 'exact'", "metrics.spearman", active).await,
        [1, 3]
    );
    assert_eq!(search("params.mode != 'exact'", "metrics.spearman", active).await, [2]);
    assert_eq!(search("tags.round LIKE '%3'", "metrics.spearman", active).await, [3]);
    assert_eq!(
        search("attributes.run_name = 'run' AND metrics.spearman < 0.15", "tags.round DESC", active).await,
        [1, 0]
    );
    assert_eq!(search("metrics.nobody > 0", "metrics.spearman", active).await, Vec::<usize>::new());
}

pub(super) async fn experiments_in_order_and_in_pages(backend: &Backend) {
    let prefix = unique("page");
    for letter in ["c", "a", "e", "b", "d"] {
        let call = CreateExperiment { name: format!("{prefix}{letter}"), ..CreateExperiment::default() };
        backend.tracking.create_experiment(&call).await.unwrap();
    }
    let call = SearchExperiments {
        max_results: 2,
        filter: Some(format!("name LIKE '{prefix}%'")),
        order_by: vec!["name ASC".into()],
        ..SearchExperiments::default()
    };
    let found = all_pages(async |page_token| {
        let call = SearchExperiments { page_token, ..call.clone() };
        let page = backend.tracking.search_experiments(&call).await.unwrap();
        assert!(page.experiments.len() <= 2);
        (page.experiments, page.next_page_token)
    })
    .await;
    let names: Vec<String> = found.into_iter().map(|experiment| experiment.name).collect();
    let expected: Vec<String> =
        ["a", "b", "c", "d", "e"].iter().map(|letter| format!("{prefix}{letter}")).collect();
    assert_eq!(names, expected);
}

pub(super) async fn registered_models_in_pages(backend: &Backend) {
    let prefix = unique("page");
    for number in [3, 1, 2] {
        let name = format!("{prefix}{number}").parse().unwrap();
        let call =
            CreateRegisteredModel { name, tags: vec![Tag::new("n", number.to_string())], description: None };
        backend.registry.create_registered_model(&call).await.unwrap();
    }
    let call = SearchRegisteredModels {
        filter: Some(format!("name LIKE '{prefix}%'")),
        max_results: Some(2),
        order_by: vec!["name ASC".into()],
        page_token: None,
    };
    let found = all_pages(async |page_token| {
        let call = SearchRegisteredModels { page_token, ..call.clone() };
        let page = backend.registry.search_registered_models(&call).await.unwrap();
        assert!(page.registered_models.len() <= 2);
        (page.registered_models, page.next_page_token)
    })
    .await;
    let found: Vec<_> = found.into_iter().map(|model| (model.name.to_string(), model.tags)).collect();
    let expected =
        (1..=3).map(|number| (format!("{prefix}{number}"), vec![Tag::new("n", number.to_string())]));
    assert_eq!(found, expected.collect::<Vec<_>>());
}

pub(super) async fn a_filter_that_is_none_is_refused(backend: &Backend) {
    let experiment_ids = vec![backend.experiment().await];
    for filter in [
        "metrics.a >",
        "metrics.a LIKE 'x'",
        "nothing.a = 1",
        "params.a = 1",
        "metrics.a = 1 OR metrics.b = 1",
    ] {
        let call = SearchRuns {
            experiment_ids: experiment_ids.clone(),
            filter: Some(filter.to_owned()),
            ..SearchRuns::default()
        };
        check_code(backend.tracking.search_runs(&call).await, 400, "INVALID_PARAMETER_VALUE");
    }
    let call =
        SearchRegisteredModels { filter: Some("size > 3".into()), ..SearchRegisteredModels::default() };
    check_code(backend.registry.search_registered_models(&call).await, 400, "INVALID_PARAMETER_VALUE");
}
