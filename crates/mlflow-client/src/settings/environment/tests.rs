//! Every variable, and what becomes of it.

mod rows;

use std::collections::BTreeSet;

use self::rows::{HOME, HTTP, IDENTITIES, KEY, OBJECT_STORES, PLACES, TRANSFERS_AND_LOGS};
use super::*;

/// What is checked, and leaves nothing behind.
const WITHOUT_A_TRACE: &[&str] = &[name::MLFLOW_HTTP_POOL_CONNECTIONS];

/// Every file of credentials, all in one folder.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        (".mlflow/credentials", "[mlflow]\nmlflow_tracking_username = ann\nmlflow_tracking_password = pw\n"),
        (".databrickscfg", "[team]\nhost = h\n"),
        (
            ".aws/credentials",
            "[default]\naws_access_key_id = FILE\naws_secret_access_key = fs\n\
             [other]\naws_access_key_id = OTHER\naws_secret_access_key = os\n",
        ),
        (".aws/config", "[default]\nregion = far-1\n"),
        ("gcloud/application_default_credentials.json", "{}"),
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read_with(folder: &Path, variables: &[(&str, &str)]) -> Result<Settings> {
    let folder = folder.to_str().unwrap();
    Settings::from_environment(&|asked| {
        let found = variables.iter().find(|(variable, _)| *variable == asked);
        found.map(|(_, value)| value.replace("{folder}", folder))
    })
}

#[test]
fn every_variable_is_read_and_changes_what_it_is_about() {
    let folder = folder();
    let rows = [PLACES, IDENTITIES, HTTP, OBJECT_STORES, TRANSFERS_AND_LOGS];
    let mut left: BTreeSet<&str> = name::ALL.iter().copied().collect();
    assert_eq!(left.len(), name::ALL.len(), "a variable is listed twice");
    for row in rows.into_iter().flatten() {
        let variable = row.variable;
        assert!(left.remove(variable), "{variable} has two rows, or is no variable of ours");
        assert_ne!(row.before, row.after, "{variable}");
        let before = read_with(folder.path(), row.with).unwrap();
        assert_eq!((row.shown)(&before), row.before, "without {variable}");
        let empty = read_with(folder.path(), &[&[(row.asked, "")], row.with].concat()).unwrap();
        assert_eq!((row.shown)(&empty), row.before, "{variable} is empty");
        let after = read_with(folder.path(), &[&[(row.asked, row.value)], row.with].concat()).unwrap();
        assert_eq!((row.shown)(&after), row.after, "{variable}={}", row.value);
    }
    for variable in WITHOUT_A_TRACE {
        assert!(left.remove(variable), "{variable}");
        assert!(read_with(folder.path(), &[(variable, "x")]).is_err(), "{variable} is checked");
        let ignored = Settings::ignored(&|asked| (asked == *variable).then(|| "1".to_owned()));
        assert_eq!(ignored.len(), 1, "that {variable} does nothing is told");
    }
    assert!(left.is_empty(), "variables without a row in this table: {left:?}");
}

#[track_caller]
fn check_refused(variable: &str, value: &str, problem: &str) {
    let error = read_with(Path::new(""), &[(variable, value)]).expect_err(value);
    assert_eq!(error.to_string(), format!("{variable}: {problem}"));
}

