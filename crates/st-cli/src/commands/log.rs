//! `st log`: a model goes to MLflow, and perhaps into the registry.

mod run;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mlflow_client::settings::variables;
use mlflow_client::types::runs::RunStatus;
use mlflow_client::types::tags::{Param, Tag};
use mlflow_client::types::{ExperimentId, InvalidName, RunId};
use mlflow_flavor::{LogOptions, ModelInfo, Registration, SaveOptions, StopSwitch, log_model};
use serde_json::json;

use super::Outcome;
use crate::args::LogArgs;
use crate::error::Error;
use crate::facts::{self, Wanted};
use crate::interrupt::AskFirst;
use crate::mlflow::Mlflow;
use crate::report::{self, Report};
use crate::settings::Settings;
use crate::{model, onnx_flavor, save_options};

/// Variables that a library leaves to the program, and this command acts on.
const HEEDED: [&str; 3] = [
    variables::MLFLOW_RUN_ID,
    variables::MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING,
    variables::MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL,
];

pub(crate) fn run(args: &LogArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    for (variable, reason) in Settings::without_effect(&HEEDED) {
        report::note("warning", &format!("{variable} is set and has no effect: {reason}"));
    }
    let located = model::locate(&args.model, settings)?;
    let mut save = save_options::read(&args.flavor)?;
    let wanted = Wanted { certificate: !args.no_certificate, profile: args.profile };
    facts::add(&mut save, &located, wanted, settings)?;
    onnx_flavor::add(&mut save, &located, &args.flavor, settings)?;
    let mlflow = Mlflow::open_or_create(settings)?;
    let resumed = resumed(args, settings)?;
    let experiment_id = match &resumed {
        Some(run_id) => mlflow.wait(experiment_of(run_id, args, &mlflow, settings))?,
        None => mlflow.wait(experiment(args, &mlflow, settings))?,
    };
    let mut options = options(args, experiment_id, save);
    if resumed.is_some() {
        options.run_id = resumed;
    }
    let (info, complete) = mlflow.wait(carefully(args, &located.folder, options, &mlflow, settings))?;
    report::print(&summary(&info, &mlflow, started), settings)?;
    Ok(if complete { Outcome::Done } else { Outcome::Negative })
}

fn options(args: &LogArgs, experiment_id: ExperimentId, save: SaveOptions) -> LogOptions {
    let mut options = LogOptions::new(experiment_id).with_save(save);
    options.name.clone_from(&args.name);
    options.run_id.clone_from(&args.place.run_id);
    options.step = args.place.step;
    options.model_id.clone_from(&args.place.model_id);
    options.params = args.param.iter().map(|(key, value)| Param::new(key, value)).collect();
    options.tags = Settings::origin_tags();
    options.tags.extend(args.tag.iter().map(|(key, value)| Tag::new(key, value)));
    options.model_type.clone_from(&args.model_type);
    options.prompts.clone_from(&args.link_prompt);
    options.registration = registration(args);
    options
}

/// Logs so that a signal leaves no model that looks complete and no run that looks alive. Answers, too, whether the store
/// has everything of the run.
async fn carefully(
    args: &LogArgs,
    folder: &Path,
    mut options: LogOptions,
    mlflow: &Mlflow,
    settings: &Settings,
) -> anyhow::Result<(ModelInfo, bool)> {
    let stop = StopSwitch::new();
    let _asked = AskFirst::begin({
        let stop = stop.clone();
        move || stop.stop()
    });
    let own = tokio::select! {
        biased;
        own = run::start(args, &options, mlflow, settings) => own?,
        () = run::stopped_for_long(&stop) => bail!("stopped before the run was known to have started"),
    };
    options.stop = stop.clone();
    if let Some(own) = &own {
        options.run_id = Some(own.run_id().clone());
        run::kill_when_stopped(own, &stop);
    }
    let logged = log_model(&mlflow.client, folder, &options).await;
    let status = match &logged {
        _ if stop.is_stopped() => RunStatus::Killed,
        Ok(_) => RunStatus::Finished,
        Err(_) => RunStatus::Failed,
    };
    let complete = match own {
        Some(own) => run::end(own, status).await,
        None => Ok(true),
    };
    // What went wrong first is what the user needs to know.
    let info = logged.with_context(|| format!("cannot log {}", args.model.display()))?;
    Ok((info, complete?))
}

