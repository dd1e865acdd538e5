//! The publication of a copy.

use crate::error::Result;
use crate::job::CopyOutcome;
use crate::left_out::notes;
use crate::prepared_copy::{CopyPlan, PreparedCopy};
use handoff_connect::{PublishHook, fault_point};
use handoff_model::MoveFigures;
use std::time::Instant;

impl PreparedCopy<'_> {
    /// Fills the table, compares the rows that arrived, publishes it and has it sealed.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] of the table. If the error came before the publication, the replica's
    /// table is as it was and the shadow is dropped; [`CopyStage::Seal`] means that a swapped table
    /// is in place and was not recorded. A merge into a table without transactions that fails at
    /// [`CopyStage::Merge`] or later, or with [`Error::is_merge_conflict`], may leave it without
    /// some of its rows: it may not be read until it is merged again or copied in full.
    ///
    /// [`CopyStage::Merge`]: crate::CopyStage::Merge
    /// [`CopyStage::Seal`]: crate::CopyStage::Seal
    /// [`Error`]: crate::Error
    /// [`Error::is_merge_conflict`]: crate::Error::is_merge_conflict
    pub fn finish(mut self, seal: &dyn PublishHook) -> Result<CopyOutcome> {
        self.started = Instant::now();
        fault_point("replicator.begun", &self.copy.job.table.name);
        let rows = match std::mem::replace(&mut self.plan, CopyPlan::InTransaction) {
            CopyPlan::Swap(swap) => self.swap(swap, seal)?,
            CopyPlan::InTransaction => self.transaction(seal)?,
            CopyPlan::Merge => self.merge(seal)?,
        };
        let duration = self.started.elapsed();
        Ok(CopyOutcome {
            figures: MoveFigures {
                rows: rows.written.rows,
                inserted: rows.inserted,
                updated: rows.updated,
                deleted: rows.deleted,
                bytes: rows.written.bytes,
                duration,
                waits: self.clock.waits().of_whole(duration),
            },
            unchanged: rows.unchanged,
            strategy: rows.written.strategy,
            notes: notes(&self.omissions),
            omissions: self.omissions,
            checked: rows.written.checked,
            sum: rows.written.sum,
            filter_sum: rows.filter_sum,
        })
    }
}
