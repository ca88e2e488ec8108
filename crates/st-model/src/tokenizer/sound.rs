//! What the library takes for granted of a model. A file that does not keep to it is not refused there: it ends in a panic.

use serde_json::Value;
use st_core::BoxError;

/// The library counts the bytes of a token in 16 bits.
const MAX_TOKEN_BYTES: usize = u16::MAX as usize;

/// Of the tokens of `WordPiece` it makes a tree, and for each byte of the longest one it goes deeper into the stack. Words of
/// more than a hundred characters are unknown there, so that longer tokens stand for nothing.
const MAX_WORD_PIECE_BYTES: usize = 1024;

/// Characters of a word of `WordPiece` for which the library reserves memory before it has seen one. Longer words there are
/// none, whatever the file allows.
const MAX_WORD_CHARACTERS: u64 = 1 << 20;

/// Lowers what a `tokenizer.json` lets the library reserve for its model, and refuses one over which it would panic, or worse.
pub(super) fn make(model: &mut Value) -> Result<(), BoxError> {
    if let Some(most) = model.get_mut("max_input_chars_per_word")
        && most.as_u64().is_some_and(|most| most > MAX_WORD_CHARACTERS)
    {
        *most = MAX_WORD_CHARACTERS.into();
    }
    check(model)
}

fn check(model: &Value) -> Result<(), BoxError> {
    let longest = longest_token(model);
    if longest == Some(0) {
        return Err("the vocabulary has no token but the empty one".into());
    }
    let longest = longest.unwrap_or(0);
    let is_word_piece = model.get("type").and_then(Value::as_str) == Some("WordPiece");
    if longest > if is_word_piece { MAX_WORD_PIECE_BYTES } else { MAX_TOKEN_BYTES } {
        return Err(format!("a token of {longest} bytes is too long").into());
    }
    let merges = model.get("merges").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let prefix = model.get("continuing_subword_prefix").and_then(Value::as_str).unwrap_or_default();
    match merges.iter().filter_map(pair).find(|pair| !fits(*pair, prefix.len(), longest)) {
        Some((left, right)) => {
            Err(format!("`{left}` and `{right}` make no token of the vocabulary together").into())
        }
        None => Ok(()),
    }
}

/// Length in bytes of the longest token, of an object of ids or of Unigram's list of pieces and scores.
fn longest_token(model: &Value) -> Option<usize> {
    match model.get("vocab")? {
        Value::Object(tokens) => tokens.keys().map(String::len).max(),
        Value::Array(pieces) => pieces.iter().filter_map(|piece| piece.get(0)?.as_str()).map(str::len).max(),
        _ => None,
    }
}

fn pair(merge: &Value) -> Option<(&str, &str)> {
    Some((merge.get(0)?.as_str()?, merge.get(1)?.as_str()?))
}

/// Whether two tokens, the second one without the prefix that marks its place in a word, are no longer than any token. Whether
/// they are one, the library looks for itself.
fn fits((left, right): (&str, &str), prefix: usize, longest: usize) -> bool {
    right.is_char_boundary(prefix) && left.len() + right.len() - prefix <= longest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(model: Value) -> String {
        check(&model).unwrap_err().to_string()
    }

    #[test]
    fn what_merges_is_no_longer_than_a_token() {
        let model = |merges: Value| json!({"vocab": {"a": 0, "##é": 1, "aé": 2}, "merges": merges});
        assert!(check(&model(json!([["a", "a"], ["a", "aé"]]))).is_ok());
        let expected = "`a` and `##é` make no token of the vocabulary together";
        assert_eq!(refused(model(json!([["a", "##é"]]))), expected);
        let with_prefix = |prefix: &str, right: &str| {
            let mut model = model(json!([["a", right]]));
            model["continuing_subword_prefix"] = prefix.into();
            check(&model).is_ok()
        };
        assert!(with_prefix("##", "##é"));
        assert!(!with_prefix("##", "a"), "the prefix is longer than the token");
        assert!(!with_prefix("###", "##é"), "the prefix ends inside of a character");
    }

    #[test]
    fn tokens_have_a_limit() {
        let long = "a".repeat(MAX_TOKEN_BYTES);
        for vocabulary in [json!({ &long: 0 }), json!([[&long, 0.0]])] {
            assert!(check(&json!({ "vocab": vocabulary })).is_ok());
        }
        let longer = long + "a";
        for vocabulary in [json!({ &longer: 0 }), json!([[&longer, 0.0]])] {
            assert_eq!(refused(json!({ "vocab": vocabulary })), "a token of 65536 bytes is too long");
        }
        assert!(check(&Value::Null).is_ok());
        let word_piece = |bytes: usize| json!({"type": "WordPiece", "vocab": {"a".repeat(bytes): 0}});
        assert!(check(&word_piece(1024)).is_ok());
        assert_eq!(refused(word_piece(1025)), "a token of 1025 bytes is too long");
    }

    #[test]
    fn words_without_a_limit_have_one() {
        let made = |most: Value| {
            let mut model = json!({"max_input_chars_per_word": most});
            make(&mut model).unwrap();
            model["max_input_chars_per_word"].take()
        };
        assert_eq!(made(json!(100)), 100);
        assert_eq!(made(json!(u64::MAX)), MAX_WORD_CHARACTERS);
        assert_eq!(made(json!("many")), "many");
    }

    #[test]
    fn one_token_has_a_letter() {
        let expected = "the vocabulary has no token but the empty one";
        assert_eq!(refused(json!({"vocab": {"": 0}})), expected);
        assert_eq!(refused(json!({"vocab": [["", 0.0], ["", -1.0]]})), expected);
        assert!(check(&json!({"vocab": {"": 0, "a": 1}})).is_ok());
        assert!(check(&json!({"vocab": {}})).is_ok());
    }
}
