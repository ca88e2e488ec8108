//! Advice for what a server, a store or the way to it refuses.

use std::error::Error as StdError;
use std::io;

use mlflow_client::{ApiError, Error};
use mlflow_flavor::LogError;

const SIGN_IN: &str = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; or write \
    mlflow_tracking_username and mlflow_tracking_password below [mlflow] in ~/.mlflow/credentials";

const HOST: &str = "the server takes requests for its own names only: start it with `mlflow server --allowed-hosts \
    NAME:PORT`, or use an address that it knows, such as 127.0.0.1";

const NO_SERVER: &str = "nothing listens at that address: `pip install mlflow && mlflow server --port 5000` starts a \
    server, and `--tracking-uri` or MLFLOW_TRACKING_URI names it; without either, `st` uses the store in this folder";

const NO_HOST: &str = "there is no host of this name, or no way to ask for it: look at `--tracking-uri` and \
    MLFLOW_TRACKING_URI";

const AUTHORITY: &str = "name the certificate of the authority that signed the server's (a PEM file) in \
    MLFLOW_TRACKING_SERVER_CERT_PATH; MLFLOW_TRACKING_INSECURE_TLS=true checks nothing, and lets anybody listen";

const IMPORT: &str =
    "`st runs import mlruns` carries everything of that folder over into mlflow.db, without Python";

/// Of a failure on the way to a logged or registered model.
pub(super) fn log(error: &LogError) -> Option<String> {
    Some(match error {
        LogError::Client(error) => return client(error),
        LogError::Save(error) => return super::flavor(error),
        LogError::NeedsRun => {
            "`--run-name NAME` starts one, and `--run-id ID` takes one that is there".to_owned()
        }
        LogError::StillPending { .. } => {
            "`--await-registration-for SECONDS` waits longer; `st models show NAME` tells how far it is"
                .to_owned()
        }
        LogError::NotPending { .. } => "leave `--model-id` out, and a new model is made".to_owned(),
        LogError::StoppedRegistering { model_uri } => {
            format!("`st models register -m {model_uri} --name NAME` makes the version")
        }
        _ => return None,
    })
}

/// Of a failure of the client.
pub(super) fn client(error: &Error) -> Option<String> {
    Some(match error {
        Error::Api(refusal) => return api(error, refusal).map(str::to_owned),
        Error::Unreachable { source, .. } => return unreachable(source.as_ref()).map(str::to_owned),
        Error::Redirect { .. } => {
            "if the server really is there now, name that address in `--tracking-uri` or MLFLOW_TRACKING_URI".to_owned()
        }
        Error::Decode { .. } => {
            "is this the address of an MLflow server? A page for people may be the login of a proxy before it; `st \
             doctor` looks"
                .to_owned()
        }
        Error::Setting { problem, .. } | Error::Uri { problem, .. } if problem.contains("migrate-filestore") => {
            IMPORT.to_owned()
        }
        Error::Uri { uri, .. } => return address(uri).map(str::to_owned),
        Error::Database { path, problem, .. } if problem.contains("revision") => format!(
            "`mlflow server --backend-store-uri sqlite:///{}` of the MLflow that made the file serves it as it is: start \
             that, and name its address in `--tracking-uri`",
            path.display()
        ),
        Error::Logging { .. } => "`st runs replay --list` shows what waits to be sent".to_owned(),
        _ => return None,
    })
}

fn api(error: &Error, refusal: &ApiError) -> Option<&'static str> {
    let said = |words: &str| refusal.message.contains(words);
    Some(match refusal.status {
        401 => SIGN_IN,
        403 if said("Invalid Host header") => HOST,
        403 => {
            "this user may not do that: whoever administers the server grants permissions, or sign in as another"
        }
        413 => {
            "a proxy before the server refuses large bodies: raise its limit (nginx calls it `client_max_body_size`)"
        }
        400 if said("HTTP request") && said("HTTPS") => {
            "the server speaks TLS: begin its address with https://"
        }
        503 if said("locked for too long") => {
            "does another program write to the file all the time? A server (`mlflow server`) lets many write at once"
        }
        _ if error.is_not_found() => missing(&refusal.message)?,
        _ if error.is_unknown_route() => {
            "the address is that of another program, or of an MLflow server that is too old; `st doctor` looks"
        }
        _ => return None,
    })
}

/// What shows the things that are there, for a thing that is not.
fn missing(message: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 6] = [
        ("Registered Model ", "`st models list` shows the registered models"),
        ("Registered model alias ", "`st models show NAME` shows the aliases"),
        ("Model Version ", "`st models show NAME` shows the versions"),
        ("Run with id=", "`st runs list` shows the runs"),
        ("No Experiment ", "`st experiments list` shows the experiments"),
        ("Logged model ", "`st runs show RUN_ID` shows the models that a run made"),
    ];
    KINDS.iter().find(|(begin, _)| message.starts_with(begin)).map(|(_, advice)| *advice)
}

