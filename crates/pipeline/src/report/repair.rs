//! What a repair did.

use super::{CopyReport, LoadReport, TableReport, TableStatus, VerifyPair};
use handoff_model::{RunId, TableName};
use jiff::Timestamp;
use serde::Serialize;

/// What a repair did. As JSON its fields are a contract: some are added, none renamed.
#[derive(Debug, Clone, Serialize)]
pub struct RepairReport {
    /// The run.
    pub run_id: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// True if every table is the same everywhere now.
    pub ok: bool,
    /// True if it was stopped before its end.
    pub cancelled: bool,
    /// True if nothing was to be written.
    pub dry_run: bool,
    /// The tables, by name.
    pub tables: Vec<RepairTable>,
    /// What a person should know of the whole.
    pub notes: Vec<String>,
}

/// How a table came out of a repair.
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

/// In which way a table is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairWay {
    /// The rows that differ are brought into line.
    Rows,
    /// The whole table is copied: it has no key by which rows could be looked up, or more rows differ
    /// than are listed.
    FullCopy,
}

/// What a repair did with one table.
#[derive(Debug, Clone, Serialize)]
pub struct RepairTable {
    /// The table.
    pub table: TableName,
    /// How it came out.
    pub status: RepairStatus,
    /// In which way it is mended; [`None`] if there is nothing to mend, or it cannot be mended.
    pub way: Option<RepairWay>,
    /// What differed between each database and the next.
    pub before: Vec<VerifyPair>,
    /// What differs now, if that was looked at.
    pub after: Vec<VerifyPair>,
    /// What was done to the replica.
    pub copy: Option<CopyReport>,
    /// What was done to the target.
    pub load: Option<LoadReport>,
    /// What a person should know of the table.
    pub notes: Vec<String>,
    /// Why it is not mended: an error and its causes, without row values.
    pub error: Option<String>,
}

/// What was seen of a table on the way.
#[derive(Debug, Default)]
pub(crate) struct SeenRepair {
    /// How often rows were mended and looked at again.
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
