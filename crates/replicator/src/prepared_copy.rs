//! A copy whose mode is decided.

use crate::copied_column::{CopiedColumn, carried};
use crate::definition::TableDefinition;
use crate::error::{CopyStage, Error, FaultContext, Result, cancelled};
use crate::job::{CopyJob, CopyOutcome, CopyScope, PublishMode};
use crate::labels;
use crate::left_out::notes;
use crate::leftover::LeftoverKind;
use crate::pair::Replicator;
use crate::publish_mode::{check_merge, way};
use crate::shadow::{IndexTiming, ReplicaTable, ShadowSql};
use crate::shadow_guard::ShadowGuard;
use crate::staged_keys::StagedKeys;
use crate::swap::ShadowSwap;
use crate::table_writer::{TableWriter, WriteOutcome};
use handoff_connect::{Fault, MyConn, Profile, Published, Seal, fault_point};
use handoff_model::{TableSum, WaitClock};
use handoff_rows::KeyList;
use handoff_schema::{Engine, Omission, OmissionKind, TableSchema};
use mysql::prelude::Queryable;
use std::time::Instant;

/// Tables of fewer rows keep their secondary indexes in CREATE TABLE: one statement less.
const INDEXES_LAST_FROM: u64 = 20_000;

/// A table whose [`PublishMode`] is decided; for [`PublishMode::Swap`] its empty shadow is in the replica, and is
/// dropped with this value unless it was swapped in.
pub struct PreparedCopy<'a> {
    pub(crate) replicator: &'a Replicator,
    pub(crate) job: CopyJob<'a>,
    pub(crate) columns: Vec<CopiedColumn>,
    pub(crate) definition: TableDefinition,
    /// The rows that the copy is about.
    pub(crate) scope: CopyScope<'a>,
    omissions: Vec<Omission>,
    means: CopyPlan<'a>,
    started: Instant,
    clock: WaitClock,
}

/// The mode of a copy with its means.
enum CopyPlan<'a> {
    Swap(ShadowSwap<'a>),
    InTransaction,
    Merge,
}

/// The rows that were moved, and their effect on the replica's table.
pub(crate) struct CopiedRows {
    pub(crate) filled: WriteOutcome,
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) unchanged: u64,
    /// Rows that were there before, where they were counted.
    pub(crate) before: Option<u64>,
    /// The sum of the rows that the filter selects.
    pub(crate) filter_sum: Option<TableSum>,
}

impl CopiedRows {
    /// Every row is new.
    pub(crate) fn whole(filled: WriteOutcome) -> CopiedRows {
        CopiedRows { inserted: filled.rows, ..CopiedRows::nothing_yet(filled) }
    }

    /// The rows of the filter are read, and none of them is in the table.
    pub(crate) fn nothing_yet(filled: WriteOutcome) -> CopiedRows {
        let (before, filter_sum) = (None, filled.sum);
        CopiedRows { filled, inserted: 0, updated: 0, deleted: 0, unchanged: 0, before, filter_sum }
    }
}

/// The rows that one fill moves.
#[derive(Clone, Copy)]
pub(crate) enum WriteScope<'a> {
    /// The rows of the job's filter, into an empty table.
    Filter,
    /// The rows of keys, beside those that are there already.
    Keys { keyed: &'a StagedKeys<'a>, there: WriteOutcome },
}

impl Replicator {
    /// Decides the mode for one table and makes the empty shadow where that mode has one.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] of the table if a server fails, the definition is not understood or
    /// not the one that `job` describes, or some rows are asked for that cannot be merged; the
    /// replica is then as it was.
    pub fn open<'a>(&'a self, job: CopyJob<'a>) -> Result<PreparedCopy<'a>> {
        self.open_way(job, way(&job)?, CopyScope::Filter)
    }

