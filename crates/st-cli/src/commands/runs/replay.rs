//! `st runs replay`: what runs could not send goes to the server after all.

use std::error::Error as StdError;
use std::path::Path;

use anyhow::Context;
use mlflow_client::Error;
use mlflow_client::logging::{Pending, ReplayReport, Replayed, Spool};
use mlflow_client::types::RunId;
use serde_json::{Value, json};

use crate::args::ReplayArgs;
use crate::commands::Outcome;
use crate::mlflow::Mlflow;
use crate::report;
use crate::settings::Settings;
use crate::table::{self, Column};

pub(crate) fn run(args: &ReplayArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let folder = match &args.spool {
        Some(folder) => folder,
        None => settings.spool()?,
    };
    let spool = Spool::new(folder);
    let address = settings.mlflow()?.store_address();
    let pending = spool.pending()?;
    if args.list {
        return list(&pending, &spool, folder, settings);
    }
    let mut report = ReplayReport::default();
    let ours: Vec<&Pending> = pending.iter().filter(|file| file.address == address && !file.busy).collect();
    if let Some(first) = ours.first() {
        let mlflow = Mlflow::open(settings)?;
        reach(&mlflow, &first.run_id).with_context(|| stays(&ours, folder))?;
        report = mlflow.wait(spool.replay(&address, mlflow.client.tracking()))?;
    }
    let elsewhere: Vec<&Pending> =
        pending.iter().filter(|file| file.address != address && !file.busy).collect();
    if settings.json {
        report::print_json(&value(&report, &elsewhere, &address, folder))?;
    } else {
        print(&report, &elsewhere, &address, folder)?;
    }
    let refused = report.replayed.iter().any(|file| file.rejected > 0);
    let all = report.is_complete() && elsewhere.is_empty() && !refused;
    Ok(if all { Outcome::Done } else { Outcome::Negative })
}

/// Asks the server for a run, whatever it answers: one that is away would be waited for with every file anew.
fn reach(mlflow: &Mlflow, run_id: &RunId) -> Result<(), Error> {
    match mlflow.wait(mlflow.client.runs().get(run_id)) {
        Err(error @ Error::Unreachable { .. }) => Err(error),
        _ => Ok(()),
    }
}

fn stays(files: &[&Pending], folder: &Path) -> String {
    let entries: u64 = files.iter().map(|file| file.waiting).sum();
    format!("nothing could be sent: {entries} entries stay in {}", folder.display())
}

/// What waits, and for whom. Nothing is sent.
fn list(pending: &[Pending], spool: &Spool, folder: &Path, settings: &Settings) -> anyhow::Result<Outcome> {
    let refused = spool.rejected()?;
    if settings.json {
        let waiting: Vec<Value> = pending.iter().map(pending_value).collect();
        let refused: Vec<String> = refused.iter().map(|path| path.display().to_string()).collect();
        let spool = folder.display().to_string();
        report::print_json(&json!({"spool": spool, "waiting": waiting, "refused_files": refused}))?;
        return Ok(outcome(pending));
    }
    if pending.is_empty() {
        report::note("note", &format!("nothing waits in {}", folder.display()));
    } else {
        let columns = [
            Column::whole("run"),
            Column::whole("waiting"),
            Column::whole("process"),
            Column::elastic("store", 20),
        ];
        let rows: Vec<Vec<String>> = pending.iter().map(pending_row).collect();
        report::print_text(&table::lines(&columns, &rows))?;
    }
    for path in refused {
        report::note("note", &format!("the server refused what is in {}", path.display()));
    }
    Ok(outcome(pending))
}

fn outcome(pending: &[Pending]) -> Outcome {
    if pending.is_empty() { Outcome::Done } else { Outcome::Negative }
}

fn process(file: &Pending) -> &'static str {
    match (file.busy, file.ended) {
        (true, _) => "at work",
        (false, true) => "ended",
        (false, false) => "killed",
    }
}

fn pending_row(file: &Pending) -> Vec<String> {
    vec![file.run_id.to_string(), file.waiting.to_string(), process(file).to_owned(), file.address.clone()]
}

fn pending_value(file: &Pending) -> Value {
    json!({
        "run_id": file.run_id,
        "waiting": file.waiting,
        "process": process(file),
        "store": file.address,
        "file": file.path.display().to_string(),
    })
}

fn print(report: &ReplayReport, elsewhere: &[&Pending], address: &str, folder: &Path) -> anyhow::Result<()> {
    if report.replayed.is_empty() && report.unreadable.is_empty() {
        report::note("note", &format!("nothing waits for {address} in {}", folder.display()));
    } else if !report.replayed.is_empty() {
        let columns = ["run", "sent", "waiting", "refused", "ended"].map(Column::whole);
        let rows: Vec<Vec<String>> = report.replayed.iter().map(row).collect();
        report::print_text(&table::lines(&columns, &rows))?;
    }
    for file in &report.replayed {
        if let Some(trouble) = &file.trouble {
            report::note("stays", &format!("run {}: {}", file.run_id, with_causes(trouble)));
        }
        for rejection in &file.rejections {
            report::note("refused", &format!("run {}: {}", file.run_id, rejection.reason));
        }
    }
    for (path, error) in &report.unreadable {
        report::note("stays", &format!("{}: {}", path.display(), with_causes(error)));
    }
    for path in &report.busy {
        report::note("note", &format!("{}: its process is at work and sends it", path.display()));
    }
    for file in elsewhere {
        let Pending { run_id, waiting, address, .. } = file;
        let hint = format!("`st runs replay --tracking-uri {address}` sends it");
        report::note("stays", &format!("run {run_id}: {waiting} for another store; {hint}"));
    }
    Ok(())
}

fn row(file: &Replayed) -> Vec<String> {
    vec![
        file.run_id.to_string(),
        file.sent.to_string(),
        file.waiting.to_string(),
        file.rejected.to_string(),
        if file.ended_as_failed { "as failed" } else { "" }.to_owned(),
    ]
}

fn value(report: &ReplayReport, elsewhere: &[&Pending], address: &str, folder: &Path) -> Value {
    let replayed = report.replayed.iter().map(|file| {
        json!({
            "run_id": file.run_id,
            "sent": file.sent,
            "waiting": file.waiting,
            "refused": file.rejected,
            "refusals": file.rejections,
            "ended_as_failed": file.ended_as_failed,
            "problem": file.trouble.as_ref().map(|trouble| with_causes(trouble)),
            "file": file.path.display().to_string(),
        })
    });
    let unreadable = report
        .unreadable
        .iter()
        .map(|(path, error)| json!({"file": path.display().to_string(), "problem": with_causes(error)}));
    json!({
        "spool": folder.display().to_string(),
        "store": address,
        "replayed": replayed.collect::<Vec<_>>(),
        "unreadable": unreadable.collect::<Vec<_>>(),
        "at_work": report.busy.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "other_stores": elsewhere.iter().map(|file| pending_value(file)).collect::<Vec<_>>(),
    })
}

fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
