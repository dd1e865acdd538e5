//! A table whose way is decided.

use crate::carried::{Carried, carried};
use crate::definition::Definition;
use crate::error::{At, cancelled};
use crate::fill::{Fill, Filled};
use crate::guard::Shadow;
use crate::labels;
use crate::leftover::LeftoverKind;
use crate::shadow::{Indexes, ShadowSql, shadow_sql};
use crate::{CopyJob, CopyOutcome, Error, Replicator, Result, Stage, Way};
use handoff_connect::{Fault, MyConn, Profile, Published, Seal, fault_point, quote_my};
use handoff_model::RowFilter;
use handoff_schema::{Engine, TableSchema};
use mysql::prelude::Queryable;
use std::time::Instant;

/// Tables of fewer rows keep their secondary indexes in CREATE TABLE: one statement less.
const INDEXES_LAST_FROM: u64 = 20_000;
/// Tables of fewer rows are refreshed in one transaction where their engine has any.
const TRANSACTION_BELOW: u64 = 10_000;

/// A table whose [`Way`] is decided; for [`Way::Swap`] its empty shadow is in the replica, and is
/// dropped with this value unless it was swapped in.
pub struct Opened<'a> {
    replicator: &'a Replicator,
    job: CopyJob<'a>,
    columns: Vec<Carried>,
    notes: Vec<String>,
    definition: Definition,
    swap: Option<Swap<'a>>,
}

struct Swap<'a> {
    shadow: Shadow<'a>,
    name: String,
    add_indexes: Option<String>,
}

impl Replicator {
    /// Decides the way for one table and makes the empty shadow where that way has one.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] of the table if a server fails, or the definition is not understood or
    /// not the one that `job` describes; the replica is then as it was.
    pub fn open<'a>(&'a self, job: CopyJob<'a>) -> Result<Opened<'a>> {
        self.cancel.check().map_err(cancelled(&job.table.name))?;
        let definition = self.definition(job.table)?;
        let columns = carried(job.table, &definition, self.source.version().flavor);
        let last = job.table.engine == Engine::InnoDb && job.table.rows >= INDEXES_LAST_FROM;
        let indexes = if last { Indexes::Last } else { Indexes::First };
        let name = LeftoverKind::New.table(job.copy_id);
        let ShadowSql { create, add_indexes, mut notes } = shadow_sql(&definition, &name, indexes);
        if let Some(count) = self.triggers.get(job.table.name.as_str()) {
            notes.push(format!("triggers are not carried ({count})"));
        }
        let swap = match way(&job) {
            Way::Transaction => None,
            Way::Swap => {
                let shadow = self.create_shadow(job, &create)?;
                Some(Swap { shadow, name, add_indexes })
            }
        };
        fault_point("replicator.opened", &job.table.name);
        Ok(Opened { replicator: self, job, columns, notes, definition, swap })
    }

    fn create_shadow(&self, job: CopyJob<'_>, create: &str) -> Result<Shadow<'_>> {
        let at = At { table: &job.table.name, stage: Stage::Create, rows: 0 };
        let mut conn = self.replica.get(Profile::Write).map_err(|fault| at.error(fault))?;
        conn.query_drop(create).map_err(|error| self.failed(&conn, at, &error))?;
        Ok(Shadow::new(self, job))
    }
}

fn way(job: &CopyJob<'_>) -> Way {
    let fits = job.replica_table.is_some_and(|replica| {
        [job.table, replica]
            .iter()
            .all(|table| table.engine == Engine::InnoDb && table.rows < TRANSACTION_BELOW)
            && *job.filter == RowFilter::All
            && same_structure(job.table, replica)
    });
    if fits { Way::Transaction } else { Way::Swap }
}

fn same_structure(a: &TableSchema, b: &TableSchema) -> bool {
    a.columns == b.columns
        && a.indexes == b.indexes
        && a.partitioned == b.partitioned
        && !a.system_versioned
        && !b.system_versioned
}

impl Opened<'_> {
    /// Returns how the copy will become visible.
    pub fn way(&self) -> Way {
        if self.swap.is_some() { Way::Swap } else { Way::Transaction }
    }

    /// Fills the table, compares what arrived, publishes it and has it sealed.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] of the table. If the error came before the publication, the replica's
    /// table is as it was and the shadow is dropped; [`Stage::Seal`] means that a swapped table is
    /// in place and was not recorded.
    pub fn finish(mut self, seal: &dyn Seal) -> Result<CopyOutcome> {
        let started = Instant::now();
        fault_point("replicator.begun", &self.job.table.name);
        let filled = match self.swap.take() {
            Some(swap) => self.swap(swap, seal)?,
            None => self.transaction(seal)?,
        };
        Ok(CopyOutcome {
            rows: filled.rows,
            bytes: filled.bytes,
            strategy: filled.strategy,
            duration: started.elapsed(),
            notes: self.notes,
            checked: filled.checked,
        })
    }

