//! The table in which a strategy's rows land.

use crate::checkpoint::{ResumableStaging, made_for};
use crate::copy_in::CopyIn;
use crate::error::{Error, Result};
use crate::job::LoadMode;
use crate::read_back;
use crate::row_source::RowSource;
use crate::statements::LoadStatements;
use crate::step::{MAKE, step};
use crate::tuple_inserter::TupleInserter;
use handoff_connect::{Fault, PgConn, PgPool, Side};
use handoff_model::{Cancel, CopyId, TableSum};
use handoff_schema::{Mapping, TargetMisfit, TargetTable};
use postgres::Transaction;

/// The table in which a strategy's rows land. In the transaction, the table is made at the first write.
pub struct StagingTable<'c> {
    pub(crate) through: StagingAccess<'c>,
    pub(crate) statements: &'c LoadStatements,
    pub(crate) mapping: &'c Mapping,
    pub(crate) mode: LoadMode,
    pub(crate) kind: StagingKind,
    pub(crate) cancel: &'c Cancel,
    pub(crate) copy_id: Option<CopyId>,
    pub(crate) opened: bool,
    /// True if the table of the keys is there.
    pub(crate) has_keys: bool,
    pub(crate) locked: bool,
    pub(crate) unchanged: bool,
}

/// The strategy's access to the target.
pub(crate) enum StagingAccess<'c> {
    Transaction(Transaction<'c>),
    Pool(&'c PgPool),
    Nothing,
}

/// The table that rows land in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StagingKind {
    /// The published table itself, which nobody sees before the commit.
    Target,
    /// A logged table, to be renamed to the published one.
    Build,
    /// Staging that only the transaction sees.
    Temporary,
    /// Staging in the target's schema.
    Unlogged,
}

impl<'c> StagingTable<'c> {
    /// Asks whether the target holds exactly the rows of `sum` already, and notes it if so: then
    /// nothing need be written.
    ///
    /// For strategies that have gathered all rows before the first write. Other writers are kept
    /// out from here on, so the answer stays true until the commit. False where rows land in a
    /// table of their own already, for a first load and for an incremental one.
    ///
    /// # Errors
    ///
    /// Returns an error if the table cannot be locked or read.
    pub fn holds(&mut self, sum: TableSum) -> Result<bool> {
        let there = matches!(self.kind, StagingKind::Temporary | StagingKind::Unlogged);
        if self.opened || !there || self.mode != LoadMode::Full {
            return Ok(false);
        }
        self.lock()?;
        let failed = step(self.statements, "compare");
        let statement =
            self.statements.copy_out(self.statements.rows(), sum.rows.saturating_add(1));
        let tx = self.transaction()?;
        self.unchanged = read_back::sum(tx, &statement).map_err(failed)? == sum;
        Ok(self.unchanged)
    }

