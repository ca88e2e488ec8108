//! Proxies: which server is asked through one, and which not.

use super::ask;
use crate::attacks::Hostile;

const EXPERIMENT: &str = r#"{"experiment":{"experiment_id":"1","name":"through","artifact_location":"","lifecycle_stage":"active"}}"#;

/// Whatever it is asked to fetch, it has.
fn proxy() -> Hostile {
    Hostile::saying("200 OK", "Content-Type: application/json\r\n", EXPERIMENT)
}

const SERVER: (&str, &str) = ("MLFLOW_TRACKING_URI", "http://mlflow.test");

#[tokio::test]
async fn a_server_is_asked_through_the_proxy_of_its_scheme() {
    for variable in ["http_proxy", "all_proxy", "ALL_PROXY"] {
        let proxy = proxy();
        assert_eq!(ask(&[SERVER, (variable, &proxy.url())]).await.unwrap(), "through");
        let asked =
            "GET http://mlflow.test/api/2.0/mlflow/experiments/get-by-name?experiment_name=x HTTP/1.1";
        assert_eq!(proxy.seen()[0].lines().next(), Some(asked), "{variable}");
    }
}

#[tokio::test]
async fn the_proxy_learns_who_we_are_to_it() {
    let proxy = proxy();
    let url = proxy.url().replace("http://", "http://ann:pw@");
    assert_eq!(ask(&[SERVER, ("http_proxy", &url)]).await.unwrap(), "through");
    let head = proxy.seen()[0].to_ascii_lowercase();
    // `ann:pw`
    assert!(head.contains("\r\nproxy-authorization: basic yw5uonb3"), "{head}");
}

/// Of what is said over TLS the proxy learns the host's name only.
#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    let proxy = Hostile::saying("403 Forbidden", "", "");
    let variables = [
        ("MLFLOW_TRACKING_URI", "https://mlflow.test"),
        ("MLFLOW_TRACKING_TOKEN", "t0ken"),
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0"),
        ("https_proxy", &proxy.url()),
    ];
    assert!(ask(&variables).await.is_err());
    let seen = proxy.seen().join("\n");
    assert!(seen.starts_with("CONNECT mlflow.test:443 HTTP/1.1") && !seen.contains("t0ken"), "{seen}");
}

#[tokio::test]
async fn some_hosts_are_asked_without_one() {
    let (proxy, server) = (Hostile::saying("502 Bad Gateway", "", ""), proxy());
    let server_url = server.url();
    for except in ["127.0.0.1", "mlflow.test, 127.0.0.1", "*"] {
        let variables = [
            ("MLFLOW_TRACKING_URI", server_url.as_str()),
            ("http_proxy", &proxy.url()),
            ("no_proxy", except),
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0"),
        ];
        assert_eq!(ask(&variables).await.unwrap(), "through", "{except}");
    }
    assert!(proxy.seen().is_empty());
    // What a web server sets from a header of whoever asks it is no proxy of ours.
    let variables = [("MLFLOW_TRACKING_URI", server_url.as_str()), ("HTTP_PROXY", &proxy.url())];
    assert_eq!(ask(&variables).await.unwrap(), "through");
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn what_is_no_proxy_is_told_before_anything_is_sent() {
    let error = ask(&[SERVER, ("http_proxy", "http://")]).await.unwrap_err();
    assert!(error.to_string().starts_with("HTTP_PROXY: "), "{error}");
}
