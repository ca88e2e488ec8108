//! A column, as its values go by.

use serde_json::{Map, Value, json};

/// A column, as its values go by.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    kind: Kind,
    /// Whether a value was missing.
    missing: bool,
}

/// What all values so far have in common.
#[derive(Clone, Debug, Default, PartialEq)]
enum Kind {
    /// There was none.
    #[default]
    Nothing,
    Boolean,
    Long,
    Double,
    String,
    Array(Box<Kind>),
    /// The properties in the order in which they were met, and whether each was always there.
    Object(Vec<(String, Kind, bool)>),
    /// Nothing that MLflow has a word for.
    Mixed,
}

impl Column {
    pub(super) fn new(name: String) -> Self {
        Self { name, kind: Kind::Nothing, missing: false }
    }

    /// Takes a value of a JSON text, or what a cell of a table reads as.
    pub(super) fn add(&mut self, value: &Value) {
        match value {
            Value::Null => self.missing = true,
            value => self.kind = std::mem::take(&mut self.kind).with(Kind::of(value)),
        }
    }

    /// A row had no value.
    pub(super) fn miss(&mut self) {
        self.missing = true;
    }

    /// Of a column of a table of texts: what its cells read as is either all numbers, all booleans, or all texts.
    pub(super) fn add_cell(&mut self, cell: &str) {
        let kind = match cell {
            cell if MISSING.contains(&cell) => return self.missing = true,
            "True" | "TRUE" | "true" | "False" | "FALSE" | "false" => Kind::Boolean,
            cell if cell.trim().parse::<i64>().is_ok() => Kind::Long,
            cell if is_number(cell.trim()) => Kind::Double,
            _ => Kind::String,
        };
        self.kind = match std::mem::take(&mut self.kind).with(kind) {
            Kind::Mixed => Kind::String,
            kind => kind,
        };
    }

    /// Of a table of texts: a column in which nothing stands is one of numbers to pandas, unless there are no rows.
    pub(super) fn end_cells(&mut self) {
        if self.kind == Kind::Nothing {
            self.kind = if self.missing { Kind::Double } else { Kind::String };
        }
    }

    /// The column in MLflow's schema, if there is a word for it.
    pub(super) fn spec(&self) -> Option<Value> {
        // pandas has no whole number that is missing.
        let kind = match self.kind {
            Kind::Long if self.missing => &Kind::Double,
            ref kind => kind,
        };
        let mut spec = kind.spec()?;
        spec.insert("name".to_owned(), json!(self.name));
        spec.insert("required".to_owned(), json!(!self.missing));
        Some(Value::Object(spec))
    }
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_i64() => Self::Long,
            Value::Number(_) => Self::Double,
            Value::String(_) => Self::String,
            Value::Array(items) => {
                let kind = items.iter().map(Self::of).fold(Self::Nothing, Self::with);
                Self::Array(Box::new(kind))
            }
            Value::Object(fields) => {
                let property =
                    |(name, value): (&String, &Value)| (name.clone(), Self::of(value), !value.is_null());
                Self::Object(fields.iter().map(property).collect())
            }
        }
    }

    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (Self::Long, Self::Double) | (Self::Double, Self::Long) => Self::Double,
            (Self::Array(kind), Self::Array(other)) => Self::Array(Box::new(kind.with(*other))),
            (Self::Object(properties), Self::Object(others)) => Self::Object(merged(properties, others)),
            (kind, other) if kind == other => kind,
            _ => Self::Mixed,
        }
    }

    fn spec(&self) -> Option<Map<String, Value>> {
        let word = |word: &str| Some(Map::from_iter([("type".to_owned(), json!(word))]));
        match self {
            Self::Nothing => word("any"),
            Self::Boolean => word("boolean"),
            Self::Long => word("long"),
            Self::Double => word("double"),
            Self::String => word("string"),
            // An array of which nothing is known is not even called one.
            Self::Array(kind) if **kind == Self::Nothing => word("any"),
            Self::Array(kind) => {
                let mut spec = word("array")?;
                spec.insert("items".to_owned(), Value::Object(kind.spec()?));
                Some(spec)
            }
            Self::Object(properties) => {
                let mut spec = word("object")?;
                let mut specs = Map::new();
                for (name, kind, required) in properties {
                    let mut property = kind.spec()?;
                    property.insert("required".to_owned(), json!(required));
                    specs.insert(name.clone(), Value::Object(property));
                }
                spec.insert("properties".to_owned(), Value::Object(specs));
                Some(spec)
            }
            Self::Mixed => None,
        }
    }
}

fn merged(
    mut properties: Vec<(String, Kind, bool)>,
    others: Vec<(String, Kind, bool)>,
) -> Vec<(String, Kind, bool)> {
    for (name, _, required) in &mut properties {
        *required &= others.iter().any(|(other, ..)| other == name);
    }
    for (name, kind, required) in others {
        match properties.iter_mut().find(|(there, ..)| *there == name) {
            Some((_, there, always)) => {
                *there = std::mem::take(there).with(kind);
                *always &= required;
            }
            None => properties.push((name, kind, false)),
        }
    }
    properties
}

fn is_number(cell: &str) -> bool {
    // Rust reads more words as numbers than pandas does.
    let word = cell.trim_start_matches(['+', '-']);
    let digit = word.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let infinity = word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity");
    (digit || infinity) && cell.parse::<f64>().is_ok()
}

/// Cells that pandas takes for missing values.
const MISSING: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];