#[test]
fn what_makes_no_sense_is_told_with_its_name() {
    check_refused("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "11", "`11` is no number from 0 to 10");
    check_refused("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "-1", "`-1` is no number from 0 to 10");
    check_refused("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "121", "`121` is no number from 0 to 120");
    check_refused("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "NaN", "`NaN` is no number from 0 to 120");
    check_refused("MLFLOW_HTTP_REQUEST_TIMEOUT", "0", "no time at all is no limit to work under");
    check_refused("MLFLOW_HTTP_REQUEST_TIMEOUT", "inf", "`inf` is no number from 0 to 86400");
    check_refused("MLFLOW_HTTP_POOL_MAXSIZE", "0", "`0` is no number from 1 to 100000");
    check_refused("MLFLOW_HTTP_POOL_CONNECTIONS", "many", "`many` is no number from 1 to 100000");
    check_refused("MLFLOW_HTTP_TCP_KEEPALIVE_COUNT", "128", "`128` is no number from 1 to 127");
    check_refused("MLFLOW_ALLOW_HTTP_REDIRECTS", "yes", "`yes` is neither `true` nor `false`");
    check_refused("MLFLOW_TRUNCATE_LONG_VALUES", "no", "`no` is neither `true` nor `false`");
    check_refused(
        "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE",
        "0",
        "`0` is no number from 1 to 18446744073709551615",
    );
    check_refused(
        "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE",
        "host",
        "`host` is neither `auto` nor `path` nor `virtual`",
    );
}

/// As in Python, where this is an error too: who asks for both does not know what is checked.
#[test]
fn insecure_tls_and_an_authority_exclude_each_other() {
    let both = [("MLFLOW_TRACKING_INSECURE_TLS", "true"), ("MLFLOW_TRACKING_SERVER_CERT_PATH", "ca.pem")];
    let error = read_with(Path::new(""), &both).expect_err("both");
    assert_eq!(
        error.to_string(),
        "MLFLOW_TRACKING_INSECURE_TLS: not together with MLFLOW_TRACKING_SERVER_CERT_PATH"
    );
    let secure = [("MLFLOW_TRACKING_INSECURE_TLS", "false"), both[1]];
    assert_eq!(
        read_with(Path::new(""), &secure).unwrap().http.tls.verify,
        Verify::Authorities("ca.pem".into())
    );
}

#[test]
fn of_two_variables_the_one_that_is_meant_wins() {
    let folder = folder();
    let read = |variables: &[(&str, &str)]| read_with(folder.path(), variables).unwrap();
    // A web server sets `HTTP_PROXY` from a header of whoever asks it.
    let proxies =
        read(&[("HTTP_PROXY", "http://evil"), ("https_proxy", "http://p"), ("no_proxy", "a")]).http.proxies;
    assert_eq!((proxies.http, proxies.https), (None, Some("http://p".into())));
    assert_eq!(proxies.except.as_deref(), Some("a"));
    let proxies = read(&[("all_proxy", "http://p"), ("https_proxy", "http://q")]).http.proxies;
    assert_eq!((proxies.http, proxies.https), (Some("http://p".into()), Some("http://q".into())));
    let region = [("AWS_REGION", "one"), ("AWS_DEFAULT_REGION", "two")];
    assert_eq!(read(&region).artifacts.s3.region.as_deref(), Some("one"));
    let homes = [("HOME", "/nowhere"), ("USERPROFILE", "{folder}")];
    assert_eq!(read(&homes).credentials.username, None);
    assert_eq!(read(&[("MLFLOW_TRUNCATE_LONG_VALUES", "0")]).logging.truncate_long_values, Some(false));
}

#[test]
fn a_file_of_credentials_that_cannot_be_read_is_told() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".mlflow/credentials")).unwrap();
    let error = read_with(home.path(), HOME).expect_err("a folder is no file");
    assert!(matches!(&error, Error::File { action: "read", .. }), "{error}");
}

#[test]
fn a_signature_needs_all_of_a_key() {
    for (with, missing) in
        [(&[][..], "AWS_ACCESS_KEY_ID"), (&KEY[..1], "AWS_SECRET_ACCESS_KEY"), (KEY, "AWS_REGION")]
    {
        let variables = [&[("MLFLOW_TRACKING_AWS_SIGV4", "true")], with].concat();
        let error = read_with(Path::new(""), &variables).expect_err("half a key");
        assert_eq!(error.to_string(), format!("MLFLOW_TRACKING_AWS_SIGV4: {missing} is not set"));
    }
}
