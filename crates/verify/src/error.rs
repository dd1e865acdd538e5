//! The errors of a comparison.

use handoff_connect::{Fault, TransientError};
use handoff_model::{Cancelled, TableName};

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a table could not be compared. Never holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A MySQL side could not be read or its rows not encoded.
    #[error(transparent)]
    Rows(#[from] handoff_rows::Error),
    /// The target could not be read.
    #[error("cannot read `{table}`")]
    Target {
        /// The table.
        table: TableName,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// The table was altered while it was read.
    #[error("`{0}` was altered while it was compared: compare it again")]
    Altered(TableName),
    /// The temporary file for many differences cannot be written or read.
    #[error("cannot use a temporary file to compare `{table}`; is there room in {}?", std::env::temp_dir().display())]
    Spill {
        /// The table.
        table: TableName,
        /// The system's error.
        #[source]
        error: std::io::Error,
    },
    /// There is nothing to compare the table with.
    #[error("`{0}` is to be compared with nothing: name two databases at least")]
    Alone(TableName),
    /// The comparison was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// Returns the server's error, if a server failed.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Error::Rows(error) => error.fault(),
            Error::Target { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Returns true if the comparison was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        match self {
            Error::Cancelled(_) => true,
            Error::Rows(error) => error.is_cancelled(),
            _ => false,
        }
    }
}

impl TransientError for Error {
    fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }
}
