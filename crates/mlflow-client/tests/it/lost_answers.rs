//! A real server behind a network that loses answers: what was done is done once, and the call says so.

use std::time::{Duration, Instant};

use mlflow_client::TrackingStore;
use mlflow_client::rest::RestStore;
use mlflow_client::settings::Settings;
use mlflow_client::types::inputs::ModelOutput;
use mlflow_client::types::logged_models::{CreateLoggedModel, GetLoggedModel, LogLoggedModelParams};
use mlflow_client::types::runs::{GetRun, LogOutputs};
use mlflow_client::types::tags::Param;
use mlflow_client::types::{ExperimentId, ModelId, RunId};
use st_testkit::{Fault, FaultProxy, MlflowServer, Moment, Rule};

use crate::support::{check_code, experiment, run};

/// A run and a model on the server, and the way there that fails.
struct Place {
    proxy: FaultProxy,
    store: RestStore,
    run_id: RunId,
    model_id: ModelId,
}

impl Place {
    async fn new() -> Self {
        let proxy = FaultProxy::start(MlflowServer::shared().address(), Vec::new());
        let store = RestStore::connect(&Settings::for_tracking_uri(proxy.url())).unwrap();
        let name = format!("lost-{}", uuid::Uuid::new_v4().simple());
        let experiment_id: ExperimentId = experiment(&store, &name).await;
        let run_id = run(&store, &experiment_id).await.info.run_id;
        let call = CreateLoggedModel {
            experiment_id,
            name: Some("enc".parse().unwrap()),
            model_type: None,
            source_run_id: None,
            params: Vec::new(),
            tags: Vec::new(),
        };
        let model_id = store.create_logged_model(&call).await.unwrap().info.model_id;
        Self { proxy, store, run_id, model_id }
    }

    fn outputs(&self) -> LogOutputs {
        let model = ModelOutput { model_id: self.model_id.clone(), step: 7 };
        LogOutputs { run_id: self.run_id.clone(), models: vec![model] }
    }

    fn params(&self) -> LogLoggedModelParams {
        let params = (0..100).map(|index| Param::new(format!("p{index:02}"), index.to_string())).collect();
        LogLoggedModelParams { model_id: self.model_id.clone(), params }
    }

    async fn made(&self) -> Vec<ModelOutput> {
        let call = GetRun { run_id: self.run_id.clone() };
        self.store.get_run(&call).await.unwrap().outputs.model_outputs
    }

    async fn kept(&self) -> Vec<Param> {
        let call = GetLoggedModel { model_id: self.model_id.clone() };
        let mut params = self.store.get_logged_model(&call).await.unwrap().data.params;
        params.sort();
        params
    }

    /// How often a route was asked, and how often the server heard of it.
    fn asked(&self, path: &str) -> (usize, usize) {
        let requests = self.proxy.requests_to("POST", path);
        (requests.len(), requests.iter().filter(|request| request.reached_server).count())
    }
}

/// The faults after which the call has run, and after which it has not, with how often it may be sent.
fn faults() -> [(Fault, (usize, usize)); 4] {
    [
        (Fault::Reset(Moment::BeforeAnswer), (1, 1)),
        (Fault::Truncate(0), (1, 1)),
        (Fault::Reset(Moment::BeforeRequest), (2, 1)),
        (Fault::answer(500, &[], "Oops"), (2, 1)),
    ]
}

#[tokio::test]
async fn a_model_that_a_run_made_is_noted_once() {
    for (fault, times) in faults() {
        let place = Place::new().await;
        place.proxy.set_rules(vec![Rule::new("POST", "*/runs/outputs", fault.clone())]);
        place.store.log_outputs(&place.outputs()).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        place.proxy.assert_rules_met();
        assert_eq!(place.made().await, place.outputs().models, "{fault:?}");
        assert_eq!(place.asked("*/runs/outputs"), times, "{fault:?}");
        // A second call is a mistake of its own, and is told as one.
        check_code(place.store.log_outputs(&place.outputs()).await, 400, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn params_of_a_model_are_added_once() {
    for (fault, times) in faults() {
        let place = Place::new().await;
        place.proxy.set_rules(vec![Rule::new("POST", "*/params", fault.clone())]);
        let logged = place.store.log_logged_model_params(&place.params()).await;
        logged.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        place.proxy.assert_rules_met();
        assert_eq!(place.kept().await, place.params().params, "{fault:?}");
        assert_eq!(place.asked("*/params"), times, "{fault:?}");
        check_code(place.store.log_logged_model_params(&place.params()).await, 400, "BAD_REQUEST");
    }
}

/// A look that comes too early sees nothing; the server then refuses the repetition, and a second look tells why.
#[tokio::test]
async fn a_call_that_ran_after_the_look_is_found_by_a_second_one() {
    let place = Place::new().await;
    let nothing = serde_json::json!({"run": {
        "info": {"run_id": place.run_id, "experiment_id": "0", "status": "RUNNING"},
    }});
    place.proxy.set_rules(vec![
        Rule::new("POST", "*/runs/outputs", Fault::Reset(Moment::BeforeAnswer)),
        Rule::new("GET", "*/runs/get", Fault::answer(200, &[], &nothing.to_string())),
    ]);
    place.store.log_outputs(&place.outputs()).await.unwrap();
    place.proxy.assert_rules_met();
    assert_eq!(place.asked("*/runs/outputs"), (2, 2));
    assert_eq!(place.made().await, place.outputs().models);
}

/// The first repetition would follow at once; only the header makes the client wait.
#[tokio::test]
async fn a_server_that_says_when_to_come_back_is_left_alone_until_then() {
    for status in [429, 503] {
        let place = Place::new().await;
        let busy = Fault::answer(status, &[("Retry-After", "1")], "");
        place.proxy.set_rules(vec![Rule::new("POST", "*/runs/outputs", busy)]);
        let started = Instant::now();
        place.store.log_outputs(&place.outputs()).await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(1), "{status}: {:?}", started.elapsed());
        assert_eq!(place.asked("*/runs/outputs"), (2, 1), "{status}");
    }
}
