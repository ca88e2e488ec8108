//! Advice for failures that have a known way out.

mod hub;
mod mlflow;

use mlflow_flavor::LogError;

use crate::error::Error;

/// The command that brings ONNX Runtime in a checkout.
pub(crate) const SETUP: &str = "run `cargo xtask setup` in a checkout, or set ORT_DYLIB_PATH to a libonnxruntime of \
                     1.24 or newer (the Python package `onnxruntime` has one); `st doctor` shows what was found";

/// What helps with a failure.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    let found = first(error);
    if !matches!(error.downcast_ref(), Some(Error::Certify { .. })) {
        return found;
    }
    let without = "`st log --no-certificate` logs a model that does not run here";
    Some(found.map_or_else(|| without.to_owned(), |found| format!("{found}; {without}")))
}

/// The first advice that fits something in the chain.
fn first(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let own = cause.downcast_ref().and_then(own);
        own.or_else(|| cause.downcast_ref().and_then(model))
            .or_else(|| cause.downcast_ref().and_then(export))
            .or_else(|| cause.downcast_ref().and_then(hub::hub))
            .or_else(|| cause.downcast_ref().and_then(flavor))
            .or_else(|| cause.downcast_ref().and_then(mlflow::client))
            .or_else(|| cause.downcast_ref().and_then(mlflow::log))
            // As the source of another one it is in a box, which is a type of its own.
            .or_else(|| cause.downcast_ref::<Box<LogError>>().and_then(|error| mlflow::log(error)))
    })
}

fn own(error: &Error) -> Option<String> {
    Some(match error {
        Error::OutputExists { .. } | Error::CalibrationExists { .. } => "pass `--force` to replace it".to_owned(),
        Error::NoColumn { .. } => "name the column with `--column`".to_owned(),
        Error::NotUtf8 { .. } => {
            "convert the file, for example with `iconv -f latin1 -t utf-8 FILE`".to_owned()
        }
        Error::UnknownFormat { .. } => "say it with `--input-format` or `--output-format`".to_owned(),
        Error::NoStore { .. } => {
            "name a server or a store with `--tracking-uri` or MLFLOW_TRACKING_URI; `st log` makes a \
                                  store in this folder"
                .to_owned()
        }
        Error::NotFound { advice, .. } => advice.clone(),
        Error::NoModel { advice: None, .. } => {
            "`-m` takes a folder, an MLflow URI, or the name of a model on the hub: ORG/NAME".to_owned()
        }
        Error::NoModel { advice, .. } | Error::NoModelNamed { advice, .. } => return advice.clone(),
        Error::NoExperiment { .. } => {
            "`st experiments list` shows the experiments; `st log --experiment NAME` creates one".to_owned()
        }
        Error::NotMlflow { .. } => "make one with `st save -m FOLDER -o NEW_FOLDER`".to_owned(),
        Error::TooLong { .. } => {
            "`--long-text truncate` cuts it, `--long-text chunk` reads it in windows".to_owned()
        }
        Error::NoProvenance { .. } => {
            "encode again with `st encode`, which notes it, or pass `--trust-vectors` if this model made them"
                .to_owned()
        }
        Error::OtherSpace { difference, .. } => other_space(difference),
        Error::NoTexts => {
            "name the file with the texts with `--corpus`, or encode them with `st encode --with-text`"
                .to_owned()
        }
        Error::OneText { .. } => {
            "encode more texts at once, pass `--ranges FILE.npy`, or keep ranges with the model: `st calibrate`".to_owned()
        }
        Error::Sealed { .. } => "change the sentence-transformers folder and save or log it again; \
                                 `st calibrate -o ranges.npy` writes ranges to a file"
            .to_owned(),
        Error::NotFinite { .. } => "write .npy or .parquet, which can hold it".to_owned(),
        Error::VectorsOnly { format: "an archive of arrays", .. } => "write .jsonl or .parquet".to_owned(),
        Error::VectorsOnly { .. } => "write .jsonl, .csv or .parquet".to_owned(),
        Error::NotSparse { .. } => "write .jsonl, .npz or .parquet".to_owned(),
        Error::OnlySparse { .. } => "add `--sparse` if the model is a sparse encoder; vectors go into .npy".to_owned(),
        Error::Write { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "make room, or choose another folder; nothing was left behind".to_owned()
        }
        _ => return None,
    })
}

