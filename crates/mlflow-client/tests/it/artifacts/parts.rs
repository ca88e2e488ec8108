//! Large files in parts, with a real server before a real object store: MLflow 3.17.2 and moto.

use mlflow_client::artifacts::{ArtifactPath, LocalFile, ReadStart};
use mlflow_client::{Client, Settings};
use st_testkit::{MlflowServer, S3Server, ServerOptions};

use super::{path, unique};

/// A server that keeps its artifacts in a bucket.
fn server() -> MlflowServer {
    let (store, bucket) = (S3Server::shared(), unique());
    store.make_bucket(&bucket);
    let options = ServerOptions::default()
        // The last one counts.
        .with_argument("--artifacts-destination")
        .with_argument(&format!("s3://{bucket}/root"))
        .with_variable("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
        .with_variable("MLFLOW_S3_ENDPOINT_URL", &store.url())
        .with_variable("AWS_ACCESS_KEY_ID", "key")
        .with_variable("AWS_SECRET_ACCESS_KEY", "not-checked")
        .with_variable("AWS_DEFAULT_REGION", "us-east-1");
    MlflowServer::start(&options)
}

fn client(server: &MlflowServer, allowed: &str) -> Client {
    let variable = |name: &str| {
        let value = match name {
            "MLFLOW_TRACKING_URI" => server.url(),
            "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE" => "8000000".to_owned(),
            "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE" => "5242880".to_owned(),
            "ST_ALLOWED_HOSTS" => allowed.to_owned(),
            _ => return None,
        };
        Some(value)
    };
    Client::connect(&Settings::from_environment(&variable).unwrap()).unwrap()
}

/// Sends a file of 12 MB, and reads it back.
async fn round_trip(client: &Client, name: &ArtifactPath) {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = LocalFile { path: folder.path().join("x"), length: content.len() as u64 };
    std::fs::write(&file.path, &content).unwrap();
    let store = client.artifacts().open_given(&"mlflow-artifacts:/1/a b".parse().unwrap()).unwrap();
    store.write(name, &file).await.unwrap();
    let read = store.read(name, &ReadStart::default()).await.unwrap();
    assert!(read.bytes(64 << 20).await.unwrap() == content);
    let listed = store.list(None).await.unwrap();
    assert_eq!(listed.iter().find(|info| info.path == *name).unwrap().file_size, Some(12_000_000));
}

#[tokio::test]
async fn parts_go_to_the_store_and_a_server_whose_store_is_out_of_reach_takes_the_whole() {
    let server = server();
    let count = |words: &str| server.log().matches(words).count();
    let name = path("\u{fc} 100%.bin");
    round_trip(&client(&server, &S3Server::shared().address().to_string()), &name).await;
    assert_eq!(
        (count("/mpu/create/"), count("/mpu/complete/"), count("/mpu/abort/")),
        (1, 1, 0),
        "{}",
        server.log()
    );
    assert_eq!(count("PUT /api/2.0/mlflow-artifacts"), 0, "{}", server.log());

    // Nobody has allowed the store's address, which is one of this machine.
    round_trip(&client(&server, ""), &path("whole.bin")).await;
    assert_eq!(
        (count("/mpu/create/"), count("/mpu/complete/"), count("/mpu/abort/")),
        (2, 1, 1),
        "{}",
        server.log()
    );
    assert_eq!(count("PUT /api/2.0/mlflow-artifacts"), 1, "{}", server.log());
}
