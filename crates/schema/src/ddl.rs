//! The statements that make a mapped table, and the comparison with one that is there.

use crate::Mapping;

/// Whether a table survives a crash of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Written to the log.
    Logged,
    /// `UNLOGGED`: emptied by a crash, and cheaper.
    Unlogged,
}

/// Spells `CREATE TABLE` for `mapping` under another name, without its key.
pub fn create_table(
    _mapping: &Mapping,
    _schema: &str,
    _name: &str,
    _persistence: Persistence,
) -> String {
    todo!()
}

/// Spells the statement that adds the key of `mapping` to the table `name`; [`None`] without one.
pub fn add_key(_mapping: &Mapping, _schema: &str, _name: &str) -> Option<String> {
    todo!()
}

/// One column of a table in PostgreSQL, as its catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgColumn {
    /// Its name.
    pub name: String,
    /// Its type by `format_type(atttypid, atttypmod)`.
    pub type_name: String,
    /// Whether it is NOT NULL.
    pub not_null: bool,
}

/// Lists how a table in the target differs from what `mapping` wants, one sentence each; empty if
/// rows of the mapping can be written to it.
pub fn differences(_mapping: &Mapping, _columns: &[PgColumn], _key: &[String]) -> Vec<String> {
    todo!()
}
