//! Spellings of `tokenizer.json` that the library does not convert by itself.

use serde_json::{Map, Value, json};

/// Rewrites the parts of a tokenizer into ones that the library reads, with the same ids.
pub(super) fn lower(root: &mut Map<String, Value>) {
    let mut steps = Vec::new();
    flatten(root.remove("pre_tokenizer").unwrap_or_default(), &mut steps);
    if prefixes_bytes(steps.first()) {
        // The byte-level step puts a space before a text that has none: what Metaspace does with its mark.
        steps[0]["add_prefix_space"] = Value::from(false);
        let space = json!({"type": "MetaspaceNormalizer", "replacement": " ", "prepend": "always", "drop_whitespace": false});
        let mut normalizers = vec![root.remove("normalizer").unwrap_or_default()];
        normalizers.retain(|normalizer| !normalizer.is_null());
        normalizers.push(space);
        root.insert("normalizer".to_owned(), json!({"type": "Sequence", "normalizers": normalizers}));
    }
    if let [words, marks] = steps.as_slice()
        && is(words, "WhitespaceSplit")
        && is(marks, "Metaspace")
        && marks.get("prepend_scheme") == Some(&Value::from("never"))
    {
        // No space is left that could become a mark, so only the cut before marks remains.
        let mark = marks.get("replacement").cloned().unwrap_or_default();
        steps[1] = json!({"type": "Split", "pattern": {"String": mark}, "behavior": "MergedWithNext", "invert": false});
    }
    let made = match steps.len() {
        0 => Value::Null,
        1 => steps.remove(0),
        _ => json!({"type": "Sequence", "pretokenizers": steps}),
    };
    root.insert("pre_tokenizer".to_owned(), made);
}

/// Puts a lower-casing step before the normalizer unless it has one.
pub(super) fn lowercase_first(normalizer: Value) -> Value {
    let is_lowercase = |step: &Value| is(step, "Lowercase");
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

fn is(step: &Value, kind: &str) -> bool {
    step.get("type").and_then(Value::as_str) == Some(kind)
}

fn prefixes_bytes(step: Option<&Value>) -> bool {
    step.is_some_and(|step| is(step, "ByteLevel") && step.get("add_prefix_space") == Some(&Value::from(true)))
}

/// The steps of a sequence, and of sequences in it.
fn flatten(step: Value, steps: &mut Vec<Value>) {
    match step {
        Value::Null => {}
        Value::Object(mut object) if object.get("type") == Some(&Value::from("Sequence")) => {
            let inner = object.remove("pretokenizers");
            for step in inner.and_then(|inner| inner.as_array().cloned()).unwrap_or_default() {
                flatten(step, steps);
            }
        }
        step => steps.push(step),
    }
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

    #[test]
    fn sequences_in_sequences_become_one() {
        let step = |kind: &str| json!({"type": kind});
        let inner = json!({"type": "Sequence", "pretokenizers": [step("Digits")]});
        let mut root = Map::new();
        root.insert("pre_tokenizer".to_owned(), json!({"type": "Sequence", "pretokenizers": [inner]}));
        lower(&mut root);
        assert_eq!(root["pre_tokenizer"], step("Digits"));
    }
}
