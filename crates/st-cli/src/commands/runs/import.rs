//! `st runs import`: a folder of MLflow's old store of files goes into a database.

use anyhow::Context;
use mlflow_client::settings::StoreUri;
use mlflow_client::{EmbeddedStore, FileStore};
use serde_json::json;

use crate::args::ImportArgs;
use crate::commands::Outcome;
use crate::error::Error;
use crate::mlflow::{self, EMBEDDED};
use crate::report::{self, Report};
use crate::settings::Settings;

/// Below what new experiments keep their artifacts, as with every other command.
const ARTIFACT_ROOT: &str = "mlruns";

pub(crate) fn run(args: &ImportArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let files = FileStore::open(&args.folder)?;
    let uri = settings.mlflow()?.tracking_uri.unwrap_or_else(|| StoreUri::new(EMBEDDED));
    if !uri.expose().starts_with("sqlite:") {
        let problem = format!("an import writes into a database file, and {uri} is none");
        return Err(Error::Usage { problem }.into());
    }
    let runtime = mlflow::runtime()?;
    let failed = || format!("cannot import {} into {uri}", args.folder.display());
    let store = EmbeddedStore::open(uri.expose(), ARTIFACT_ROOT).with_context(failed)?;
    let imported = runtime.block_on(files.import_into(&store)).with_context(failed)?;
    let report = Report::from_iter([
        ("imported".to_owned(), json!(args.folder.display().to_string())),
        ("store".to_owned(), json!(uri.to_string())),
        ("experiments".to_owned(), json!(imported.experiments)),
        ("runs".to_owned(), json!(imported.runs)),
        ("logged_models".to_owned(), json!(imported.logged_models)),
        ("registered_models".to_owned(), json!(imported.registered_models)),
        ("model_versions".to_owned(), json!(imported.model_versions)),
    ]);
    report::print(&report, settings)?;
    if imported.orphaned_metrics > 0 {
        let text =
            format!("{} values of models were left out: their runs are gone", imported.orphaned_metrics);
        report::note("note", &text);
    }
    Ok(Outcome::Done)
}
