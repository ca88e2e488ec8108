use mlflow_types::logged_models::{CreateLoggedModel, FinalizeLoggedModel};
use mlflow_types::model_versions::{CreateModelVersion, TransitionModelVersionStage};
use mlflow_types::registered_models::{CreateRegisteredModel, SetRegisteredModelAlias};
use mlflow_types::runs::{CreateRun, Run};

use super::*;
use crate::MemoryStore;

const ROOT: &str = "s3://bucket/root";

/// A store, and what the tests put there.
struct There(MemoryStore);

impl There {
    fn new() -> Self {
        Self(MemoryStore::with_artifact_root(ROOT))
    }

    async fn run(&self) -> Run {
        let call = CreateRun {
            experiment_id: "0".parse().unwrap(),
            user_id: "ann".to_owned(),
            run_name: None,
            start_time: 1,
            tags: Vec::new(),
        };
        self.0.create_run(&call).await.unwrap()
    }

    /// A logged model without files.
    async fn pending(&self, name: &str, run: Option<&Run>) -> LoggedModel {
        let call = CreateLoggedModel {
            experiment_id: "0".parse().unwrap(),
            name: Some(name.parse().unwrap()),
            model_type: None,
            source_run_id: run.map(|run| run.info.run_id.clone()),
            params: Vec::new(),
            tags: Vec::new(),
        };
        self.0.create_logged_model(&call).await.unwrap()
    }

    async fn model(&self, name: &str, run: Option<&Run>) -> LoggedModel {
        let model_id = self.pending(name, run).await.info.model_id;
        let call = FinalizeLoggedModel { model_id, status: LoggedModelStatus::Ready };
        self.0.finalize_logged_model(&call).await.unwrap()
    }

    /// A version of `encoder`.
    async fn version(&self, source: &str, run: Option<&Run>, model: Option<&LoggedModel>) -> ModelVersion {
        let name: RegisteredModelName = "encoder".parse().unwrap();
        let call = CreateRegisteredModel { name: name.clone(), tags: Vec::new(), description: None };
        // It is there from the second version on.
        drop(self.0.create_registered_model(&call).await);
        let call = CreateModelVersion {
            name,
            source: source.to_owned(),
            run_id: run.map(|run| run.info.run_id.clone()),
            tags: Vec::new(),
            run_link: None,
            description: None,
            model_id: model.map(|model| model.info.model_id.clone()),
        };
        self.0.create_model_version(&call).await.unwrap()
    }

    async fn version_of(&self, model: &LoggedModel) -> ModelVersion {
        self.version(&format!("models:/{}", model.info.model_id), None, Some(model)).await
    }

    async fn stage(&self, version: u32, stage: &str) {
        let call = TransitionModelVersionStage {
            name: "encoder".parse().unwrap(),
            version: ModelVersionNumber::new(version),
            stage: stage.to_owned(),
            archive_existing_versions: false,
        };
        self.0.transition_model_version_stage(&call).await.unwrap();
    }

    async fn try_resolve(&self, uri: &str) -> Result<Resolved> {
        resolve(&uri.parse().unwrap(), &self.0, &self.0).await
    }

    async fn resolve(&self, uri: &str) -> Resolved {
        self.try_resolve(uri).await.unwrap()
    }

    async fn number(&self, uri: &str) -> u32 {
        self.resolve(uri).await.version.unwrap().1.get()
    }

    async fn refused(&self, uri: &str) -> String {
        self.try_resolve(uri).await.unwrap_err().to_string()
    }
}

fn path(resolved: &Resolved) -> Option<&str> {
    resolved.path.as_ref().map(ArtifactPath::as_str)
}

