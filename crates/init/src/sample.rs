//! The statements that look at rows. Each reads a bounded number of them, and answers numbers only.

use crate::evidence::RECENT_DAYS;
use crate::narrow::NarrowType;
use handoff_connect::quote_my;
use handoff_schema::TableSchema;

/// The most rows that are looked at in a table.
pub(crate) const MOST_ROWS: u64 = 50_000;
/// The most bytes that are read of a table: a fifth of a second from a disk, since a statement on
/// MyISAM locks out writers for as long as it reads.
const MOST_BYTES: u64 = 16 << 20;
/// The fewest rows that are looked at, however long they are.
const FEWEST_ROWS: u64 = 100;
/// The parts of a key's range from which a sample is taken.
pub(crate) const PARTS: u64 = 3;
/// The count of recent rows at which counting ends.
pub(crate) const MOST_RECENT: u64 = 100_000;

/// The questions about each row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RowQuestions {
    /// Columns that might be narrower, as indexes into the table's columns.
    pub(crate) narrow: Vec<(usize, NarrowType)>,
    /// The column whose recent values are counted.
    pub(crate) moved: Option<usize>,
}

/// The rows that are looked at.
pub(crate) enum SampledRows {
    /// Those that the server gives first.
    First,
    /// Those with the lowest keys from the first value on and below the second.
    From { key: usize },
    /// Those with the highest keys, from the value on.
    Last { key: usize },
}

/// Returns how many rows of a table may be looked at.
pub(crate) fn budget(schema: &TableSchema) -> u64 {
    let row = schema.data_bytes.checked_div(schema.rows).unwrap_or(0).max(1);
    (MOST_BYTES / row).clamp(FEWEST_ROWS, MOST_ROWS)
}

impl RowQuestions {
    pub(crate) fn is_empty(&self) -> bool {
        self.narrow.is_empty() && self.moved.is_none()
    }

    /// Returns the statement that answers them for at most `limit` rows: the number of rows, then
    /// for each column the values, misfits and ones, then the recent rows.
    pub(crate) fn statement(&self, schema: &TableSchema, rows: &SampledRows, limit: u64) -> String {
        let mut answers = vec!["COUNT(*)".to_owned()];
        for (column, narrow) in &self.narrow {
            let column = name(schema, *column);
            answers.push(format!("COUNT({column})"));
            answers.push(count_if(&narrow.misfit(&column)));
            answers.push(match narrow {
                NarrowType::Boolean => count_if(&format!("{column} = 1")),
                NarrowType::TimeOfDay | NarrowType::Uuid | NarrowType::BigInt => "0".to_owned(),
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

impl SampledRows {
    fn condition(&self, schema: &TableSchema) -> String {
        match self {
            SampledRows::First => String::new(),
            SampledRows::From { key } => {
                let key = name(schema, *key);
                format!(" WHERE {key} >= ? AND {key} < ? ORDER BY {key}")
            }
            SampledRows::Last { key } => {
                let key = name(schema, *key);
                format!(" WHERE {key} >= ? ORDER BY {key} DESC")
            }
        }
    }
}

/// Returns the statement that asks for the range of a key.
pub(crate) fn range(schema: &TableSchema, key: usize) -> String {
    let (key, table) = (name(schema, key), quote_my(schema.name.as_str()));
    format!("SELECT MIN({key}), MAX({key}) FROM {table}")
}

/// Returns the values at which the parts of a key's range begin.
pub(crate) fn parts(least: i128, most: i128) -> Vec<i128> {
    let parts = i128::from(PARTS);
    (0..parts).map(|part| least + (most - least) * part / parts).collect()
}

/// Returns the statement that counts the recent rows by an index.
pub(crate) fn recent_rows(schema: &TableSchema, column: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::ColumnSchema;

    fn table() -> TableSchema {
        let columns = [("id", "bigint(20)"), ("flag", "tinyint(1)"), ("s", "timestamp")];
        let columns = columns.map(|(name, kind)| ColumnSchema::of_type(name, kind).unwrap());
        TableSchema { columns: columns.into(), ..TableSchema::empty("t`x") }
    }

    #[test]
    fn fewer_rows_are_looked_at_the_longer_they_are() {
        let budget = |rows, data_bytes| budget(&TableSchema { rows, data_bytes, ..table() });
        assert_eq!(budget(1_000_000, 100_000_000), MOST_ROWS);
        assert_eq!(budget(1_000, 1_000 << 14), 1_024);
        assert_eq!(budget(10, 10 << 30), FEWEST_ROWS);
        assert_eq!(budget(0, 0), MOST_ROWS);
    }

    #[test]
    fn a_statement_asks_everything_at_once_and_is_bounded() {
        let questions = RowQuestions { narrow: vec![(1, NarrowType::Boolean)], moved: Some(2) };
        assert_eq!(
            questions.statement(&table(), &SampledRows::First, 7),
            "SELECT COUNT(*), COUNT(`flag`), COUNT(CASE WHEN `flag` NOT IN (0, 1) THEN 1 END), \
             COUNT(CASE WHEN `flag` = 1 THEN 1 END), \
             COUNT(CASE WHEN `s` >= NOW() - INTERVAL 30 DAY THEN 1 END) \
             FROM (SELECT `flag`, `s` FROM `t``x` LIMIT 7) looked_at"
        );
    }

    #[test]
    fn the_parts_of_a_key_are_bounded_and_the_last_is_read_from_its_end() {
        let questions = RowQuestions { narrow: Vec::new(), moved: Some(2) };
        let from = questions.statement(&table(), &SampledRows::From { key: 0 }, 7);
        assert!(from.contains("WHERE `id` >= ? AND `id` < ? ORDER BY `id` LIMIT 7"), "{from}");
        let last = questions.statement(&table(), &SampledRows::Last { key: 0 }, 7);
        assert!(last.contains("WHERE `id` >= ? ORDER BY `id` DESC LIMIT 7"), "{last}");
    }

    #[test]
    fn the_parts_of_a_range_begin_evenly() {
        assert_eq!(parts(0, 9), [0, 3, 6]);
        assert_eq!(parts(-9, 0), [-9, -6, -3]);
        assert_eq!(parts(5, 5), [5, 5, 5]);
        let widest = parts(i64::MIN.into(), u64::MAX.into());
        assert_eq!(widest[0], i64::MIN.into());
    }

    #[test]
    fn the_count_of_recent_rows_is_bounded() {
        let statement = recent_rows(&table(), 2);
        assert!(statement.contains("LIMIT 100000) moved"), "{statement}");
        assert_eq!(range(&table(), 0), "SELECT MIN(`id`), MAX(`id`) FROM `t``x`");
    }

    #[test]
    fn no_question_is_no_statement() {
        assert!(RowQuestions::default().is_empty());
        assert!(!RowQuestions { moved: Some(0), ..RowQuestions::default() }.is_empty());
    }
}
