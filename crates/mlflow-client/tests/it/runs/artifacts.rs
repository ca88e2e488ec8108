//! Tables, texts and figures of a run in the embedded store, as Python's MLflow would find them.

use mlflow_client::artifacts::{ArtifactPath, ArtifactSettings, Artifacts};
use mlflow_client::types::runs::{GetRun, RunStatus};
use mlflow_client::{EmbeddedStore, Table, TrackingStore, datasets};
use serde_json::json;

use super::*;

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::try_new(text).unwrap()
}

#[tokio::test]
async fn a_run_keeps_its_artifacts() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn TrackingStore> = Arc::new(EmbeddedStore::open_default(folder.path()).unwrap());
    let run = ActiveRun::start(Arc::clone(&store), experiment().with_logging(logging())).await.unwrap();
    let artifacts = Artifacts::new(ArtifactSettings::default());
    let logged = run.artifacts(&artifacts).unwrap();
    logged.log_text("hü\n", &path("t.txt")).await.unwrap();
    logged.log_dict(&json!({"a": [1, 2], "f": 1.5}), &path("d.json")).await.unwrap();
    logged.log_figure(b"<svg/>", &path("figures/map.svg")).await.unwrap();
    let table = |column, value| Table::try_new(["a", column], vec![vec![json!(1), json!(value)]]).unwrap();
    logged.log_table(table("b", 0.5), &path("t/x.json")).await.unwrap();
    logged.log_table(table("c", 1.5), &path("t/x.json")).await.unwrap();
    logged.log_table(table("b", 0.5), &path("y.json")).await.unwrap();
    let refused = logged.log_table(table("b", 0.5), &path("y.parquet")).await.unwrap_err();
    assert_eq!(refused.to_string(), "y.parquet: is no name for a table: it must end in .json");

    let csv = folder.path().join("sts.csv");
    std::fs::write(&csv, "text,score\na,0.5\n").unwrap();
    run.log_input(datasets::from_file(&csv, None).unwrap(), Some("eval")).unwrap();

    let root = Path::new(run.artifact_uri()).to_owned();
    let run_id = run.run_id().clone();
    run.end(RunStatus::Finished).await.unwrap();
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    assert_eq!(read("t.txt"), "hü\n");
    assert_eq!(read("d.json"), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"f\": 1.5\n}");
    assert_eq!(read("figures/map.svg"), "<svg/>");
    assert_eq!(read("t/x.json"), r#"{"columns":["a","b","c"],"data":[[1,0.5,null],[1,null,1.5]]}"#);
    let run = store.get_run(&GetRun { run_id }).await.unwrap();
    let tag = run.data.tags.iter().find(|tag| tag.key == "mlflow.loggedArtifacts").unwrap();
    assert_eq!(tag.value, r#"[{"path": "t/x.json", "type": "table"}, {"path": "y.json", "type": "table"}]"#);
    let input = &run.inputs.dataset_inputs[0];
    assert_eq!((input.dataset.name.as_str(), input.tags[0].value.as_str()), ("sts", "eval"));
}
