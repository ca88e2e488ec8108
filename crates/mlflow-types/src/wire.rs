//! How numbers travel: MLflow writes 64-bit integers as numbers or as strings, and what JSON cannot say as a word.

/// Doubles; the three that JSON has no number for are `"NaN"`, `"Infinity"` and `"-Infinity"`.
pub(crate) mod double {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match *value {
            value if value.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            value => serializer.serialize_f64(value),
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Number(f64),
        Word(String),
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Number(value) => Ok(value),
            Wire::Word(word) => {
                word.parse().map_err(|_| D::Error::custom(format!("`{word}` is not a number")))
            }
        }
    }
}

/// Integers of 64 bits, as a number or as a string.
pub(crate) mod int64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*value)
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Number(i64),
        Word(String),
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Number(value) => Ok(value),
            Wire::Word(word) => {
                word.parse().map_err(|_| D::Error::custom(format!("`{word}` is not an integer")))
            }
        }
    }
}

/// The same where the field may be absent.
pub(crate) mod optional_int64 {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_i64(*value),
            None => serializer.serialize_none(),
        }
    }

    #[derive(Deserialize)]
    struct Wire(#[serde(with = "super::int64")] i64);

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        Ok(Option::<Wire>::deserialize(deserializer)?.map(|wire| wire.0))
    }
}

/// Texts that may be absent: servers send what they do not know as an empty text, or not at all.
pub(crate) mod optional_text {
    use serde::{Deserialize, Deserializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
    }
}
