//! `st predict`: one request of MLflow's scoring protocol.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use mlflow_flavor::{Predictor, PyFunc, scoring};
use st_core::{Encoder as _, MultiVectorEncoder as _, Reranker as _, SparseEncoder as _};
use st_model::{ModelKind, ModelSpec};

use super::Outcome;
use crate::args::{ContentType, ModelArgs, PredictArgs};
use crate::error::Error;
use crate::input::extension;
use crate::model::{self, Located};
use crate::output::Stream;
use crate::report;
use crate::reranker;
use crate::settings::{self, Settings};

pub(crate) fn run(args: &PredictArgs, settings: &Settings) -> anyhow::Result<Outcome> {
    let located = model::locate_for(&args.model, settings)?;
    let Some(mlflow) = &located.mlflow else {
        return Err(Error::NotMlflow { folder: args.model.model.display().to_string() }.into());
    };
    let output = settings::file(&args.output);
    let mut stream = Stream::open(output.as_deref(), args.force)?;
    let body = read(settings::file(&args.input).as_deref())?;
    let request = match args.content_type.unwrap_or_else(|| guess(&args.input)) {
        ContentType::Json => scoring::parse_json(&body, &mlflow.mlmodel)?,
        ContentType::Csv => scoring::parse_csv(&body, &mlflow.mlmodel)?,
    };
    let (predictor, max_tokens) = predictor(&located, &args.model, settings)?;
    let model = PyFunc::of_predictor(mlflow.mlmodel.clone(), predictor);
    let answer = model.predict(&request.input, request.params.as_ref())?;
    for warning in &answer.warnings {
        report::note("warning", &warning.message);
    }
    if answer.truncated > 0 {
        let limit = max_tokens.map_or_else(|| "the limit".to_owned(), |limit| format!("{limit} tokens"));
        let text = format!("{} inputs were longer than {limit} and lost their end", answer.truncated);
        report::note("note", &text);
    }
    scoring::write_json(&answer.prediction, request.unified, &mut stream)?;
    if output.is_none() {
        // People at a terminal; the protocol does not mind.
        io::Write::write_all(&mut stream, b"\n").map_err(|source| Error::Stdout { source })?;
    }
    stream.finish()?;
    Ok(Outcome::Done)
}

/// The model of whatever kind, and the longest input that it reads in tokens.
fn predictor(
    located: &Located,
    args: &ModelArgs,
    settings: &Settings,
) -> anyhow::Result<(Predictor, Option<usize>)> {
    let options = settings.load_options(args);
    Ok(match ModelSpec::read(&located.folder)?.kind {
        ModelKind::CrossEncoder => {
            let model = reranker::load(located, args, settings)?;
            let limit = model.max_tokens();
            (Predictor::Reranker(Arc::new(model)), limit)
        }
        ModelKind::SparseEncoder => {
            let model = model::load_sparse(located, &options)?.encoder;
            let limit = model.max_tokens();
            (Predictor::SparseEncoder(Arc::new(model)), limit)
        }
        ModelKind::MultiVectorEncoder => {
            let model = model::load_multi_vector(located, &options)?.encoder;
            let limit = model.max_tokens();
            (Predictor::MultiVectorEncoder(Arc::new(model)), limit)
        }
        ModelKind::SentenceTransformer => {
            let model = model::load_located(located, args, settings)?.encoder;
            let limit = model.max_tokens();
            (Predictor::Encoder(Arc::new(model)), limit)
        }
    })
}

fn guess(path: &Path) -> ContentType {
    if extension(path) == "csv" { ContentType::Csv } else { ContentType::Json }
}

fn read(path: Option<&Path>) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    match path {
        Some(path) => {
            let read = std::fs::read(path);
            body = read.map_err(|source| Error::Read { file: path.display().to_string(), source })?;
        }
        None => {
            let read = io::stdin().lock().read_to_end(&mut body);
            read.map_err(|source| Error::Read { file: "standard input".to_owned(), source })?;
        }
    }
    Ok(body)
}
