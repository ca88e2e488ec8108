//! What we write, a real server serves and Python reads; what Python writes, we read.

use mlflow_client::rest::RestStore;
use mlflow_client::{EmbeddedStore, Settings};
use serde_json::Value;
use st_testkit::{Environment, MlflowServer, PythonScript, ServerOptions};

use crate::everything::{Found, READ, WRITE, check_same, found, write};

fn connect(server: &MlflowServer) -> RestStore {
    RestStore::connect(&Settings::for_tracking_uri(server.url())).unwrap()
}

fn script(server: &MlflowServer, text: &str) -> PythonScript {
    PythonScript::new(Environment::Mlflow, &text.replace("sqlite:///mlflow.db", &server.url()))
}

#[tokio::test]
async fn what_we_wrote_over_rest_python_reads() {
    let server = MlflowServer::start(&ServerOptions::default());
    let store = connect(&server);
    write(&store).await;
    let python: Found = script(&server, READ).run();
    assert_eq!((python.runs.len(), python.logged_models.len(), python.model_versions.len()), (3, 2, 2));
    check_same(python, found(&store).await);
}

#[tokio::test]
async fn what_python_wrote_over_rest_is_read() {
    let server = MlflowServer::start(&ServerOptions::default());
    script(&server, WRITE).run::<Value>();
    let python: Found = script(&server, READ).run();
    assert_eq!((python.runs.len(), python.logged_models.len(), python.model_versions.len()), (4, 2, 2));
    check_same(python, found(&connect(&server)).await);
}

/// The file that we made, behind `mlflow server`.
#[tokio::test]
async fn a_server_shows_what_the_embedded_store_holds() {
    let server = MlflowServer::start(&ServerOptions::default());
    server.kill();
    let file = server.folder().join("mlflow.db");
    std::fs::remove_file(&file).unwrap();
    let ours = {
        let store = EmbeddedStore::open(file.to_str().unwrap(), "mlruns").unwrap();
        write(&store).await;
        found(&store).await
    };
    server.start_again();
    let shown = found(&connect(&server)).await;
    assert_eq!((shown.runs.len(), shown.logged_models.len(), shown.model_versions.len()), (3, 2, 2));
    check_same(shown, ours);
    // And both work on it from now on: the server has migrated nothing, and we still write.
    let store = EmbeddedStore::open(file.to_str().unwrap(), "mlruns").unwrap();
    check_same(found(&connect(&server)).await, found(&store).await);
}