fn unreachable(source: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut cause = Some(source);
    while let Some(error) = cause {
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        {
            return Some(NO_SERVER);
        }
        if let Some(advice) = words(&error.to_string()) {
            return Some(advice);
        }
        cause = error.source();
    }
    None
}

/// The libraries below have no types for these.
fn words(text: &str) -> Option<&'static str> {
    Some(if text.contains("InvalidContentType") {
        "the server speaks no TLS: begin its address with http://"
    } else if text.contains("not valid for") || text.contains("NotValidForName") {
        "the server's certificate is for another name: use the name in it"
    } else if text.contains("certificate") && text.contains("expired") {
        "the server's certificate is out of date: whoever runs the server renews it"
    } else if text.contains("CaUsedAsEndEntity") {
        "the server shows an authority's certificate as its own, as plain `openssl req -x509` makes it; made with \
         `-addext basicConstraints=critical,CA:FALSE`, it can be named in MLFLOW_TRACKING_SERVER_CERT_PATH"
    } else if text.contains("UnknownIssuer") || text.contains("BadSignature") {
        AUTHORITY
    } else if text.starts_with("dns error") || text.contains("failed to lookup address") {
        NO_HOST
    } else if text.starts_with("not a byte in") {
        "MLFLOW_HTTP_REQUEST_TIMEOUT gives a slow server more seconds"
    } else {
        return None;
    })
}

