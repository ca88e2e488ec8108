//! Tables of texts. The only file that names the library that reads them.

use std::io::{self, BufRead};

use super::column::Column;
use super::{Problem, Table};

pub(super) fn read(reader: &mut impl BufRead, delimiter: u8) -> Result<Table, Problem> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(reader);
    let mut columns: Vec<Column> = Vec::new();
    for name in reader.headers().map_err(problem)? {
        let name = unique(name, columns.len(), &columns);
        columns.push(Column::new(name));
    }
    let mut rows = 0;
    for record in reader.into_records() {
        let record = record.map_err(problem)?;
        if record.len() > columns.len() {
            let line = record.position().map_or(0, csv::Position::line);
            let problem = format!("has {} values, but there are {} columns", record.len(), columns.len());
            return Err(Problem::Line { line, problem });
        }
        for (index, column) in columns.iter_mut().enumerate() {
            column.add_cell(record.get(index).unwrap_or(""));
        }
        rows += 1;
    }
    columns.iter_mut().for_each(Column::end_cells);
    Ok(Table { columns, rows })
}

/// The name as pandas has it: numbered where it comes again or is empty.
fn unique(name: &str, index: usize, columns: &[Column]) -> String {
    let name = if name.is_empty() { format!("Unnamed: {index}") } else { name.to_owned() };
    let taken = |name: &str| columns.iter().any(|column| column.name == name);
    let numbered = (1..).map(|number| format!("{name}.{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
}

fn problem(error: csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Problem::Read(source),
        csv::ErrorKind::Utf8 { .. } => Problem::Line { line, problem: "is not UTF-8".to_owned() },
        kind => Problem::Read(io::Error::other(format!("{kind:?}"))),
    }
}
