//! A statement as it grows, with the values that are bound to it.

use mlflow_types::ExperimentId;
use mlflow_types::experiments::ViewType;
use mlflow_types::filter::{InvalidFilter, Likeness, Number, Test};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, Row, params_from_iter};

use crate::embedded::page::Page;
use crate::embedded::refusal::{Outcome, Refusal, invalid};
use crate::embedded::rules;

/// A table of keys and values that hang on something: tags, params, metrics. In its texts the table is `t`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed {
    /// The table.
    pub(super) table: &'static str,
    /// What ties a row to the thing.
    pub(super) link: &'static str,
    /// The column of the key.
    pub(super) key: &'static str,
    /// The column of the value.
    pub(super) value: &'static str,
}

/// A statement as it grows.
#[derive(Clone, Debug)]
pub(super) struct Query {
    sql: String,
    values: Vec<Value>,
}

impl From<InvalidFilter> for Refusal {
    fn from(error: InvalidFilter) -> Self {
        invalid(error.problem)
    }
}

impl Query {
    /// A statement that begins so, and already has a condition.
    pub(super) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }

    /// More text, which holds nothing that came from outside.
    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// A value in its place.
    pub(super) fn bind(&mut self, value: impl Into<Value>) {
        self.sql.push('?');
        self.values.push(value.into());
    }

    /// A list in its place. It is bound as one value, so that it can be of any length.
    fn bind_list(&mut self, list: impl Into<serde_json::Value>) {
        self.push("(SELECT value FROM json_each(");
        self.bind(list.into().to_string());
        self.push("))");
    }

    /// Those of a view.
    pub(super) fn push_view(&mut self, view: ViewType) {
        self.push(match view {
            ViewType::ActiveOnly => " AND lifecycle_stage = 'active'",
            ViewType::DeletedOnly => " AND lifecycle_stage = 'deleted'",
            ViewType::All => " AND lifecycle_stage IN ('active', 'deleted')",
        });
    }

    /// Those of some experiments.
    pub(super) fn push_experiments(&mut self, experiment_ids: &[ExperimentId]) -> Outcome<()> {
        let numbers = experiment_ids.iter().map(|id| rules::experiment_number(id.as_str()));
        self.push(" AND experiment_id IN ");
        self.bind_list(numbers.collect::<Outcome<Vec<i64>>>()?);
        Ok(())
    }

    /// A condition on a column.
    pub(super) fn push_test(&mut self, column: &str, test: &Test) {
        self.push(" AND ");
        self.test(column, test);
    }

    /// A condition on what has this key.
    pub(super) fn push_keyed(&mut self, keyed: Keyed, key: &str, test: &Test) {
        self.push_exists(keyed, key, *test == Test::IsNull, |query| {
            if !matches!(test, Test::IsNull | Test::IsNotNull) {
                query.push_test(keyed.value, test);
            }
        });
    }

    /// That there is, or is not, a row with this key that fits a condition.
    pub(super) fn push_exists(
        &mut self,
        keyed: Keyed,
        key: &str,
        absent: bool,
        condition: impl FnOnce(&mut Self),
    ) {
        let not = if absent { "NOT " } else { "" };
        let Keyed { table, link, key: column, .. } = keyed;
        self.push(&format!(" AND {not}EXISTS (SELECT 1 FROM {table} AS t WHERE {link} AND {column} = "));
        self.bind(key.to_owned());
        condition(self);
        self.push(")");
    }

    /// What a column must be, without a word before it.
    pub(super) fn test(&mut self, column: &str, test: &Test) {
        match test {
            Test::Number(order, number) => {
                self.push(&format!("{column} {} ", order.as_str()));
                self.bind_number(*number);
            }
            Test::Text(Likeness::ILike, wanted) => {
                self.push(&format!("lower({column}) LIKE lower("));
                self.bind(wanted.clone());
                self.push(")");
            }
            Test::Text(likeness, wanted) => {
                self.push(&format!("{column} {} ", likeness.as_str()));
                self.bind(wanted.clone());
            }
            Test::OneOf(list) => {
                self.push(&format!("{column} IN "));
                self.bind_list(list.as_slice());
            }
            Test::NoneOf(list) => {
                self.push(&format!("{column} NOT IN "));
                self.bind_list(list.as_slice());
            }
            Test::IsNull => self.push(&format!("{column} IS NULL")),
            Test::IsNotNull => self.push(&format!("{column} IS NOT NULL")),
        }
    }

    /// A number in its place.
    pub(super) fn bind_number(&mut self, number: Number) {
        match number {
            Number::Integer(number) => self.bind(number),
            Number::Float(number) => self.bind(number),
        }
    }

    /// A page of the first column, and the token of the next one.
    pub(super) fn keys<T: FromSql>(
        self,
        connection: &Connection,
        page: &Page,
    ) -> Outcome<(Vec<T>, Option<String>)> {
        self.rows(connection, page, |row| row.get(0))
    }

    /// A page of rows, and the token of the next one.
    pub(super) fn rows<T>(
        mut self,
        connection: &Connection,
        page: &Page,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<(Vec<T>, Option<String>)> {
        self.push(" LIMIT ");
        self.bind(page.limit());
        self.push(" OFFSET ");
        self.bind(page.offset());
        let mut statement = connection.prepare(&self.sql)?;
        let rows = statement.query_map(params_from_iter(self.values), read)?;
        Ok(page.cut(rows.collect::<Result<Vec<T>, _>>()?))
    }
}
