//! Conditions with bound parameters.

use super::key::{KeyColumn, TableKey, parameter};
use crate::error::{Error, Result};
use handoff_connect::quote_my;
use handoff_model::{ColumnName, KeyValue, RowFilter, Watermark, WatermarkWindow};
use handoff_schema::{ColumnSchema, MySqlType, TableSchema};
use mysql::Value;

/// A condition and its parameters; an empty text is true for every row.
#[derive(Debug, Clone, Default)]
pub(super) struct SqlCondition {
    pub(super) sql: String,
    pub(super) params: Vec<Value>,
}

/// The side of a key that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeySide {
    /// Keys that come later in the index.
    After,
    /// Keys that come earlier, and the key itself.
    UpTo,
}

impl SqlCondition {
    /// Renders a filter.
    pub(super) fn of_filter(
        filter: &RowFilter,
        table: &TableSchema,
        key: Option<&TableKey>,
    ) -> Result<SqlCondition> {
        match filter {
            RowFilter::All => Ok(SqlCondition::default()),
            RowFilter::Range(range) => {
                let Some(key) = key else {
                    return Err(refused(table, "it has no key to take a range of"));
                };
                let mut whole = SqlCondition::default();
                for (side, bound) in [(KeySide::After, &range.after), (KeySide::UpTo, &range.upto)]
                {
                    let Some(bound) = bound else { continue };
                    if bound.len() != key.columns.len() {
                        return Err(refused(
                            table,
                            "the range has not as many values as its key columns",
                        ));
                    }
                    let values: Vec<Value> = bound.iter().map(parameter).collect();
                    whole = whole.and(SqlCondition::of_key(key, side, &values));
                }
                Ok(whole)
            }
            RowFilter::Keys(keys) => {
                let Some(key) = key else {
                    return Err(refused(table, "it has no key to look rows up by"));
                };
                if keys.is_empty() || keys.iter().any(|one| one.len() != key.columns.len()) {
                    return Err(refused(
                        table,
                        "the keys have not as many values as the table's key",
                    ));
                }
                Ok(SqlCondition::of_keys(key, keys))
            }
            RowFilter::Changed { bounds, nulls } => {
                let mut any = SqlCondition::default();
                for bound in bounds {
                    any = any.or(changed(table, bound)?);
                }
                if any.sql.is_empty() {
                    return Err(refused(table, "no watermark column is named"));
                }
                Ok(any.or(all_null(table, nulls)?))
            }
        }
    }

    /// Renders one side of a key column by column: `a > ? OR (a = ? AND b > ?)`. Servers scan a
    /// table from its start for `(a, b) > (?, ?)`.
    pub(super) fn of_key(key: &TableKey, side: KeySide, values: &[Value]) -> SqlCondition {
        let mut any = SqlCondition::default();
        for (index, column) in key.columns.iter().enumerate() {
            let last = index + 1 == key.columns.len();
            let operator = match (side, column.descending) {
                (KeySide::UpTo, false) if last => "<=",
                (KeySide::UpTo, true) if last => ">=",
                (KeySide::After, false) | (KeySide::UpTo, true) => ">",
                (KeySide::UpTo, false) | (KeySide::After, true) => "<",
            };
            let mut all = SqlCondition::default();
            for (column, value) in key.columns.iter().zip(values).take(index) {
                all = all.and(compare(column, "=", value));
            }
            any = any.or(all.and(compare(column, operator, &values[index])));
        }
        any
    }

    /// Renders `a IN (?, ?)`, or `(a = ? AND b = ?) OR …`. Built in one go: the conditions of this
    /// module nest, and a server has a limit to that.
    fn of_keys(key: &TableKey, keys: &[Vec<KeyValue>]) -> SqlCondition {
        let params = keys.iter().flatten().map(parameter).collect();
        if let [column] = &key.columns[..] {
            let operands = vec![&*column.operand; keys.len()].join(", ");
            return SqlCondition { sql: format!("{} IN ({operands})", column.name), params };
        }
        let columns =
            key.columns.iter().map(|column| format!("{} = {}", column.name, column.operand));
        let one = format!("({})", columns.collect::<Vec<_>>().join(" AND "));
        SqlCondition { sql: format!("({})", vec![one; keys.len()].join(" OR ")), params }
    }

    pub(super) fn and(self, other: SqlCondition) -> SqlCondition {
        self.join(" AND ", other)
    }

    fn or(self, other: SqlCondition) -> SqlCondition {
        self.join(" OR ", other)
    }

    fn join(mut self, word: &str, other: SqlCondition) -> SqlCondition {
        if self.sql.is_empty() {
            return other;
        }
        if other.sql.is_empty() {
            return self;
        }
        self.params.extend(other.params);
        SqlCondition { sql: format!("({}{word}{})", self.sql, other.sql), params: self.params }
    }

