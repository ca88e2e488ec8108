//! The transformer's own configuration: which architecture, how long a text, how its tokenizer was meant.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::json::{Object, read_text};
use crate::Error;

/// Names under which releases since 0.3 stored the module's configuration, in the order of the reference.
pub(crate) const MODULE_CONFIGS: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// The first module: text to token embeddings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformerSpec {
    /// Where its files are.
    pub folder: PathBuf,
    /// `model_type` of `config.json`, such as `bert`.
    pub model_type: String,
    /// First entry of `architectures`, such as `BertModel`.
    pub architecture: Option<String>,
    /// Width of a token embedding.
    pub hidden_size: usize,
    /// Size of the vocabulary, where `config.json` says it.
    pub vocab_size: Option<usize>,
    /// Whether the module is to answer numbers for the vocabulary instead of token embeddings.
    pub fills_masks: bool,
    /// Whether the embeddings after each layer are handed on (`output_hidden_states`).
    pub gives_layers: bool,
    /// Longest text in tokens, special tokens included.
    pub max_tokens: Option<usize>,
    /// Whether a lower-casing step goes before the tokenizer's own.
    pub lowercase: bool,
    /// What `tokenizer_config.json` says beside `tokenizer.json`.
    pub tokenizer: TokenizerSpec,
}

/// What `tokenizer_config.json` says of the tokenizer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenizerSpec {
    /// `tokenizer_class` without the suffix `Fast`.
    pub class: Option<String>,
    /// `model_max_length`, unless it stands for "no limit".
    pub max_tokens: Option<usize>,
    /// `do_lower_case`.
    pub lowercase: Option<bool>,
}

/// The parts of `sentence_bert_config.json` that inference needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransformerConfig {
    /// `max_seq_length`; since release 6 the tokenizer's configuration holds it.
    pub max_tokens: Option<usize>,
    /// `do_lower_case`.
    pub lowercase: bool,
    /// Whether `transformer_task` is `fill-mask`.
    pub fills_masks: bool,
}

impl TransformerConfig {
    /// Parses the text of a `sentence_bert_config.json`; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// Text that is no such configuration; a task that generates text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let object = Object::parse(path, text)?;
        let fills_masks = match object.string("transformer_task")? {
            None | Some("feature-extraction" | "sequence-classification" | "retrieval") => false,
            Some("fill-mask") => true,
            Some(task) => {
                return Err(object.error(format!(
                    "`transformer_task` is {task}, which is not supported; supported are feature-extraction, \
                     sequence-classification, fill-mask and retrieval"
                )));
            }
        };
        check_modalities(&object)?;
        Ok(Self {
            fills_masks,
            max_tokens: match keywords(&object)? {
                Some(limit) => Some(limit),
                None => object.count("max_seq_length")?,
            },
            lowercase: object.boolean("do_lower_case")?.unwrap_or(false),
        })
    }

    fn read(folder: &Path) -> Result<Self, Error> {
        let found = MODULE_CONFIGS.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        found.map_or(Ok(Self::default()), |path| Self::parse(&path, &read_text(&path)?))
    }
}

/// How the reference calls the transformer for a text, which may be in another way than we do.
fn check_modalities(object: &Object<'_>) -> Result<(), Error> {
    let Some(ways) = object.object("modality_config")? else { return Ok(()) };
    if ways.contains_key("message") {
        return Err(object.error("`modality_config` has `message`: Python puts every text into a chat template, none is rendered here"));
    }
    let Some(way) = ways.get("text") else {
        return Err(object.error("`modality_config` has no `text`, so the model reads none"));
    };
    let part = |key: &str| way.get(key).and_then(Value::as_str).unwrap_or_default();
    let (method, output) = (part("method"), part("method_output_name"));
    let module_output = object.string("module_output_name")?.unwrap_or_default();
    let known = matches!(
        (output, module_output),
        ("last_hidden_state" | "embeddings", "token_embeddings") | ("logits", "token_embeddings" | "scores")
    );
    if method == "forward" && known {
        return Ok(());
    }
    Err(object.error(format!(
        "`modality_config` takes `{output}` of `{method}` for `{module_output}`, which is not supported; supported are \
         `last_hidden_state` of `forward` for `token_embeddings`, and `logits` for `token_embeddings` or `scores`"
    )))
}

