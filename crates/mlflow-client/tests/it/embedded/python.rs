//! The same file, read and written by Python's MLflow.

use std::path::Path;

use mlflow_client::types::experiments::{SearchExperiments, ViewType};
use mlflow_client::types::runs::{LogMetric, SearchRuns};
use mlflow_client::{EmbeddedStore, FileStore, Imported, TrackingStore};
use serde_json::Value;
use st_testkit::{Environment, PythonScript};

use super::{run_id, store};
use crate::everything::{Found, READ, WRITE, check_same, found, write};

fn script(folder: &Path, text: &str) -> PythonScript {
    PythonScript::new(Environment::Mlflow, text).folder(folder)
}

#[tokio::test]
async fn what_python_wrote_is_read() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), WRITE).run::<Value>();
    let python: Found = script(folder.path(), READ).run();
    assert_eq!((python.runs.len(), python.logged_models.len(), python.model_versions.len()), (4, 2, 2));
    let store = EmbeddedStore::open_default(folder.path()).unwrap();
    check_same(python, found(&store).await);
}

#[tokio::test]
async fn what_we_wrote_python_reads() {
    let (folder, store) = store();
    write(&store).await;
    let python: Found = script(folder.path(), READ).run();
    assert_eq!((python.runs.len(), python.logged_models.len(), python.model_versions.len()), (3, 2, 2));
    check_same(python, found(&store).await);
}

/// Python goes on in a file that we began, and we go on after it.
#[tokio::test]
async fn one_file_is_written_in_turns() {
    let (folder, store) = store();
    let run_id = run_id(&store).await;
    script(folder.path(), WRITE).run::<Value>();
    let call = LogMetric::new(run_id.clone(), "after", 1.5, 1, 0);
    store.log_metric(&call).await.unwrap();
    let python: Found = script(folder.path(), READ).run();
    check_same(python, found(&store).await);
}

/// Python writes a store of files; what it reads from there is what it reads from the database that we import it into.
#[tokio::test]
async fn a_store_of_files_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let files = |text: &str| {
        let text = text.replace("sqlite:///mlflow.db", "./mlruns");
        script(folder.path(), &text).variable("MLFLOW_ALLOW_FILE_STORE", "true")
    };
    files(WRITE).run::<Value>();
    let mut python: Found = files(READ).run();
    let root = folder.path().join("mlruns");
    let old = FileStore::open(&root).unwrap();
    check_reads(&old, &python).await;
    let store = EmbeddedStore::open(folder.path().join("mlflow.db").to_str().unwrap(), "mlruns").unwrap();
    let imported = old.import_into(&store).await.unwrap();
    let Imported { experiments, runs, logged_models, registered_models, model_versions, .. } = imported;
    assert_eq!((experiments, runs, logged_models, registered_models, model_versions), (4, 4, 2, 2, 3));
    super::check_refused(
        old.import_into(&store).await,
        400,
        "RESOURCE_ALREADY_EXISTS",
        "The database holds experiments, runs or models already; an import needs an empty one.",
    );
    adapt_to_database(&mut python);
    check_same(python, found(&store).await);
    let python: Found = script(folder.path(), READ).run();
    check_same(python, found(&store).await);
}

/// What a store of files says otherwise than a database: it keeps infinite values, counts its lines in their own order,
/// forgets a step that stands before a dataset, names datasets and runs in values of runs' metrics, and tells the newest
/// versions of a model their aliases.
fn adapt_to_database(python: &mut Found) {
    let histories = python.histories.iter_mut().flat_map(|history| &mut history.metrics);
    for metric in histories.chain(python.runs.iter_mut().flat_map(|run| &mut run.data.metrics)) {
        if metric.dataset_name.is_some() || metric.key == "spearman" {
            metric.step = 2;
        }
        (metric.run_id, metric.dataset_name, metric.dataset_digest) = (None, None, None);
        if metric.value.is_infinite() {
            metric.value = metric.value.clamp(f64::MIN, f64::MAX);
        }
    }
    python
        .registered_models
        .iter_mut()
        .flat_map(|model| &mut model.latest_versions)
        .for_each(|version| version.aliases.clear());
    for history in &mut python.histories {
        history.metrics.sort_by(|left, right| {
            (left.timestamp, left.step)
                .cmp(&(right.timestamp, right.step))
                .then_with(|| left.value.total_cmp(&right.value))
        });
    }
}

/// The old store answers, and refuses to be written.
async fn check_reads(old: &FileStore, python: &Found) {
    let call = SearchExperiments { view_type: ViewType::All, ..SearchExperiments::default() };
    assert_eq!(old.search_experiments(&call).await.unwrap().experiments.len(), python.experiments.len());
    let experiment_ids =
        python.experiments.iter().map(|experiment| experiment.experiment_id.clone()).collect();
    let filter = Some("metrics.spearman > 0.7 AND attributes.run_name = 'named'".to_owned());
    let call = SearchRuns { experiment_ids, filter, ..SearchRuns::default() };
    let runs = old.search_runs(&call).await.unwrap().runs;
    assert_eq!(runs.len(), 1);
    let [run] = &runs[..] else { panic!("{runs:?}") };
    let call = LogMetric::new(run.info.run_id.clone(), "a", 1.0, 1, 0);
    let error = old.log_metric(&call).await.unwrap_err().to_string();
    let expected = "a store of files is only read; import it into a database first (`FileStore::import_into`, or `mlflow \
                    migrate-filestore`)";
    assert_eq!(error, format!("{}: {expected}", old.root().display()));
}
