//! A table whose way is decided.

use crate::carried::{Carried, carried};
use crate::definition::Definition;
use crate::error::{At, cancelled};
use crate::fill::{Fill, Filled};
use crate::guard::Shadow;
use crate::job::Scope;
use crate::keyed::Keyed;
use crate::labels;
use crate::left_out::notes;
use crate::leftover::LeftoverKind;
use crate::shadow::{Indexes, ReplicaTable, ShadowSql};
use crate::swap::Swap;
use crate::way::{check_merge, way};
use crate::{CopyJob, CopyOutcome, Error, Replicator, Result, Stage, Way};
use handoff_connect::{Fault, MyConn, Profile, Published, Seal, fault_point};
use handoff_model::{TableSum, WaitClock};
use handoff_rows::KeyList;
use handoff_schema::{Engine, Omission, OmissionKind, TableSchema};
use mysql::prelude::Queryable;
use std::time::Instant;

/// Tables of fewer rows keep their secondary indexes in CREATE TABLE: one statement less.
const INDEXES_LAST_FROM: u64 = 20_000;

/// A table whose [`Way`] is decided; for [`Way::Swap`] its empty shadow is in the replica, and is
/// dropped with this value unless it was swapped in.
pub struct Opened<'a> {
    pub(crate) replicator: &'a Replicator,
    pub(crate) job: CopyJob<'a>,
    pub(crate) columns: Vec<Carried>,
    pub(crate) definition: Definition,
    /// The rows that the copy is about.
    pub(crate) scope: Scope<'a>,
    omissions: Vec<Omission>,
    means: Means<'a>,
    started: Instant,
    clock: WaitClock,
}

/// What a way works with.
enum Means<'a> {
    Swap(Swap<'a>),
    Transaction,
    Merge,
}

/// What was moved, and what became of it in the replica.
pub(crate) struct Moved {
    pub(crate) filled: Filled,
    pub(crate) inserted: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) unchanged: u64,
    /// Rows that were there before, where they were counted.
    pub(crate) before: Option<u64>,
    /// The sum of the rows that the filter selects.
    pub(crate) filter_sum: Option<TableSum>,
}

impl Moved {
    /// Every row is new.
    pub(crate) fn whole(filled: Filled) -> Moved {
        Moved { inserted: filled.rows, ..Moved::nothing_yet(filled) }
    }

    /// The rows of the filter are read, and none of them is in the table.
    pub(crate) fn nothing_yet(filled: Filled) -> Moved {
        let (before, filter_sum) = (None, filled.sum);
        Moved { filled, inserted: 0, updated: 0, deleted: 0, unchanged: 0, before, filter_sum }
    }
}

/// The rows that one fill moves.
#[derive(Clone, Copy)]
pub(crate) enum Looked<'a> {
    /// Those of the job's filter, into an empty table.
    Filter,
    /// Those of keys, beside what is there already.
    Keys { keyed: &'a Keyed<'a>, there: Filled },
}

impl Replicator {
    /// Decides the way for one table and makes the empty shadow where that way has one.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] of the table if a server fails, the definition is not understood or
    /// not the one that `job` describes, or some rows are asked for that cannot be merged; the
    /// replica is then as it was.
    pub fn open<'a>(&'a self, job: CopyJob<'a>) -> Result<Opened<'a>> {
        self.open_way(job, way(&job)?, Scope::Filter)
    }

    /// Opens a table of which the rows of the job's filter are to be merged, and those of `keys` be
    /// brought into line with them, as [`Replicator::open_keys`] does: both are one publication.
    ///
    /// # Errors
    ///
    /// As [`Replicator::open`].
    pub fn open_with_keys<'a>(&'a self, job: CopyJob<'a>, keys: &'a KeyList) -> Result<Opened<'a>> {
        if keys.is_empty() {
            return self.open(job);
        }
        check_merge(&job)?;
        self.open_way(job, Way::Merge, Scope::FilterAndKeys(keys))
    }

    /// Opens a table of which exactly the rows of `keys` are to be brought into line, by
    /// [`Way::Merge`]: those that the source has are merged, those that it has not are deleted. The
    /// filter of the job plays no part.
    ///
    /// The keys are compared as the server does, so that a key whose case changed replaces the one
    /// it was.
    ///
    /// # Errors
    ///
    /// As [`Replicator::open`].
    pub fn open_keys<'a>(&'a self, job: CopyJob<'a>, keys: &'a KeyList) -> Result<Opened<'a>> {
        check_merge(&job)?;
        self.open_way(job, Way::Merge, Scope::Keys(keys))
    }

    fn open_way<'a>(&'a self, job: CopyJob<'a>, way: Way, scope: Scope<'a>) -> Result<Opened<'a>> {
        self.cancel.check().map_err(cancelled(&job.table.name))?;
        let definition = self.definition(job.table)?;
        let columns = carried(job.table, self.source.version().flavor, |name| {
            definition.numbered().any(|other| other == name)
        });
        let omissions = self.omissions(job.table, &definition);
        let means = match way {
            Way::Swap => self.make_shadow(job, &definition)?,
            Way::Transaction => Means::Transaction,
            Way::Merge => Means::Merge,
        };
        fault_point("replicator.opened", &job.table.name);
        let (started, clock) = (Instant::now(), WaitClock::default());
        let replicator = self;
        Ok(Opened { replicator, job, columns, definition, scope, omissions, means, started, clock })
    }

    fn make_shadow<'a>(&'a self, job: CopyJob<'a>, definition: &Definition) -> Result<Means<'a>> {
        let last = job.replica_engine() == Engine::InnoDb && job.table.rows >= INDEXES_LAST_FROM;
        let indexes = if last { Indexes::Last } else { Indexes::First };
        let name = LeftoverKind::New.table(job.copy_id);
        let table = self.replica_table(job.table, definition);
        let ShadowSql { create, add_indexes } = table.shadow(&name, indexes);
        let shadow = self.create_shadow(job, &create)?;
        Ok(Means::Swap(Swap { shadow, name, add_indexes }))
    }

    fn replica_table<'a>(
        &self,
        table: &'a TableSchema,
        definition: &'a Definition,
    ) -> ReplicaTable<'a> {
        ReplicaTable::new(table, definition, self.source.version().flavor, self.demands_key)
    }

    fn omissions(&self, table: &TableSchema, definition: &Definition) -> Vec<Omission> {
        let mut omissions = self.replica_table(table, definition).omissions();
        if let Some(count) = self.triggers.get(table.name.as_str()) {
            let (table, kind) = (table.name.clone(), OmissionKind::Triggers);
            omissions.push(Omission { table, kind, name: count.to_string() });
        }
        omissions
    }

    fn create_shadow(&self, job: CopyJob<'_>, create: &str) -> Result<Shadow<'_>> {
        let at = At { table: &job.table.name, stage: Stage::Create, rows: 0 };
        let mut conn = self.replica.get(Profile::Write).map_err(|fault| at.error(fault))?;
        conn.query_drop(create).map_err(|error| self.failed(&conn, at, &error))?;
        Ok(Shadow::new(self, job, LeftoverKind::New))
    }
}

