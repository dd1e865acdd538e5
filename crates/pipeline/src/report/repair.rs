//! The report of a repair.

use crate::report::run::{CopyReport, LoadReport, TableReport, TableStatus};
use crate::report::verify::VerifyPair;
use handoff_model::{RunId, TableName};
use jiff::Timestamp;
use serde::Serialize;

/// The report of a repair. As JSON its fields are a contract: some are added, none renamed.
#[derive(Debug, Clone, Serialize)]
pub struct RepairReport {
    /// The run.
    pub run_id: RunId,
    /// The start of the repair.
    pub started_at: Timestamp,
    /// The end of the repair.
    pub finished_at: Timestamp,
    /// True if every table is the same everywhere now.
    pub ok: bool,
    /// True if it was stopped before its end.
    pub cancelled: bool,
    /// True if nothing was to be written.
    pub dry_run: bool,
    /// The tables, by name.
    pub tables: Vec<RepairTable>,
    /// Remarks for a person on the whole repair.
    pub notes: Vec<String>,
}

/// The outcome of a repair for one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairStatus {
    /// It was the same everywhere.
    Equal,
    /// It differed, and is the same everywhere now.
    Repaired,
    /// It differs, and would be mended but for the dry run.
    ToRepair,
    /// It could not be mended, or differs all the same.
    Failed,
    /// The repair was stopped while it was mended.
    Cancelled,
    /// The repair was stopped before its turn came.
    NotStarted,
}

impl RepairStatus {
    /// Returns true if the table is known to be the same everywhere now.
    pub fn is_equal(self) -> bool {
        matches!(self, RepairStatus::Equal | RepairStatus::Repaired)
    }

    /// Returns the words for people, such as `to repair`.
    pub fn label(self) -> &'static str {
        match self {
            RepairStatus::Equal => "equal",
            RepairStatus::Repaired => "repaired",
            RepairStatus::ToRepair => "to repair",
            RepairStatus::Failed => "failed",
            RepairStatus::Cancelled => "cancelled",
            RepairStatus::NotStarted => "not started",
        }
    }
}

/// The way in which a table is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairWay {
    /// The rows that differ are brought into line.
    Rows,
    /// The whole table is copied: it has no key by which rows could be looked up, or more rows differ
    /// than are listed.
    FullCopy,
}

/// The report of a repair on one table.
#[derive(Debug, Clone, Serialize)]
pub struct RepairTable {
    /// The table.
    pub table: TableName,
    /// The outcome.
    pub status: RepairStatus,
    /// The way in which it is mended; [`None`] if there is nothing to mend, or it cannot be mended.
    pub way: Option<RepairWay>,
    /// The differences between each database and the next before the repair.
    pub before: Vec<VerifyPair>,
    /// The differences that are left, if the databases were compared again.
    pub after: Vec<VerifyPair>,
    /// The changes to the replica.
    pub copy: Option<CopyReport>,
    /// The changes to the target.
    pub load: Option<LoadReport>,
    /// Remarks for a person on the table.
    pub notes: Vec<String>,
    /// The reason why it is not mended: an error and its causes, without row values.
    pub error: Option<String>,
}

/// The findings on a table during its repair.
#[derive(Debug, Default)]
pub(crate) struct SeenRepair {
    /// The number of times that rows were mended and compared again.
    pub(crate) rounds: u32,
    pub(crate) before: Vec<VerifyPair>,
    pub(crate) after: Vec<VerifyPair>,
    pub(crate) way: Option<RepairWay>,
}

impl RepairTable {
    pub(crate) fn of(moved: TableReport, seen: SeenRepair) -> RepairTable {
        let status = match moved.status {
            TableStatus::Ok if seen.way.is_none() => RepairStatus::Equal,
            TableStatus::Ok => RepairStatus::Repaired,
            TableStatus::Failed => RepairStatus::Failed,
            TableStatus::Cancelled => RepairStatus::Cancelled,
            TableStatus::NotStarted => RepairStatus::NotStarted,
        };
        RepairTable {
            table: moved.table,
            status,
            way: seen.way,
            before: seen.before,
            after: seen.after,
            copy: moved.copy,
            load: moved.load,
            notes: moved.notes,
            error: moved.error.or(moved.not_started_because),
        }
    }
}
