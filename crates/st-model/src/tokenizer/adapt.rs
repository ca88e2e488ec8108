//! What transformers 5 makes of a `tokenizer.json`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;
use crate::spec::TransformerSpec;

/// A larger tokenizer file is taken for an attack: the largest known ones are below 40 MB.
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

pub(super) fn read(path: &Path) -> Result<Value, Error> {
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
pub(super) fn adapt(value: &mut Value, spec: &TransformerSpec) {
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
