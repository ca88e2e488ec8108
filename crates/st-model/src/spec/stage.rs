//! The configurations of modules that become part of a graph.

use std::path::Path;

use st_export::{Cnn, Dense, DenseActivation, Feature, Lstm, ModuleWeights, Numbers, Stage};

use super::json::{Object, read_text};
use super::kind::ModelKind;
use crate::Error;
use crate::bag::WeightConfig;

/// The activation that a Dense has where its configuration names none.
const DEFAULT_ACTIVATION: DenseActivation = DenseActivation::Tanh;

fn weights(folder: &Path, name: &str) -> ModuleWeights {
    ModuleWeights { folder: folder.to_owned(), name: name.to_owned() }
}

fn required(object: &Object<'_>, keys: &[&str]) -> Result<usize, Error> {
    for key in keys {
        if let Some(count) = object.count(key)?.filter(|count| *count > 0) {
            return Ok(count);
        }
    }
    Err(object
        .error(format!("`{}` must be a whole number above zero", keys.first().copied().unwrap_or_default())))
}

/// What a module reads and changes, unless its configuration says otherwise.
fn feature(object: &Object<'_>) -> Result<Feature, Error> {
    let input = object.string("module_input_name")?.unwrap_or("sentence_embedding");
    let output = object.string("module_output_name")?.unwrap_or(input);
    match (input, output) {
        ("sentence_embedding", "sentence_embedding") => Ok(Feature::Sentence),
        ("token_embeddings", "token_embeddings") => Ok(Feature::Tokens),
        _ => Err(object.error(format!(
            "a module from `{input}` to `{output}` is not supported; supported are token_embeddings and \
             sentence_embedding, changed in place"
        ))),
    }
}

/// `Dense`; `name` is what its weights are called in the graph.
pub(super) fn dense(folder: &Path, name: &str, kind: ModelKind) -> Result<Stage, Error> {
    let path = folder.join("config.json");
    let object = Object::parse(&path, &read_text(&path)?)?;
    let [from, to] = [required(&object, &["in_features"])?, required(&object, &["out_features"])?];
    let mut dense = Dense::new(weights(folder, name), from, to);
    // A Dense of late interaction that does not say so is older than the key: it changes tokens.
    let silent = object.get("module_input_name").is_none() && object.get("module_output_name").is_none();
    dense.feature = match kind {
        ModelKind::MultiVectorEncoder if silent => Feature::Tokens,
        _ => feature(&object)?,
    };
    dense.bias = object.boolean("bias")?.unwrap_or(true);
    dense.residual = object.boolean("use_residual")?.unwrap_or(false);
    dense.activation = activation(&object)?;
    Ok(Stage::Dense(dense))
}

/// By the last part of the class, as with modules.
fn activation(object: &Object<'_>) -> Result<DenseActivation, Error> {
    let Some(class) = object.string("activation_function")? else { return Ok(DEFAULT_ACTIVATION) };
    // The reference does not run code of others and falls back to its default with a warning; we refuse.
    let known = match class.rsplit('.').next().unwrap_or_default() {
        "Identity" => Some(DenseActivation::Identity),
        "Tanh" => Some(DenseActivation::Tanh),
        "ReLU" => Some(DenseActivation::Relu),
        "GELU" => Some(DenseActivation::Gelu),
        "Sigmoid" => Some(DenseActivation::Sigmoid),
        "SiLU" => Some(DenseActivation::Silu),
        _ => None,
    };
    known.filter(|_| class.starts_with("torch.")).ok_or_else(|| {
        object.error(format!(
            "`activation_function` is {class}; supported are Identity, Tanh, ReLU, GELU, Sigmoid and SiLU of torch"
        ))
    })
}

/// `Normalize`, whose folder is often not there: an empty one is lost in Git.
pub(super) fn normalize(folder: &Path) -> Result<Stage, Error> {
    let path = folder.join("config.json");
    if !path.is_file() {
        return Ok(Stage::Normalize(Feature::Sentence));
    }
    let object = Object::parse(&path, &read_text(&path)?)?;
    Ok(Stage::Normalize(feature(&object)?))
}

/// `LayerNorm`.
pub(super) fn layer_norm(folder: &Path, name: &str) -> Stage {
    Stage::LayerNorm { weights: weights(folder, name) }
}

/// `WeightedLayerPooling`.
pub(super) fn layer_weights(folder: &Path, name: &str) -> Result<Stage, Error> {
    let path = folder.join("config.json");
    let object = Object::parse(&path, &read_text(&path)?)?;
    let first = object.count("layer_start")?.unwrap_or(4);
    Ok(Stage::LayerWeights { weights: weights(folder, name), first })
}

