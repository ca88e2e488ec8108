//! `st doctor`: what is installed, what is missing, and the command that mends it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
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
    if let Some(advice) = &advice {
        report.insert("missing".to_owned(), json!({"onnx_runtime": advice}));
    }
    report::print(&report, settings)?;
    Ok(if advice.is_some() { Outcome::Negative } else { Outcome::Done })
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
