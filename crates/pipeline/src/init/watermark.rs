//! Columns by which changed rows could be found.

use handoff_schema::{ColumnSchema, MySqlType, TableSchema};

/// Returns the column that the server itself moves with every change of a row. One that is never
/// NULL comes first, then one with an index.
pub(super) fn moved_by_server(schema: &TableSchema) -> Option<usize> {
    let moved =
        |index: &usize| schema.columns[*index].on_update && is_moment(&schema.columns[*index]);
    let rank = |index: &usize| (schema.columns[*index].nullable, !is_indexed(schema, *index));
    (0..schema.columns.len()).filter(moved).min_by_key(rank)
}

/// Returns the columns that look as if the application moved them with every change.
pub(super) fn moved_by_application(schema: &TableSchema) -> Vec<usize> {
    const WORDS: &[&str] = &["modif", "updat", "edit", "chang", "stamp", "touched"];
    let looks_so = |column: &ColumnSchema| {
        let name = column.name.as_str().to_lowercase();
        is_moment(column) && !column.on_update && WORDS.iter().any(|word| name.contains(word))
    };
    (0..schema.columns.len()).filter(|&index| looks_so(&schema.columns[index])).collect()
}

/// Returns the column of a key that consists of one integer.
pub(super) fn integer_key(schema: &TableSchema) -> Option<usize> {
    match schema.key()?.as_slice() {
        &[column] => is_integer(&schema.columns[column]).then_some(column),
        _ => None,
    }
}

/// Returns true if an index begins with the whole column.
pub(super) fn is_indexed(schema: &TableSchema, column: usize) -> bool {
    schema.indexes.iter().any(|index| {
        index.parts.first().is_some_and(|part| part.column == Some(column) && part.prefix.is_none())
    })
}

pub(super) fn is_integer(column: &ColumnSchema) -> bool {
    use MySqlType as M;
    matches!(
        column.kind,
        M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_)
    )
}

fn is_moment(column: &ColumnSchema) -> bool {
    matches!(column.kind, MySqlType::Timestamp(_) | MySqlType::DateTime(_))
}
