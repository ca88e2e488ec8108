//! `st save`: a model folder into an MLflow model folder.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use mlflow_flavor::{
    CondaEnv, InputExample, Map, MlModel, ModelSignature, PredictInput, Requirements, SaveOptions,
    SignatureOption, Value, save_model,
};
use serde_json::json;

use super::Outcome;
use crate::args::SaveArgs;
use crate::error::Error;
use crate::folder;
use crate::model;
use crate::report::{self, Report};
use crate::settings::Settings;

pub(crate) fn run(args: &SaveArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let located = model::locate(&args.model)?;
    let options = options(args)?;
    let saved = save_model(&located.folder, &args.output, &options)
        .with_context(|| format!("cannot save {}", args.model.display()))?;
    report::print(&summary(args, &saved, started)?, settings)?;
    Ok(Outcome::Done)
}

fn options(args: &SaveArgs) -> Result<SaveOptions, Error> {
    let mut options = SaveOptions::default();
    options.task.clone_from(&args.task);
    options.input_example = args.input_example.as_deref().map(input_example).transpose()?;
    options.signature = args.signature.as_deref().map_or(Ok(SignatureOption::Infer), signature)?;
    options.metadata = (!args.metadata.is_empty()).then(|| args.metadata.iter().cloned().collect());
    options.pip_requirements = args.pip_requirements.clone().map(Requirements::File);
    options.extra_pip_requirements = (!args.extra_pip_requirements.is_empty())
        .then(|| Requirements::Lines(args.extra_pip_requirements.clone()));
    options.conda_env = args.conda_env.clone().map(CondaEnv::File);
    options.code_paths.clone_from(&args.code_path);
    options.extra_files.clone_from(&args.extra_file);
    options.inference_config = args.inference_config.as_deref().map(json_file).transpose()?;
    Ok(options)
}

/// A file, or JSON itself. `{"inputs": …, "params": …}` is an example with parameters.
fn input_example(text: &str) -> Result<InputExample, Error> {
    let path = Path::new(text);
    let value: Value =
        if path.is_file() { json_file(path)? } else { parse(text, "the value of `--input-example`")? };
    if let Value::Object(both) = &value
        && both.len() == 2
        && let (Some(inputs), Some(Value::Object(params))) = (both.get("inputs"), both.get("params"))
    {
        return Ok(InputExample { input: PredictInput::Value(inputs.clone()), params: Some(params.clone()) });
    }
    Ok(InputExample::from(PredictInput::Value(value)))
}

/// The word `none`, or a JSON file with `inputs`, `outputs` and `params` as in `MLmodel`.
fn signature(path: &Path) -> Result<SignatureOption, Error> {
    if path == Path::new("none") {
        return Ok(SignatureOption::Without);
    }
    let parts: Map<String, Value> = json_file(path)?;
    let part = |name: &str| match parts.get(name) {
        None | Some(Value::Null) => None,
        // `MLmodel` holds JSON inside text; people write it plainly.
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let (inputs, outputs, params) = (part("inputs"), part("outputs"), part("params"));
    ModelSignature::parse(inputs.as_deref(), outputs.as_deref(), params.as_deref())
        .map(SignatureOption::Given)
        .map_err(|source| Error::Signature { file: path.display().to_string(), source: Box::new(source) })
}

fn json_file<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| Error::Read { file: file.clone(), source })?;
    parse(&text, &file)
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, file: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::OptionFile { file: file.to_owned(), source })
}

fn summary(args: &SaveArgs, saved: &MlModel, started: Instant) -> Result<Report, Error> {
    let size = folder::size(&args.output)?;
    Ok(Report::from_iter([
        ("saved".to_owned(), json!(args.output.display().to_string())),
        ("task".to_owned(), json!(saved.task())),
        ("model_id".to_owned(), json!(saved.model_id.as_ref().or(saved.model_uuid.as_ref()))),
        ("files".to_owned(), json!(size.files)),
        ("bytes".to_owned(), json!(size.bytes)),
        ("seconds".to_owned(), json!(started.elapsed().as_secs_f64())),
    ]))
}
