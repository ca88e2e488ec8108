//! One contract, four backends: what a program may rely on, whatever stands behind the two traits.
//!
//! Every case is an `async fn` over a [`Backend`]; the macro below makes of each a test of its own for each backend, such
//! as `contract::embedded::runs::params_are_set_once`. Servers are shared with other tests, so a case makes names of its
//! own and never asks for everything.

mod experiments;
mod logged_models;
mod model_versions;
mod registered_models;
mod runs;
mod searches;
mod served;
mod ui;

use std::sync::Arc;

use mlflow_client::types::model_versions::{CreateModelVersion, ModelVersion};
use mlflow_client::types::registered_models::CreateRegisteredModel;
use mlflow_client::types::runs::{GetRun, Run};
use mlflow_client::types::{ExperimentId, RegisteredModelName, RunId};
use mlflow_client::{Client, EmbeddedStore, MemoryStore, RegistryStore, Settings, TrackingStore};
use st_testkit::{ADMIN_PASSWORD, ADMIN_USERNAME, MlflowServer};
use tempfile::TempDir;

use crate::support;

/// Both stores of one place.
struct Backend {
    tracking: Arc<dyn TrackingStore>,
    registry: Arc<dyn RegistryStore>,
    _folder: Option<TempDir>,
}

impl Backend {
    /// The fake that programs test with.
    fn memory() -> Self {
        Self::of(MemoryStore::new(), None)
    }

    /// SQLite.
    fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::of(EmbeddedStore::open_default(folder.path()).unwrap(), Some(folder))
    }

    /// MLflow 3.17.2.
    fn server() -> Self {
        Self::connected(&Settings::for_tracking_uri(MlflowServer::shared().url()))
    }

    /// The same behind user and password.
    fn server_with_auth() -> Self {
        let url = MlflowServer::shared_with_auth().url();
        let variable = |name: &str| match name {
            "MLFLOW_TRACKING_URI" => Some(url.clone()),
            "MLFLOW_TRACKING_USERNAME" => Some(ADMIN_USERNAME.to_owned()),
            "MLFLOW_TRACKING_PASSWORD" => Some(ADMIN_PASSWORD.to_owned()),
            _ => None,
        };
        Self::connected(&Settings::from_environment(&variable).unwrap())
    }

    /// MLflow 2.22.
    fn server_2() -> Self {
        Self::connected(&Settings::for_tracking_uri(MlflowServer::shared_2().url()))
    }

    fn of<Store: TrackingStore + RegistryStore + 'static>(store: Store, folder: Option<TempDir>) -> Self {
        let store = Arc::new(store);
        Self { tracking: store.clone(), registry: store, _folder: folder }
    }

    fn connected(settings: &Settings) -> Self {
        let client = Client::connect(settings).unwrap();
        Self {
            tracking: Arc::clone(client.tracking()),
            registry: Arc::clone(client.registry()),
            _folder: None,
        }
    }

    async fn experiment(&self) -> ExperimentId {
        support::experiment(self.tracking.as_ref(), &unique("experiment")).await
    }

    async fn run_in(&self, experiment_id: &ExperimentId) -> RunId {
        support::named_run(self.tracking.as_ref(), experiment_id, Some("run")).await.info.run_id
    }

    async fn run(&self) -> RunId {
        self.run_in(&self.experiment().await).await
    }

    async fn look(&self, run_id: &RunId) -> Run {
        let mut run = self.tracking.get_run(&GetRun { run_id: run_id.clone() }).await.unwrap();
        run.data.metrics.sort_by(|left, right| left.key.cmp(&right.key));
        run.data.params.sort();
        run.data.tags.sort();
        run
    }

    async fn registered_model(&self) -> RegisteredModelName {
        let name: RegisteredModelName = unique("model").parse().unwrap();
        let call = CreateRegisteredModel { name: name.clone(), tags: Vec::new(), description: None };
        self.registry.create_registered_model(&call).await.unwrap();
        name
    }

    async fn version(&self, name: &RegisteredModelName) -> ModelVersion {
        self.registry.create_model_version(&version_of(name)).await.unwrap()
    }
}

/// A version whose files are somewhere else.
fn version_of(name: &RegisteredModelName) -> CreateModelVersion {
    CreateModelVersion {
        name: name.clone(),
        source: "s3://bucket/model".into(),
        run_id: None,
        tags: Vec::new(),
        run_link: None,
        description: None,
        model_id: None,
    }
}

/// A name that no other test has.
fn unique(stem: &str) -> String {
    format!("{stem}-{}", uuid::Uuid::new_v4().simple())
}

/// The tests of one backend.
macro_rules! tests {
    ($backend:ident: $($topic:ident { $($case:ident)* })*) => {
        $(mod $topic {
            $(#[tokio::test]
            async fn $case() {
                let backend = crate::contract::Backend::$backend();
                crate::contract::$topic::$case(&backend).await;
            })*
        })*
    };
}

/// What is new in MLflow 3.
macro_rules! since {
    (mlflow_2 $backend:ident) => {};
    (mlflow_3 $backend:ident) => {
        mod since_mlflow_3 {
            tests! {
                $backend:
                experiments { a_tag_is_removed }
                runs { a_history_comes_in_pages }
                logged_models {
                    one_is_pending_and_then_ready
                    params_and_tags_are_added
                    its_metrics_are_those_of_its_runs
                    a_run_reads_and_makes_them
                    they_are_searched
                    a_deleted_one_is_gone
                    a_version_knows_its_model
                }
            }
        }
    };
}

/// What every backend does.
macro_rules! contract {
    ($($backend:ident: $release:ident;)*) => {
        $(mod $backend { tests! {
            $backend:
            experiments {
                one_is_found_by_its_id_and_by_its_name
                a_name_is_given_once
                what_is_not_there_is_said_to_be_missing
                one_is_deleted_and_restored
                one_is_renamed_and_tagged
            }
            runs {
                one_is_what_it_was_created_as
                one_ends
                params_are_set_once
                tags_are_set_and_removed
                the_latest_metric_is_of_the_highest_step
                numbers_that_json_has_no_word_for_arrive
                a_batch_is_all_or_nothing
                a_deleted_one_takes_nothing_more
                what_is_not_there_is_said_to_be_missing
                datasets_are_noted_once
            }
            searches {
                runs_by_metric_and_param_in_order_and_in_pages
                experiments_in_order_and_in_pages
                registered_models_in_pages
                a_filter_that_is_none_is_refused
            }
            registered_models {
                one_is_what_it_was_created_as
                a_name_is_given_once
                one_is_renamed_described_and_tagged
                aliases_point_at_versions
                what_is_deleted_is_gone_with_its_versions
            }
            model_versions {
                numbers_go_on
                one_is_described_and_tagged
                stages_move_and_archive
                they_are_found_by_name
                what_is_not_there_is_said_to_be_missing
            }
        }
        since! { $release $backend }})*
    };
}

contract! {
    memory: mlflow_3;
    embedded: mlflow_3;
    server: mlflow_3;
    server_with_auth: mlflow_3;
    server_2: mlflow_2;
}

/// What a server guards and a store alone, as Python opens it, does not.
mod guarded {
    mod memory {
        tests! { memory: logged_models { a_version_names_the_model_that_it_is_made_of } }
    }
    mod server {
        tests! { server: logged_models { a_version_names_the_model_that_it_is_made_of } }
    }
}