    /// Starts a COPY BINARY into the landing table, in the publishing transaction.
    ///
    /// # Errors
    ///
    /// Returns an error if the table cannot be made or the server refuses.
    pub fn copy_binary(&mut self) -> Result<CopyIn<'_>> {
        self.open()?;
        let table = self.statements.table();
        let statement = self.statements.copy_in(&self.table());
        CopyIn::begin(self.transaction()?, &table, &statement)
    }

    /// Starts a COPY of CSV into the landing table, in the publishing transaction: the columns of
    /// the mapping in order, no header, NULL a bare empty field.
    ///
    /// # Errors
    ///
    /// Returns an error if the table cannot be made or the server refuses.
    pub fn copy_csv(&mut self) -> Result<CopyIn<'_>> {
        self.open()?;
        let table = self.statements.table();
        let statement = self.statements.copy_csv(&self.table());
        CopyIn::begin_csv(self.transaction()?, &table, &statement)
    }

    /// Sums the landed rows, by reading them back.
    pub(crate) fn sum(&mut self) -> Result<TableSum> {
        let failed = step(self.statements, "read back the rows of");
        let statement = self.statements.copy_out(&self.table(), i64::MAX.cast_unsigned());
        read_back::sum(self.transaction()?, &statement).map_err(failed)
    }

    /// Prepares INSERTs of up to `rows` rows each into the landing table, in the publishing
    /// transaction.
    ///
    /// # Errors
    ///
    /// Returns an error if the table cannot be made.
    pub fn inserter(&mut self, rows: usize) -> Result<TupleInserter<'_, 'c>> {
        self.open()?;
        let (into, statements) = (self.table(), self.statements);
        Ok(TupleInserter::new(self.transaction()?, statements, into, rows))
    }

    /// Returns the table and the pool for a strategy that opens
    /// [`SharedStaging`](crate::LandingMode::Committed).
    ///
    /// # Errors
    ///
    /// Returns an error for a strategy that opens otherwise.
    pub fn committed(&self) -> Result<SharedStaging<'c>> {
        match self.through {
            StagingAccess::Pool(pool) => {
                Ok(SharedStaging { pool, statements: self.statements, cancel: self.cancel })
            }
            _ => Err(self.misopened("the strategy writes with commits of its own")),
        }
    }

    /// Returns the table and its checkpoint for a strategy that opens
    /// [`Resumable`](crate::LandingMode::Resumable).
    pub(crate) fn resumable(&self, source: &RowSource<'_>) -> Result<ResumableStaging<'c>> {
        Ok(ResumableStaging {
            to: self.committed()?,
            kind: self.kind,
            create: self.create(),
            of: made_for(source, self.mode, self.kind, self.copy_id),
        })
    }

    /// Returns the landing table, quoted.
    pub fn table(&self) -> String {
        match self.kind {
            StagingKind::Target => self.statements.target().to_owned(),
            StagingKind::Build | StagingKind::Unlogged => self.statements.own(),
            StagingKind::Temporary => self.statements.own_temporary(),
        }
    }

    /// Makes the landing table, unless it is there.
    pub(crate) fn open(&mut self) -> Result<()> {
        if self.opened {
            return Ok(());
        }
        let sql = self.create();
        let failed = step(self.statements, MAKE);
        self.transaction()?.batch_execute(&sql).map_err(failed)?;
        self.opened = true;
        Ok(())
    }

    /// Renders the statement that makes the landing table.
    pub(crate) fn create(&self) -> String {
        match self.kind {
            StagingKind::Target => self.statements.create_target(self.mapping),
            StagingKind::Build => self.statements.create_build(self.mapping),
            StagingKind::Temporary => self.statements.create_temporary(),
            StagingKind::Unlogged => self.statements.create_staging(),
        }
    }

    /// Keeps other writers out of the published table until the commit.
    pub(crate) fn lock(&mut self) -> Result<()> {
        if !self.locked {
            let sql = self.statements.lock();
            let failed = step(self.statements, "lock");
            self.transaction()?.batch_execute(&sql).map_err(failed)?;
            self.locked = true;
            // Something may stand in the way that was not there when the run looked.
            self.check_target()?;
        }
        Ok(())
    }

    /// Sees to it that rows can be loaded into the published table as it is in this transaction.
    pub(crate) fn check_target(&mut self) -> Result<()> {
        let (statements, mapping) = (self.statements, self.mapping);
        let failed = step(statements, "look at the target of");
        let there = TargetTable::read(self.transaction()?, statements.schema(), &mapping.pg_table);
        let there = there.map_err(failed)?.ok_or_else(|| Error::Step {
            table: statements.table(),
            step: "look at the target of",
            fault: Fault::new(Side::Target, "the table is not there any more"),
        })?;
        fit(mapping, statements.schema(), &there)
    }

    pub(crate) fn transaction(&mut self) -> Result<&mut Transaction<'c>> {
        match &mut self.through {
            StagingAccess::Transaction(tx) => Ok(tx),
            _ => Err(misopened(
                self.statements,
                "the strategy writes into the publishing transaction",
            )),
        }
    }

    fn misopened(&self, does: &str) -> Error {
        misopened(self.statements, does)
    }
}

/// Refuses a table that rows of `mapping` cannot be loaded into.
pub(crate) fn fit(mapping: &Mapping, schema: &str, there: &TargetTable) -> Result<()> {
    let misfit = TargetMisfit::find(mapping, schema, there);
    misfit.map_or(Ok(()), |misfit| Err(Error::Unfit(Box::new(misfit))))
}

fn misopened(statements: &LoadStatements, does: &str) -> Error {
    let fault = Fault::new(Side::Target, format!("{does}, but did not open for it"));
    Error::Step { table: statements.table(), step: "write to the target of", fault }
}

/// Runs `work` in a transaction on `conn` that ends with the request to stop.
pub(crate) fn guarded<T>(
    conn: &mut PgConn,
    cancel: &Cancel,
    statements: &LoadStatements,
    work: impl FnOnce(Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let guard = conn.pool().cancel_guard(conn, cancel);
    let begun = conn.transaction().map_err(step(statements, "begin to load"));
    let done = begun.and_then(work);
    drop(guard);
    // A cancel request may still be under way: it must not meet the next statement.
    if done.is_err() || cancel.is_cancelled() {
        conn.mark_broken();
    }
    done
}

/// A landing table that every connection sees. Shared by the workers of one load.
#[derive(Clone, Copy)]
pub struct SharedStaging<'c> {
    /// The connections to write through.
    pub pool: &'c PgPool,
    pub(crate) statements: &'c LoadStatements,
    cancel: &'c Cancel,
}

impl SharedStaging<'_> {
    /// Returns the landing table, quoted.
    pub fn table(&self) -> String {
        self.statements.own()
    }

    /// Runs `work` in a transaction of its own, on a connection taken for it, and commits. The
    /// request to stop ends what it runs.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, which is then rolled back, or of the server.
    pub fn in_transaction<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let failed = |fault| Error::Step {
            table: self.statements.table(),
            step: "connect to the target for",
            fault,
        };
        let mut conn = self.pool.get().map_err(failed)?;
        guarded(&mut conn, self.cancel, self.statements, |mut tx| {
            let done = work(&mut tx)?;
            tx.commit().map_err(step(self.statements, "commit rows of"))?;
            Ok(done)
        })
    }

    /// Starts a COPY BINARY into the landing table.
    ///
    /// # Errors
    ///
    /// Returns an error if the server refuses.
    pub fn copy_binary<'a>(&self, tx: &'a mut Transaction<'_>) -> Result<CopyIn<'a>> {
        CopyIn::begin(tx, &self.statements.table(), &self.statements.copy_in(&self.table()))
    }
}
