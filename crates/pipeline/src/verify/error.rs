//! The errors that keep one table from being compared.

use handoff_connect::{Fault, Side, TransientError};
use handoff_model::TableName;
use handoff_schema::TargetMisfit;

/// An error that kept one table from being compared. The others went on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The table cannot be described or mapped.
    #[error("cannot be compared")]
    Schema(#[from] handoff_schema::SchemaError),
    /// The account of the source may not read the table.
    #[error("the source's account may not read it in full: {statement}")]
    Denied {
        /// The statement that lets it.
        statement: String,
    },
    /// The table is missing on one side.
    #[error("the {side} has no table `{there}`: run `etl run {}`", .table.in_shell())]
    Absent {
        /// The table.
        table: TableName,
        /// The database that lacks it.
        side: Side,
        /// Its name there.
        there: String,
    },
    /// The target's table cannot be read as it is.
    #[error("{0}")]
    Target(Box<TargetMisfit>),
    /// Its structure in the replica is another.
    #[error(
        "its structure is another in the replica: {what}; run `etl run {} --full`",
        .table.in_shell()
    )]
    Structure {
        /// The table.
        table: TableName,
        /// The difference in structure.
        what: String,
    },
    /// It could not be compared.
    #[error("failed while comparing")]
    Compare(#[from] handoff_verify::Error),
    /// Its rows could not be counted.
    #[error("failed while counting")]
    Count(#[from] Fault),
    /// A fault of our own.
    #[error("an internal error of Handoff; please report it")]
    Panic,
}

impl Refusal {
    /// Returns the fault of a server, if that is the cause.
    pub(super) fn fault(&self) -> Option<&Fault> {
        match self {
            Refusal::Compare(error) => error.fault(),
            Refusal::Count(fault) => Some(fault),
            _ => None,
        }
    }
}

impl TransientError for Refusal {
    fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }
}
