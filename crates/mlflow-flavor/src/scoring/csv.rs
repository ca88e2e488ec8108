//! Requests of the type `text/csv`, read as pandas reads them.

use serde_json::{Value, json};

use super::{Request, invalid};
use crate::{ColType, ColumnName, Error, Frame, MlModel, PredictInput, Schema, SchemaKind};

/// What pandas takes for a missing value.
const MISSING: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// Reads a body of the type `text/csv`; the first line has the names of the columns.
///
/// As in pandas, cells such as `NA` and `null` are missing values, and a column of digits holds numbers unless
/// the signature says that it holds texts. A row that is longer than the header is an error here; pandas would
/// take its first cell for a row label.
///
/// # Errors
///
/// [`Error::Request`].
pub fn parse_csv(body: &[u8], mlmodel: &MlModel) -> Result<Request, Error> {
    let text = std::str::from_utf8(body).map_err(|error| {
        invalid(format_args!("Ensure that input is a valid UTF-8 encoded string. Error: '{error}'"))
    })?;
    let schema = mlmodel.input_schema();
    let frame = check_schema(schema).and_then(|()| read(text, schema)).map_err(|problem| Error::Request {
        message: format!(
            "Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid CSV-formatted Pandas DataFrame produced using the `pandas.DataFrame.to_csv()` method. Error: '{problem}'"
        ),
    })?;
    Ok(Request { input: PredictInput::Frame(frame), params: None, unified: false })
}

fn check_schema(schema: Option<&Schema>) -> Result<(), String> {
    match schema.map(Schema::kind) {
        Some(SchemaKind::Tensors(_)) => {
            Err("TensorSpec only supports numpy types, use numpy_types() instead".to_owned())
        }
        Some(SchemaKind::Columns(columns))
            if columns.iter().any(|column| !matches!(column.kind, ColType::Scalar(_))) =>
        {
            Err("Failed to get pandas types as some of the inputs types are not DataType.".to_owned())
        }
        _ => Ok(()),
    }
}

fn read(text: &str, schema: Option<&Schema>) -> Result<Frame, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if ends_inside_quotes(text) {
        return Err("Error tokenizing data. EOF inside string".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut columns: Vec<(ColumnName, Vec<Option<String>>)> = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|error| error.to_string())?;
        if row == 0 {
            columns = header(&record);
            continue;
        }
        if record.len() > columns.len() {
            return Err(format!("row {row} has {} cells, the header {}", record.len(), columns.len()));
        }
        for (index, (_, cells)) in columns.iter_mut().enumerate() {
            let cell = record.get(index).filter(|cell| !MISSING.contains(cell));
            cells.push(cell.map(str::to_owned));
        }
    }
    if columns.is_empty() {
        return Err("No columns to parse from file".to_owned());
    }
    let typed = columns.into_iter().enumerate().map(|(position, (name, cells))| {
        let values = if is_declared(schema, &name, position) { texts(cells) } else { typed(cells) };
        (name, values)
    });
    Frame::new(typed.collect()).map_err(|error| error.to_string())
}

/// The names; a name that stands twice gets a number, as in pandas.
fn header(record: &csv::StringRecord) -> Vec<(ColumnName, Vec<Option<String>>)> {
    let mut columns: Vec<(ColumnName, Vec<Option<String>>)> = Vec::new();
    for (position, name) in record.iter().enumerate() {
        let name = if name.is_empty() { format!("Unnamed: {position}") } else { name.to_owned() };
        let taken = |name: &str| columns.iter().any(|(other, _)| *other == ColumnName::Text(name.to_owned()));
        let candidates = (1..).map(|number| format!("{name}.{number}"));
        let free = std::iter::once(name.clone()).chain(candidates).find(|name| !taken(name));
        columns.push((ColumnName::Text(free.unwrap_or(name)), Vec::new()));
    }
    columns
}

/// Whether the signature says what a column holds, by its name or by its position.
fn is_declared(schema: Option<&Schema>, name: &ColumnName, position: usize) -> bool {
    let columns = schema.and_then(Schema::as_columns).unwrap_or_default();
    columns.iter().any(|column| column.name.as_ref() == Some(name))
        || columns.get(position).is_some_and(|column| column.name.is_none())
}

fn texts(cells: Vec<Option<String>>) -> Vec<Value> {
    cells.into_iter().map(|cell| json!(cell)).collect()
}

/// Whole numbers, numbers, truth values, or texts: what fits all cells.
fn typed(cells: Vec<Option<String>>) -> Vec<Value> {
    let parsed = |parse: fn(&str) -> Option<Value>| {
        cells
            .iter()
            .map(|cell| cell.as_deref().map_or(Some(Value::Null), parse))
            .collect::<Option<Vec<Value>>>()
    };
    let whole = |cell: &str| cell.parse::<i64>().ok().map(Value::from);
    let number = |cell: &str| cell.parse::<f64>().ok().map(|number| json!(number));
    let flag = |cell: &str| match cell {
        "True" | "TRUE" | "true" => Some(json!(true)),
        "False" | "FALSE" | "false" => Some(json!(false)),
        _ => None,
    };
    parsed(whole).or_else(|| parsed(number)).or_else(|| parsed(flag)).unwrap_or_else(|| texts(cells))
}

/// Whether a quoted cell is not closed.
fn ends_inside_quotes(text: &str) -> bool {
    let (mut inside, mut start_of_cell) = (false, true);
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        match (inside, ch) {
            (true, '"') if chars.peek() == Some(&'"') => drop(chars.next()),
            (true, '"') => inside = false,
            (false, '"') if start_of_cell => inside = true,
            _ => {}
        }
        start_of_cell = !inside && matches!(ch, ',' | '\n' | '\r');
    }
    inside
}
