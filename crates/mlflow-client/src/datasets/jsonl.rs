//! JSON lines: an object a line, whose fields are the columns.

use std::collections::HashMap;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::column::Column;
use super::{Problem, Table, read_line};

pub(super) fn read(reader: &mut impl BufRead) -> Result<Table, Problem> {
    let mut table = Table::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut number, mut line) = (0, Vec::new());
    while read_line(reader, &mut line)? {
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let wrong = |problem: String| Problem::Line { line: number, problem };
        let value = serde_json::from_slice(&line).map_err(|error| wrong(format!("is not JSON: {error}")))?;
        let Value::Object(row) = value else { return Err(wrong("is not a JSON object".to_owned())) };
        table.add(&mut places, &row);
    }
    Ok(table)
}

impl Table {
    fn add(&mut self, places: &mut HashMap<String, usize>, row: &Map<String, Value>) {
        for name in row.keys().filter(|name| !places.contains_key(*name)).cloned().collect::<Vec<_>>() {
            let mut column = Column::new(name.clone());
            if self.rows > 0 {
                column.miss();
            }
            places.insert(name, self.columns.len());
            self.columns.push(column);
        }
        for column in &mut self.columns {
            match row.get(&column.name) {
                Some(value) => column.add(value),
                None => column.miss(),
            }
        }
        self.rows += 1;
    }
}
