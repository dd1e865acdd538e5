//! The errors of tracking.

use handoff_connect::{Fault, Side, TransientError};

/// A result whose error is this crate's [`TrackingError`].
pub type Result<T, E = TrackingError> = std::result::Result<T, E>;

/// The reason that a tracking table could not be read or written. Messages hold no row values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackingError {
    /// A server failed or refused.
    #[error("cannot {doing} `{table}`")]
    Server {
        /// The operation: `read`, `make`, `write`.
        doing: &'static str,
        /// The tracking table.
        table: &'static str,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// A table has a name of ours, but was made by somebody else.
    #[error(
        "`{table}` in the {side} ({place}) is not Handoff's tracking table ({why}): rename it, or \
         give the {side} a database or schema of its own"
    )]
    NotOurs {
        /// The side that holds the table.
        side: Side,
        /// The database or schema.
        place: String,
        /// The tracking table.
        table: &'static str,
        /// The evidence.
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
        /// The reason.
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
        /// The side that holds the table.
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
        /// The mistake.
        why: &'static str,
    },
    /// Something that only the holder of the run lock may do: a mistake of the caller.
    #[error("the run lock must be held to {0}")]
    NotLocked(&'static str),
    /// The tracker was opened for reading: a mistake of the caller.
    #[error("tracking was opened for reading only")]
    ReadOnly,
    /// A session that a dead run left running could not be ended.
    #[error("cannot end the sessions of the run {run}")]
    Orphan {
        /// The dead run.
        run: handoff_model::RunId,
        /// The server's error.
        #[source]
        fault: Fault,
    },
}

impl TrackingError {
    /// Returns what a server said, if that is the cause.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            TrackingError::Server { fault, .. } | TrackingError::Orphan { fault, .. } => {
                Some(fault)
            }
            _ => None,
        }
    }

    /// Returns true if the same step may succeed when tried again unchanged.
    pub fn is_transient(&self) -> bool {
        self.fault().is_some_and(Fault::is_transient)
    }

    pub(crate) fn server(
        doing: &'static str,
        table: &'static str,
    ) -> impl Fn(Fault) -> TrackingError {
        move |fault| TrackingError::Server { doing, table, fault }
    }
}

impl TransientError for TrackingError {
    fn is_transient(&self) -> bool {
        TrackingError::is_transient(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_that_may_answer_later_is_tried_again() {
        let deadlock = mysql::MySqlError {
            state: "40001".to_owned(),
            message: "Deadlock found".to_owned(),
            code: 1213,
        };
        let busy = Fault::my(Side::Replica, &deadlock.into());
        let error = TrackingError::server("write", "etl_runs")(busy);
        assert!(error.is_transient() && error.fault().is_some());
        let refused = TrackingError::server("write", "etl_runs")(Fault::new(Side::Replica, "no"));
        assert!(!refused.is_transient());
        assert!(
            !TrackingError::ReadOnly.is_transient() && TrackingError::ReadOnly.fault().is_none()
        );
    }

    #[test]
    fn the_message_names_the_table_and_the_operation_alone() {
        let error = TrackingError::server("read", "etl_runs")(Fault::new(Side::Target, "no"));
        assert_eq!(error.to_string(), "cannot read `etl_runs`");
    }
}
