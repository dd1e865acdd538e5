//! What a caller asks of a repair.

use crate::options::LockPatience;
use handoff_model::TableName;
use handoff_verify::ShowKeys;

/// What a caller asks of a repair. The default mends every table.
#[derive(Debug, Clone, Default)]
pub struct RepairRequest {
    /// The tables to mend; all that the settings include if empty.
    pub tables: Vec<TableName>,
    /// Say what would be done and write nothing.
    pub dry_run: bool,
    /// The most rows of a table, in percent, that may be deleted from a copy of it; what the settings
    /// say if [`None`].
    pub max_delete_percent: Option<u8>,
    /// How long to wait for another run to end.
    pub wait: LockPatience,
    /// Which keys of rows that differ go into the report.
    pub keys: ShowKeys,
}