    /// Renders the clause; nothing if every row is meant.
    pub(super) fn where_clause(&self) -> String {
        if self.sql.is_empty() { String::new() } else { format!(" WHERE {}", self.sql) }
    }
}

fn refused(table: &TableSchema, problem: &str) -> Error {
    Error::Filter { table: table.name.clone(), problem: problem.to_owned() }
}

fn compare(column: &KeyColumn, operator: &str, value: &Value) -> SqlCondition {
    let sql = format!("{} {operator} {}", column.name, column.operand);
    SqlCondition { sql, params: vec![value.clone()] }
}

/// Renders the rows in which every one of `columns` is NULL; nothing if none is named.
fn all_null(table: &TableSchema, columns: &[ColumnName]) -> Result<SqlCondition> {
    let mut all = SqlCondition::default();
    for name in columns {
        let sql = format!("{} IS NULL", qualified(table, column(table, name)?));
        all = all.and(SqlCondition { sql, params: Vec::new() });
    }
    Ok(all)
}

fn column<'a>(table: &'a TableSchema, name: &ColumnName) -> Result<&'a ColumnSchema> {
    let found = table.column(name.as_str());
    found.ok_or_else(|| refused(table, &format!("it has no column `{name}`")))
}

fn qualified(table: &TableSchema, column: &ColumnSchema) -> String {
    format!("{}.{}", quote_my(table.name.as_str()), quote_my(column.name.as_str()))
}

/// Renders `from <= column < below`.
fn changed(table: &TableSchema, bound: &WatermarkWindow) -> Result<SqlCondition> {
    let compared = column(table, &bound.column)?;
    let name = qualified(table, compared);
    let mut both = SqlCondition::default();
    for (operator, watermark) in [(">=", Some(&bound.from)), ("<", bound.below.as_ref())] {
        let Some(watermark) = watermark else { continue };
        let Some((right, value)) = operand(&compared.kind, watermark) else {
            let (name, kind) = (&compared.name, &compared.column_type);
            let problem = format!("its column `{name}` is {kind} and its watermark is not");
            return Err(refused(table, &problem));
        };
        let sql = format!("{name} {operator} {right}");
        both = both.and(SqlCondition { sql, params: vec![value] });
    }
    Ok(both)
}

/// Returns the operand to compare a column of the type `kind` with; [`None`] if the watermark is of another
/// type (compared all the same, the server would find no rows, or all).
fn operand(kind: &MySqlType, watermark: &Watermark) -> Option<(String, Value)> {
    use MySqlType as M;
    match (kind, watermark) {
        (
            M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) | M::Year,
            Watermark::Integer(number),
        ) => Some(("?".to_owned(), integer(*number)?)),
        (M::Decimal { precision, scale }, Watermark::Decimal(digits)) => Some((
            format!("CAST(? AS DECIMAL({precision},{scale}))"),
            Value::Bytes(digits.clone().into_bytes()),
        )),
        (M::Date, Watermark::Date(text))
        | (M::DateTime(_), Watermark::DateTime(text) | Watermark::Date(text))
        | (M::Timestamp(_), Watermark::Timestamp(text)) => Some(("?".to_owned(), date(text)?)),
        _ => None,
    }
}

fn integer(number: i128) -> Option<Value> {
    i64::try_from(number).map(Value::Int).or_else(|_| u64::try_from(number).map(Value::UInt)).ok()
}

/// Reads `YYYY-MM-DD[ hh:mm:ss[.ffffff]]`.
fn date(text: &str) -> Option<Value> {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if fraction.len() > 6 {
        return None;
    }
    Some(Value::Date(
        year.parse().ok()?,
        month.parse().ok()?,
        day.parse().ok()?,
        hour.parse().ok()?,
        minute.parse().ok()?,
        second.parse().ok()?,
        format!("{fraction:0<6}").parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watermarks_are_read_as_they_are_printed() {
        assert_eq!(date("2024-02-29"), Some(Value::Date(2024, 2, 29, 0, 0, 0, 0)));
        assert_eq!(
            date("2024-02-29 23:59:58.5"),
            Some(Value::Date(2024, 2, 29, 23, 59, 58, 500_000))
        );
        assert_eq!(date("soon"), None);
    }

    #[test]
    fn a_watermark_of_another_type_is_refused() {
        let kind = MySqlType::DateTime(0);
        assert_eq!(operand(&kind, &Watermark::Integer(7)), None);
        let text = "2024-02-29".to_owned();
        assert_eq!(
            operand(&MySqlType::Int(handoff_schema::IntegerSign::Signed), &Watermark::Date(text)),
            None
        );
    }
}