fn registration(args: &LogArgs) -> Option<Registration> {
    let mut registration = Registration::new(args.register.clone()?);
    registration.tags = args.tag.iter().map(|(key, value)| Tag::new(key, value)).collect();
    registration.aliases.clone_from(&args.alias);
    registration.await_for = Duration::from_secs(args.await_registration_for);
    Some(registration)
}

/// The run of `MLFLOW_RUN_ID`, unless another was typed: Python's `start_run` goes on with it, and starts none.
fn resumed(args: &LogArgs, settings: &Settings) -> anyhow::Result<Option<RunId>> {
    let run_id = settings.mlflow()?.run_id.filter(|_| args.place.run_id.is_none());
    let parsed = run_id.map(|run_id| run_id.parse()).transpose();
    Ok(parsed.map_err(|error: InvalidName| Error::Variable {
        variable: variables::MLFLOW_RUN_ID,
        problem: error.to_string(),
    })?)
}

/// The experiment of a run; another one that was typed contradicts it. What the environment says of experiments is for runs
/// that are started.
async fn experiment_of(
    run_id: &RunId,
    args: &LogArgs,
    mlflow: &Mlflow,
    settings: &Settings,
) -> anyhow::Result<ExperimentId> {
    let found = mlflow.client.runs().get(run_id).await?.info.experiment_id;
    if args.place.experiment.is_some() || args.place.experiment_id.is_some() {
        let typed = experiment(args, mlflow, settings).await?;
        if typed != found {
            let problem = format!(
                "{} names the run {run_id}, which is in experiment {found} and not in {typed}",
                variables::MLFLOW_RUN_ID
            );
            return Err(Error::Usage { problem }.into());
        }
    }
    Ok(found)
}

/// The experiment that was typed, or the one of the environment, or the first.
async fn experiment(args: &LogArgs, mlflow: &Mlflow, settings: &Settings) -> anyhow::Result<ExperimentId> {
    let experiments = mlflow.client.experiments();
    if let Some(id) = args.place.experiment_id.clone() {
        return Ok(id);
    }
    if let Some(name) = &args.place.experiment {
        return Ok(experiments.get_or_create(name).await?.experiment_id);
    }
    let environment = settings.mlflow()?;
    let (Some(name), Some(id)) = (&environment.experiment_name, &environment.experiment_id) else {
        return Ok(match (environment.experiment_name, environment.experiment_id) {
            (Some(name), _) => experiments.get_or_create(&name).await?.experiment_id,
            (None, Some(id)) => id.parse()?,
            (None, None) => "0".parse()?,
        });
    };
    // As Python: of two that disagree nobody can say which was meant.
    match experiments.by_name(name).await? {
        Some(found) if found.experiment_id.as_str() != id.as_str() => {
            let problem = format!(
                "{} is {id}, but {} names `{name}`, which is experiment {}",
                variables::MLFLOW_EXPERIMENT_ID,
                variables::MLFLOW_EXPERIMENT_NAME,
                found.experiment_id
            );
            Err(Error::Usage { problem }.into())
        }
        Some(found) => Ok(found.experiment_id),
        None => Ok(experiments.get_or_create(name).await?.experiment_id),
    }
}

fn summary(info: &ModelInfo, mlflow: &Mlflow, started: Instant) -> Report {
    let registered = info.registered.as_ref();
    Report::from_iter([
        ("logged".to_owned(), json!(info.model_uri)),
        ("name".to_owned(), json!(info.name)),
        ("run".to_owned(), json!(info.run_id)),
        ("store".to_owned(), json!(mlflow.tracking_shown())),
        ("flavors".to_owned(), json!(info.mlmodel.flavors.names())),
        ("files".to_owned(), json!(info.files)),
        ("bytes".to_owned(), json!(info.bytes)),
        (
            "registered".to_owned(),
            json!(registered.map(|version| format!("models:/{}/{}", version.name, version.version))),
        ),
        (
            "aliases".to_owned(),
            json!(registered.filter(|version| !version.aliases.is_empty()).map(|version| &version.aliases)),
        ),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
    ])
}