#[tokio::test]
async fn a_logged_model_is_its_folder_and_complete_when_it_is_ready() {
    let there = There::new();
    let run = there.run().await;
    let model = there.pending("tiny", Some(&run)).await;
    let uri = format!("models:/{}", model.info.model_id);
    let found = there.resolve(&uri).await;
    let expected = Resolved {
        model_id: Some(model.info.model_id.clone()),
        run_id: Some(run.info.run_id),
        created: model.info.creation_timestamp_ms,
        ..Resolved::of_store(model.info.artifact_uri.parse().unwrap())
    };
    assert_eq!(found, expected, "a pending model is not complete");
    let ready =
        FinalizeLoggedModel { model_id: model.info.model_id.clone(), status: LoggedModelStatus::Ready };
    there.0.finalize_logged_model(&ready).await.unwrap();
    assert_eq!(there.resolve(&uri).await, Resolved { complete: true, ..expected.clone() });
    // As in Python, what follows a logged model is no path: it makes its id the name of a registered one.
    assert!(there.try_resolve(&format!("{uri}/MLmodel")).await.unwrap_err().is_not_found());
    let none = there.refused("models:/m-0").await;
    assert!(none.ends_with("Logged model with ID 'm-0' not found."), "{none}");
}

#[tokio::test]
async fn a_version_is_found_by_number_alias_stage_and_as_the_latest() {
    let there = There::new();
    let model = there.model("tiny", None).await;
    for _ in 0..11 {
        there.version_of(&model).await;
    }
    let alias = SetRegisteredModelAlias {
        name: "encoder".parse().unwrap(),
        alias: "champion".parse().unwrap(),
        version: ModelVersionNumber::new(2),
    };
    there.0.set_registered_model_alias(&alias).await.unwrap();
    there.stage(3, "Production").await;
    there.stage(9, "Production").await;
    there.stage(10, "Staging").await;
    for (uri, number) in [
        ("models:/encoder/1", 1),
        ("models:/encoder@champion", 2),
        ("models:/encoder/Production", 9),
        ("models:/encoder/production", 9),
        ("models:/encoder/staging", 10),
        // One version a stage comes back, in no particular order; by text 9 would be the highest.
        ("models:/encoder/latest", 11),
        ("models:/encoder/LATEST", 11),
        ("models:/encoder/Latest", 11),
    ] {
        assert_eq!(there.number(uri).await, number, "{uri}");
    }
    let inside = there.resolve("models:/encoder@champion/MLmodel").await;
    assert_eq!((path(&inside), inside.complete), (Some("MLmodel"), true));
    let none = there.try_resolve("models:/encoder/Archived").await.unwrap_err();
    assert!(none.is_not_found());
    assert!(
        none.to_string().ends_with("No versions of model with name 'encoder' and stage 'Archived' found")
    );
    assert!(there.try_resolve("models:/encoder/12").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn the_artifacts_of_a_run_are_what_no_logged_model_has() {
    let there = There::new();
    let run = there.run().await;
    let root: ArtifactUri = run.info.artifact_uri.parse().unwrap();
    let run_id = run.info.run_id.clone();
    let whole = there.resolve(&format!("runs:/{run_id}")).await;
    assert_eq!(whole, Resolved { run_id: Some(run_id.clone()), ..Resolved::of_store(root.clone()) });
    let plain = there.resolve(&format!("runs:/{run_id}/model/MLmodel")).await;
    let expected = Resolved {
        path: Some(ArtifactPath::try_new("model/MLmodel").unwrap()),
        run_id: Some(run_id.clone()),
        ..Resolved::of_store(root)
    };
    assert_eq!(plain, expected, "what a run has may change: it is never complete");
    assert!(there.try_resolve("runs:/0a1b/model").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_logged_model_lies_over_the_artifacts_of_its_run() {
    let there = There::new();
    let run = there.run().await;
    let model = there.model("tiny", Some(&run)).await;
    let found = there.resolve(&format!("runs:/{}/tiny/sub/config.json", run.info.run_id)).await;
    let expected = Resolved {
        path: Some(ArtifactPath::try_new("sub/config.json").unwrap()),
        run_artifacts: Some(format!("{}/tiny", run.info.artifact_uri).parse().unwrap()),
        model_id: Some(model.info.model_id.clone()),
        run_id: Some(run.info.run_id.clone()),
        created: model.info.creation_timestamp_ms,
        complete: true,
        ..Resolved::of_store(model.info.artifact_uri.parse().unwrap())
    };
    assert_eq!(found, expected);
    let other = there.resolve(&format!("runs:/{}/tin", run.info.run_id)).await;
    assert_eq!((other.model_id.as_ref(), path(&other)), (None, Some("tin")));
}

#[tokio::test]
async fn of_models_with_one_name_each_run_has_its_own_on_whatever_page() {
    let there = There::new();
    let (ours, others) = (there.run().await, there.run().await);
    let model = there.model("tiny", Some(&ours)).await;
    // The newest come first, a hundred a page: ours is the last of three pages.
    for _ in 0..200 {
        there.pending("tiny", Some(&others)).await;
    }
    let newest = there.model("tiny", Some(&others)).await;
    let uri = |run: &Run| format!("runs:/{}/tiny", run.info.run_id);
    assert_eq!(there.resolve(&uri(&ours)).await.model_id, Some(model.info.model_id));
    assert_eq!(there.resolve(&uri(&others)).await.model_id, Some(newest.info.model_id));
    let third = there.run().await;
    let none = there.resolve(&uri(&third)).await;
    assert_eq!((none.model_id, none.run_artifacts), (None, None));
}

#[tokio::test]
async fn a_version_of_a_run_is_where_the_run_has_it() {
    let there = There::new();
    let run = there.run().await;
    let source = format!("runs:/{}/model", run.info.run_id);
    there.version(&source, Some(&run), None).await;
    let found = there.resolve("models:/encoder/1/MLmodel").await;
    assert_eq!(found.artifact_uri.to_string(), format!("{}/model", run.info.artifact_uri));
    assert_eq!((path(&found), found.run_id.as_ref()), (Some("MLmodel"), Some(&run.info.run_id)));
    assert_eq!((found.model_id.clone(), found.run_artifacts.clone()), (None, None));
    assert!(found.complete && found.by_store);
}

#[tokio::test]
async fn a_version_of_a_logged_model_is_the_files_of_that() {
    let there = There::new();
    let run = there.run().await;
    let model = there.model("tiny", Some(&run)).await;
    there.version_of(&model).await;
    there.version("models:/encoder/1", None, None).await;
    for uri in ["models:/encoder/1", "models:/encoder/2"] {
        let found = there.resolve(uri).await;
        assert_eq!(found.artifact_uri.to_string(), model.info.artifact_uri, "{uri}");
        assert_eq!(found.model_id, Some(model.info.model_id.clone()), "{uri}");
        assert_eq!(found.run_id, Some(run.info.run_id.clone()), "{uri}");
    }
}

/// A registry that keeps no address of its own answers with what the version was registered from.
#[tokio::test]
async fn an_address_may_itself_have_to_be_looked_up() {
    let there = There::new();
    let run = there.run().await;
    let model = there.pending("tiny", Some(&run)).await;
    let found = source(&format!("models:/{}", model.info.model_id), &there.0).await.unwrap();
    assert_eq!(found.artifact_uri.to_string(), model.info.artifact_uri);
    assert!(!found.complete, "its files are still on the way");
    let of_run = source(&format!("runs:/{}/tiny/sub", run.info.run_id), &there.0).await.unwrap();
    assert_eq!(of_run.artifact_uri.to_string(), format!("{}/sub", model.info.artifact_uri));
    for uri in ["models:/encoder/1", "models://prod@databricks/m-1", "runs://prod@databricks/0a1b/model"] {
        let error = source(uri, &there.0).await.unwrap_err().to_string();
        let problem = "the store gave this where the address of files was asked for";
        assert_eq!(error, format!("{uri}: {problem}"));
    }
}

#[tokio::test]
async fn what_is_no_business_of_a_store_means_itself() {
    let there = There::new();
    for uri in ["/srv/model", "s3://bucket/model", "mlflow-artifacts:/1/model"] {
        let parsed: ArtifactUri = uri.parse().unwrap();
        assert_eq!(there.resolve(uri).await, Resolved::of(parsed), "{uri}");
    }
    // Whether this store is that workspace, nobody has said.
    let error = there.refused("models://prod@databricks/encoder/1").await;
    assert!(error.contains("name `databricks://prod` as the registry URI"), "{error}");
}
