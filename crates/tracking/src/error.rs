//! Why tracking failed.

use handoff_connect::{Fault, Side, Transient};

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a tracking table could not be read or written. Messages hold no row values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A server failed or refused.
    #[error("cannot {doing} `{table}`")]
    Server {
        /// What was being done: `read`, `make`, `write`.
        doing: &'static str,
        /// The tracking table.
        table: &'static str,
        /// What the server said.
        #[source]
        fault: Fault,
    },
    /// A table has a name of ours, but was made by somebody else.
    #[error(
        "`{table}` in the {side} ({place}) is not Handoff's tracking table ({why}): rename it, or \
         give the {side} a database or schema of its own"
    )]
    NotOurs {
        /// Where it is.
        side: Side,
        /// The database or schema.
        place: String,
        /// The tracking table.
        table: &'static str,
        /// What tells.
        why: String,
    },
    /// Something about a tracking table of the target hides, changes or loses records.
    #[error(
        "`{table}` in the target (schema {place}) cannot keep records, since {what}: run {remedy}"
    )]
    Surrounded {
        /// The schema.
        place: String,
        /// The tracking table.
        table: &'static str,
        /// Why.
        what: &'static str,
        /// The statement that takes it away.
        remedy: String,
    },
    /// A tracking table was made by another version of Handoff.
    #[error(
        "`{table}` in the {side} ({place}) has layout {found}, and this version of Handoff knows \
         layout {known}: use the version that made it, or drop the table, after which every table \
         has to be adopted (`etl run TABLE --adopt`)"
    )]
    Layout {
        /// Where it is.
        side: Side,
        /// The database or schema.
        place: String,
        /// The tracking table.
        table: &'static str,
        /// Its layout.
        found: String,
        /// The layout of this version.
        known: u16,
    },
    /// The replica's tracking table lost its transactions.
    #[error(
        "`{table}` in the replica ({place}) is a table of {engine}, which has no transactions: \
         run ALTER TABLE {table} ENGINE=InnoDB"
    )]
    Engine {
        /// The database.
        place: String,
        /// The tracking table.
        table: &'static str,
        /// Its engine.
        engine: String,
    },
    /// A row of a tracking table was changed by hand into something that means nothing.
    #[error("`{table}`, row `{row}`: the column {column} cannot be read")]
    Row {
        /// The tracking table.
        table: &'static str,
        /// The table that the row is about.
        row: String,
        /// The column.
        column: &'static str,
    },
    /// A change of state that has no meaning, or lacks what it needs: a mistake of the caller.
    #[error("the status {status} of the phase {phase} cannot be recorded: {why}")]
    Change {
        /// The phase.
        phase: &'static str,
        /// The status.
        status: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something that only the holder of the run lock may do: a mistake of the caller.
    #[error("the run lock must be held to {0}")]
    NotLocked(&'static str),
    /// The tracker was opened for reading: a mistake of the caller.
    #[error("tracking was opened for reading only")]
    ReadOnly,
    /// What a dead run left running could not be ended.
    #[error("cannot end what the run {run} left running")]
    Orphan {
        /// The dead run.
        run: handoff_model::RunId,
        /// What the server said.
        #[source]
        fault: Fault,
    },
}

impl Error {
    /// Returns what a server said, if that is the cause.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Error::Server { fault, .. } | Error::Orphan { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Returns true if the same step may succeed when tried again unchanged.
    pub fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }

    pub(crate) fn server(doing: &'static str, table: &'static str) -> impl Fn(Fault) -> Error {
        move |fault| Error::Server { doing, table, fault }
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        Error::is_transient(self)
    }
}
