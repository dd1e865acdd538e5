//! Why a table cannot be described or mapped.

use handoff_connect::Fault;
use handoff_model::{ColumnName, TableName};

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a table cannot be described or mapped.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    #[error("`{table}`.`{column}` is {from}, which cannot be carried as {to}: {remedy}")]
    BadOverride {
        /// The table.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// The MySQL type.
        from: String,
        /// The type the settings ask for.
        to: String,
        /// What may be written instead.
        remedy: String,
    },
}