    /// Opens a table of which the rows of the job's filter are to be merged, and those of `keys` be
    /// brought into line with them, as [`Replicator::open_keys`] does: both are one publication.
    ///
    /// # Errors
    ///
    /// As [`Replicator::open`].
    pub fn open_with_keys<'a>(
        &'a self,
        job: CopyJob<'a>,
        keys: &'a KeyList,
    ) -> Result<PreparedCopy<'a>> {
        if keys.is_empty() {
            return self.open(job);
        }
        check_merge(&job)?;
        self.open_way(job, PublishMode::Merge, CopyScope::FilterAndKeys(keys))
    }

    /// Opens a table of which exactly the rows of `keys` are to be brought into line, by
    /// [`PublishMode::Merge`]: those that the source has are merged, those that it has not are deleted. The
    /// filter of the job plays no part.
    ///
    /// The keys are compared as the server does, so that a key whose case changed replaces the one
    /// it was.
    ///
    /// # Errors
    ///
    /// As [`Replicator::open`].
    pub fn open_keys<'a>(
        &'a self,
        job: CopyJob<'a>,
        keys: &'a KeyList,
    ) -> Result<PreparedCopy<'a>> {
        check_merge(&job)?;
        self.open_way(job, PublishMode::Merge, CopyScope::Keys(keys))
    }

    fn open_way<'a>(
        &'a self,
        job: CopyJob<'a>,
        way: PublishMode,
        scope: CopyScope<'a>,
    ) -> Result<PreparedCopy<'a>> {
        self.cancel.check().map_err(cancelled(&job.table.name))?;
        let definition = self.definition(job.table)?;
        let columns = carried(job.table, self.source.version().flavor, |name| {
            definition.numbered().any(|other| other == name)
        });
        let omissions = self.omissions(job.table, &definition);
        let means = match way {
            PublishMode::Swap => self.make_shadow(job, &definition)?,
            PublishMode::InTransaction => CopyPlan::InTransaction,
            PublishMode::Merge => CopyPlan::Merge,
        };
        fault_point("replicator.opened", &job.table.name);
        let (started, clock) = (Instant::now(), WaitClock::default());
        let replicator = self;
        Ok(PreparedCopy {
            replicator,
            job,
            columns,
            definition,
            scope,
            omissions,
            means,
            started,
            clock,
        })
    }

    fn make_shadow<'a>(
        &'a self,
        job: CopyJob<'a>,
        definition: &TableDefinition,
    ) -> Result<CopyPlan<'a>> {
        let last = job.replica_engine() == Engine::InnoDb && job.table.rows >= INDEXES_LAST_FROM;
        let indexes = if last { IndexTiming::Last } else { IndexTiming::First };
        let name = LeftoverKind::New.table(job.copy_id);
        let table = self.replica_table(job.table, definition);
        let ShadowSql { create, add_indexes } = table.shadow(&name, indexes);
        let shadow = self.create_shadow(job, &create)?;
        Ok(CopyPlan::Swap(ShadowSwap { shadow, name, add_indexes }))
    }

    fn replica_table<'a>(
        &self,
        table: &'a TableSchema,
        definition: &'a TableDefinition,
    ) -> ReplicaTable<'a> {
        ReplicaTable::new(table, definition, self.source.version().flavor, self.demands_key)
    }

    fn omissions(&self, table: &TableSchema, definition: &TableDefinition) -> Vec<Omission> {
        let mut omissions = self.replica_table(table, definition).omissions();
        if let Some(count) = self.triggers.get(table.name.as_str()) {
            let (table, kind) = (table.name.clone(), OmissionKind::Triggers);
            omissions.push(Omission { table, kind, name: count.to_string() });
        }
        omissions
    }

    fn create_shadow(&self, job: CopyJob<'_>, create: &str) -> Result<ShadowGuard<'_>> {
        let at = FaultContext { table: &job.table.name, stage: CopyStage::Create, rows: 0 };
        let mut conn = self.replica.get(Profile::Write).map_err(|fault| at.error(fault))?;
        conn.query_drop(create).map_err(|error| self.failed(&conn, at, &error))?;
        Ok(ShadowGuard::new(self, job, LeftoverKind::New))
    }
}