fn address(uri: &str) -> Option<&'static str> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    Some(match scheme {
        "s3" | "gs" | "wasbs" | "abfss" => {
            "a server that hands artifacts on reaches them for you: `mlflow server --artifacts-destination URI`, and a \
             new experiment there"
        }
        "postgresql" | "mysql" | "mssql" => {
            "`mlflow server --backend-store-uri URI` speaks to the database; `--tracking-uri http://127.0.0.1:5000` to it"
        }
        "uc" | "databricks-uc" => "`--registry-uri databricks` uses the registry of the workspace",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mlflow_client::types::ErrorCode;

    use super::*;

    #[track_caller]
    fn check(error: Error, expected: Option<&str>) {
        let error = anyhow::Error::new(LogError::Client(error)).context("cannot log");
        assert_eq!(super::super::hint(&error).as_deref(), expected);
    }

    fn api(status: u16, message: &str) -> Error {
        let code = match status {
            404 => ErrorCode::ResourceDoesNotExist,
            _ => ErrorCode::InvalidParameterValue,
        };
        Error::api("runs/create", status, code, message)
    }

    fn unreachable(source: impl Into<mlflow_client::BoxError>) -> Error {
        Error::Unreachable {
            route: "runs/create".into(),
            attempts: 1,
            elapsed: Duration::ZERO,
            after_sending: false,
            source: source.into(),
        }
    }

    #[test]
    fn refusals_name_the_variable_or_the_command() {
        check(api(401, "who are you"), Some(SIGN_IN));
        check(api(403, "Invalid Host header - possible DNS rebinding attack detected"), Some(HOST));
        check(
            api(403, "Permission denied"),
            Some(
                "this user may not do that: whoever administers the server grants permissions, or sign in as another",
            ),
        );
        check(
            api(400, "Client sent an HTTP request to an HTTPS server."),
            Some("the server speaks TLS: begin its address with https://"),
        );
        check(
            api(413, "Request Entity Too Large"),
            Some(
                "a proxy before the server refuses large bodies: raise its limit (nginx calls it `client_max_body_size`)",
            ),
        );
        check(api(400, "step is no number"), None);
    }

    #[test]
    fn what_is_not_there_can_be_listed() {
        check(
            api(404, "Registered Model with name=x not found"),
            Some("`st models list` shows the registered models"),
        );
        check(
            api(400, "Registered model alias x not found."),
            Some("`st models show NAME` shows the aliases"),
        );
        check(
            api(404, "Model Version (name=x, version=9) not found"),
            Some("`st models show NAME` shows the versions"),
        );
        check(api(404, "Run with id=x not found"), Some("`st runs list` shows the runs"));
        check(
            api(404, "No Experiment with id=9 exists"),
            Some("`st experiments list` shows the experiments"),
        );
        check(
            api(404, "Logged model with ID 'm-1' not found."),
            Some("`st runs show RUN_ID` shows the models that a run made"),
        );
    }

    #[test]
    fn a_way_that_is_closed_is_explained() {
        check(unreachable(io::Error::from(io::ErrorKind::ConnectionRefused)), Some(NO_SERVER));
        check(unreachable("dns error"), Some(NO_HOST));
        check(unreachable("invalid peer certificate: UnknownIssuer"), Some(AUTHORITY));
        check(
            unreachable("invalid peer certificate: certificate not valid for name \"a\""),
            Some("the server's certificate is for another name: use the name in it"),
        );
        check(
            unreachable("received corrupt message of type InvalidContentType"),
            Some("the server speaks no TLS: begin its address with http://"),
        );
        check(
            unreachable("invalid peer certificate: certificate expired: verification time 2 (UNIX)"),
            Some("the server's certificate is out of date: whoever runs the server renews it"),
        );
        check(
            unreachable("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))"),
            Some(
                "the server shows an authority's certificate as its own, as plain `openssl req -x509` makes it; made with \
                 `-addext basicConstraints=critical,CA:FALSE`, it can be named in MLFLOW_TRACKING_SERVER_CERT_PATH",
            ),
        );
        check(
            unreachable("not a byte in 120 s"),
            Some("MLFLOW_HTTP_REQUEST_TIMEOUT gives a slow server more seconds"),
        );
        check(unreachable("connection reset"), None);
    }

    #[test]
    fn an_answer_of_somebody_else_is_explained() {
        check(
            Error::Redirect {
                route: "runs/create".into(),
                location: "https://elsewhere".into(),
                problem: "which is another origin".into(),
            },
            Some(
                "if the server really is there now, name that address in `--tracking-uri` or MLFLOW_TRACKING_URI",
            ),
        );
        check(
            Error::Decode { route: "runs/create".into(), source: "a page".into() },
            Some(
                "is this the address of an MLflow server? A page for people may be the login of a proxy before it; `st \
                 doctor` looks",
            ),
        );
        check(
            Error::api("runs/create", 404, ErrorCode::EndpointNotFound, "Not Found"),
            Some(
                "the address is that of another program, or of an MLflow server that is too old; `st doctor` looks",
            ),
        );
        check(
            api(503, "another process has kept /srv/mlflow.db locked for too long"),
            Some(
                "does another program write to the file all the time? A server (`mlflow server`) lets many write at once",
            ),
        );
        check(
            Error::Logging { run: "r".into(), problem: "1 entry was not sent".into(), source: None },
            Some("`st runs replay --list` shows what waits to be sent"),
        );
    }

    #[track_caller]
    fn check_log(error: LogError, expected: &str) {
        assert_eq!(log(&error).as_deref(), Some(expected));
    }

    #[test]
    fn a_log_that_cannot_go_on_names_the_option() {
        let model_id: mlflow_client::types::ModelId = "m-0123456789abcdef0123456789abcdef".parse().unwrap();
        check_log(LogError::NotPending { model_id }, "leave `--model-id` out, and a new model is made");
        check_log(
            LogError::NeedsRun,
            "`--run-name NAME` starts one, and `--run-id ID` takes one that is there",
        );
        let waited = Duration::from_secs(1);
        let (name, version) = ("x".parse().unwrap(), "1".parse().unwrap());
        check_log(
            LogError::StillPending { name, version, waited },
            "`--await-registration-for SECONDS` waits longer; `st models show NAME` tells how far it is",
        );
        let model_uri = "models:/m-1".to_owned();
        check_log(
            LogError::StoppedRegistering { model_uri },
            "`st models register -m models:/m-1 --name NAME` makes the version",
        );
    }

    #[test]
    fn a_failure_inside_of_an_upload_keeps_its_advice() {
        let source = Box::new(LogError::Client(api(401, "who are you")));
        let model_id = "m-0123456789abcdef0123456789abcdef".parse().unwrap();
        let error = anyhow::Error::new(LogError::Upload { model_id, declared: false, source });
        assert_eq!(super::super::hint(&error).as_deref(), Some(SIGN_IN));
    }

    #[test]
    fn a_store_that_is_not_served_has_a_way_round() {
        let uri = |uri: &str| Error::Uri { uri: uri.to_owned(), problem: "is not served".to_owned() };
        check(
            uri("s3://bucket/1"),
            Some(
                "a server that hands artifacts on reaches them for you: `mlflow server --artifacts-destination URI`, and \
                 a new experiment there",
            ),
        );
        check(
            uri("postgresql://host/db"),
            Some(
                "`mlflow server --backend-store-uri URI` speaks to the database; `--tracking-uri http://127.0.0.1:5000` \
                 to it",
            ),
        );
        check(uri("uc:/x"), Some("`--registry-uri databricks` uses the registry of the workspace"));
        check(uri("ftp://host"), None);
    }

    #[test]
    fn a_database_of_another_revision_is_served_by_its_own_mlflow() {
        let problem = "its schema is at revision `x`, but this build writes only …".to_owned();
        check(
            Error::Database { path: "/srv/mlflow.db".into(), problem, source: None },
            Some(
                "`mlflow server --backend-store-uri sqlite:////srv/mlflow.db` of the MLflow that made the file serves it \
                 as it is: start that, and name its address in `--tracking-uri`",
            ),
        );
    }
}
