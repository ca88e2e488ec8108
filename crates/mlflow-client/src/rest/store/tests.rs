//! From the environment and the files of credentials to what goes over the wire.

use std::path::Path;
use std::time::Duration;

use mlflow_types::runs::{CreateRun, GetRun, LogBatch, LogParam, SetTag};
use mlflow_types::tags::{Param, Tag};

use super::super::scripted::{Hands, Script, Turn};
use super::*;
use crate::TrackingStore as _;

/// A user's folder, and the environment.
struct Place {
    home: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    fn new(variables: &[(&'static str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { home: tempfile::tempdir().unwrap(), variables }
    }

    fn with_file(self, path: &str, text: &str) -> Self {
        let path = self.home.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn settings(&self) -> Result<Settings> {
        Settings::from_environment(&|name| match name {
            "HOME" => self.home.path().to_str().map(str::to_owned),
            "MLFLOW_TRACKING_URI" => {
                Some(self.given(name).unwrap_or_else(|| "https://mlflow.test/prefix".to_owned()))
            }
            name => self.given(name),
        })
    }

    fn given(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    }

    /// A store on the server of a script.
    fn store(&self, script: &Arc<Script>) -> Result<RestStore> {
        let settings = self.settings()?;
        RestStore::connect_over(&settings, settings.tracking_uri.as_ref(), |_| Ok(Arc::clone(script) as _))
    }

    /// Where the first request went, and as whom.
    async fn first_request(&self) -> (String, Option<String>) {
        let script = Script::new([Turn::status(404)]);
        let store = self.store(&script).unwrap();
        let call = GetRun { run_id: "ab12".parse().unwrap() };
        assert!(store.call(&call).await.is_err());
        let url = script.seen()[0].url.to_string();
        (url, script.headers("authorization").remove(0))
    }

    async fn check(&self, authorization: Option<&str>) {
        let url = "https://mlflow.test/prefix/api/2.0/mlflow/runs/get?run_id=ab12";
        assert_eq!(self.first_request().await, (url.to_owned(), authorization.map(str::to_owned)));
    }

    /// What is wrong, with the causes.
    fn refusal(&self) -> String {
        self.store(&Script::new([])).expect_err("the settings make no sense").to_string()
    }
}

/// `ann:pw`.
const ANN: &str = "Basic YW5uOnB3";
/// The file of credentials, as MLflow documents it.
const SAVED: &str = "[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = pw\n";

#[tokio::test]
async fn who_we_are_comes_from_the_environment() {
    let (user, password) = (("MLFLOW_TRACKING_USERNAME", "ann"), ("MLFLOW_TRACKING_PASSWORD", "pw"));
    let token = ("MLFLOW_TRACKING_TOKEN", "t0ken");
    Place::new(&[]).check(None).await;
    Place::new(&[user, password]).check(Some(ANN)).await;
    Place::new(&[token]).check(Some("Bearer t0ken")).await;
    Place::new(&[user, password, token]).check(Some(ANN)).await;
    // Half a name is none.
    Place::new(&[user]).check(None).await;
    Place::new(&[password, token]).check(Some("Bearer t0ken")).await;
    // An empty variable is as none.
    Place::new(&[("MLFLOW_TRACKING_TOKEN", "")]).check(None).await;
}

#[tokio::test]
async fn who_we_are_comes_from_the_file_of_credentials() {
    let file = ".mlflow/credentials";
    Place::new(&[]).with_file(file, SAVED).check(Some(ANN)).await;
    // The environment wins, field by field.
    Place::new(&[("MLFLOW_TRACKING_USERNAME", "bob")])
        .with_file(file, SAVED)
        .check(Some("Basic Ym9iOnB3"))
        .await;
    Place::new(&[("MLFLOW_TRACKING_PASSWORD", "x")])
        .with_file(file, SAVED)
        .check(Some("Basic YW5uOng="))
        .await;
    Place::new(&[("MLFLOW_TRACKING_TOKEN", "t0ken")]).with_file(file, SAVED).check(Some(ANN)).await;
    let other = SAVED.replace("[mlflow]", "[other]");
    Place::new(&[]).with_file(file, &other).check(None).await;
    let half = "[mlflow]\nmlflow_tracking_username = ann\n";
    Place::new(&[("MLFLOW_TRACKING_PASSWORD", "pw")]).with_file(file, half).check(Some(ANN)).await;
}

#[tokio::test]
async fn a_user_in_the_address_comes_first_and_is_not_sent_in_it() {
    let uri = ("MLFLOW_TRACKING_URI", "https://ann:p%77@mlflow.test/prefix?x=1#y");
    Place::new(&[uri, ("MLFLOW_TRACKING_TOKEN", "t0ken")]).check(Some(ANN)).await;
}

#[test]
fn what_python_s_plugins_would_sign_is_refused() {
    assert_eq!(
        Place::new(&[("MLFLOW_TRACKING_AUTH", "kubernetes")]).refusal(),
        "MLFLOW_TRACKING_AUTH: `kubernetes` is a plugin of Python, and none runs here; use a user or a token"
    );
}

const PROFILES: &str = "[DEFAULT]\nhost = https://default.test\ntoken = d0\n\
                        [team]\nhost = team.test\ntoken = t1\n[robot]\nhost = https://robot.test\nclient_id = r\n\
                        [bare]\nhost = https://bare.test\n";

async fn check_databricks(variables: &[(&'static str, &str)], host: &str, token: &str) {
    let place = Place::new(variables).with_file(".databrickscfg", PROFILES);
    let url = format!("https://{host}/api/2.0/mlflow/runs/get?run_id=ab12");
    assert_eq!(place.first_request().await, (url, Some(format!("Bearer {token}"))), "{variables:?}");
}

#[tokio::test]
async fn a_workspace_of_databricks_is_found() {
    let (plain, team) = (("MLFLOW_TRACKING_URI", "databricks"), ("MLFLOW_TRACKING_URI", "databricks://team"));
    let (host, token) = (("DATABRICKS_HOST", "https://env.test"), ("DATABRICKS_TOKEN", "e9"));
    check_databricks(&[plain], "default.test", "d0").await;
    check_databricks(&[("MLFLOW_TRACKING_URI", "databricks://")], "default.test", "d0").await;
    check_databricks(&[plain, ("DATABRICKS_CONFIG_PROFILE", "team")], "team.test", "t1").await;
    check_databricks(&[team], "team.test", "t1").await;
    check_databricks(&[plain, host, token], "env.test", "e9").await;
    // A profile that is named is meant.
    check_databricks(&[team, host, token], "team.test", "t1").await;
    // Credentials of another server stay out of it.
    check_databricks(&[team, ("MLFLOW_TRACKING_TOKEN", "t0ken")], "team.test", "t1").await;
}

#[tokio::test]
async fn the_file_of_profiles_is_where_a_variable_says() {
    let place = Place::new(&[("MLFLOW_TRACKING_URI", "databricks")]).with_file("profiles", PROFILES);
    let file = place.home.path().join("profiles").display().to_string();
    let mut variables = place.variables.clone();
    variables.push(("DATABRICKS_CONFIG_FILE", file));
    let place = Place { variables, ..place };
    assert_eq!(place.first_request().await.1.as_deref(), Some("Bearer d0"));
}

#[test]
fn a_workspace_of_databricks_that_cannot_be_used_is_told() {
    let refusal = |uri: &str, variables: &[(&'static str, &str)]| {
        let place = Place::new(&[&[("MLFLOW_TRACKING_URI", uri)], variables].concat());
        place.with_file(".databrickscfg", PROFILES).refusal()
    };
    assert_eq!(
        refusal("databricks://absent", &[]),
        "databricks: neither DATABRICKS_HOST nor profile `absent` in ~/.databrickscfg names a host"
    );
    assert_eq!(
        refusal("databricks://robot", &[]),
        "databricks: profile `robot` names a service principal; OAuth is not spoken here, use a personal access token"
    );
    assert_eq!(refusal("databricks://bare", &[]), "databricks: profile `bare` has no token");
    assert_eq!(
        refusal("databricks", &[("DATABRICKS_HOST", "https://env.test")]),
        "databricks: DATABRICKS_HOST has no token"
    );
}

/// How long attempts go on for: ours, the one of Python's Databricks, and the one that is set.
#[test]
fn databricks_has_a_patience_of_its_own() {
    let limit = "MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT";
    let host = [("DATABRICKS_HOST", "https://env.test"), ("DATABRICKS_TOKEN", "e9")];
    for (variables, seconds) in [
        (vec![], 300),
        (vec![(limit, "7")], 300),
        (vec![("MLFLOW_TRACKING_URI", "databricks")], 500),
        (vec![("MLFLOW_TRACKING_URI", "databricks"), (limit, "7")], 7),
    ] {
        let store = Place::new(&[&host[..], &variables].concat()).store(&Script::new([])).unwrap();
        assert_eq!(store.session().policy().total_time, Duration::from_secs(seconds), "{variables:?}");
    }
}

#[tokio::test]
async fn the_environment_decides_about_patience_and_redirects() {
    let place = Place::new(&[
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2"),
        ("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "3"),
        ("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0"),
        ("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "false"),
        ("MLFLOW_ALLOW_HTTP_REDIRECTS", "false"),
        ("MLFLOW_WORKSPACE", "team-a"),
    ]);
    let busy = Turn::status(503).with("retry-after", "9");
    let script = Script::new([busy.clone(), busy, Turn::status(307).with("location", "/x")]);
    let clock = Arc::new(Hands::default());
    let store =
        RestStore::new(place.store(&script).unwrap().session().clone().with_clock(Arc::clone(&clock) as _));
    let error = store.call(&GetRun { run_id: "ab12".parse().unwrap() }).await.expect_err("a redirect");
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
    assert_eq!(clock.waits(), [0.0, 6.0]);
    assert_eq!(script.headers("x-mlflow-workspace"), vec![Some("team-a".to_owned()); 3]);
}

#[test]
fn a_uri_that_names_no_server_is_refused() {
    for uri in ["sqlite:///mlflow.db", "mlflow.test", "ftp://mlflow.test", "databricksish"] {
        let told = Place::new(&[("MLFLOW_TRACKING_URI", uri)]).refusal();
        assert!(told.starts_with(&format!("{uri}: is no address of a server")), "{told}");
    }
}

/// A server may cut a long value or refuse it; who wants to know asks for the refusal before anything is sent.
#[tokio::test]
async fn long_values_are_sent_unless_they_are_to_be_refused() {
    let run_id: mlflow_types::RunId = "ab12".parse().unwrap();
    let long = |most: usize| "ö".repeat(most + 1);
    let param = LogParam { run_id: run_id.clone(), key: "p".into(), value: long(6000) };
    let tag = SetTag { run_id: run_id.clone(), key: "t".into(), value: long(8000) };
    let (params, tags) = (vec![Param::new("p", long(6000))], vec![Tag::new("t", long(8000))]);
    let batch = LogBatch { run_id, metrics: Vec::new(), params, tags: tags.clone() };
    let create = CreateRun {
        experiment_id: "1".parse().unwrap(),
        user_id: String::new(),
        run_name: None,
        start_time: 1,
        tags,
    };
    for (set, sent) in [(None, true), (Some("true"), true), (Some("false"), false)] {
        let variables: Vec<_> = set.map(|set| ("MLFLOW_TRUNCATE_LONG_VALUES", set)).into_iter().collect();
        let script = Script::new(vec![Turn::status(400); if sent { 4 } else { 0 }]);
        let store = Place::new(&variables).store(&script).unwrap();
        for store in [store.clone(), store.on_its_own()].iter().take(if sent { 1 } else { 2 }) {
            let told = [
                store.log_param(&param).await.expect_err("400").to_string(),
                store.set_tag(&tag).await.expect_err("400").to_string(),
                store.log_batch(&batch).await.expect_err("400").to_string(),
                store.create_run(&create).await.expect_err("400").to_string(),
            ];
            if !sent {
                let param = "`value` of the param `p` has 6001 characters, and the server keeps 6000";
                let tag = "`value` of the tag `t` has 8001 characters, and the server keeps 8000";
                assert_eq!(
                    told,
                    [
                        format!("runs/log-parameter: {param}"),
                        format!("runs/set-tag: {tag}"),
                        format!("runs/log-batch: {param}"),
                        format!("runs/create: {tag}"),
                    ]
                );
            }
        }
        script.assert_done();
    }
}
