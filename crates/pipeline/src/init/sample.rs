//! The statements that look at rows. Each reads a bounded number of them, and answers numbers only.

use super::evidence::RECENT_DAYS;
use super::narrow::Narrow;
use handoff_connect::quote_my;
use handoff_schema::TableSchema;

/// The most rows that are looked at in a table.
pub(super) const MOST_ROWS: u64 = 50_000;
/// The most bytes that are read of a table: a fifth of a second from a disk, since a statement on
/// MyISAM locks out writers for as long as it reads.
const MOST_BYTES: u64 = 16 << 20;
/// The fewest rows that are looked at, however long they are.
const FEWEST_ROWS: u64 = 100;
/// The parts of a key's range from which a sample is taken.
pub(super) const PARTS: u64 = 3;
/// Where counting recent rows ends.
pub(super) const MOST_RECENT: u64 = 100_000;

/// What is asked of each row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Questions {
    /// Columns that might be narrower, as indexes into the table's columns.
    pub(super) narrow: Vec<(usize, Narrow)>,
    /// The column whose recent values are counted.
    pub(super) moved: Option<usize>,
}

/// Which rows are looked at.
pub(super) enum Rows {
    /// Those that the server gives first.
    First,
    /// Those with the lowest keys from the first value on and below the second.
    From { key: usize },
    /// Those with the highest keys, from the value on.
    Last { key: usize },
}

/// Returns how many rows of a table may be looked at.
pub(super) fn budget(schema: &TableSchema) -> u64 {
    let row = schema.data_bytes.checked_div(schema.rows).unwrap_or(0).max(1);
    (MOST_BYTES / row).clamp(FEWEST_ROWS, MOST_ROWS)
}

impl Questions {
    pub(super) fn is_empty(&self) -> bool {
        self.narrow.is_empty() && self.moved.is_none()
    }

    /// Returns the statement that answers them for at most `limit` rows: the number of rows, then
    /// for each column the values, misfits and ones, then the recent rows.
    pub(super) fn statement(&self, schema: &TableSchema, rows: &Rows, limit: u64) -> String {
        let mut answers = vec!["COUNT(*)".to_owned()];
        for (column, narrow) in &self.narrow {
            let column = name(schema, *column);
            answers.push(format!("COUNT({column})"));
            answers.push(count_if(&narrow.misfit(&column)));
            answers.push(match narrow {
                Narrow::Boolean => count_if(&format!("{column} = 1")),
                Narrow::TimeOfDay | Narrow::Uuid | Narrow::BigInt => "0".to_owned(),
            });
        }
        answers.extend(self.moved.map(|column| count_if(&recent(&name(schema, column)))));
        let columns = self.narrow.iter().map(|(column, _)| *column).chain(self.moved);
        let columns: Vec<String> = columns.map(|column| name(schema, column)).collect();
        format!(
            "SELECT {} FROM (SELECT {} FROM {}{} LIMIT {limit}) looked_at",
            answers.join(", "),
            columns.join(", "),
            quote_my(schema.name.as_str()),
            rows.condition(schema)
        )
    }
}

impl Rows {
    fn condition(&self, schema: &TableSchema) -> String {
        match self {
            Rows::First => String::new(),
            Rows::From { key } => {
                let key = name(schema, *key);
                format!(" WHERE {key} >= ? AND {key} < ? ORDER BY {key}")
            }
            Rows::Last { key } => {
                let key = name(schema, *key);
                format!(" WHERE {key} >= ? ORDER BY {key} DESC")
            }
        }
    }
}

/// Returns the statement that asks for the range of a key.
pub(super) fn range(schema: &TableSchema, key: usize) -> String {
    let (key, table) = (name(schema, key), quote_my(schema.name.as_str()));
    format!("SELECT MIN({key}), MAX({key}) FROM {table}")
}

/// Returns the values at which the parts of a key's range begin.
pub(super) fn parts(least: i128, most: i128) -> Vec<i128> {
    let parts = i128::from(PARTS);
    (0..parts).map(|part| least + (most - least) * part / parts).collect()
}

/// Returns the statement that counts the recent rows by an index.
pub(super) fn recent_rows(schema: &TableSchema, column: usize) -> String {
    let (table, condition) = (quote_my(schema.name.as_str()), recent(&name(schema, column)));
    format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {condition} LIMIT {MOST_RECENT}) moved"
    )
}

fn recent(column: &str) -> String {
    format!("{column} >= NOW() - INTERVAL {RECENT_DAYS} DAY")
}

fn count_if(condition: &str) -> String {
    format!("COUNT(CASE WHEN {condition} THEN 1 END)")
}

fn name(schema: &TableSchema, column: usize) -> String {
    quote_my(schema.columns[column].name.as_str())
}