/// Sections with keywords that Python hands to the classes of transformers.
const KEYWORDS: [&str; 7] = [
    "model_args",
    "model_kwargs",
    "tokenizer_args",
    "processor_kwargs",
    "config_args",
    "config_kwargs",
    "processing_kwargs",
];

/// Keywords that say how Python loads or computes, and not what.
const HARMLESS: [&str; 15] = [
    "add_pooling_layer",
    "attn_implementation",
    "cache_dir",
    "code_revision",
    "device_map",
    "dtype",
    "local_files_only",
    "low_cpu_mem_usage",
    "padding_side",
    "revision",
    "token",
    "torch_dtype",
    "trust_remote_code",
    "use_fast",
    "use_safetensors",
];

/// The limit that the keywords set, which wins over all others. A keyword that could change vectors and is not known is
/// an error.
fn keywords(object: &Object<'_>) -> Result<Option<usize>, Error> {
    let mut limit = None;
    for section in KEYWORDS {
        for (key, value) in object.object(section)?.into_iter().flatten() {
            let of_tokenizer = matches!(section, "tokenizer_args" | "processor_kwargs");
            match value.as_u64().and_then(|limit| usize::try_from(limit).ok()) {
                Some(tokens) if of_tokenizer && key == "model_max_length" => limit = Some(tokens),
                _ if value.is_null() || HARMLESS.contains(&key.as_str()) => {}
                _ => return Err(object.error(format!("`{key}` in `{section}` is not supported"))),
            }
        }
    }
    Ok(limit)
}

impl TokenizerSpec {
    /// Parses the text of a `tokenizer_config.json`; `path` is only named in errors.
    ///
    /// # Errors
    ///
    /// Text that is no such configuration.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let object = Object::parse(path, text)?;
        let class = object.string("tokenizer_class")?;
        Ok(Self {
            class: class.map(|name| name.strip_suffix("Fast").unwrap_or(name).to_owned()),
            // The second name is that of before transformers 3.
            max_tokens: match object.count("model_max_length")? {
                None if object.get("model_max_length").is_none() => object.count("max_len")?,
                found => found,
            },
            lowercase: object.boolean("do_lower_case")?,
        })
    }

    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("tokenizer_config.json");
        if path.is_file() { Self::parse(&path, &read_text(&path)?) } else { Ok(Self::default()) }
    }
}

impl TransformerSpec {
    /// Reads the configuration files of one transformer folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("config.json");
        let config = Object::parse(&path, &read_text(&path)?)?;
        let Some(model_type) = config.string("model_type")? else {
            return Err(config.error("`model_type` is missing, so the architecture is unknown"));
        };
        let hidden_size = first_count(&config, &HIDDEN_SIZES)?;
        let Some(hidden_size) = hidden_size else {
            return Err(config.error("`hidden_size` is missing"));
        };
        let module = TransformerConfig::read(folder)?;
        let tokenizer = TokenizerSpec::read(folder)?;
        if DECODERS.contains(&model_type)
            && config.object("auto_map")?.is_some_and(|map| map.contains_key("AutoModel"))
        {
            tracing::warn!(
                folder = %folder.display(),
                "it has code of its own, which is not run: vectors are those of Python without `trust_remote_code`"
            );
        }
        let positions = positions(&config, model_type)?;
        Ok(Self {
            folder: folder.to_owned(),
            model_type: model_type.to_owned(),
            architecture: architecture(&config),
            hidden_size,
            vocab_size: config.count("vocab_size")?,
            fills_masks: module.fills_masks,
            gives_layers: config.boolean("output_hidden_states")?.unwrap_or(false),
            max_tokens: if has_table(&config, model_type)? {
                max_tokens(module.max_tokens, tokenizer.max_tokens, positions)
            } else {
                // Without a table nothing fails beyond the limit, so a wish for more is granted.
                module.max_tokens.or(max_tokens(None, tokenizer.max_tokens, positions))
            },
            lowercase: module.lowercase,
            tokenizer,
        })
    }
}

/// What families call the width of a token.
const HIDDEN_SIZES: [&str; 4] = ["hidden_size", "dim", "d_model", "n_embd"];

/// Families whose models mostly run as they are; where one brings code along, it is to attend differently.
const DECODERS: [&str; 5] = ["qwen2", "qwen3", "llama", "mistral", "gemma3_text"];

