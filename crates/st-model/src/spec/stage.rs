//! The configurations of modules that become part of a graph.

use std::path::Path;

use st_export::{Dense, DenseActivation, Feature, ModuleWeights, Stage};

use super::json::{Object, read_text};
use super::kind::ModelKind;
use crate::Error;

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
    let hidden = object.count("hidden_dim")?.unwrap_or(512);
    let kept = object.count("k")?.unwrap_or(8);
    let normalize = object.boolean("normalize")?.unwrap_or(false);
    Ok((Stage::SparseAutoEncoder { weights: weights(folder, name), hidden, normalize }, kept))
}