/// What makes two sides fit.
fn other_space(difference: &st_model::SpaceDifference) -> String {
    match (difference.what, difference.left.as_str()) {
        ("mode", mode @ ("exact" | "fast")) => format!("`--mode {mode}` computes as the file was computed"),
        ("the model", _) => {
            "search with the model that made the vectors, or encode them again; `--trust-vectors` \
                             compares them anyway"
                .to_owned()
        }
        _ => "encode both in one way".to_owned(),
    }
}

fn model(error: &st_model::Error) -> Option<String> {
    use st_model::Error;
    Some(match error {
        Error::RuntimeMissing { .. } | Error::RuntimeTooOld { .. } | Error::RuntimeLoad { .. } => {
            SETUP.to_owned()
        }
        Error::NotAModel { .. } => {
            "a sentence-transformers folder holds modules.json, config.json, tokenizer.json and model.safetensors"
                .to_owned()
        }
        Error::NoTokenizer { .. } => "save the model once with a fast tokenizer: in Python, \
             `AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)`"
            .to_owned(),
        Error::CalibrationModel { .. } | Error::NoCalibration { .. } => {
            "`st calibrate` makes one; `--ranges input` takes that of the vectors themselves".to_owned()
        }
        Error::OtherKind { found: "CrossEncoder", .. } => {
            "`st rerank` scores pairs of texts with it; `st search --rerank` sorts what another model found".to_owned()
        }
        Error::OtherKind { found: "SparseEncoder", asked, .. } if *asked != "CrossEncoder" => {
            "it answers sparse vectors: `st encode --sparse` writes them, `st search` searches with them".to_owned()
        }
        Error::OtherKind { found: "MultiVectorEncoder", asked, .. } if *asked != "CrossEncoder" => {
            "it answers a vector for each token: `st encode --multi-vector` writes them, `st search` searches with them"
                .to_owned()
        }
        Error::OtherKind { found: "SentenceTransformer", asked: "SparseEncoder", .. } => {
            "it answers one dense vector a text: leave `--sparse` out".to_owned()
        }
        Error::OtherKind { found: "SentenceTransformer", asked: "MultiVectorEncoder", .. } => {
            "it answers one vector a text: leave `--multi-vector` out, or write those of its tokens with \
             `--output-value token_embeddings`"
                .to_owned()
        }
        Error::OtherKind { asked: "CrossEncoder", .. } | Error::NoClassifier { .. } => {
            "a cross-encoder has a classification head, as `cross-encoder/ms-marco-MiniLM-L6-v2` has; `st encode`, \
             `st similarity` and `st search` work with vectors"
                .to_owned()
        }
        Error::GenerativeReranker { .. } => "take a reranker with a classification head".to_owned(),
        Error::ManyLabels { .. } => {
            "`--left` and `--right` score pairs with every label".to_owned()
        }
        Error::FastGraph { .. } => "leave `--mode fast` out: the graph runs as it is".to_owned(),
        Error::UnknownPrompt { .. } => {
            "`st inspect` lists the prompts; `--prompt TEXT` takes any text".to_owned()
        }
        _ => return None,
    })
}

fn export(error: &st_export::Error) -> Option<String> {
    use st_export::Error;
    Some(match error {
        Error::Exists { .. } => "pass `--force` to replace it".to_owned(),
        Error::DiskFull { .. } => "make room, or set XDG_CACHE_HOME to a folder on another disk".to_owned(),
        _ => return None,
    })
}

fn flavor(error: &mlflow_flavor::Error) -> Option<String> {
    use mlflow_flavor::Error;
    Some(match error {
        Error::TargetNotEmpty { .. } => "choose another folder, or remove this one".to_owned(),
        Error::OtherFlavor { .. } => {
            "only models of the flavor `sentence_transformers`, and those of other kinds that `st` saved, can be run"
                .to_owned()
        }
        Error::NoDigests { .. } => {
            "log or save it with `st`, which writes them, or leave `--require-digests` out".to_owned()
        }
        Error::Digest { .. } => {
            "something changed the file after the save: save or fetch it again".to_owned()
        }
        Error::CertificateDifference { .. } | Error::CertificateDirection { .. } => {
            "something else computes now, or other files: `--no-certificate-check` works with it anyway"
                .to_owned()
        }
        _ => return None,
    })
}