impl PreparedCopy<'_> {
    /// Returns how the copy will become visible.
    pub fn way(&self) -> PublishMode {
        match self.means {
            CopyPlan::Swap(_) => PublishMode::Swap,
            CopyPlan::InTransaction => PublishMode::InTransaction,
            CopyPlan::Merge => PublishMode::Merge,
        }
    }

    /// Fills the table, compares what arrived, publishes it and has it sealed.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] of the table. If the error came before the publication, the replica's
    /// table is as it was and the shadow is dropped; [`CopyStage::Seal`] means that a swapped table is
    /// in place and was not recorded. A merge into a table without transactions that fails at
    /// [`CopyStage::Merge`] or later, or with [`Error::is_merge_conflict`], may leave it without some of
    /// its rows: it may not be read until it is merged again or copied in full.
    pub fn finish(mut self, seal: &dyn Seal) -> Result<CopyOutcome> {
        self.started = Instant::now();
        fault_point("replicator.begun", &self.job.table.name);
        let moved = match std::mem::replace(&mut self.means, CopyPlan::InTransaction) {
            CopyPlan::Swap(swap) => self.swap(swap, seal)?,
            CopyPlan::InTransaction => self.transaction(seal)?,
            CopyPlan::Merge => self.merge(seal)?,
        };
        let duration = self.started.elapsed();
        Ok(CopyOutcome {
            rows: moved.filled.rows,
            inserted: moved.inserted,
            updated: moved.updated,
            deleted: moved.deleted,
            unchanged: moved.unchanged,
            bytes: moved.filled.bytes,
            strategy: moved.filled.strategy,
            duration,
            waits: self.clock.waits().of_whole(duration),
            notes: notes(&self.omissions),
            omissions: self.omissions,
            checked: moved.filled.checked,
            sum: moved.filled.sum,
            filter_sum: moved.filter_sum,
        })
    }

    pub(crate) fn fill(
        &self,
        conn: &mut MyConn,
        into: &str,
        in_transaction: bool,
        looked: WriteScope<'_>,
    ) -> Result<WriteOutcome> {
        let mut fill = TableWriter {
            replicator: self.replicator,
            job: self.job,
            columns: &self.columns,
            keys: None,
            into,
            there: TableSum::default(),
            in_transaction,
            clock: &self.clock,
        };
        if let WriteScope::Keys { keyed, there } = looked {
            fill.there = there.lines.map_or_else(|| fill.read_back(conn), Ok)?;
            fill.keys = Some(keyed);
        }
        let filled = fill.run(conn)?;
        fault_point("replicator.filled", &self.job.table.name);
        self.check_labels(conn, into)?;
        Ok(filled)
    }

    fn check_labels(&self, conn: &mut MyConn, into: &str) -> Result<()> {
        let doubtful = labels::doubtful(self.job.table, &self.columns);
        if doubtful.is_empty() {
            return Ok(());
        }
        let at = self.at(CopyStage::Compare, 0);
        let source = self.replicator.source.get(Profile::RawRead);
        let mut source = source.map_err(|fault| at.error(fault))?;
        labels::check(self.job.table, &doubtful, &mut source, conn, into)
    }

    /// Looks a last time before the publication whether the run was asked to stop, and whether the
    /// table was altered between its description and the reading of its rows, or between two ranges
    /// of them.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let table = self.job.table;
        if !self.replicator.definition(table)?.holds_rows_like(&self.definition) {
            return Err(Error::Changed { table: table.name.clone() });
        }
        self.check_cancel()
    }

    pub(crate) fn check_cancel(&self) -> Result<()> {
        self.replicator.cancel.check().map_err(cancelled(&self.job.table.name))
    }

    /// Asks whether what is in place may be published.
    pub(crate) fn check(
        &self,
        conn: &mut MyConn,
        seal: &dyn Seal,
        moved: &CopiedRows,
    ) -> Result<()> {
        let published = self.published(moved);
        let guard = self.replicator.replica.cancel_guard(conn, &self.replicator.cancel);
        let checked = seal.check_replica(conn, &published);
        drop(guard);
        checked
            .map_err(|fault| self.replicator.told(self.at(CopyStage::Check, published.rows), fault))
    }

    pub(crate) fn seal(
        &self,
        conn: &mut MyConn,
        seal: &dyn Seal,
        moved: &CopiedRows,
    ) -> Result<()> {
        let at = self.at(CopyStage::Seal, moved.filled.rows);
        seal.on_replica(conn, &self.published(moved)).map_err(|fault: Fault| {
            conn.mark_broken();
            at.error(fault)
        })
    }

    fn published(&self, moved: &CopiedRows) -> Published {
        Published {
            rows: moved.filled.rows,
            inserted: moved.inserted,
            updated: moved.updated,
            deleted: moved.deleted,
            bytes: moved.filled.bytes,
            strategy: moved.filled.strategy,
            before: moved.before,
            sum: None,
            filter_sum: moved.filter_sum,
            waits: self.clock.waits().of_whole(self.started.elapsed()),
            ..Published::default()
        }
    }

    pub(crate) fn run(
        &self,
        conn: &mut MyConn,
        statement: &str,
        at: FaultContext<'_>,
    ) -> Result<()> {
        let guard = self.replicator.replica.cancel_guard(conn, &self.replicator.cancel);
        let done = conn.query_drop(statement);
        drop(guard);
        done.map_err(|error| self.replicator.failed(conn, at, &error))
    }

    pub(crate) fn writer(&self) -> Result<MyConn> {
        let at = self.at(CopyStage::Write, 0);
        self.replicator.replica.get(Profile::Write).map_err(|fault| at.error(fault))
    }

    pub(crate) fn at(&self, stage: CopyStage, rows: u64) -> FaultContext<'_> {
        FaultContext { table: &self.job.table.name, stage, rows }
    }

    pub(crate) fn replica_table(&self) -> ReplicaTable<'_> {
        self.replicator.replica_table(self.job.table, &self.definition)
    }

    /// Returns the name of the table that this copy makes.
    pub(crate) fn own_table(&self) -> String {
        LeftoverKind::New.table(self.job.copy_id)
    }
}
