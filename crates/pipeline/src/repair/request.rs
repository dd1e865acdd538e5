//! The request for a repair.

use crate::options::LockPatience;
use handoff_model::TableName;
use handoff_verify::ShowKeys;

/// The request for a repair. The default mends every table.
#[derive(Debug, Clone, Default)]
pub struct RepairRequest {
    /// The tables to mend; all that the settings include if empty.
    pub tables: Vec<TableName>,
    /// Say what would be done and write nothing.
    pub dry_run: bool,
    /// The most rows of a table, in percent, that may be deleted from a copy of it; the percentage of the
    /// settings if [`None`].
    pub max_delete_percent: Option<u8>,
    /// The time to wait for another run to end.
    pub wait: LockPatience,
    /// The keys of differing rows that go into the report.
    pub keys: ShowKeys,
}
