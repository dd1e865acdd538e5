//! The job of a load, and its outcome.

pub use handoff_model::LoadMode;

use handoff_model::{CopyId, LossAudit, MoveFigures, RowFilter, TableSum};
use handoff_rows::{KeyList, Locking};
use handoff_schema::{TableMapping, TableSchema, TargetTable};

/// One table to load.
#[derive(Debug, Clone, Copy)]
pub struct LoadJob<'a> {
    /// The table as the server that it is read from has it.
    pub table: &'a TableSchema,
    /// The table's form in the target.
    pub mapping: &'a TableMapping,
    /// The rows to read.
    pub filter: &'a RowFilter,
    /// The fate of the target rows that are not read.
    pub mode: LoadMode,
    /// The copy in the replica that is read, if nobody changes that copy: a strategy that
    /// resumes knows its earlier attempt by this id.
    pub copy_id: Option<CopyId>,
    /// The effect of reading on writers of the table: none ([`Locking::Free`]) in a replica.
    pub locking: Locking,
    /// The target's table as its catalogue has it; [`None`] if it is not there yet.
    pub target: Option<&'a TargetTable>,
}

/// The rows that a load is about.
#[derive(Clone, Copy)]
pub(crate) enum LoadScope<'a> {
    /// The rows of the job's filter.
    Filter,
    /// The rows of these keys, and no others.
    Keys(&'a KeyList),
    /// The rows of the filter, and the rows of these keys that the filter does not select.
    FilterAndKeys(&'a KeyList),
}

impl<'a> LoadScope<'a> {
    /// Returns the keys whose rows a strategy reads in the place of the filter's.
    pub(crate) fn instead(self) -> Option<&'a KeyList> {
        match self {
            LoadScope::Keys(keys) => Some(keys),
            LoadScope::Filter | LoadScope::FilterAndKeys(_) => None,
        }
    }
}

/// The outcome of a load.
#[derive(Debug, Clone)]
pub struct LoadOutcome {
    /// The rows that were read, encoded and sent, the changes that they made, and the time from the start to the
    /// commit.
    pub figures: MoveFigures,
    /// The strategy that moved them.
    pub strategy: &'static str,
    /// The sum of the rows read.
    pub sum: TableSum,
    /// True if the target was read and held these very rows already, so that nothing was written.
    pub unchanged: bool,
    /// Values that could not be carried unchanged.
    pub audit: LossAudit,
    /// Sentences for the reader of the report.
    pub notes: Vec<String>,
}
