//! The errors of reading and encoding rows.

use handoff_connect::Fault;
use handoff_model::{Cancelled, ColumnName, TableName};

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why rows could not be read or encoded. Never holds a value.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server failed.
    #[error("cannot read `{table}` (after {rows} rows)")]
    Read {
        /// The table.
        table: TableName,
        /// Rows read before.
        rows: u64,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// A value has no counterpart in its column's type under the policy in force.
    #[error("`{table}`.`{column}`, row {row}: {problem}; {remedy}")]
    Value {
        /// The table.
        table: TableName,
        /// The column.
        column: ColumnName,
        /// The ordinal of the row in this read, from 1.
        row: u64,
        /// The problem, such as "a zero date in a key".
        problem: &'static str,
        /// The entry to write into the settings.
        remedy: String,
    },
    /// The rows to read cannot be selected.
    #[error("cannot select the rows of `{table}`: {problem}")]
    Filter {
        /// The table.
        table: TableName,
        /// The defect of the filter, in words.
        problem: String,
    },
    /// Keys of rows could not be put aside.
    #[error("cannot keep the keys of `{table}` in a temporary file: {problem}")]
    Keys {
        /// The table.
        table: TableName,
        /// The system's error.
        problem: String,
    },
    /// The run was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// Returns the table that could not be read, if the error belongs to one.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            Error::Read { table, .. }
            | Error::Value { table, .. }
            | Error::Filter { table, .. }
            | Error::Keys { table, .. } => Some(table),
            Error::Cancelled(_) => None,
        }
    }

    /// Returns the server's error, if the server failed.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Error::Read { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Returns true if the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Error::Cancelled(_))
    }
}
