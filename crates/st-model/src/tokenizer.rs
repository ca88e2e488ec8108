//! Text to token ids. The only file that names the tokenizer library, a release candidate.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use st_core::BoxError;
use tokenizers::pipeline::{EncodeOptions, Override, PipelineToken, PipelineTokenizer};

use crate::Error;
use crate::spec::TransformerSpec;

/// A larger tokenizer file is taken for an attack: the largest known ones are below 40 MB.
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

/// One text as token ids, special tokens included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tokenized {
    /// The ids that the model reads, cut to the limit.
    pub ids: Vec<u32>,
    /// Length before the cut.
    pub full_length: usize,
}

impl Tokenized {
    /// Whether the text lost tokens.
    pub fn is_truncated(&self) -> bool {
        self.full_length > self.ids.len()
    }
}

/// Splits texts into token ids; immutable, so that threads share it.
pub trait Tokenizer: fmt::Debug + Send + Sync {
    /// Splits `text`, adds special tokens and cuts to `max_tokens`, special tokens included.
    ///
    /// # Errors
    ///
    /// Whatever the tokenizer library reports.
    fn tokenize(&self, text: &str, max_tokens: Option<usize>) -> Result<Tokenized, BoxError>;

    /// Number of special tokens that are put around a text.
    fn special_tokens(&self) -> usize;

    /// Whether the last token of every text is a special one.
    fn ends_with_special(&self) -> bool;
}

/// A `tokenizer.json` as the reference would use it.
pub(crate) struct JsonTokenizer {
    inner: PipelineTokenizer,
    options: EncodeOptions,
    prefix: Vec<u32>,
    suffix: Vec<u32>,
    truncate_left: bool,
}

impl JsonTokenizer {
    /// Loads the tokenizer of a transformer folder.
    pub(crate) fn load(spec: &TransformerSpec) -> Result<Self, Error> {
        let path = spec.folder.join("tokenizer.json");
        if !path.is_file() {
            return Err(Error::NoTokenizer { folder: spec.folder.clone() });
        }
        let fail = |source| Error::Tokenizer { path: path.clone(), source };
        let mut value = read(&path)?;
        adapt(&mut value, spec);
        tokenizers::canonicalize_value(&mut value).map_err(|error| fail(error.into()))?;
        let inner = tokenizers::from_json(&value.to_string()).map_err(fail)?;
        let template = &inner.get_post_processor().single;
        let ids = |run: &[(PipelineToken, u8)]| run.iter().map(|(token, _)| token.id()).collect();
        Ok(Self {
            prefix: ids(&template.prefix),
            suffix: ids(&template.suffix),
            // Truncation and padding inside the file are not the model's: the reference overrides both.
            options: EncodeOptions {
                padding: Override::Off,
                truncation: Override::Off,
                ..EncodeOptions::no_specials()
            },
            truncate_left: spec.tokenizer.truncate_left,
            inner,
        })
    }
}

impl fmt::Debug for JsonTokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonTokenizer")
            .field("prefix", &self.prefix)
            .field("suffix", &self.suffix)
            .finish_non_exhaustive()
    }
}

impl Tokenizer for JsonTokenizer {
    fn tokenize(&self, text: &str, max_tokens: Option<usize>) -> Result<Tokenized, BoxError> {
        let mut tokens = Vec::with_capacity(text.len() / 4 + self.special_tokens());
        self.inner.encode_into(text, &self.options, &mut tokens)?;
        let full_length = tokens.len() + self.special_tokens();
        let room = max_tokens.map_or(tokens.len(), |max| max.saturating_sub(self.special_tokens()));
        let kept = tokens.len().min(room);
        let kept = if self.truncate_left { &tokens[tokens.len() - kept..] } else { &tokens[..kept] };
        let ids = self.prefix.iter().copied().chain(kept.iter().map(|token| token.id()));
        Ok(Tokenized { ids: ids.chain(self.suffix.iter().copied()).collect(), full_length })
    }

    fn special_tokens(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    fn ends_with_special(&self) -> bool {
        !self.suffix.is_empty()
    }
}

fn read(path: &Path) -> Result<Value, Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(fail)?.len();
    if size > MAX_TOKENIZER_BYTES {
        return Err(Error::Config {
            path: path.to_owned(),
            problem: format!("{size} bytes are too many for a tokenizer"),
        });
    }
    let text = fs::read_to_string(path).map_err(fail)?;
    serde_json::from_str(&text).map_err(|source| Error::Json { path: path.to_owned(), source })
}

/// Makes of the file what transformers 5 makes of it.
fn adapt(value: &mut Value, spec: &TransformerSpec) {
    let Some(root) = value.as_object_mut() else { return };
    if is_bert(root.get("model"), spec) {
        // That class keeps vocabulary and template of the file and builds the rest anew from its own settings.
        let settings = &spec.tokenizer;
        root.insert(
            "normalizer".to_owned(),
            json!({
                "type": "BertNormalizer",
                "clean_text": true,
                "handle_chinese_chars": settings.chinese_characters.unwrap_or(true),
                "strip_accents": settings.strip_accents,
                "lowercase": settings.lowercase.unwrap_or(true),
            }),
        );
        root.insert("pre_tokenizer".to_owned(), json!({"type": "BertPreTokenizer"}));
    }
    if spec.lowercase {
        let normalizer = root.remove("normalizer").unwrap_or(Value::Null);
        root.insert("normalizer".to_owned(), lowercase_first(normalizer));
    }
}

fn is_bert(model: Option<&Value>, spec: &TransformerSpec) -> bool {
    let class = match &spec.tokenizer.class {
        Some(class) => class == "BertTokenizer",
        None => spec.model_type == "bert",
    };
    let model_type = model.and_then(|model| model.get("type")).and_then(Value::as_str);
    class && matches!(model_type, Some("WordPiece") | None)
}

/// Puts a lower-casing step before `normalizer` unless it has one.
fn lowercase_first(normalizer: Value) -> Value {
    let is_lowercase = |step: &Value| step.get("type").and_then(Value::as_str) == Some("Lowercase");
    let steps = match normalizer {
        Value::Null => Vec::new(),
        Value::Object(mut object) if object.get("type").and_then(Value::as_str) == Some("Sequence") => {
            match object.remove("normalizers") {
                Some(Value::Array(steps)) => steps,
                _ => Vec::new(),
            }
        }
        single => vec![single],
    };
    let first = if steps.iter().any(is_lowercase) { None } else { Some(json!({"type": "Lowercase"})) };
    json!({"type": "Sequence", "normalizers": first.into_iter().chain(steps).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_casing_goes_first_and_only_once() {
        let nfc = json!({"type": "NFC"});
        let lower = json!({"type": "Lowercase"});
        let sequence = |steps: &[&Value]| json!({"type": "Sequence", "normalizers": steps});
        assert_eq!(lowercase_first(Value::Null), sequence(&[&lower]));
        assert_eq!(lowercase_first(nfc.clone()), sequence(&[&lower, &nfc]));
        assert_eq!(lowercase_first(sequence(&[&nfc, &lower])), sequence(&[&nfc, &lower]));
        assert_eq!(lowercase_first(lower.clone()), sequence(&[&lower]));
    }
}
