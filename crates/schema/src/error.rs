//! The reason that a table cannot be described or mapped.

use handoff_connect::Fault;
use handoff_model::{ColumnName, TableName};

/// A result whose error is this crate's [`SchemaError`].
pub type Result<T, E = SchemaError> = std::result::Result<T, E>;

/// The reason that a table cannot be described or mapped.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The catalogue could not be read.
    #[error("cannot read the catalogue")]
    Catalogue(#[source] Fault),
    /// A column has a type that Handoff does not know.
    #[error("`{table}`.`{column}` has the type {column_type}, which Handoff does not know")]
    UnknownType {
        /// The table.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// The type as the server spells it.
        column_type: String,
    },
    /// An override of the settings does not fit the column.
    #[error("`{table}`.`{column}` is {from}, which cannot become {to}: {remedy}")]
    BadOverride {
        /// The table.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// The MySQL type.
        from: String,
        /// The type the settings ask for.
        to: String,
        /// The types that may be written instead.
        remedy: String,
    },
    /// Two columns would have one name in the target.
    #[error(
        "`{table}` would have two columns \"{name}\" in the target: rename one of them, or take out \
         lower_case_names = true"
    )]
    NamesClash {
        /// The table.
        table: TableName,
        /// The name.
        name: String,
    },
    /// The table is there, but the server says too little of it.
    #[error("`{table}` cannot be described: {reason}")]
    Undescribed {
        /// The table.
        table: TableName,
        /// The reason.
        reason: String,
    },
    /// The settings name a column that the table does not have.
    #[error(
        "`{table}` has no column `{column}`, which `columns` in its settings names{}: take the line out \
         or correct the name",
        did_you_mean(.near)
    )]
    NoSuchColumn {
        /// The table.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// One that is called nearly so.
        near: Option<String>,
    },
    /// The table has more columns than a PostgreSQL table can.
    #[error(
        "`{table}` has {columns} columns, and PostgreSQL allows {}",
        crate::limits::MAX_COLUMNS
    )]
    TooManyColumns {
        /// The table.
        table: TableName,
        /// Its columns.
        columns: usize,
    },
    /// The key has more columns than a PostgreSQL index can.
    #[error(
        "the key of `{table}` has {columns} columns, and PostgreSQL allows {}",
        crate::limits::MAX_KEY_COLUMNS
    )]
    KeyTooWide {
        /// The table.
        table: TableName,
        /// The key's columns.
        columns: usize,
    },
    /// The table has the name of one that Handoff keeps in the target schema.
    #[error(
        "`{table}` cannot be moved: Handoff keeps a table of that name of its own in the target"
    )]
    ReservedName {
        /// The table.
        table: TableName,
    },
}

impl SchemaError {
    /// Returns the table it is about; [`None`] if about the whole catalogue.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            SchemaError::Catalogue(_) => None,
            SchemaError::UnknownType { table, .. }
            | SchemaError::BadOverride { table, .. }
            | SchemaError::Undescribed { table, .. }
            | SchemaError::NamesClash { table, .. }
            | SchemaError::NoSuchColumn { table, .. }
            | SchemaError::TooManyColumns { table, .. }
            | SchemaError::KeyTooWide { table, .. }
            | SchemaError::ReservedName { table } => Some(table),
        }
    }
}

fn did_you_mean(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
