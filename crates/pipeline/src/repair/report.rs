//! What a repair did.

use crate::table::{DeleteLimit, TableDifference};
use crate::{
    CopyReport, LoadReport, TableReport, TableStatus, VerifyPair, VerifyStatus, VerifyTable, chain,
};
use handoff_connect::Side;
use handoff_model::{RunId, TableName};
use handoff_rows::has_key_values;
use handoff_schema::Mapping;
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

impl RepairWay {
    pub(super) fn of(found: &TableDifference, mapping: &Mapping) -> RepairWay {
        if has_key_values(mapping) && found.is_listed(Side::Target) {
            RepairWay::Rows
        } else {
            RepairWay::FullCopy
        }
    }
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
pub(crate) struct Seen {
    /// How often rows were mended and looked at again.
    pub(crate) rounds: u32,
    pub(crate) before: Vec<VerifyPair>,
    pub(crate) after: Vec<VerifyPair>,
    pub(crate) way: Option<RepairWay>,
}

impl RepairTable {
    pub(super) fn of(moved: TableReport, seen: Seen) -> RepairTable {
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

impl RepairTable {
    /// Says what a repair would do with a table that was compared.
    pub(super) fn rehearsed(mut found: VerifyTable, limit: DeleteLimit) -> RepairTable {
        let compared = found.comparison.take().map(TableDifference).zip(found.mapping.take());
        let refused =
            compared.as_ref().and_then(|(found, mapping)| limit.check(found, mapping).err());
        let status = match found.status {
            VerifyStatus::Equal => RepairStatus::Equal,
            VerifyStatus::Cancelled => RepairStatus::Cancelled,
            VerifyStatus::NotStarted => RepairStatus::NotStarted,
            VerifyStatus::Failed => RepairStatus::Failed,
            VerifyStatus::Differs | VerifyStatus::Moving if refused.is_some() => {
                RepairStatus::Failed
            }
            VerifyStatus::Differs | VerifyStatus::Moving => RepairStatus::ToRepair,
        };
        let way = compared.filter(|_| status == RepairStatus::ToRepair);
        let way = way.map(|(found, mapping)| RepairWay::of(&found, &mapping));
        RepairTable {
            table: found.table,
            status,
            way,
            before: found.pairs,
            after: Vec::new(),
            copy: None,
            load: None,
            notes: found.notes,
            error: found.error.or(refused.map(|refused| chain(&refused))),
        }
    }
}
