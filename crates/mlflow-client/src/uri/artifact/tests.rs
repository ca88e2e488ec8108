//! A test for every line of the grammar, and that nothing else is taken.

use proptest::prelude::*;

use super::*;

fn path(text: &str) -> Option<ArtifactPath> {
    ArtifactPath::try_new(text).ok()
}

/// Parses to `wanted`, shows itself as `shown`, and that parses to the same again.
#[track_caller]
fn check(uri: &str, wanted: ArtifactUri, shown: &str) {
    let parsed: ArtifactUri = uri.parse().unwrap();
    assert_eq!(parsed, wanted);
    assert_eq!(parsed.to_string(), shown);
    assert_eq!(shown.parse::<ArtifactUri>().unwrap(), parsed);
}

#[track_caller]
fn check_refused(uri: &str, message: &str) {
    assert_eq!(uri.parse::<ArtifactUri>().unwrap_err().to_string(), message);
}

fn bucket_of(name: &str, prefix: Option<ArtifactPath>) -> Bucket {
    Bucket { name: name.to_owned(), prefix }
}

#[test]
fn plain_paths() {
    for text in ["/srv/mlruns/0/models/m-1/artifacts", "model", "./a b", "../x", "a#b", "a/b:c", "100%/x"] {
        check(text, ArtifactUri::Local(text.into()), text);
    }
}

#[test]
fn file_uris() {
    check("file:///srv/a%20b", ArtifactUri::Local("/srv/a b".into()), "/srv/a b");
    check("file:/srv/x", ArtifactUri::Local("/srv/x".into()), "/srv/x");
    check("file://localhost/srv/x", ArtifactUri::Local("/srv/x".into()), "/srv/x");
    check("file:./mlruns", ArtifactUri::Local("./mlruns".into()), "./mlruns");
    check("file:a:", ArtifactUri::Local("./a:".into()), "./a:");
    check("FILE:///x", ArtifactUri::Local("/x".into()), "/x");
    check_refused("file://host/x", "file://host/x: a file of another host cannot be read");
    for uri in ["file:///x#y", "file:///x?y", "file:///x/..#/../../etc"] {
        let error = uri.parse::<ArtifactUri>().unwrap_err().to_string();
        assert!(
            error.ends_with(": `?` and `#` cannot stand in a file URI; encode them as %3F and %23"),
            "{error}"
        );
    }
    check_refused("file:///%ff", "file:///%ff: its path is not UTF-8");
    check_refused("file:///%00", "file:///%00: its path is empty or holds a NUL");
    check_refused("file:", "file:: its path is empty or holds a NUL");
    // Decoded once: what is still encoded is a name.
    check("file:///%252e%252e", ArtifactUri::Local("/%2e%2e".into()), "/%2e%2e");
}

#[test]
fn models_and_runs() {
    check(
        "models:/reg@champion",
        ArtifactUri::Model("models:/reg@champion".parse().unwrap()),
        "models:/reg@champion",
    );
    check("runs:/0a/model", ArtifactUri::Run("runs:/0a/model".parse().unwrap()), "runs:/0a/model");
}

#[test]
fn the_artifact_proxy() {
    let proxy =
        |host: Option<&str>, path| ArtifactUri::Proxy(ProxyUri { host: host.map(str::to_owned), path });
    check(
        "mlflow-artifacts:/1/models/m-1/artifacts",
        proxy(None, path("1/models/m-1/artifacts")),
        "mlflow-artifacts:/1/models/m-1/artifacts",
    );
    check("mlflow-artifacts:///1", proxy(None, path("1")), "mlflow-artifacts:/1");
    check("mlflow-artifacts:/", proxy(None, None), "mlflow-artifacts:/");
    check(
        "mlflow-artifacts://host:5000/1/",
        proxy(Some("host:5000"), path("1")),
        "mlflow-artifacts://host:5000/1",
    );
    check_refused("mlflow-artifacts://ann:secret@host/1", "mlflow-artifacts://host/1: its host is none");
    check_refused("mlflow-artifacts://:5000/1", "mlflow-artifacts://:5000/1: its host is none");
    check_refused("mlflow-artifacts:/1/../2", "mlflow-artifacts:/1/../2: its path has the part `..`");
    check_refused(
        "mlflow-artifacts:/1/%2e%2e/2",
        "mlflow-artifacts:/1/%2e%2e/2: its path holds a percent escape after decoding",
    );
}

#[test]
fn object_stores() {
    check("s3://bucket/a/b", ArtifactUri::S3(bucket_of("bucket", path("a/b"))), "s3://bucket/a/b");
    check("s3a://bucket", ArtifactUri::S3(bucket_of("bucket", None)), "s3://bucket");
    check("gs://bucket/a/", ArtifactUri::Gcs(bucket_of("bucket", path("a"))), "gs://bucket/a");
    for scheme in ["wasbs", "wasb", "abfss", "abfs"] {
        let uri = format!("{scheme}://models@account.dfs.core.windows.net/a/b");
        let container = Container {
            scheme,
            name: "models".to_owned(),
            host: "account.dfs.core.windows.net".to_owned(),
            prefix: path("a/b"),
        };
        check(&uri, ArtifactUri::Azure(container), &uri);
    }
    let spaced = "abfss://models@account.dfs.core.windows.net/a b/100%";
    for uri in [spaced, "abfss://models@account.dfs.core.windows.net/a%20b/100%25"] {
        let container = Container {
            scheme: "abfss",
            name: "models".to_owned(),
            host: "account.dfs.core.windows.net".to_owned(),
            prefix: path("a b/100%"),
        };
        check(uri, ArtifactUri::Azure(container), spaced);
    }
    check_refused(
        "abfss://c@account.dfs.core.windows.net/%2e%2e/a",
        "abfss://account.dfs.core.windows.net/%2e%2e/a: its path has the part `..`",
    );
    check_refused(
        "wasbs://c@account.blob.core.windows.net/a%20b",
        "wasbs://account.blob.core.windows.net/a%20b: its path holds a percent escape after decoding",
    );
    check_refused("s3:/bucket/a", "s3:/bucket/a: it names no bucket");
    check_refused("s3://key:secret@bucket/a", "s3://bucket/a: it names no bucket");
    check_refused("gs://b?x/a", "gs://b: it names no bucket");
    check_refused(
        "abfss://account/a",
        "abfss://account/a: it is not of the form `abfss://CONTAINER@ACCOUNT.HOST/PATH`",
    );
}

