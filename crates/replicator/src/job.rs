//! The job of a copy, and its outcome.

use handoff_model::{CopyId, MoveFigures, RowFilter, TableSum};
use handoff_rows::KeyList;
use handoff_schema::{OmittedPart, StorageEngine, TableMapping, TableSchema};
use handoff_settings::ValuePolicies;

/// One table to copy.
#[derive(Debug, Clone, Copy)]
pub struct CopyJob<'a> {
    /// The source's table.
    pub table: &'a TableSchema,
    /// The identity of this copy; goes into the names of the shadow and the old table.
    pub copy_id: CopyId,
    /// The replica's table of that name, as its catalogue has it now.
    pub replica_table: Option<&'a TableSchema>,
    /// The rows to copy. Anything but [`RowFilter::All`] is merged into the replica's table, which
    /// must be there, with the source's structure and a key.
    pub filter: &'a RowFilter,
    /// The rows' form in the target, if they are to be summed in that form on their way.
    pub canonical: Option<(&'a TableMapping, &'a ValuePolicies)>,
}

impl CopyJob<'_> {
    /// Returns the engine of the replica's table.
    pub(crate) fn replica_engine(&self) -> StorageEngine {
        self.table.engine.plain()
    }
}

/// The rows that a copy is about.
#[derive(Clone, Copy)]
pub(crate) enum CopyScope<'a> {
    /// The rows of the job's filter.
    Filter,
    /// The rows of these keys, and no others.
    Keys(&'a KeyList),
    /// The rows of the filter, and the rows of these keys that the filter does not select.
    FilterAndKeys(&'a KeyList),
}

impl<'a> CopyScope<'a> {
    /// Returns the keys, if there are any.
    pub(crate) fn keys(self) -> Option<&'a KeyList> {
        match self {
            CopyScope::Filter => None,
            CopyScope::Keys(keys) | CopyScope::FilterAndKeys(keys) => Some(keys),
        }
    }
}

/// The way in which a copy becomes visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishMode {
    /// A shadow is filled and renamed into place. The caller records its intent before
    /// [`PreparedCopy::finish`](crate::PreparedCopy::finish).
    Swap,
    /// The table is emptied, filled and sealed in one transaction (InnoDB, few rows, structure
    /// unchanged). Nothing needs to be recorded beforehand.
    InTransaction,
    /// Some rows are gathered beside the table and replace those of the same keys. On an engine without
    /// transactions the caller records its intent before [`PreparedCopy::finish`](crate::PreparedCopy::finish):
    /// the table lacks rows until the merge is sealed, and after one that failed. Merging the same
    /// rows again puts it right, and so does a full copy.
    Merge,
}

/// The outcome of a copy.
#[derive(Debug, Clone)]
pub struct CopyOutcome {
    /// The rows that were read in the source and sent, the changes that they made, and the time from
    /// [`PreparedCopy::finish`](crate::PreparedCopy::finish)'s start to its end. A full copy inserts every row; a merge
    /// updates those of which a byte differed and deletes those whose keys the source lacks. The bytes are 0 where
    /// the server moved them itself.
    pub figures: MoveFigures,
    /// Rows that a merge left alone, since the replica held them byte for byte.
    pub unchanged: u64,
    /// `load_data_local`, `prepared_inserts` or `insert_select`.
    pub strategy: &'static str,
    /// The parts of the source's definition that the replica's table does not have.
    pub omissions: Vec<OmittedPart>,
    /// Sentences about the omitted parts that somebody may miss.
    pub notes: Vec<String>,
    /// True if the rows were read back and compared because the replica had warned.
    pub checked: bool,
    /// The sum of the canonical rows as they were read in the source, if it was asked for. There is
    /// none where a server moved the rows by itself, or where a row has no canonical form.
    pub sum: Option<TableSum>,
    /// The sum of the rows that the job's filter selects: without those that were looked up by their
    /// keys.
    pub filter_sum: Option<TableSum>,
}
