//! Everything both hops need to know of one table, resolved once.

use crate::change_token::NoChangeToken;
use crate::decide::Decision;
use crate::load_strategy::StrategyChoice;
use crate::window::Window;
use handoff_connect::{DatabaseIdentity, Side};
use handoff_model::{
    CopyId, Deletes, Extraction, LoadMode, Priority, Reason, RowFilter, TableName,
};
use handoff_schema::{TableMapping, TableSchema, TargetTable};
use handoff_structure::StructurePlan;
use handoff_tracking::TrackedTable;
use serde::Serialize;
use std::sync::Arc;

/// Everything both hops need to know of one table. Nothing downstream reads settings, analyses a
/// schema or decides again.
#[derive(Debug, Clone)]
pub struct TablePlan {
    /// The table.
    pub name: TableName,
    /// The rows to move, and the reason.
    pub decision: Decision,
    /// Whose turn comes first.
    pub priority: Priority,
    /// The rows to move; the same in both hops.
    pub filter: RowFilter,
    /// The window of changed rows, for a table that the settings call incremental.
    pub window: Option<Arc<Window>>,
    /// The fate of rows that are gone from the source.
    pub deletes: Deletes,
    /// The most rows that a move may delete, in percent, where the settings say it of this table.
    pub max_delete_percent: Option<u8>,
    /// The strategy that loads the whole table, and the reason.
    pub load_strategy: StrategyChoice,
    /// The table in the source (in the replica, if only hop 2 is made).
    pub schema: Arc<TableSchema>,
    /// The structure of that table, as a hash.
    pub fingerprint: String,
    /// The table as the replica has it now, if it does.
    pub replica: Option<Arc<TableSchema>>,
    /// The table that it becomes in the target.
    pub mapping: Arc<TableMapping>,
    /// The table as the target has it now, if it does.
    pub target: Option<Arc<TargetTable>>,
    /// The changes that the table in the target needs before it takes the rows, or remarks on its columns.
    pub structure: Option<Arc<StructurePlan>>,
    /// The columns that a load writes, as a JSON array of their names in the target.
    pub columns: Arc<str>,
    /// The token of the table's state in the source, or the reason why there is none.
    pub change_token: Result<String, NoChangeToken>,
    /// Its recorded state.
    pub tracked: TrackedTable,
    /// The identity of the copy that hop 1 will make.
    pub copy_id: CopyId,
}

/// The rows of a table that were to be moved, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanReport {
    /// The rows that were to be moved.
    pub extraction: Extraction,
    /// The reason.
    pub reason: Reason,
    /// True if `--full` or a fault turned an incremental table into a full one.
    pub force_full_applied: bool,
    /// Whose turn comes first.
    pub priority: Priority,
    /// The reason for the loading strategy.
    pub strategy_reason: String,
}

impl TablePlan {
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

    /// Returns the changes that the table in the target needs before it takes the rows, if there are any.
    pub fn changes(&self) -> Option<&StructurePlan> {
        self.structure.as_deref().filter(|plan| !plan.is_empty())
    }

    /// Returns the same with the target's table as it is once its structure was changed: rows are loaded by the names
    /// that its columns have until these are there.
    pub fn changed(&self, changes: &StructurePlan, there: TargetTable) -> TablePlan {
        TablePlan {
            target: Some(Arc::new(there)),
            mapping: Arc::new(changes.mapping.clone()),
            ..self.clone()
        }
    }

    /// Returns how what is to be moved is loaded, and why so.
    pub fn planned(&self) -> StrategyChoice {
        let all = self.filter == RowFilter::All || self.decision.loads_all;
        self.load_strategy.of(if all { LoadMode::Full } else { LoadMode::Incremental })
    }

    /// Returns true if no row of the table was there when it was last moved, and it is as it was left.
    pub fn was_empty(&self) -> bool {
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
    pub fn copied_from(&self) -> Option<&DatabaseIdentity> {
        self.tracked.copy.as_ref()?.origin.source.as_ref()
    }

    /// Returns the bytes to be moved, by the catalogue; orders the tables of one priority.
    pub fn weight(&self) -> u64 {
        self.schema.data_bytes.max(self.schema.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SampleTable;
    use handoff_model::Watermark;

    fn planned(extraction: Extraction) -> TablePlan {
        let marks = vec![Watermark::Integer(7_000)];
        SampleTable { marks, lookback: None, extraction }.planned()
    }

    #[track_caller]
    fn empty(change: impl FnOnce(&mut TablePlan), expected: bool) {
        let mut plan = planned(Extraction::Incremental);
        plan.tracked.copy.as_mut().unwrap().rows = Some(0);
        plan.tracked.load.as_mut().unwrap().rows = Some(0);
        change(&mut plan);
        assert_eq!(plan.was_empty(), expected);
    }

    #[test]
    fn a_table_was_empty_if_both_hops_say_so_of_one_copy() {
        empty(|_| {}, true);
        empty(|plan| plan.tracked.copy.as_mut().unwrap().rows = Some(1), false);
        empty(|plan| plan.tracked.load.as_mut().unwrap().rows = None, false);
        empty(|plan| plan.tracked.load.as_mut().unwrap().loaded_copy_id = None, false);
    }

    #[test]
    fn a_table_that_failed_or_is_gone_was_not_empty() {
        use handoff_tracking::AttemptStatus;
        empty(|plan| plan.tracked.load.as_mut().unwrap().status = AttemptStatus::Failed, false);
        empty(|plan| plan.target = None, false);
        empty(|plan| plan.tracked.copy = None, false);
    }

    #[test]
    fn a_table_without_a_replica_needs_no_copy_there() {
        empty(|plan| plan.replica = None, false);
        let direct = |plan: &mut TablePlan| {
            plan.replica = None;
            plan.tracked.copy.as_mut().unwrap().place = Side::Target;
        };
        empty(direct, true);
    }

    #[test]
    fn changed_rows_are_loaded_by_one_stream() {
        use handoff_model::Strategy;
        let mut plan = planned(Extraction::Incremental);
        plan.load_strategy.strategy = Strategy::Parallel;
        assert_eq!(plan.planned().strategy, Strategy::Streaming);
        plan.decision.loads_all = true;
        assert_eq!(plan.planned().strategy, Strategy::Parallel);
    }

    #[test]
    fn the_weight_is_the_larger_of_bytes_and_rows() {
        let mut plan = planned(Extraction::Incremental);
        for (rows, data_bytes, expected) in [(7, 9, 9), (9, 7, 9), (0, 0, 0)] {
            let schema = TableSchema { rows, data_bytes, ..TableSchema::clone(&plan.schema) };
            plan.schema = Arc::new(schema);
            assert_eq!(plan.weight(), expected);
        }
    }

    #[test]
    fn the_source_of_a_copy_is_the_recorded_one() {
        let mut plan = planned(Extraction::Incremental);
        assert_eq!(plan.copied_from(), None);
        let source = DatabaseIdentity::at("clinic", 3306, "x");
        plan.tracked.copy.as_mut().unwrap().origin.source = Some(source.clone());
        assert_eq!(plan.copied_from(), Some(&source));
    }

    #[test]
    fn the_report_has_the_decision_and_the_reason_of_the_strategy() {
        let plan = planned(Extraction::IncrementalChunked);
        let report = plan.report();
        assert_eq!(report.extraction, Extraction::IncrementalChunked);
        assert_eq!((report.reason, report.force_full_applied), (Reason::Watermark, false));
        assert_eq!(report.strategy_reason, "the default at every size");
    }
}
