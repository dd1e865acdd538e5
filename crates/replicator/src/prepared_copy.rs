//! A copy whose mode is decided.

use crate::copied_column::CopiedColumn;
use crate::copy_context::CopyContext;
use crate::definition::TableDefinition;
use crate::error::{CopyStage, Error, Result};
use crate::job::{CopyScope, PublishMode};
use crate::labels;
use crate::leftover::LeftoverKind;
use crate::shadow::ReplicaTable;
use crate::shadow_guard::EmptyShadow;
use crate::staged_keys::StagedKeys;
use crate::table_writer::{TableWriter, WriteOutcome};
use handoff_connect::{MyConn, PublishHook, PublishedRows, fault_point};
use handoff_model::{TableSum, WaitClock};
use handoff_schema::OmittedPart;
use std::time::Instant;

/// A table whose [`PublishMode`] is decided; for [`PublishMode::Swap`] its empty shadow is in the
/// replica, and is dropped with this value unless it was swapped in.
pub struct PreparedCopy<'a> {
    pub(crate) copy: CopyContext<'a>,
    pub(crate) columns: Vec<CopiedColumn>,
    pub(crate) definition: TableDefinition,
    /// The rows that the copy is about.
    pub(crate) scope: CopyScope<'a>,
    pub(crate) omissions: Vec<OmittedPart>,
    pub(crate) plan: CopyPlan<'a>,
    pub(crate) started: Instant,
    pub(crate) clock: WaitClock,
}

/// The mode of a copy with its means.
pub(crate) enum CopyPlan<'a> {
    Swap(EmptyShadow<'a>),
    InTransaction,
    Merge,
}

/// The rows that were moved, and their effect on the replica's table.
pub(crate) struct CopyEffect {
    pub(crate) written: WriteOutcome,
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) unchanged: u64,
    /// Rows that were there before, where they were counted.
    pub(crate) before: Option<u64>,
    /// The sum of the rows that the filter selects.
    pub(crate) filter_sum: Option<TableSum>,
}

impl CopyEffect {
    /// Returns rows of which every one is new.
    pub(crate) fn whole(written: WriteOutcome) -> CopyEffect {
        CopyEffect { inserted: written.rows, ..CopyEffect::nothing_yet(written) }
    }

    /// Returns the rows of the filter, of which none is in the table yet.
    pub(crate) fn nothing_yet(written: WriteOutcome) -> CopyEffect {
        let (before, filter_sum) = (None, written.sum);
        CopyEffect {
            written,
            inserted: 0,
            updated: 0,
            deleted: 0,
            unchanged: 0,
            before,
            filter_sum,
        }
    }
}

/// The rows to write into a table of the replica.
#[derive(Clone, Copy)]
pub(crate) enum WriteScope<'a> {
    /// The rows of the job's filter, into an empty table.
    Filter,
    /// The rows of keys, beside those that are there already.
    Keys { keys: &'a StagedKeys<'a>, there: WriteOutcome },
}

impl PreparedCopy<'_> {
    /// Returns the way in which the copy will become visible.
    pub fn mode(&self) -> PublishMode {
        match self.plan {
            CopyPlan::Swap(_) => PublishMode::Swap,
            CopyPlan::InTransaction => PublishMode::InTransaction,
            CopyPlan::Merge => PublishMode::Merge,
        }
    }

    /// Writes the rows of `scope` into the table `into` of the replica.
    pub(crate) fn write(
        &self,
        conn: &mut MyConn,
        into: &str,
        in_transaction: bool,
        scope: WriteScope<'_>,
    ) -> Result<WriteOutcome> {
        let mut writer = TableWriter {
            copy: self.copy,
            columns: &self.columns,
            keys: None,
            into,
            there: TableSum::default(),
            in_transaction,
            clock: &self.clock,
        };
        if let WriteScope::Keys { keys, there } = scope {
            writer.there = there.lines.map_or_else(|| writer.read_back(conn), Ok)?;
            writer.keys = Some(keys);
        }
        let written = writer.run(conn)?;
        fault_point("replicator.filled", &self.copy.job.table.name);
        self.check_labels(conn, into)?;
        Ok(written)
    }

    fn check_labels(&self, conn: &mut MyConn, into: &str) -> Result<()> {
        let table = self.copy.job.table;
        let doubtful = labels::doubtful(table, &self.columns);
        if doubtful.is_empty() {
            return Ok(());
        }
        let mut source = self.copy.source(CopyStage::Compare)?;
        labels::check(table, &doubtful, &mut source, conn, into)
    }

    /// Looks a last time before the publication whether the run was asked to stop, and whether the
    /// table was altered between its description and the reading of its rows, or between two ranges
    /// of them.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let table = self.copy.job.table;
        if !self.copy.replicator.definition(table)?.holds_rows_like(&self.definition) {
            return Err(Error::Changed { table: table.name.clone() });
        }
        self.copy.check_cancel()
    }

    /// Asks whether the rows in place may be published.
    pub(crate) fn check(
        &self,
        conn: &mut MyConn,
        seal: &dyn PublishHook,
        rows: &CopyEffect,
    ) -> Result<()> {
        let published = self.published(rows);
        let replicator = self.copy.replicator;
        let guard = replicator.replica.cancel_guard(conn, &replicator.cancel);
        let checked = seal.check_replica(conn, &published);
        drop(guard);
        let at = self.copy.at(CopyStage::Check, published.rows);
        checked.map_err(|fault| replicator.told(at, fault))
    }

    pub(crate) fn seal(
        &self,
        conn: &mut MyConn,
        seal: &dyn PublishHook,
        rows: &CopyEffect,
    ) -> Result<()> {
        let at = self.copy.at(CopyStage::Seal, rows.written.rows);
        seal.on_replica(conn, &self.published(rows)).map_err(|fault| {
            conn.mark_broken();
            at.error(fault)
        })
    }

    fn published(&self, rows: &CopyEffect) -> PublishedRows {
        PublishedRows {
            rows: rows.written.rows,
            inserted: rows.inserted,
            updated: rows.updated,
            deleted: rows.deleted,
            bytes: rows.written.bytes,
            strategy: rows.written.strategy,
            before: rows.before,
            sum: None,
            filter_sum: rows.filter_sum,
            waits: self.clock.waits().of_whole(self.started.elapsed()),
            ..PublishedRows::default()
        }
    }

    pub(crate) fn replica_table(&self) -> ReplicaTable<'_> {
        self.copy.replicator.replica_table(self.copy.job.table, &self.definition)
    }

    /// Returns the name of the table that this copy makes.
    pub(crate) fn own_table(&self) -> String {
        LeftoverKind::New.table(self.copy.job.copy_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_whole_copy_inserts_every_row_and_a_merge_none_yet() {
        let sum = Some(TableSum { rows: 3, hash: 7 });
        let written = WriteOutcome { rows: 3, sum, ..WriteOutcome::nothing() };
        let whole = CopyEffect::whole(written);
        assert_eq!((whole.inserted, whole.updated, whole.deleted), (3, 0, 0));
        let staged = CopyEffect::nothing_yet(written);
        assert_eq!((staged.inserted, staged.unchanged, staged.before), (0, 0, None));
        assert_eq!((whole.filter_sum, staged.filter_sum), (sum, sum));
    }
}
