//! Values of params and tags that are longer than MLflow keeps: refused, or cut as Python cuts them.

use std::sync::Arc;

use mlflow_client::types::runs::{CreateRun, GetRun, LogBatch, LogParam, RunStatus, SetTag};
use mlflow_client::types::tags::{Param, Tag};
use mlflow_client::types::{ExperimentId, RunId};
use mlflow_client::{ActiveRun, Client, Error, MemoryStore, Result, RunOptions, Settings, TrackingStore};
use st_testkit::{Environment, PythonScript};

use crate::support::{LONG_AGO, experiment, run};

/// Two bytes a character: MLflow counts characters.
fn long(characters: usize) -> String {
    "ö".repeat(characters)
}

/// The embedded store of a folder, as the environment has it.
fn embedded(folder: &tempfile::TempDir, truncate: Option<&str>) -> Client {
    let uri = format!("sqlite:///{}/mlflow.db", folder.path().display());
    let settings = Settings::from_environment(&|name| match name {
        "MLFLOW_TRACKING_URI" => Some(uri.clone()),
        "MLFLOW_TRUNCATE_LONG_VALUES" => truncate.map(str::to_owned),
        _ => None,
    });
    Client::connect(&settings.unwrap()).unwrap()
}

/// Logs values that are a character too long, in each way that there is; the errors.
async fn log(store: &dyn TrackingStore, run_id: &RunId) -> Vec<Result<()>> {
    let batch = LogBatch {
        run_id: run_id.clone(),
        metrics: Vec::new(),
        params: vec![Param::new("p1", long(6001))],
        tags: vec![Tag::new("t1", long(8001))],
    };
    let create = CreateRun {
        experiment_id: ExperimentId::try_new("0").unwrap(),
        user_id: String::new(),
        run_name: None,
        start_time: LONG_AGO,
        tags: vec![Tag::new("t", long(8001))],
    };
    let param = LogParam { run_id: run_id.clone(), key: "p0".into(), value: long(6001) };
    let tag = SetTag { run_id: run_id.clone(), key: "t0".into(), value: long(8001) };
    vec![
        store.log_batch(&batch).await,
        store.log_param(&param).await,
        store.set_tag(&tag).await,
        store.create_run(&create).await.map(drop),
    ]
}

#[tokio::test]
async fn the_embedded_store_refuses_them_or_cuts_them_as_python() {
    for (truncate, cut) in [(None, false), (Some("false"), false), (Some("true"), true)] {
        let folder = tempfile::tempdir().unwrap();
        let client = embedded(&folder, truncate);
        let store = client.tracking().as_ref();
        let run_id = run(store, &experiment(store, "long").await).await.info.run_id;
        for outcome in log(store, &run_id).await {
            assert_eq!(outcome.is_ok(), cut, "{truncate:?}: {outcome:?}");
        }
        let data = store.get_run(&GetRun { run_id }).await.unwrap().data;
        let mut kept: Vec<usize> = data.params.iter().map(|param| param.value.chars().count()).collect();
        kept.extend(
            data.tags.iter().filter(|tag| tag.key.starts_with('t')).map(|tag| tag.value.chars().count()),
        );
        assert_eq!(kept, if cut { vec![6000, 6000, 8000, 8000] } else { Vec::new() }, "{truncate:?}");
    }
}

/// That Python's own store does this, and that its variable means this.
#[test]
fn python_cuts_them_unless_it_is_told_not_to() {
    let script = r#"
import json, os, tempfile
os.environ["MLFLOW_TRACKING_URI"] = "sqlite:///" + os.path.join(tempfile.mkdtemp(), "mlflow.db")
import mlflow
kept = []
for truncate in [None, "true", "false"]:
    os.environ.pop("MLFLOW_TRUNCATE_LONG_VALUES", None)
    if truncate is not None:
        os.environ["MLFLOW_TRUNCATE_LONG_VALUES"] = truncate
    with mlflow.start_run() as run:
        for log, key, count in [(mlflow.log_param, "p", 6001), (mlflow.set_tag, "t", 8001)]:
            try:
                log(key, "ö" * count)
            except mlflow.MlflowException as error:
                kept.append(error.error_code)
    data = mlflow.get_run(run.info.run_id).data
    kept += [len(value) for value in (data.params.get("p"), data.tags.get("t")) if value]
print(json.dumps(kept))
"#;
    let kept: serde_json::Value = PythonScript::new(Environment::Mlflow, script).run();
    let refused = "INVALID_PARAMETER_VALUE";
    assert_eq!(kept, serde_json::json!([6000, 8000, 6000, 8000, refused, refused]));
}

#[tokio::test]
async fn a_run_refuses_them_at_the_call_or_cuts_them() {
    let store = Arc::new(MemoryStore::new());
    let options = RunOptions::new(ExperimentId::try_new("0").unwrap());
    let tagged = options.clone().with_tag("start", long(8001));
    assert!(matches!(
        ActiveRun::start(Arc::clone(&store) as _, tagged.clone()).await,
        Err(Error::InvalidCall(_))
    ));
    let run = ActiveRun::start(Arc::clone(&store) as _, options).await.unwrap();
    assert!(matches!(run.log_param("p", long(6001)), Err(Error::InvalidCall(_))));
    assert!(matches!(run.set_tag("t", long(8001)), Err(Error::InvalidCall(_))));
    run.end(RunStatus::Finished).await.unwrap();

    let run = ActiveRun::start(Arc::clone(&store) as _, tagged.with_truncation(true)).await.unwrap();
    let run_id = run.run_id().clone();
    run.log_param("p", long(6001)).unwrap();
    run.set_tag("t", long(8001)).unwrap();
    // Only values are cut: a key that is too long names something else.
    assert!(run.log_param("k".repeat(251), "1").is_err());
    assert!(run.end(RunStatus::Finished).await.unwrap().is_complete());
    let data = store.get_run(&GetRun { run_id }).await.unwrap().data;
    assert_eq!(data.params, [Param::new("p", long(6000))]);
    for key in ["start", "t"] {
        let tag = data.tags.iter().find(|tag| tag.key == key).unwrap();
        assert_eq!(tag.value, long(8000), "{key}");
    }
}
