//! What the files of a folder say of its tokenizer, merged as the reference merges them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::added::{self, Added, Named, SLOTS};
use crate::Error;

/// A larger tokenizer file is taken for an attack: the largest known ones are below 40 MB.
const MAX_BYTES: u64 = 256 << 20;

/// The files of a tokenizer, read but not understood.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// `model_type` of `config.json`.
    pub(super) model_type: Option<String>,
    /// `tokenizer_class`, of `tokenizer_config.json` or else of `config.json`, without the suffix `Fast`.
    pub(super) class: Option<String>,
    /// Whether `tokenizer_config.json` names code of its own. That is never run, but the reference then takes the
    /// class by its name, whatever the model is.
    pub(super) has_code: bool,
    /// `tokenizer_config.json`, with the older files merged in.
    settings: Map<String, Value>,
    /// `added_tokens_decoder`, by id.
    pub(super) decoder: Vec<(u64, Added)>,
    /// `tokenizer.json`, without its limits and padding.
    pub(super) file: Option<Map<String, Value>>,
    /// Whether long texts lose their beginning.
    pub(super) truncates_left: bool,
    /// The token that `tokenizer.json` pads with.
    pub(super) padding: Option<Named>,
}

/// Whether long texts lose their beginning by the `truncation` of a `tokenizer.json`.
pub(super) fn loses_beginning(truncation: &Value) -> bool {
    truncation.get("direction").and_then(Value::as_str) == Some("Left")
}

impl Folder {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let config = object(&path.join("config.json"))?.unwrap_or_default();
        let mut settings = object(&path.join("tokenizer_config.json"))?.unwrap_or_default();
        let mut file = object(&path.join("tokenizer.json"))?;
        let mut part = |key: &str| file.as_mut().and_then(|file| file.remove(key)).unwrap_or_default();
        let (truncation, padding) = (part("truncation"), part("padding"));
        let class = text(&settings, "tokenizer_class").or_else(|| text(&config, "tokenizer_class"));
        if file.is_some() {
            settings.remove("add_bos_token");
            settings.remove("add_eos_token");
        }
        let extra = settings.get("extra_special_tokens").is_some_and(is_filled);
        if !extra && let Some(older) = settings.remove("additional_special_tokens") {
            settings.insert("extra_special_tokens".to_owned(), older);
        }
        let decoder = match settings.get("added_tokens_decoder").and_then(Value::as_object) {
            Some(tokens) => by_id(tokens),
            None => older_files(path, &mut settings, file.as_ref())?,
        };
        Ok(Self {
            path: path.to_owned(),
            model_type: text(&config, "model_type"),
            has_code: settings.get("auto_map").is_some_and(is_filled),
            class: class.map(|name| name.strip_suffix("Fast").unwrap_or(&name).to_owned()),
            truncates_left: match text(&settings, "truncation_side") {
                Some(side) => side == "left",
                None => loses_beginning(&truncation),
            },
            padding: padding.get("pad_token").and_then(Named::parse),
            settings,
            decoder,
            file,
        })
    }

    /// A setting that is not null.
    pub(super) fn setting(&self, key: &str) -> Option<&Value> {
        self.settings.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.setting(key).and_then(Value::as_bool)
    }

    /// A special token: `default` where the folder says nothing of it, none where it says null.
    pub(super) fn named(&self, slot: &str, default: Option<&str>) -> Option<Named> {
        let named = match self.settings.get(slot) {
            Some(value) => Named::parse(value)?,
            None => return default.map(|text| Named::Text(text.to_owned())),
        };
        let stored = self.decoder.iter().rev().find(|(_, token)| token.content == named.content());
        Some(stored.map_or(named, |(_, token)| Named::Token(token.clone())))
    }

    /// Special tokens of names that only this model knows, such as `image_token`.
    pub(super) fn own_names(&self) -> Vec<Named> {
        let own = |key: &String| key.ends_with("_token") && !SLOTS.contains(&key.as_str());
        let own =
            self.settings.iter().filter(|(key, _)| own(key)).filter_map(|(_, value)| Named::parse(value));
        let more = self.setting("extra_special_tokens").and_then(Value::as_object);
        own.chain(more.into_iter().flatten().filter_map(|(_, value)| Named::parse(value))).collect()
    }

    /// Special tokens without a name; none where the folder does not list any.
    pub(super) fn extra(&self) -> Option<Vec<Named>> {
        let list =
            self.setting("extra_special_tokens").or_else(|| self.setting("additional_special_tokens"))?;
        Some(list.as_array()?.iter().filter_map(Named::parse).collect())
    }

    /// That neither `tokenizer.json` nor these files are there.
    pub(super) fn missing(&self, files: &str) -> Error {
        Error::NoTokenizer { folder: self.path.clone(), wanted: format!("tokenizer.json and no {files}") }
    }

    /// A file of the folder, if it is there.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        Some(self.path.join(name)).filter(|path| path.is_file())
    }
}

/// Reads a file of a tokenizer, unless it is too large for one.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let fail = |source| Error::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(fail)?.len();
    if size > MAX_BYTES {
        return Err(problem(path, format!("{size} bytes are too many for a tokenizer")));
    }
    fs::read(path).map_err(fail)
}

/// Reads a JSON object, if the file is there.
pub(super) fn object(path: &Path) -> Result<Option<Map<String, Value>>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let parsed = serde_json::from_slice(&bytes(path)?);
    match parsed.map_err(|source| Error::Json { path: path.to_owned(), source })? {
        Value::Object(object) => Ok(Some(object)),
        _ => Err(problem(path, "expected an object")),
    }
}

/// An error about the content of a file.
pub(super) fn problem(path: &Path, problem: impl Into<String>) -> Error {
    Error::Config { path: path.to_owned(), problem: problem.into() }
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
        _ => false,
    }
}

fn by_id(tokens: &Map<String, Value>) -> Vec<(u64, Added)> {
    let mut found: Vec<_> =
        tokens.iter().filter_map(|(id, token)| Some((id.parse().ok()?, Added::parse(token)?))).collect();
    found.sort_by_key(|(id, _)| *id);
    found
}

/// Before `added_tokens_decoder`, three files held what it holds.
fn older_files(
    path: &Path,
    settings: &mut Map<String, Value>,
    file: Option<&Map<String, Value>>,
) -> Result<Vec<(u64, Added)>, Error> {
    for (key, mut value) in object(&path.join("special_tokens_map.json"))?.into_iter().flatten() {
        if let Some(token) = value.as_object_mut() {
            token.insert("special".to_owned(), Value::Bool(true));
        }
        settings.insert(key, value);
    }
    let special: Vec<String> = SLOTS
        .iter()
        .filter_map(|slot| Some(Named::parse(settings.get(*slot)?)?.content().to_owned()))
        .collect();
    let mut found = Vec::new();
    for (content, id) in object(&path.join("added_tokens.json"))?.into_iter().flatten() {
        let special = special.contains(&content);
        let token = Added { content, normalized: Some(!special), special, ..Added::default() };
        found.extend(id.as_u64().map(|id| (id, token)));
    }
    for (id, token) in file.map(added::of_file).unwrap_or_default() {
        found.retain(|(other, _)| *other != id);
        found.push((id, token));
    }
    found.sort_by_key(|(id, _)| *id);
    Ok(found)
}