impl Opened<'_> {
    /// Returns how the copy will become visible.
    pub fn way(&self) -> Way {
        match self.means {
            Means::Swap(_) => Way::Swap,
            Means::Transaction => Way::Transaction,
            Means::Merge => Way::Merge,
        }
    }

    /// Fills the table, compares what arrived, publishes it and has it sealed.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] of the table. If the error came before the publication, the replica's
    /// table is as it was and the shadow is dropped; [`Stage::Seal`] means that a swapped table is
    /// in place and was not recorded. A merge into a table without transactions that fails at
    /// [`Stage::Merge`] or later, or with [`Error::is_merge_conflict`], may leave it without some of
    /// its rows: it may not be read until it is merged again or copied in full.
    pub fn finish(mut self, seal: &dyn Seal) -> Result<CopyOutcome> {
        self.started = Instant::now();
        fault_point("replicator.begun", &self.job.table.name);
        let moved = match std::mem::replace(&mut self.means, Means::Transaction) {
            Means::Swap(swap) => self.swap(swap, seal)?,
            Means::Transaction => self.transaction(seal)?,
            Means::Merge => self.merge(seal)?,
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
        looked: Looked<'_>,
    ) -> Result<Filled> {
        let mut fill = Fill {
            replicator: self.replicator,
            job: self.job,
            columns: &self.columns,
            keys: None,
            into,
            there: TableSum::default(),
            in_transaction,
            clock: &self.clock,
        };
        if let Looked::Keys { keyed, there } = looked {
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
        let at = self.at(Stage::Compare, 0);
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
    pub(crate) fn check(&self, conn: &mut MyConn, seal: &dyn Seal, moved: &Moved) -> Result<()> {
        let published = self.published(moved);
        let guard = self.replicator.replica.cancel_guard(conn, &self.replicator.cancel);
        let checked = seal.check_replica(conn, &published);
        drop(guard);
        checked.map_err(|fault| self.replicator.told(self.at(Stage::Check, published.rows), fault))
    }

    pub(crate) fn seal(&self, conn: &mut MyConn, seal: &dyn Seal, moved: &Moved) -> Result<()> {
        let at = self.at(Stage::Seal, moved.filled.rows);
        seal.on_replica(conn, &self.published(moved)).map_err(|fault: Fault| {
            conn.mark_broken();
            at.error(fault)
        })
    }

    fn published(&self, moved: &Moved) -> Published {
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

    pub(crate) fn run(&self, conn: &mut MyConn, statement: &str, at: At<'_>) -> Result<()> {
        let guard = self.replicator.replica.cancel_guard(conn, &self.replicator.cancel);
        let done = conn.query_drop(statement);
        drop(guard);
        done.map_err(|error| self.replicator.failed(conn, at, &error))
    }

    pub(crate) fn writer(&self) -> Result<MyConn> {
        let at = self.at(Stage::Write, 0);
        self.replicator.replica.get(Profile::Write).map_err(|fault| at.error(fault))
    }

    pub(crate) fn at(&self, stage: Stage, rows: u64) -> At<'_> {
        At { table: &self.job.table.name, stage, rows }
    }

    pub(crate) fn replica_table(&self) -> ReplicaTable<'_> {
        self.replicator.replica_table(self.job.table, &self.definition)
    }

    /// Returns the name of the table that this copy makes.
    pub(crate) fn own_table(&self) -> String {
        LeftoverKind::New.table(self.job.copy_id)
    }
}
