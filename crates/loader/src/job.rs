//! What to load, and what came of it.

use handoff_model::{Audit, CopyId, RowFilter, TableSum, Waits};
use handoff_rows::{KeyList, Locking};
use handoff_schema::{Mapping, TableSchema, TargetTable};
use std::time::Duration;

/// What the rows that are read mean for those that are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// All rows are read: what the target has beyond them is deleted.
    Full,
    /// Some rows are read: the others stay.
    Incremental,
}

/// One table to load.
#[derive(Debug, Clone, Copy)]
pub struct LoadJob<'a> {
    /// The table as the server that it is read from has it.
    pub table: &'a TableSchema,
    /// What it becomes.
    pub mapping: &'a Mapping,
    /// The rows to read.
    pub filter: &'a RowFilter,
    /// What they mean for the others.
    pub mode: LoadMode,
    /// The copy in the replica that is read, if it is one that nobody changes: what a strategy that
    /// resumes knows its earlier attempt by.
    pub copy_id: Option<CopyId>,
    /// What reading does to writers of the table: nothing ([`Locking::Free`]) in a replica.
    pub locking: Locking,
    /// The target's table as its catalogue has it; [`None`] if it is not there yet.
    pub target: Option<&'a TargetTable>,
}

/// The rows that a load is about.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// The rows of the job's filter.
    Filter,
    /// The rows of these keys, and no others.
    Keys(&'a KeyList),
    /// The rows of the filter, and the rows of these keys that the filter does not select.
    FilterAndKeys(&'a KeyList),
}

impl<'a> Scope<'a> {
    /// Returns the keys whose rows a strategy reads in the place of the filter's.
    pub(crate) fn instead(self) -> Option<&'a KeyList> {
        match self {
            Scope::Keys(keys) => Some(keys),
            Scope::Filter | Scope::FilterAndKeys(_) => None,
        }
    }
}

/// What a load did.
#[derive(Debug, Clone)]
pub struct LoadOutcome {
    /// Rows read, encoded and sent.
    pub rows_loaded: u64,
    /// Rows that the target did not have.
    pub rows_inserted: u64,
    /// Rows that the target had otherwise.
    pub rows_updated: u64,
    /// Rows that only the target had.
    pub rows_deleted: u64,
    /// Bytes of the encoded rows.
    pub bytes: u64,
    /// The strategy that moved them.
    pub strategy: &'static str,
    /// How long it all took, the commit included.
    pub duration: Duration,
    /// Where that time went.
    pub waits: Waits,
    /// The sum of the rows read.
    pub sum: TableSum,
    /// Whether the target was read and held these very rows already, so that nothing was written.
    pub unchanged: bool,
    /// Values that could not be carried unchanged.
    pub audit: Audit,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
}
