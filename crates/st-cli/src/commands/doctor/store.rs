//! Which MLflow store is in force, and whether it works.

use std::path::Path;
use std::time::Duration;

use mlflow_client::rest::{RestStore, ServerReport};
use mlflow_client::settings::{Settings, StoreUri};
use mlflow_client::types::server_info::ServerInfo;
use mlflow_client::{Client, DatabaseReport, FileStore};
use serde_json::{Value, json};

use crate::hints;
use crate::mlflow::{DATABASE, EMBEDDED};
use crate::report::Report;

/// A doctor does not wait as long as a job does.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was found of one store.
pub(super) struct Found {
    pub(super) section: Report,
    /// What is wrong, and what mends it.
    pub(super) problem: Option<String>,
}

/// Looks at the store that a URI names; `from` says who named it.
pub(super) fn look(uri: Option<&StoreUri>, from: &str, settings: &Settings) -> Found {
    let shown = uri.map_or_else(|| EMBEDDED.to_owned(), ToString::to_string);
    let mut section = Report::from_iter([
        ("uri".to_owned(), json!(shown)),
        ("from".to_owned(), json!(from)),
        ("state".to_owned(), Value::Null),
    ]);
    let embedded = uri.map_or(EMBEDDED, StoreUri::expose);
    let outcome = if uri.is_none() && is_old() {
        // Opening it says so, and what mends it; nothing is made.
        Client::connect(settings).map(drop).map_err(anyhow::Error::from)
    } else if embedded.starts_with("sqlite:") {
        database(embedded, &mut section)
    } else {
        server(uri, settings, &mut section)
    };
    let problem = outcome.err().map(|error| {
        section.insert("state".to_owned(), json!("does not work"));
        section.insert("reason".to_owned(), json!(reason(&error)));
        hints::hint(&error).unwrap_or_else(|| error.to_string())
    });
    Found { section, problem }
}

/// Whether this folder has a store of files, from an older MLflow, where the embedded store would be.
fn is_old() -> bool {
    !Path::new(DATABASE).exists() && FileStore::is_one(Path::new("mlruns"))
}

fn reason(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn database(uri: &str, section: &mut Report) -> anyhow::Result<()> {
    let Some(report) = DatabaseReport::of(uri)? else {
        section.insert("state".to_owned(), json!("not there yet; `st log` makes it"));
        return Ok(());
    };
    let known = match (&report.revision, report.is_known) {
        (None, _) => "none: MLflow has not made this file".to_owned(),
        (Some(revision), true) => format!("{revision}, known"),
        (Some(revision), false) => format!("{revision}, unknown"),
    };
    let writable =
        report.unwritable.as_ref().map_or_else(|| "yes".to_owned(), |reason| format!("no: {reason}"));
    section.insert("file".to_owned(), json!(report.path.display().to_string()));
    section.insert("bytes".to_owned(), json!(report.bytes));
    section.insert("revision".to_owned(), json!(known));
    section.insert("writable".to_owned(), json!(writable));
    section.insert("journal_mode".to_owned(), json!(report.journal_mode));
    section.insert("experiments".to_owned(), json!(report.experiments));
    section.insert("runs".to_owned(), json!(report.runs));
    section.insert("logged_models".to_owned(), json!(report.logged_models));
    section.insert("registered_models".to_owned(), json!(report.registered_models));
    if !report.is_known {
        // Opening it says it in full, and changes nothing: it is refused.
        Client::connect(&Settings::for_tracking_uri(uri))?;
    }
    let works = report.is_known && report.unwritable.is_none();
    section.insert("state".to_owned(), json!(if works { "works" } else { "can only be read" }));
    match report.unwritable {
        Some(problem) => Err(anyhow::anyhow!(problem).context("cannot be written")),
        None => Ok(()),
    }
}

fn server(uri: Option<&StoreUri>, settings: &Settings, section: &mut Report) -> anyhow::Result<()> {
    let mut settings = settings.clone();
    (settings.tracking_uri, settings.registry_uri) = (uri.cloned(), None);
    settings.http.retry.max_retries = 0;
    settings.http.connect_timeout = settings.http.connect_timeout.min(PATIENCE);
    settings.http.idle_timeout = settings.http.idle_timeout.min(PATIENCE);
    // It opens nothing yet, and refuses with good words what is no server.
    Client::connect(&settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async { RestStore::connect(&settings)?.probe().await })?;
    let ServerReport { version, info, round_trip, denied, .. } = report;
    section.insert("version".to_owned(), json!(version));
    section.insert("round_trip_seconds".to_owned(), json!(round_trip.as_secs_f64()));
    section.insert("signed_in".to_owned(), json!(signed_in(&settings)));
    match denied {
        Some(error) => return Err(error.into()),
        None => section.insert("state".to_owned(), json!("works")),
    };
    if let Some(info) = info {
        section.insert("store".to_owned(), json!(info.store_type));
        section.insert("features".to_owned(), json!(features(&info)));
    }
    Ok(())
}

/// Who we say we are; no secret.
fn signed_in(settings: &Settings) -> String {
    let Settings { credentials, .. } = settings;
    match (&credentials.username, &credentials.token, &credentials.sigv4) {
        (_, _, Some(_)) => "with a signature of AWS".to_owned(),
        (Some(user), _, None) => format!("as {user}"),
        (None, Some(_), None) => "with a token".to_owned(),
        (None, None, None) => "no".to_owned(),
    }
}

fn features(info: &ServerInfo) -> Vec<&'static str> {
    let all = [
        (info.workspaces_enabled, "workspaces"),
        (info.multipart_uploads_enabled, "multipart uploads"),
        (info.multipart_downloads_enabled, "multipart downloads"),
    ];
    let mut features: Vec<&str> = all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
    if features.is_empty() {
        features.push("none beyond the usual");
    }
    features
}
