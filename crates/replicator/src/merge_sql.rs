//! The statements of a merge.

use crate::copied_column::{ByteImage, CopiedColumn, name_list};
use handoff_connect::quote_my;
use handoff_schema::{MySqlType, TableSchema};

/// The statements that bring the staged rows `s` into the table `t`. Each reads the staged rows and
/// looks their keys up in the table, never the other way round.
pub(crate) struct MergeSql {
    /// Drops the staged rows that the table holds byte for byte.
    pub(crate) drop_unchanged: String,
    /// Deletes the rows of the staged keys.
    pub(crate) delete: String,
    /// Inserts the staged rows.
    pub(crate) insert: String,
    /// Counts the staged rows that the table holds byte for byte.
    pub(crate) count_equal: String,
    /// Deletes the rows that are gone from the source, if there may be any.
    pub(crate) delete_gone: Option<String>,
}

impl MergeSql {
    pub(crate) fn new(table: &TableSchema, columns: &[CopiedColumn], staging: &str) -> MergeSql {
        let (into, staging) = (quote_my(table.name.as_str()), quote_my(staging));
        let joined = format!(
            "FROM {staging} AS s STRAIGHT_JOIN {into} AS t {} ON {}",
            by_key_index(table),
            same_key(table, "s", "t"),
        );
        let equal = all(columns.iter().map(same_bytes));
        let list = name_list(columns);
        MergeSql {
            drop_unchanged: format!("DELETE s {joined} WHERE {equal}"),
            delete: format!("DELETE t {joined}"),
            insert: format!("INSERT INTO {into} ({list}) SELECT {list} FROM {staging}"),
            count_equal: format!("SELECT COUNT(*) {joined} WHERE {equal}"),
            delete_gone: None,
        }
    }
}

fn all(conditions: impl Iterator<Item = String>) -> String {
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() { "TRUE".to_owned() } else { conditions.join(" AND ") }
}

/// Renders the index hint by which rows of the table are looked up by their key, whatever the server's statistics
/// say. They may say that a table of millions of rows is empty (InnoDB's after a crash), and a scan of it for
/// each staged row would seem cheap.
pub(crate) fn by_key_index(table: &TableSchema) -> String {
    let index = table.key_index().map(|index| quote_my(index.name.as_str()));
    index.map(|name| format!("FORCE INDEX FOR JOIN ({name})")).unwrap_or_default()
}

/// Renders that the rows `a` and `b` have the same key, as the server's unique index tells keys apart:
/// by the column's collation, so that a key whose case changed replaces the one it was.
pub(crate) fn same_key(table: &TableSchema, a: &str, b: &str) -> String {
    all(table.key().unwrap_or_default().iter().map(|&column| {
        let column = &table.columns[column];
        let name = quote_my(column.name.as_str());
        let equal = format!("{a}.{name} = {b}.{name}");
        match column.kind {
            // Compared as labels, of which an empty one and that of the number 0 are the same.
            MySqlType::Enum(_) | MySqlType::Set(_) => {
                format!("{equal} AND CAST({a}.{name} AS UNSIGNED) = CAST({b}.{name} AS UNSIGNED)")
            }
            _ => equal,
        }
    }))
}

/// Renders that two rows hold the same bytes in a column. Values that the server calls equal may differ in
/// case, in blanks at the end, or in the sign of a zero.
fn same_bytes(column: &CopiedColumn) -> String {
    let name = &column.name;
    match column.image {
        ByteImage::Value => same(name, "", ""),
        ByteImage::Number => same(name, "CAST(", " AS UNSIGNED)"),
        ByteImage::Bytes => same(name, "CONVERT(", " USING binary)"),
        ByteImage::Text => same(name, "CONVERT(CONVERT(", " USING utf8mb4) USING binary)"),
        // The text of a FLOAT has six digits, and its value no sign at zero.
        ByteImage::Float => {
            format!("{} AND {}", same(name, "", ""), same(name, "CAST(", " AS CHAR)"))
        }
    }
}

/// Renders that a column has the same value in two rows, each put between `before` and `after`.
fn same(name: &str, before: &str, after: &str) -> String {
    format!("{before}s.{name}{after} <=> {before}t.{name}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copied_column::{StoreAs, TextFormat};
    use handoff_schema::{ColumnSchema, IndexPart, IndexSchema};

    fn carried(name: &str, image: ByteImage) -> CopiedColumn {
        let (name, format, store) = (quote_my(name), TextFormat::Plain, StoreAs::Bytes);
        CopiedColumn { select: name.clone(), name, format, store, image, numbered: false }
    }

    #[test]
    fn keys_are_compared_as_the_index_does_and_rows_by_their_bytes() {
        let key = |name, kind| ColumnSchema {
            nullable: false,
            ..ColumnSchema::of_type(name, kind).unwrap()
        };
        let part = |column| IndexPart { column: Some(column), prefix: None, descending: false };
        let parts = vec![part(0), part(1)];
        let table = TableSchema {
            columns: vec![key("k", "varchar(9)"), key("e", "enum('a')")],
            indexes: vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }],
            ..TableSchema::empty("t`")
        };
        let columns = [
            carried("k", ByteImage::Bytes),
            carried("e", ByteImage::Number),
            carried("f", ByteImage::Float),
            carried("j", ByteImage::Text),
            carried("i", ByteImage::Value),
        ];
        let sql = MergeSql::new(&table, &columns, "new");
        let joined = "FROM `new` AS s STRAIGHT_JOIN `t``` AS t FORCE INDEX FOR JOIN (`PRIMARY`) ON s.`k` = t.`k` AND s.`e` = t.`e` \
                      AND CAST(s.`e` AS UNSIGNED) = CAST(t.`e` AS UNSIGNED)";
        let equal = "CONVERT(s.`k` USING binary) <=> CONVERT(t.`k` USING binary) \
                     AND CAST(s.`e` AS UNSIGNED) <=> CAST(t.`e` AS UNSIGNED) \
                     AND s.`f` <=> t.`f` AND CAST(s.`f` AS CHAR) <=> CAST(t.`f` AS CHAR) \
                     AND CONVERT(CONVERT(s.`j` USING utf8mb4) USING binary) <=> \
                     CONVERT(CONVERT(t.`j` USING utf8mb4) USING binary) AND s.`i` <=> t.`i`";
        assert_eq!(sql.drop_unchanged, format!("DELETE s {joined} WHERE {equal}"));
        assert_eq!(sql.delete, format!("DELETE t {joined}"));
        assert_eq!(sql.count_equal, format!("SELECT COUNT(*) {joined} WHERE {equal}"));
        let names = "`k`, `e`, `f`, `j`, `i`";
        assert_eq!(sql.insert, format!("INSERT INTO `t``` ({names}) SELECT {names} FROM `new`"));
    }
}
