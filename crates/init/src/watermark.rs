//! Columns by which changed rows could be found.

use handoff_schema::{ColumnSchema, MySqlType, TableSchema};

/// Returns the column that the server itself moves with every change of a row. One that is never
/// NULL comes first, then one with an index.
pub(crate) fn moved_by_server(schema: &TableSchema) -> Option<usize> {
    let columns = schema.columns.iter().enumerate();
    let moved = columns.filter(|(_, column)| column.on_update && is_moment(column));
    let best = moved.min_by_key(|(index, column)| (column.nullable, !is_indexed(schema, *index)));
    best.map(|(index, _)| index)
}

/// Returns the columns that look as if the application moved them with every change.
pub(crate) fn moved_by_application(schema: &TableSchema) -> Vec<usize> {
    (0..schema.columns.len()).filter(|&index| is_named_so(&schema.columns[index])).collect()
}

fn is_named_so(column: &ColumnSchema) -> bool {
    const WORDS: &[&str] = &["modif", "updat", "edit", "chang", "stamp", "touched"];
    let name = column.name.as_str().to_lowercase();
    is_moment(column) && !column.on_update && WORDS.iter().any(|word| name.contains(word))
}

/// Returns the column of a key that consists of one integer.
pub(crate) fn integer_key(schema: &TableSchema) -> Option<usize> {
    match schema.key()?.as_slice() {
        &[column] => is_integer(&schema.columns[column]).then_some(column),
        _ => None,
    }
}

/// Returns true if an index begins with the whole column.
pub(crate) fn is_indexed(schema: &TableSchema, column: usize) -> bool {
    schema.indexes.iter().any(|index| {
        index.parts.first().is_some_and(|part| part.column == Some(column) && part.prefix.is_none())
    })
}

pub(crate) fn is_integer(column: &ColumnSchema) -> bool {
    use MySqlType as M;
    matches!(
        column.kind,
        M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_)
    )
}

fn is_moment(column: &ColumnSchema) -> bool {
    matches!(column.kind, MySqlType::Timestamp(_) | MySqlType::DateTime(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{IndexPart, IndexSchema};

    fn table(columns: &[(&str, &str)]) -> TableSchema {
        let columns = columns.iter().map(|(name, kind)| ColumnSchema::of_type(name, kind).unwrap());
        TableSchema { columns: columns.collect(), ..TableSchema::empty("t") }
    }

    fn key(columns: &[usize]) -> IndexSchema {
        let part = |&column| IndexPart { column: Some(column), prefix: None, descending: false };
        IndexSchema {
            name: "PRIMARY".to_owned(),
            unique: true,
            parts: columns.iter().map(part).collect(),
        }
    }

    #[test]
    fn a_column_that_is_never_null_wins_over_one_with_an_index() {
        let mut schema = table(&[("a", "timestamp"), ("b", "datetime"), ("c", "timestamp")]);
        for index in 0..2 {
            schema.columns[index].on_update = true;
        }
        schema.indexes.push(key(&[0]));
        assert_eq!(moved_by_server(&schema), Some(0));
        schema.columns[1].nullable = false;
        assert_eq!(moved_by_server(&schema), Some(1));
    }

    #[test]
    fn only_times_are_moved() {
        let mut schema = table(&[("n", "int")]);
        schema.columns[0].on_update = true;
        assert_eq!(moved_by_server(&schema), None);
    }

    #[test]
    fn the_application_moves_what_it_names_so() {
        let mut schema = table(&[
            ("DateModified", "datetime"),
            ("updated", "varchar(9)"),
            ("last_edit", "timestamp"),
            ("born", "datetime"),
        ]);
        assert_eq!(moved_by_application(&schema), [0, 2]);
        schema.columns[2].on_update = true;
        assert_eq!(moved_by_application(&schema), [0]);
    }

    #[test]
    fn a_key_of_one_integer_tells_new_rows() {
        let mut schema = table(&[("id", "int"), ("b", "int"), ("c", "varchar(9)")]);
        for column in &mut schema.columns {
            column.nullable = false;
        }
        assert_eq!(integer_key(&schema), None);
        for (columns, expected) in [(&[0][..], Some(0)), (&[0, 1][..], None), (&[2][..], None)] {
            schema.indexes = vec![key(columns)];
            assert_eq!(integer_key(&schema), expected);
        }
    }
}