/// Families whose positions start behind the id of padding.
const AFTER_PADDING: [&str; 4] = ["roberta", "xlm-roberta", "camembert", "mpnet"];

fn first_count(config: &Object<'_>, keys: &[&str]) -> Result<Option<usize>, Error> {
    for key in keys {
        if let Some(count) = config.count(key)? {
            return Ok(Some(count));
        }
    }
    Ok(None)
}

/// Whether there is a table of positions, behind whose end there is nothing.
fn has_table(config: &Object<'_>, model_type: &str) -> Result<bool, Error> {
    Ok(match model_type {
        "deberta-v2" => config.boolean("position_biased_input")?.unwrap_or(true),
        "bert" => config.string("position_embedding_type")?.is_none_or(|kind| kind == "absolute"),
        "distilbert" | "albert" | "electra" => true,
        other => AFTER_PADDING.contains(&other),
    })
}

/// The longest text that the table of positions has room for. RoBERTa says 514 and means 512: the first position
/// behind padding id 1 is 2.
fn positions(config: &Object<'_>, model_type: &str) -> Result<Option<usize>, Error> {
    let Some(rows) = first_count(config, &["max_position_embeddings", "n_positions"])? else {
        return Ok(None);
    };
    // A number that no table has: T5's, which the reference does not ask for.
    if matches!(model_type, "t5" | "mt5") {
        return Ok(None);
    }
    if !AFTER_PADDING.contains(&model_type) {
        return Ok(Some(rows));
    }
    let padding = if model_type == "mpnet" { 1 } else { config.count("pad_token_id")?.unwrap_or(1) };
    Ok(Some(rows.saturating_sub(padding + 1)))
}

fn architecture(config: &Object<'_>) -> Option<String> {
    config.get("architectures")?.get(0)?.as_str().map(str::to_owned)
}

/// The module's own limit wins over the tokenizer's. Neither may exceed the table of positions: the reference
/// would fail there on the first longer text, we cut and count.
fn max_tokens(module: Option<usize>, tokenizer: Option<usize>, positions: Option<usize>) -> Option<usize> {
    match (module.or(tokenizer), positions) {
        (Some(limit), Some(positions)) => Some(limit.min(positions)),
        (limit, positions) => limit.or(positions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_comes_from_three_places() {
        assert_eq!(max_tokens(Some(256), Some(512), Some(512)), Some(256));
        assert_eq!(max_tokens(None, Some(128), Some(512)), Some(128));
        assert_eq!(max_tokens(None, None, Some(512)), Some(512));
        assert_eq!(max_tokens(Some(1024), None, Some(512)), Some(512));
        assert_eq!(max_tokens(None, None, None), None);
    }

    #[test]
    fn an_endless_tokenizer_has_no_limit() {
        let text =
            r#"{"model_max_length":1000000000000000019884624838656,"tokenizer_class":"BertTokenizerFast"}"#;
        let spec = TokenizerSpec::parse(Path::new("t.json"), text).unwrap();
        assert_eq!((spec.max_tokens, spec.class.as_deref()), (None, Some("BertTokenizer")));
        let old = TokenizerSpec::parse(Path::new("t.json"), r#"{"max_len":128}"#).unwrap();
        assert_eq!(old.max_tokens, Some(128));
    }

    #[test]
    fn keywords_are_honoured_or_refused() {
        let parse = |text: &str| TransformerConfig::parse(Path::new("s.json"), text);
        let text = r#"{"max_seq_length":512,"model_args":{"attn_implementation":"eager"},"tokenizer_args":{"model_max_length":128}}"#;
        assert_eq!(parse(text).unwrap().max_tokens, Some(128));
        let error = parse(r#"{"max_seq_length":512,"config_args":{"is_causal":false}}"#).unwrap_err();
        assert_eq!(error.to_string(), "s.json: `is_causal` in `config_args` is not supported");
    }

    #[test]
    fn other_tasks_are_refused() {
        let text = r#"{"transformer_task":"text-generation"}"#;
        let error = TransformerConfig::parse(Path::new("s.json"), text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "s.json: `transformer_task` is text-generation, which is not supported; supported are \
             feature-extraction, sequence-classification, fill-mask and retrieval"
        );
    }
}
