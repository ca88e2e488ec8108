//! The run that a log starts for itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use mlflow_client::logging::{LoggingOptions, SpoolOptions};
use mlflow_client::types::runs::RunStatus;
use mlflow_client::{ActiveRun, EndReport, Flushed, RunOptions, SystemMetricsOptions};
use mlflow_flavor::{LogOptions, StopSwitch};

use crate::args::LogArgs;
use crate::mlflow::Mlflow;
use crate::report;
use crate::settings::Settings;

/// How long a stop waits for the start of a run: without the server's answer nobody could end it.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// How long the end of a killed run waits for a server. What is not sent by then is in the spool.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// Starts the run that was asked for, with its params and metrics; none if a model alone is logged. A run that the
/// environment names is gone on with instead.
pub(super) async fn start(
    args: &LogArgs,
    log: &LogOptions,
    mlflow: &Mlflow,
    settings: &Settings,
) -> anyhow::Result<Option<ActiveRun>> {
    let Some(name) = &args.place.run_name else { return Ok(None) };
    let spool = SpoolOptions::new(settings.spool()?, mlflow.address());
    let logging = LoggingOptions::default().with_spool(spool);
    let options = match &log.run_id {
        Some(run_id) => {
            let text = format!("MLFLOW_RUN_ID: going on with run {run_id}; none is started as {name}");
            report::note("note", &text);
            RunOptions::resume(run_id.clone())
        }
        None => RunOptions::new(log.experiment_id.clone()).with_run_name(name).with_source_name("st"),
    };
    let said = settings.mlflow()?.logging;
    let mut options = options.with_logging(logging).with_truncation(said.truncate_long_values == Some(true));
    options.user = Settings::user();
    let run = ActiveRun::start(Arc::clone(mlflow.client.tracking()), options).await;
    let mut run = run.context("cannot start a run")?;
    if said.system_metrics {
        let options = SystemMetricsOptions::default().with_interval(said.system_metrics_interval);
        run.log_system_metrics(options).await?;
    }
    run.log_params(args.param.iter().map(|(key, value)| (key, value)))?;
    run.log_metrics(args.metric.iter().map(|(key, value)| (key, *value)), 0)?;
    // The model takes the run's params and metrics from the server.
    if run.flush().await? != Flushed::Sent {
        bail!("the server went away; run {} and what it logged are kept", run.run_id());
    }
    Ok(Some(run))
}

/// Somebody has asked to stop, and then waited some seconds for an answer of the server.
pub(super) async fn stopped_for_long(stop: &StopSwitch) {
    stop.stopped().await;
    tokio::time::sleep(START_PATIENCE).await;
}

/// Ends the run as killed as soon as somebody asks to stop, while the log still tidies up.
pub(super) fn kill_when_stopped(run: &ActiveRun, stop: &StopSwitch) {
    let (switch, stop) = (run.kill_switch(), stop.clone());
    tokio::spawn(async move {
        stop.stopped().await;
        // Whoever ends the run waits for the same; the answer is in the report of that.
        drop(tokio::task::spawn_blocking(move || switch.kill(KILL_PATIENCE)));
    });
}

/// Ends the run, and says what of it is not with the server. Answers whether all is.
pub(super) async fn end(run: ActiveRun, status: RunStatus) -> anyhow::Result<bool> {
    let ended = run.end(status).await?;
    tell(&ended);
    Ok(ended.is_complete())
}

fn tell(ended: &EndReport) {
    for rejection in &ended.rejections {
        report::note("error", &format!("run {}: refused for good: {}", ended.run_id, rejection.reason));
    }
    if ended.waiting > 0 {
        let reason = ended.trouble.as_ref().map_or_else(String::new, |error| format!(" ({error})"));
        let text = format!(
            "run {}: not sent yet: {}{reason}; `st runs replay` sends what waits",
            ended.run_id, ended.waiting
        );
        report::note("error", &text);
    }
}
