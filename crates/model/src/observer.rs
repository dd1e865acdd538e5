//! Progress without printing.

use crate::id::RunId;
use crate::name::TableName;
use std::time::Duration;

/// The hop or comparison that an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TablePhase {
    /// Hop 1, source to replica.
    Copy,
    /// Hop 2, replica (or source) to target.
    Load,
    /// Comparing what arrived.
    Prove,
    /// Looking for rows that differ: `etl verify`.
    Verify,
}

impl TablePhase {
    /// Returns the name used in logs, reports and tracking tables.
    pub fn name(self) -> &'static str {
        match self {
            TablePhase::Copy => "copy",
            TablePhase::Load => "load",
            TablePhase::Prove => "prove",
            TablePhase::Verify => "verify",
        }
    }
}

/// Something that happened in a run. Events hold names, counts and durations, never row values.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RunEvent {
    /// The plan is made and tables are about to move.
    RunStarted {
        /// The run.
        run: RunId,
        /// Number of tables planned.
        tables: usize,
        /// Rows expected, by the catalogue's estimate.
        rows: u64,
    },
    /// A table enters a phase.
    PhaseStarted {
        /// The table.
        table: TableName,
        /// The phase.
        phase: TablePhase,
        /// Rows expected, where known.
        rows: Option<u64>,
    },
    /// A table moved on. Sent at most a few times a second for each table.
    Progress {
        /// The table.
        table: TableName,
        /// The phase.
        phase: TablePhase,
        /// Rows moved in this phase so far.
        rows: u64,
        /// Bytes moved in this phase so far.
        bytes: u64,
    },
    /// A table left a phase with success.
    PhaseFinished {
        /// The table.
        table: TableName,
        /// The phase.
        phase: TablePhase,
        /// Rows moved.
        rows: u64,
        /// Bytes moved.
        bytes: u64,
        /// The time taken.
        duration: Duration,
    },
    /// A transient fault; the step is tried again after `delay`.
    Retrying {
        /// The table.
        table: TableName,
        /// The failure, as an error chain without row values.
        reason: String,
        /// The pause before the next attempt.
        delay: Duration,
    },
    /// A table is done with. A table whose turn never came is told of in the report alone.
    TableFinished {
        /// The table.
        table: TableName,
        /// The outcome. Of a table that was moved or repaired: `ok`, `failed`, `cancelled`; of one
        /// that was compared by `etl verify`: `equal`, `differs`, `moving`, `failed`, `cancelled`.
        status: &'static str,
        /// The error that failed or cancelled the table, if one did: its chain, without row values.
        error: Option<String>,
    },
    /// Something a person should know that is no failure.
    Notice {
        /// The table it concerns, if one.
        table: Option<TableName>,
        /// One sentence.
        text: String,
    },
    /// The run is over.
    RunFinished {
        /// Tables that arrived.
        ok: usize,
        /// Tables that did not.
        failed: usize,
        /// The duration of the run.
        duration: Duration,
    },
}

/// Is told what happens. Called from many threads at once; must return quickly and not panic.
pub trait Observer: Send + Sync {
    /// Receives one event.
    fn event(&self, event: &RunEvent);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NopObserver;

impl Observer for NopObserver {
    fn event(&self, _event: &RunEvent) {}
}