#[test]
fn the_web() {
    let uri: ArtifactUri = "https://ann:s3cret@mlflow.test:8443/x/y?token=t".parse().unwrap();
    assert_eq!(uri.to_string(), "https://mlflow.test:8443/x/y");
    assert_eq!(format!("{uri:?}"), "Web(WebUri(https://mlflow.test:8443/x/y))");
    let joined = uri.join(&path("a b").unwrap()).unwrap();
    assert_eq!(joined.to_string(), "https://mlflow.test:8443/x/y/a%20b");
    let plain: ArtifactUri = "http://mlflow.test/x".parse().unwrap();
    assert_eq!(plain.to_string().parse::<ArtifactUri>().unwrap(), plain);
    check_refused("https://", "https://: empty host");
    check_refused("https://ann:s3cret@h/x?q#f", "https://h/x: a fragment cannot stand in it");
}

#[test]
fn known_but_not_served() {
    let foreign = |scheme, rest: &str| ArtifactUri::Foreign { scheme, rest: rest.to_owned() };
    check("dbfs:/a/b", foreign(ForeignScheme::Dbfs, "/a/b"), "dbfs:/a/b");
    check(
        "dbfs://prod@databricks/a",
        foreign(ForeignScheme::Dbfs, "//prod@databricks/a"),
        "dbfs://prod@databricks/a",
    );
    check("hdfs://node:8020/a", foreign(ForeignScheme::Hdfs, "//node:8020/a"), "hdfs://node:8020/a");
    check("viewfs://node/a", foreign(ForeignScheme::Hdfs, "//node/a"), "hdfs://node/a");
    check("sftp://ann:secret@host/a", foreign(ForeignScheme::Sftp, "//host/a"), "sftp://host/a");
    check("ftp://ann:secret@host/a?x", foreign(ForeignScheme::Ftp, "//host/a"), "ftp://host/a");
    check("r2://bucket@account/a", foreign(ForeignScheme::R2, "//bucket@account/a"), "r2://bucket@account/a");
    check("b2://bucket@account/a", foreign(ForeignScheme::B2, "//bucket@account/a"), "b2://bucket@account/a");
    let error = foreign(ForeignScheme::Dbfs, "/a").join(&path("b").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "dbfs:/a: this kind of URI is not served");
}

#[test]
fn what_is_no_uri_is_refused_without_its_secrets() {
    check_refused("", ": this is no path and no URI");
    check_refused("a\0b", "a\\u{0}b: this is no path and no URI");
    check_refused("gopher://ann:secret@host/x?token=t", "gopher://host/x: the scheme `gopher:` is not known");
}

#[test]
fn joins() {
    let below = path("a/b").unwrap();
    for (uri, joined) in [
        ("/srv", "/srv/a/b"),
        ("models:/reg/1", "models:/reg/1/a/b"),
        ("runs:/0a/x", "runs:/0a/x/a/b"),
        ("mlflow-artifacts:/", "mlflow-artifacts:/a/b"),
        ("s3://bucket/x", "s3://bucket/x/a/b"),
        ("gs://bucket", "gs://bucket/a/b"),
        ("abfss://c@h/x", "abfss://c@h/x/a/b"),
        ("https://h/x/", "https://h/x/a/b"),
    ] {
        assert_eq!(uri.parse::<ArtifactUri>().unwrap().join(&below).unwrap().to_string(), joined);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_uri_or_an_error(text in ".{0,60}") {
        let _ = text.parse::<ArtifactUri>();
    }

    #[test]
    fn what_parses_shows_itself_and_parses_to_the_same(
        scheme in "(models|runs|mlflow-artifacts|s3|gs|abfss|dbfs|hdfs|sftp|file|[a-z]{1,3}):(//)?",
        rest in "[a-z0-9@/:%.?# ü\\\\-]{0,30}",
    ) {
        let text = format!("{scheme}{rest}");
        if let Ok(uri) = text.parse::<ArtifactUri>() {
            let shown = uri.to_string();
            let again: ArtifactUri = shown.parse().unwrap();
            prop_assert_eq!(again, uri, "{} as {}", text, shown);
        }
    }

    #[test]
    fn no_secret_is_shown(secret in "[A-Z]{12}", scheme in "(https|sftp|ftp|mlflow-artifacts|s3|gopher|abfss)") {
        let text = format!("{scheme}://ann:{secret}@host/x?token={secret}");
        let shown = match text.parse::<ArtifactUri>() {
            Ok(uri) => format!("{uri} {uri:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }
}
