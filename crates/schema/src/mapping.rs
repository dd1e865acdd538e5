//! What a table becomes in PostgreSQL.

use crate::{Column, PgType, Result, TableSchema};
use handoff_model::{ColumnName, TableName};
use handoff_settings::{TableSettings, Values};

/// One column and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedColumn {
    /// The source column.
    pub source: Column,
    /// Its PostgreSQL type.
    pub pg: PgType,
    /// Its PostgreSQL name: the source's, or shortened with a stable hash over 63 bytes.
    pub pg_name: String,
    /// Whether the PostgreSQL column may be NULL: as the source, or wider where a policy of
    /// `[values]` can make a NULL.
    pub nullable: bool,
    /// Whether the column belongs to the key; no policy ever applies to it.
    pub key: bool,
}

/// What a table becomes in PostgreSQL. Its columns are in the order of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The source table.
    pub table: TableName,
    /// The PostgreSQL table's name, without the schema.
    pub pg_table: String,
    /// The columns.
    pub columns: Vec<MappedColumn>,
    /// The key, as indexes into `columns`; empty if there is none.
    pub key: Vec<usize>,
    /// Further unique keys, as indexes into `columns`: not made in the target.
    pub notes: Vec<String>,
}

impl Mapping {
    /// Maps a table by the table of the documentation and the overrides of its settings.
    ///
    /// # Errors
    ///
    /// Returns an error if an override does not fit, if the table has too many columns for
    /// PostgreSQL, or if its key cannot be one there.
    pub fn new(
        _schema: &TableSchema,
        _settings: &TableSettings,
        _values: &Values,
    ) -> Result<Mapping> {
        todo!()
    }

    /// Returns the names of the key's columns in the source.
    pub fn key_names(&self) -> Vec<&ColumnName> {
        self.key.iter().map(|&index| &self.columns[index].source.name).collect()
    }
}
