//! Everything both hops need to know of one table, resolved once.

use crate::{Decision, NoMark, PlanReport, Selected, Window};
use handoff_connect::{DatabaseIdentity, Side};
use handoff_loader::LoadMode;
use handoff_model::{CopyId, Deletes, Priority, RowFilter, TableName};
use handoff_schema::{TableMapping, TableSchema, TargetTable};
use handoff_tracking::TrackedTable;
use std::sync::Arc;

/// Everything both hops need to know of one table. Nothing downstream reads settings, analyses a
/// schema or decides again.
#[derive(Debug, Clone)]
pub struct TableContext {
    /// The table.
    pub name: TableName,
    /// What to move, and why.
    pub decision: Decision,
    /// Whose turn comes first.
    pub priority: Priority,
    /// The rows to move; the same in both hops.
    pub filter: RowFilter,
    /// How changed rows are found, for a table that the settings call incremental.
    pub window: Option<Arc<Window>>,
    /// What becomes of rows that are gone from the source.
    pub deletes: Deletes,
    /// The most rows that a move may delete, in percent, where the settings say it of this table.
    pub max_delete_percent: Option<u8>,
    /// How the whole table is loaded, and why so.
    pub selected: Selected,
    /// The table in the source (in the replica, if only hop 2 is made).
    pub schema: Arc<TableSchema>,
    /// The structure of that table, as a hash.
    pub fingerprint: String,
    /// The table as the replica has it now, if it does.
    pub replica: Option<Arc<TableSchema>>,
    /// What the table becomes in the target.
    pub mapping: Arc<TableMapping>,
    /// The table as the target has it now, if it does.
    pub target: Option<Arc<TargetTable>>,
    /// What tells the state of the table in the source, or why nothing does.
    pub mark: Result<String, NoMark>,
    /// What is recorded of it.
    pub tracked: TrackedTable,
    /// The identity of the copy that hop 1 will make.
    pub copy_id: CopyId,
}

impl TableContext {
    /// Returns what the report says of the plan.
    pub fn report(&self) -> PlanReport {
        PlanReport {
            extraction: self.decision.extraction,
            reason: self.decision.reason,
            force_full_applied: self.decision.force_full_applied,
            priority: self.priority,
            strategy_reason: self.planned().why,
        }
    }

    /// Returns how what is to be moved is loaded, and why so.
    pub(crate) fn planned(&self) -> Selected {
        let all = self.filter == RowFilter::All || self.decision.loads_all;
        self.selected.of(if all { LoadMode::Full } else { LoadMode::Incremental })
    }

    /// Returns true if no row of the table was there when it was last moved, and it is as it was left.
    pub(crate) fn was_empty(&self) -> bool {
        let TrackedTable { copy: Some(copy), load: Some(load) } = &self.tracked else {
            return false;
        };
        copy.rows == Some(0)
            && load.rows == Some(0)
            && copy.copy_id == load.loaded_copy_id
            && !self.tracked.last_attempt_failed()
            && self.target.is_some()
            && (self.replica.is_some() || copy.place == Side::Target)
    }

    /// Returns the source of the copy that the replica holds.
    pub(crate) fn copied_from(&self) -> Option<&DatabaseIdentity> {
        self.tracked.copy.as_ref()?.origin.source.as_ref()
    }

    /// Returns the bytes to be moved, by the catalogue; orders the tables of one priority.
    pub fn weight(&self) -> u64 {
        self.schema.data_bytes.max(self.schema.rows)
    }
}
