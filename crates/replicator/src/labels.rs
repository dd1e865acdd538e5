//! Labels of ENUM and SET that no server tells.
//!
//! Both families print definitions in three-byte UTF-8, where a character beyond U+FFFF becomes `?`
//! (seen on both). The shadow then has `?` in its label, and since such a value travels by its number
//! its sums are those of the source.

use crate::copied_column::{CopiedColumn, StoreAs};
use crate::error::{CopyStage, Error, FaultContext, Result};
use handoff_connect::{MyConn, quote_my};
use handoff_schema::{ColumnSchema, MySqlType, TableSchema};
use std::collections::BTreeMap;

/// Returns the columns whose labels may differ from the definition's, quoted.
pub(crate) fn doubtful(table: &TableSchema, columns: &[CopiedColumn]) -> Vec<String> {
    let doubtful = table.columns.iter().filter(|column| has_doubtful_labels(column));
    doubtful
        .map(|column| quote_my(column.name.as_str()))
        .filter(|name| columns.iter().any(|c| c.store == StoreAs::Number && c.name == *name))
        .collect()
}

fn has_doubtful_labels(column: &ColumnSchema) -> bool {
    let (MySqlType::Enum(labels) | MySqlType::Set(labels)) = &column.kind else { return false };
    labels.iter().any(|label| label.contains('?'))
        && column.charset.as_deref().is_some_and(|charset| charset.starts_with("utf"))
}

/// Compares the labels in use, by their numbers.
pub(crate) fn check(
    table: &TableSchema,
    columns: &[String],
    source: &mut MyConn,
    replica: &mut MyConn,
    into: &str,
) -> Result<()> {
    for column in columns {
        let there = labels(table, column, source, table.name.as_str())?;
        let here = labels(table, column, replica, into)?;
        if here.iter().any(|(number, label)| there.get(number).is_some_and(|l| l != label)) {
            return Err(Error::Labels { table: table.name.clone(), column: column.clone() });
        }
    }
    Ok(())
}

fn labels(
    table: &TableSchema,
    column: &str,
    conn: &mut MyConn,
    name: &str,
) -> Result<BTreeMap<Option<u64>, Option<Vec<u8>>>> {
    let at = FaultContext { table: &table.name, stage: CopyStage::Compare, rows: 0 };
    let ask = format!(
        "SELECT DISTINCT CAST({column} AS UNSIGNED), CAST({column} AS BINARY) FROM {}",
        quote_my(name)
    );
    let found = conn.query::<(Option<u64>, Option<Vec<u8>>), _>(ask);
    Ok(found.map_err(|error| at.error(conn.fault(&error)))?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copied_column::copied_columns;
    use handoff_connect::ServerFlavor;

    #[test]
    fn only_question_marks_in_labels_of_unicode_are_doubtful() {
        let column = |name: &str, kind: &str, charset: &str| ColumnSchema {
            charset: Some(charset.to_owned()),
            ..ColumnSchema::of_type(name, kind).unwrap()
        };
        let columns = vec![
            column("a", "enum('x?')", "utf8mb4"),
            column("b", "set('y','?')", "utf8mb3"),
            column("c", "enum('x?')", "latin1"),
            column("d", "enum('x')", "utf8mb4"),
            column("e", "varchar(9)", "utf8mb4"),
        ];
        let table = TableSchema { columns, ..TableSchema::empty("t") };
        let copied = copied_columns(&table, ServerFlavor::MySql, |_| false);
        assert_eq!(doubtful(&table, &copied), ["`a`", "`b`"]);
    }
}
