//! `st doctor`: what is installed, what is missing, and the command that mends it.

mod store;

use std::fs;
use std::path::Path;

use mlflow_client::logging::Spool;
use serde_json::{Value, json};
use st_hub::TokenSource;
use st_model::{Places, RuntimeInfo};

use super::Outcome;
use crate::args::DoctorArgs;
use crate::folder;
use crate::hints;
use crate::report::{self, Report};
use crate::settings::Settings;

/// Folders of the cache, and what is in them.
const FOLDERS: [&str; 4] = ["runtime", "graphs", "models", "python"];

pub(crate) fn run(args: &DoctorArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let places = settings.places(args.runtime.as_deref());
    let (runtime, advice) = runtime(&places);
    let mut report = Report::from_iter([
        ("st".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
        ("runtime".to_owned(), runtime),
        ("cache".to_owned(), cache(places.cache.as_deref())),
    ]);
    let mut missing = Report::new();
    hub(&mut report, &mut missing);
    if let Some(advice) = advice {
        missing.insert("onnx_runtime".to_owned(), json!(advice));
    }
    mlflow(settings, &mut report, &mut missing);
    report.insert("spool".to_owned(), Value::Object(spool(settings)));
    let outcome = if missing.is_empty() { Outcome::Done } else { Outcome::Negative };
    if !missing.is_empty() {
        report.insert("missing".to_owned(), Value::Object(missing));
    }
    report::print(&report, settings)?;
    Ok(outcome)
}

/// Where models are looked for that are named. Nobody is asked.
fn hub(report: &mut Report, missing: &mut Report) {
    match Settings::hub() {
        Ok(hub) => {
            let token = match &hub.token {
                TokenSource::Given(_) => "that of the environment".to_owned(),
                TokenSource::File(path) if path.is_file() => format!("that in {}", path.display()),
                _ => "none".to_owned(),
            };
            let cache = hub.cache.as_ref().map(|cache| cache.display().to_string());
            let network = if hub.offline { "switched off" } else { "used for what the cache has not" };
            let trusted: Vec<String> =
                hub.authorities.iter().map(|path| path.display().to_string()).collect();
            let trusted =
                if trusted.is_empty() { "those of the system".to_owned() } else { trusted.join(", ") };
            let section = json!({"endpoint": hub.endpoint, "cache": cache, "token": token, "network": network,
                "authorities": trusted});
            report.insert("hub".to_owned(), section);
        }
        Err(error) => {
            report.insert("hub".to_owned(), json!({"state": "a setting makes no sense"}));
            missing.insert("hub".to_owned(), json!(error.to_string()));
        }
    }
}

/// The stores that the other commands would use.
fn mlflow(settings: &Settings, report: &mut Report, missing: &mut Report) {
    let found = match settings.mlflow() {
        Ok(found) => found,
        Err(error) => {
            report.insert("mlflow".to_owned(), json!({"state": "a setting makes no sense"}));
            missing.insert("mlflow".to_owned(), json!(error.to_string()));
            return;
        }
    };
    let (tracking_from, registry_from) = settings.store_origins(&found);
    let tracking = found.tracking_uri.as_ref();
    let registry = found.effective_registry_uri();
    let mut stores = vec![("mlflow", tracking, tracking_from)];
    if registry != tracking {
        stores.push(("mlflow_registry", registry, registry_from));
    }
    for (name, uri, from) in stores {
        let store = store::look(uri, from, &found);
        report.insert(name.to_owned(), Value::Object(store.section));
        if let Some(problem) = store.problem {
            missing.insert(name.to_owned(), json!(problem));
        }
    }
}

/// What runs could not send yet.
fn spool(settings: &Settings) -> Report {
    let folder = match settings.spool() {
        Ok(folder) => folder,
        Err(error) => return Report::from_iter([("folder".to_owned(), json!(error.to_string()))]),
    };
    let waiting = match Spool::new(folder).pending() {
        Err(error) => error.to_string(),
        Ok(files) if files.is_empty() => "nothing".to_owned(),
        Ok(files) => {
            let entries: u64 = files.iter().map(|file| file.waiting).sum();
            format!("{entries} entries; `st runs replay` sends them")
        }
    };
    Report::from_iter([
        ("folder".to_owned(), json!(folder.display().to_string())),
        ("waiting".to_owned(), json!(waiting)),
    ])
}

/// The library as it loads, or why it does not and what to do about it.
fn runtime(places: &Places) -> (Value, Option<String>) {
    match RuntimeInfo::open(places) {
        Ok(info) => {
            (json!({"state": "works", "file": info.path.display().to_string(), "build": info.build}), None)
        }
        Err(error) => {
            let reason = error.to_string();
            (json!({"state": "missing", "reason": reason}), hints::hint(&error.into()))
        }
    }
}

fn cache(root: Option<&Path>) -> Value {
    let Some(root) = root else {
        return json!({"folder": "none: neither XDG_CACHE_HOME nor HOME is set"});
    };
    let mut section = Report::from_iter([("folder".to_owned(), json!(root.display().to_string()))]);
    for name in FOLDERS {
        let folder = root.join(name);
        let shown = match folder::size(&folder) {
            Ok(size) => {
                #[expect(clippy::cast_precision_loss, reason = "a size for the eye")]
                let bytes = report::bytes(size.bytes as f64);
                format!("{bytes}: {}", entries(&folder))
            }
            Err(_) => "nothing".to_owned(),
        };
        section.insert(name.to_owned(), json!(shown));
    }
    Value::Object(section)
}

/// A few names, or how many there are; digests tell a reader nothing.
fn entries(folder: &Path) -> String {
    const LONGEST: usize = 32;
    let Ok(entries) = fs::read_dir(folder) else { return "not readable".to_owned() };
    let mut names: Vec<_> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    if names.len() > 8 || names.iter().any(|name| name.len() > LONGEST) {
        format!("{} entries", names.len())
    } else {
        names.join(", ")
    }
}
