//! Reading: the only file that names the YAML library.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_yaml::Deserializer;
use st_core::BoxError;

use super::resolve::resolves_to_text;

/// Longest file in bytes; real ones have a few thousand.
const MAX_BYTES: usize = 8 << 20;
/// Most values in a file, aliases expanded.
const MAX_VALUES: usize = 200_000;
/// Most bytes of text in a file, aliases expanded.
const MAX_TEXT: usize = 32 << 20;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// Reads one YAML document.
///
/// Keys that are no text become text, as in JSON. Refused are: local tags, merge keys, a key twice,
/// numbers that JSON cannot say, and documents beyond the limits above.
pub(crate) fn read(text: &str) -> Result<Value, BoxError> {
    if text.len() > MAX_BYTES {
        return Err(format!("the file is longer than {} MiB", MAX_BYTES >> 20).into());
    }
    let budget = Budget { values: Cell::new(MAX_VALUES), text: Cell::new(MAX_TEXT) };
    let value = Any { budget: &budget, depth: 0 }.deserialize(Deserializer::from_str(text))?;
    if holds_number(&value) {
        return Ok(Guided { shape: value }.deserialize(Deserializer::from_str(text))?);
    }
    Ok(value)
}

fn holds_number(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::Array(items) => items.iter().any(holds_number),
        Value::Object(entries) => entries.values().any(holds_number),
        _ => false,
    }
}

/// What may still be read; aliases make a short file long.
struct Budget {
    values: Cell<usize>,
    text: Cell<usize>,
}

impl Budget {
    fn take<E: serde::de::Error>(&self, text: usize) -> Result<(), E> {
        let spend = |cell: &Cell<usize>, amount: usize, what: &str| match cell.get().checked_sub(amount) {
            Some(left) => {
                cell.set(left);
                Ok(())
            }
            None => Err(E::custom(format!("the document holds too {what}, aliases expanded"))),
        };
        spend(&self.values, 1, "many values")?;
        spend(&self.text, text, "much text")
    }
}

/// First reading: the value as the library resolves it.
#[derive(Clone, Copy)]
struct Any<'a> {
    budget: &'a Budget,
    depth: usize,
}

impl Any<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without a tag")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.budget.take(0)?;
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.budget.take(0)?;
        Ok(Value::from(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.budget.take(0)?;
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.budget.take(0)?;
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| E::custom(format!("the number {value} is not a finite one")))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.budget.take(value.len())?;
        Ok(Value::from(value))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.budget.take(0)?;
        Ok(Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.budget.take(0)?;
        let seed = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(seed)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.budget.take(0)?;
        let seed = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Text)? {
            self.budget.take(key.len())?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            let value = entries.next_value_seed(seed)?;
            if key == "<<" && (value.is_object() || value.is_array()) {
                return Err(A::Error::custom("merge keys (`<<`) are not supported"));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// The text of a scalar as it stands in the file.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }
}

/// Second reading, along the shape of the first: what the library takes for a number and PyYAML for text becomes
/// text. PyYAML writes the text `1e3`, or the run id `7e12…`, without quotes.
struct Guided {
    shape: Value,
}

impl<'de> DeserializeSeed<'de> for Guided {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.shape {
            Value::Number(_) => {
                let text = Text.deserialize(deserializer)?;
                Ok(if resolves_to_text(&text) { Value::from(text) } else { self.shape })
            }
            Value::Array(_) => deserializer.deserialize_seq(self),
            Value::Object(_) => deserializer.deserialize_map(self),
            other => {
                deserializer.deserialize_ignored_any(serde::de::IgnoredAny)?;
                Ok(other)
            }
        }
    }
}

impl<'de> Visitor<'de> for Guided {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shape of the first reading")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Value::Array(shapes) = self.shape else { return Err(A::Error::custom("not a list")) };
        let mut list = Vec::with_capacity(shapes.len());
        for shape in shapes {
            list.extend(items.next_element_seed(Self { shape })?);
        }
        items.next_element::<serde::de::IgnoredAny>()?;
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let Value::Object(shapes) = self.shape else { return Err(A::Error::custom("not a dictionary")) };
        let mut map = Map::new();
        for (_, shape) in shapes {
            if let Some(key) = entries.next_key_seed(Text)? {
                let value = entries.next_value_seed(Self { shape })?;
                map.insert(key, value);
            }
        }
        entries.next_key::<serde::de::IgnoredAny>()?;
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        assert_eq!(read(text).unwrap(), expected);
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let message = read(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn what_pyyaml_takes_for_text_is_text() {
        check(
            "run_id: 12345678901234567890123456789e12\nn: 1\n",
            json!({"run_id": "12345678901234567890123456789e12", "n": 1}),
        );
        check("- 1e3\n- 1.0e+3\n- 0o17\n- 0x1f\n- '1'\n", json!(["1e3", 1000.0, "0o17", 31, "1"]));
        check("a: &x [1, b]\nc: *x\n", json!({"a": [1, "b"], "c": [1, "b"]}));
        check("1: a\ntrue: b\n", json!({"1": "a", "true": "b"}));
        check("", Value::Null);
    }

    #[test]
    fn hostile_documents_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = level - 1;
            let aliases = vec![format!("*a{before}"); 10].join(", ");
            bomb = format!("{bomb}a{level}: &a{level} [{aliases}]\n");
        }
        assert!(read(&bomb).is_err());
        refused(&"[".repeat(70), "nested deeper than 64 levels");
        refused(&format!("a: {}", "x".repeat(MAX_BYTES)), "the file is longer than 8 MiB");
        refused("a: !own x\n", "without a tag");
        refused("a: 1\na: 2\n", "the key `a` stands twice");
        refused("<<: {a: 1}\n", "merge keys");
        refused("a: .nan\n", "not a finite one");
        refused("a: [\n", "");
        refused("--- a\n--- b\n", "");
    }
}