    fn swap(&self, mut swap: Swap<'_>, seal: &dyn Seal) -> Result<Filled> {
        // Taken after the shadow, and so given back before the shadow is dropped.
        let mut conn = self.writer()?;
        let filled = self.fill(&mut conn, &swap.name, false)?;
        if let Some(alter) = &swap.add_indexes {
            self.run(&mut conn, alter, self.at(Stage::Index, filled.rows))?;
        }
        fault_point("replicator.indexed", &self.job.table.name);
        self.check_unchanged()?;
        self.replicator.cancel.check().map_err(cancelled(&self.job.table.name))?;
        fault_point("replicator.before_rename", &self.job.table.name);
        let old = self.rename(&mut conn, &swap.name, filled.rows)?;
        swap.shadow.renamed();
        fault_point("replicator.renamed", &self.job.table.name);
        self.seal(&mut conn, seal, &filled)?;
        fault_point("replicator.sealed", &self.job.table.name);
        if let Some(old) = old
            && let Err(error) = conn.query_drop(format!("DROP TABLE IF EXISTS {}", quote_my(&*old)))
        {
            // The copy is complete; the next run finds the old table by its name.
            log::warn!("`{old}` stays in the replica for now: {}", conn.fault(&error));
        }
        fault_point("replicator.dropped_old", &self.job.table.name);
        Ok(filled)
    }

    /// Puts the shadow in the table's place and returns the old table's name.
    fn rename(&self, conn: &mut MyConn, shadow: &str, rows: u64) -> Result<Option<String>> {
        let (table, shadow) = (quote_my(self.job.table.name.as_str()), quote_my(shadow));
        let old = self.job.replica_table.map(|_| LeftoverKind::Old.table(self.job.copy_id));
        let statement = match &old {
            Some(old) => {
                let old = quote_my(old.as_str());
                format!("RENAME TABLE {table} TO {old}, {shadow} TO {table}")
            }
            None => format!("RENAME TABLE {shadow} TO {table}"),
        };
        self.run(conn, &statement, self.at(Stage::Publish, rows))?;
        Ok(old)
    }

    fn transaction(&self, seal: &dyn Seal) -> Result<Filled> {
        let mut conn = self.writer()?;
        let done = self.in_transaction(&mut conn, seal);
        if done.is_err() {
            // If it cannot be run, the end of the session does the same.
            let _ = conn.query_drop("ROLLBACK");
            conn.mark_broken();
        }
        done
    }

    fn in_transaction(&self, conn: &mut MyConn, seal: &dyn Seal) -> Result<Filled> {
        let name = &self.job.table.name;
        self.run(conn, "START TRANSACTION", self.at(Stage::Empty, 0))?;
        let empty = format!("DELETE FROM {}", quote_my(name.as_str()));
        self.run(conn, &empty, self.at(Stage::Empty, 0))?;
        let filled = self.fill(conn, name.as_str(), true)?;
        self.check_unchanged()?;
        self.replicator.cancel.check().map_err(cancelled(&self.job.table.name))?;
        self.seal(conn, seal, &filled)?;
        fault_point("replicator.before_commit", name);
        self.run(conn, "COMMIT", self.at(Stage::Publish, filled.rows))?;
        fault_point("replicator.committed", name);
        Ok(filled)
    }

    fn fill(&self, conn: &mut MyConn, into: &str, in_transaction: bool) -> Result<Filled> {
        let fill = Fill {
            replicator: self.replicator,
            job: self.job,
            columns: &self.columns,
            into,
            in_transaction,
        };
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

    /// The table may have been altered between its description and the reading of its rows, or
    /// between two ranges of them.
    fn check_unchanged(&self) -> Result<()> {
        let table = self.job.table;
        if self.replicator.definition(table)?.holds_rows_like(&self.definition) {
            Ok(())
        } else {
            Err(Error::Changed { table: table.name.clone() })
        }
    }

    fn seal(&self, conn: &mut MyConn, seal: &dyn Seal, filled: &Filled) -> Result<()> {
        let published = Published {
            rows: filled.rows,
            inserted: filled.rows,
            bytes: filled.bytes,
            strategy: filled.strategy,
            ..Published::default()
        };
        let at = self.at(Stage::Seal, filled.rows);
        seal.on_replica(conn, &published).map_err(|fault: Fault| {
            conn.mark_broken();
            at.error(fault)
        })
    }

    fn run(&self, conn: &mut MyConn, statement: &str, at: At<'_>) -> Result<()> {
        let guard = self.replicator.replica.cancel_guard(conn, &self.replicator.cancel);
        let done = conn.query_drop(statement);
        drop(guard);
        done.map_err(|error| self.replicator.failed(conn, at, &error))
    }

    fn writer(&self) -> Result<MyConn> {
        let at = self.at(Stage::Write, 0);
        self.replicator.replica.get(Profile::Write).map_err(|fault| at.error(fault))
    }

    fn at(&self, stage: Stage, rows: u64) -> At<'_> {
        At { table: &self.job.table.name, stage, rows }
    }
}
