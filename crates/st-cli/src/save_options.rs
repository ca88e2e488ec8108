//! The options of `st save` and `st log` as those of `save_model`: files are read, JSON is understood.

use std::fs;
use std::path::Path;

use mlflow_flavor::{
    CondaEnv, InputExample, Map, ModelSignature, PredictInput, Requirements, SaveOptions, SignatureOption,
    Value,
};

use crate::args::FlavorArgs;
use crate::error::Error;
use crate::input::extension;

/// Reads what the arguments name.
pub(crate) fn read(args: &FlavorArgs) -> Result<SaveOptions, Error> {
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
    let is_file = path.is_file() || extension(path) == "json";
    let value: Value =
        if is_file { json_file(path)? } else { parse(text, "the value of `--input-example`")? };
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
