//! What helps when a server or a store does not do what was asked.

use std::net::TcpListener;

use st_testkit::{MlflowServer, ServerOptions};

use crate::support::{Place, ran};

/// Runs `st` without a second attempt at the network; it must fail with exactly this.
#[track_caller]
fn fails(place: &Place, args: &[&str], expected: &str) {
    let output = place.command(args).env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0").output();
    let ran = ran(output.unwrap());
    assert_eq!((ran.code, ran.stderr.trim_end(), ran.stdout.as_str()), (2, expected, ""));
}

#[test]
fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = ran(Place::new()
        .command(&["models", "list", "--tracking-uri", &format!("http://{free}")])
        .env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        .output()
        .unwrap());
    assert_eq!(ran.code, 2);
    let first = ran.stderr.lines().next().unwrap_or_default();
    assert!(first.starts_with("error: registered-models/search: no answer after 1 attempt in "), "{first}");
    let hint = "hint: nothing listens at that address: `pip install mlflow && mlflow server --port 5000` starts a \
                server, and `--tracking-uri` or MLFLOW_TRACKING_URI names it; without either, `st` uses the store in \
                this folder";
    assert_eq!(ran.stderr.lines().last(), Some(hint), "{}", ran.stderr);
}

#[test]
fn a_server_that_wants_a_password_gets_its_variables_named() {
    fails(
        &Place::new(),
        &["models", "list", "--tracking-uri", &MlflowServer::shared_with_auth().url()],
        "error: registered-models/search: server said 401 UNAUTHENTICATED: You are not authenticated. Please see \
         https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow on how to authenticate.\n\
         hint: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; or write \
         mlflow_tracking_username and mlflow_tracking_password below [mlflow] in ~/.mlflow/credentials",
    );
}

#[test]
fn a_server_that_does_not_know_its_name_gets_the_option_named() {
    let options = ServerOptions::default().with_argument("--allowed-hosts").with_argument("mlflow.example");
    let server = MlflowServer::start(&options);
    fails(
        &Place::new(),
        &["models", "list", "--tracking-uri", &server.url()],
        "error: registered-models/search: server said 403 PERMISSION_DENIED: Invalid Host header - possible DNS \
         rebinding attack detected\n\
         hint: the server takes requests for its own names only: start it with `mlflow server --allowed-hosts \
         NAME:PORT`, or use an address that it knows, such as 127.0.0.1",
    );
}

#[test]
fn a_server_without_tls_is_told_from_one_with() {
    let address = MlflowServer::shared().address();
    let ran = ran(Place::new()
        .command(&["models", "list", "--tracking-uri", &format!("https://{address}")])
        .env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        .output()
        .unwrap());
    let hint = "hint: the server speaks no TLS: begin its address with http://";
    assert_eq!((ran.code, ran.stderr.lines().last()), (2, Some(hint)), "{}", ran.stderr);
}

#[test]
fn a_model_that_is_not_there_has_neighbours() {
    let place = Place::new();
    place.ok(&["log", "-m", "TINY", "--register", "search-encoder", "--alias", "champion"]);
    place.ok(&["log", "-m", "TINY", "--register", "bare"]);
    fails(
        &place,
        &["encode", "-m", "models:/serch-encoder/1", "text"],
        "error: cannot fetch models:/serch-encoder/1 from sqlite:///mlflow.db\n  \
         caused by: model-versions/get: server said 404 RESOURCE_DOES_NOT_EXIST: Model Version \
         (name=serch-encoder, version=1) not found\n\
         hint: did you mean `search-encoder`? `st models list` shows all",
    );
    fails(
        &place,
        &["encode", "-m", "models:/search-encoder@champoin", "text"],
        "error: cannot fetch models:/search-encoder@champoin from sqlite:///mlflow.db\n  \
         caused by: registered-models/alias: server said 400 INVALID_PARAMETER_VALUE: Registered model alias champoin \
         not found.\n\
         hint: `search-encoder` has champion (version 1)",
    );
    fails(
        &place,
        &["encode", "-m", "models:/search-encoder", "text"],
        "error: cannot fetch models:/search-encoder from sqlite:///mlflow.db\n  \
         caused by: logged-models/{model_id}: server said 404 RESOURCE_DOES_NOT_EXIST: Logged model with ID \
         'search-encoder' not found.\n\
         hint: `search-encoder` is a registered model: say which version, as models:/search-encoder/latest or \
         models:/search-encoder@ALIAS; the newest version of `search-encoder` is 1; `st models show search-encoder` \
         shows all",
    );
    fails(
        &place,
        &["encode", "-m", "models:/else", "text"],
        "error: cannot fetch models:/else from sqlite:///mlflow.db\n  \
         caused by: logged-models/{model_id}: server said 404 RESOURCE_DOES_NOT_EXIST: Logged model with ID 'else' not \
         found.\n\
         hint: a name alone is the ID of a logged model, m-…; a registered model is models:/NAME/VERSION, \
         models:/NAME/latest or models:/NAME@ALIAS, and `st models list` shows them",
    );
    fails(
        &place,
        &["models", "download", "models:/bare@x", "-o", "x"],
        "error: cannot find models:/bare@x\n  \
         caused by: registered-models/alias: server said 400 INVALID_PARAMETER_VALUE: Registered model alias x not \
         found.\n\
         hint: `bare` has no aliases; `st models alias bare ALIAS VERSION` sets one",
    );
    fails(
        &place,
        &["models", "download", "models:/bare/7", "-o", "x"],
        "error: cannot find models:/bare/7\n  \
         caused by: model-versions/get: server said 404 RESOURCE_DOES_NOT_EXIST: Model Version (name=bare, version=7) \
         not found\n\
         hint: the newest version of `bare` is 1; `st models show bare` shows all",
    );
    fails(
        &place,
        &["models", "show", "search-encodr"],
        "error: cannot show search-encodr\n  \
         caused by: registered-models/get: server said 404 RESOURCE_DOES_NOT_EXIST: Registered Model with \
         name=search-encodr not found\n\
         hint: did you mean `search-encoder`? `st models list` shows all",
    );
    fails(
        &place,
        &["runs", "show", "0123456789abcdef0123456789abcdef"],
        "error: runs/get: server said 404 RESOURCE_DOES_NOT_EXIST: Run with id=0123456789abcdef0123456789abcdef not \
         found\n\
         hint: `st runs list` shows the runs",
    );
}