/// `WordWeights`. The reference computes its numbers from the words, and does not read what is stored beside them.
pub(super) fn word_weights(folder: &Path, name: &str) -> Result<Stage, Error> {
    let numbers = WeightConfig::read(&folder.join("config.json"))?.weights();
    Ok(Stage::WordWeights { name: name.to_owned(), numbers: Numbers::new(&numbers) })
}

/// `CNN`.
pub(super) fn cnn(folder: &Path, name: &str) -> Result<Stage, Error> {
    let path = folder.join("cnn_config.json");
    let object = Object::parse(&path, &read_text(&path)?)?;
    let from = required(&object, &["in_embedding_dimension", "in_word_embedding_dimension"])?;
    let filters = within(&object, "out_channels", object.count("out_channels")?.unwrap_or(256), WIDEST)?;
    let windows = counts(&object, "kernel_sizes")?.unwrap_or_else(|| vec![1, 3, 5]);
    within(&object, "kernel_sizes", windows.len(), MOST_LAYERS)?;
    // Otherwise there would be fewer windows than tokens, which pooling could not tell apart.
    if windows.is_empty() || windows.iter().any(|window| window.is_multiple_of(2)) {
        return Err(object.error(format!("`kernel_sizes` is {windows:?}; supported are odd numbers")));
    }
    match counts(&object, "stride_sizes")? {
        Some(steps) if steps.iter().any(|step| *step != 1) || steps.len() != windows.len() => {
            Err(object
                .error(format!("`stride_sizes` is {steps:?}; supported is 1 for each of `kernel_sizes`")))
        }
        _ => Ok(Stage::Cnn(Cnn { weights: weights(folder, name), from, filters, windows })),
    }
}

/// `LSTM`.
pub(super) fn lstm(folder: &Path, name: &str) -> Result<Stage, Error> {
    let path = folder.join("lstm_config.json");
    let object = Object::parse(&path, &read_text(&path)?)?;
    Ok(Stage::Lstm(Lstm {
        weights: weights(folder, name),
        from: required(&object, &["embedding_dimension", "word_embedding_dimension"])?,
        hidden: within(&object, "hidden_dim", required(&object, &["hidden_dim"])?, WIDEST)?,
        layers: within(&object, "num_layers", object.count("num_layers")?.unwrap_or(1), MOST_LAYERS)?,
        // To the reference null is false.
        bidirectional: object.boolean("bidirectional")?.unwrap_or(!object.is_null("bidirectional")),
    }))
}

/// A graph is built before its weights are looked at, so nothing may be endless.
const WIDEST: usize = 1 << 20;
/// The same for what is there several times.
const MOST_LAYERS: usize = 256;

fn within(object: &Object<'_>, key: &str, count: usize, most: usize) -> Result<usize, Error> {
    if (1..=most).contains(&count) {
        return Ok(count);
    }
    Err(object.error(format!("`{key}` asks for {count}, but it must be between 1 and {most}")))
}

/// A list of counts.
fn counts(object: &Object<'_>, key: &str) -> Result<Option<Vec<usize>>, Error> {
    let Some(value) = object.get(key) else { return Ok(None) };
    serde_json::from_value(value.clone())
        .map(Some)
        .map_err(|error| object.error(format!("`{key}` must be a list of counts: {error}")))
}

/// `SpladePooling`.
pub(super) fn splade(folder: &Path) -> Result<Stage, Error> {
    let path = folder.join("config.json");
    if !path.is_file() {
        return Ok(Stage::Splade { sum: false, twice: false });
    }
    let object = Object::parse(&path, &read_text(&path)?)?;
    let sum = match object.string("pooling_strategy")? {
        None | Some("max") => false,
        Some("sum") => true,
        Some(other) => {
            return Err(object.error(format!("`pooling_strategy` is {other}; supported are max and sum")));
        }
    };
    let twice = match object.string("activation_function")? {
        None | Some("relu") => false,
        Some("log1p_relu") => true,
        Some(other) => {
            let problem = format!("`activation_function` is {other}; supported are relu and log1p_relu");
            return Err(object.error(problem));
        }
    };
    Ok(Stage::Splade { sum, twice })
}

/// `SparseAutoEncoder`, and how many of its activations are kept.
pub(super) fn sparse_auto_encoder(folder: &Path, name: &str) -> Result<(Stage, usize), Error> {
    let path = folder.join("config.json");
    let object = Object::parse(&path, &read_text(&path)?)?;
    let hidden = within(&object, "hidden_dim", object.count("hidden_dim")?.unwrap_or(512), WIDEST)?;
    let kept = within(&object, "k", object.count("k")?.unwrap_or(8), WIDEST)?;
    let normalize = object.boolean("normalize")?.unwrap_or(false);
    Ok((Stage::SparseAutoEncoder { weights: weights(folder, name), hidden, normalize }, kept))
}
