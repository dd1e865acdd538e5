//! The statements that make a mapped table, and the comparison with one that is there.

mod alter;
mod compare;
mod key_names;

pub use alter::alter;
pub use compare::{PgColumn, SurplusColumns, differences};
pub use key_names::{key_name, key_names};

use crate::mapping::TableMapping;
use handoff_connect::quote_pg;

/// The lifetime of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Written to the log.
    Logged,
    /// `UNLOGGED`: emptied by a crash, and cheaper.
    Unlogged,
    /// `TEMPORARY`: seen by this session alone, gone with its transaction. It has no schema.
    Temporary,
}

/// Spells `CREATE TABLE` for `mapping` under another name, without its key.
pub fn create_table(
    mapping: &TableMapping,
    schema: &str,
    name: &str,
    persistence: Persistence,
) -> String {
    let (create, name, ending) = match persistence {
        Persistence::Logged => ("CREATE TABLE", qualified(schema, name), ""),
        Persistence::Unlogged => ("CREATE UNLOGGED TABLE", qualified(schema, name), ""),
        Persistence::Temporary => ("CREATE TEMPORARY TABLE", quote_pg(name), " ON COMMIT DROP"),
    };
    let columns: Vec<String> = mapping.columns.iter().map(column_line).collect();
    format!("{create} {name} ({}\n){ending}", columns.join(","))
}

fn column_line(column: &crate::mapping::MappedColumn) -> String {
    let not_null = if column.nullable { "" } else { " NOT NULL" };
    format!("\n    {} {}{not_null}", quote_pg(column.pg_name.as_str()), column.pg)
}

/// Spells the statement that adds the key of `mapping` to the table `name`; [`None`] without one.
///
/// PostgreSQL names the constraint after the table, and otherwise where that name is taken: by the key of a
/// table that was renamed, for instance.
pub fn add_key(mapping: &TableMapping, schema: &str, name: &str) -> Option<String> {
    if mapping.key.is_empty() {
        return None;
    }
    let columns = list(mapping.pg_key_names());
    Some(format!("ALTER TABLE {} ADD PRIMARY KEY ({columns})", qualified(schema, name)))
}

/// Spells the same with a name for the key.
pub fn add_named_key(
    mapping: &TableMapping,
    schema: &str,
    name: &str,
    key_name: &str,
) -> Option<String> {
    if mapping.key.is_empty() {
        return None;
    }
    let (table, key) = (qualified(schema, name), quote_pg(key_name));
    Some(format!("ALTER TABLE {table} ADD CONSTRAINT {key} PRIMARY KEY ({})", key_list(mapping)))
}

/// Returns the columns, quoted, in the order of the mapping, as COPY and SELECT take them.
pub fn column_list(mapping: &TableMapping) -> String {
    list(mapping.columns.iter().map(|column| column.pg_name.as_str()))
}

/// Returns the columns of the key, quoted, in its order; empty without a key.
pub fn key_list(mapping: &TableMapping) -> String {
    list(mapping.pg_key_names())
}

/// Quotes a table's name with its schema.
pub fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_pg(schema), quote_pg(name))
}

/// Quotes a table's name for statements that concern its own rows: without the word, they also concern those of
/// every table that inherits from it.
pub fn only(schema: &str, name: &str) -> String {
    format!("ONLY {}", qualified(schema, name))
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quote_pg).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
