//! A table among a run's artifacts, as MLflow keeps it: pandas' `split` orientation, without an index.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// A table among a run's artifacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    columns: Vec<String>,
    data: Vec<Vec<Value>>,
}

impl Table {
    /// A table of rows; `null` is a missing value.
    ///
    /// # Errors
    /// [`Error::Setting`] if a row has another number of values than there are columns, or a name comes twice.
    pub fn try_new<C: Into<String>>(
        columns: impl IntoIterator<Item = C>,
        rows: Vec<Vec<Value>>,
    ) -> Result<Self> {
        let table = Self { columns: columns.into_iter().map(Into::into).collect(), data: rows };
        table.check()?;
        Ok(table)
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<Value>] {
        &self.data
    }

    pub(super) fn check(&self) -> Result<()> {
        let wrong = |problem| Err(Error::Setting { setting: "table".to_owned(), problem });
        let width = self.columns.len();
        for (index, name) in self.columns.iter().enumerate() {
            if self.columns.iter().take(index).any(|before| before == name) {
                return wrong(format!("has two columns {name:?}"));
            }
        }
        match self.data.iter().enumerate().find(|(_, row)| row.len() != width) {
            Some((index, row)) => {
                wrong(format!("has {} values in row {index}, but {width} columns", row.len()))
            }
            None => Ok(()),
        }
    }

    /// This table's rows, and then another's. What a row has no value for is missing.
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        let Self { columns, data } = other;
        let mut places = Vec::new();
        for name in columns {
            let place = self.columns.iter().position(|there| *there == name);
            places.push(place.unwrap_or(self.columns.len()));
            if place.is_none() {
                self.columns.push(name);
            }
        }
        let width = self.columns.len();
        for row in &mut self.data {
            row.resize(width, Value::Null);
        }
        for values in data {
            let mut row = vec![Value::Null; width];
            for (place, value) in places.iter().zip(values) {
                if let Some(cell) = row.get_mut(*place) {
                    *cell = value;
                }
            }
            self.data.push(row);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(columns: &[&str], rows: Value) -> Table {
        let rows = rows.as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect();
        Table::try_new(columns.iter().copied(), rows).unwrap()
    }

    #[test]
    fn rows_are_appended_as_python_appends_them() {
        let first = table(&["a", "b", "c"], json!([[1, "x", 0.5], [2, "ü\n", null]]));
        let appended = first
            .followed_by(table(&["c", "a", "b"], json!([[1.0, 3, "x"]])))
            .followed_by(table(&["a", "b", "d"], json!([[3, "x", 1.0]])));
        assert_eq!(
            json!(appended),
            json!({
                "columns": ["a", "b", "c", "d"],
                "data": [[1, "x", 0.5, null], [2, "ü\n", null, null], [3, "x", 1.0, null], [3, "x", null, 1.0]],
            })
        );
    }

    #[test]
    fn a_table_has_as_many_values_as_columns() {
        let refused =
            |columns: [&str; 2]| Table::try_new(columns, vec![vec![json!(1)]]).unwrap_err().to_string();
        assert_eq!(refused(["a", "b"]), "table: has 1 values in row 0, but 2 columns");
        assert_eq!(refused(["a", "a"]), "table: has two columns \"a\"");
    }
}
