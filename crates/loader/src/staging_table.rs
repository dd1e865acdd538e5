//! The table in which a strategy's rows land.

use crate::checkpoint::ResumableStaging;
use crate::copy_in::CopyIn;
use crate::error::{Error, Result};
use crate::job::LoadMode;
use crate::load_origin::LoadOrigin;
use crate::read_back;
use crate::row_source::RowSource;
use crate::shared_staging::{SharedStaging, StagingKind};
use crate::statements::{LoadStatements, TableAge};
use crate::step::last_count;
use crate::step::{MAKE, step};
use crate::tuple_inserter::TupleInserter;
use handoff_connect::{Fault, PgPool, Side};
use handoff_model::{CancelToken, CopyId, TableSum};
use handoff_schema::{TableMapping, TargetMisfit, TargetTable};
use postgres::Transaction;

/// The table in which a strategy's rows land. In the transaction, the table is made at the first write.
pub struct StagingTable<'c> {
    pub(crate) through: StagingAccess<'c>,
    pub(crate) statements: &'c LoadStatements,
    pub(crate) mapping: &'c TableMapping,
    pub(crate) mode: LoadMode,
    pub(crate) kind: StagingKind,
    pub(crate) cancel: &'c CancelToken,
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
        let statement = self.statements.copy_in(&self.table(), self.age());
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
        let statement = self.statements.copy_csv(&self.table(), self.age());
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
    /// [`Committed`](crate::LandingMode::Committed).
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
            of: LoadOrigin {
                copy: self.copy_id,
                mode: self.mode,
                kind: self.kind,
                table: source.table,
                mapping: source.mapping,
                values: source.values,
                filter: source.filter,
            }
            .hash(),
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

    fn age(&self) -> TableAge {
        // Others go when the transaction or the load ends.
        if self.kind == StagingKind::Target { TableAge::New } else { TableAge::Any }
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
        let read = TargetTable::read(self.transaction()?, statements.schema(), &mapping.pg_table);
        let Some(there) = read.map_err(failed)? else {
            return Err(Error::Step {
                table: statements.table(),
                step: "look at the target of",
                fault: Fault::new(Side::Target, "the table is not there any more"),
            });
        };
        fit(mapping, statements.schema(), &there)
    }

    /// Runs statements and returns the number of rows that the last of them concerned. An error names
    /// the `action` on the table.
    pub(crate) fn run(&mut self, action: &'static str, sql: &str) -> Result<u64> {
        let failed = step(self.statements, action);
        let answers = self.transaction()?.simple_query(sql).map_err(failed)?;
        Ok(last_count(&answers))
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
pub(crate) fn fit(mapping: &TableMapping, schema: &str, there: &TargetTable) -> Result<()> {
    let misfit = TargetMisfit::find(mapping, schema, there);
    misfit.map_or(Ok(()), |misfit| Err(Error::Unfit(Box::new(misfit))))
}

fn misopened(statements: &LoadStatements, does: &str) -> Error {
    let fault = Fault::new(Side::Target, format!("{does}, but did not open for it"));
    Error::Step { table: statements.table(), step: "write to the target of", fault }
}
