//! Where a strategy's rows land.

use crate::copy_in::CopyIn;
use crate::inserter::Inserter;
use crate::statements::Statements;
use crate::step::{MAKE, step};
use crate::{Error, LoadMode, Result, read_back};
use handoff_connect::{Fault, PgPool, Side};
use handoff_model::TableSum;
use handoff_schema::Mapping;
use postgres::Transaction;

/// Where a strategy's rows land. In the transaction, the table is made at the first write.
pub struct Landing<'c> {
    pub(crate) through: Through<'c>,
    pub(crate) statements: &'c Statements,
    pub(crate) mapping: &'c Mapping,
    pub(crate) mode: LoadMode,
    pub(crate) kind: Kind,
    pub(crate) opened: bool,
    pub(crate) locked: bool,
    pub(crate) unchanged: bool,
}

/// What the strategy writes through.
pub(crate) enum Through<'c> {
    Transaction(Transaction<'c>),
    Pool(&'c PgPool),
    Nothing,
}

/// The table that rows land in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The published table itself, which nobody sees before the commit.
    Target,
    /// A logged table, to be renamed to the published one.
    Build,
    /// Staging that only the transaction sees.
    Temporary,
    /// Staging in the target's schema.
    Unlogged,
}

impl<'c> Landing<'c> {
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
        let there = matches!(self.kind, Kind::Temporary | Kind::Unlogged);
        if self.opened || !there || self.mode != LoadMode::Full {
            return Ok(false);
        }
        self.lock()?;
        let failed = step(self.statements, "compare");
        let statement = self.statements.copy_out(sum.rows.saturating_add(1));
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

    /// Prepares INSERTs of up to `rows` rows each into the landing table, in the publishing
    /// transaction.
    ///
    /// # Errors
    ///
    /// Returns an error if the table cannot be made.
    pub fn inserter(&mut self, rows: usize) -> Result<Inserter<'_, 'c>> {
        self.open()?;
        let (into, statements) = (self.table(), self.statements);
        Ok(Inserter::new(self.transaction()?, statements, into, rows))
    }

    /// Returns the table and the pool for a strategy that opens
    /// [`Committed`](crate::Opening::Committed); [`None`] for another.
    pub fn committed(&self) -> Option<Committed<'c>> {
        match self.through {
            Through::Pool(pool) => Some(Committed { pool, statements: self.statements }),
            _ => None,
        }
    }

    /// Returns the landing table, quoted.
    pub fn table(&self) -> String {
        match self.kind {
            Kind::Target => self.statements.target().to_owned(),
            Kind::Build | Kind::Unlogged => self.statements.own(),
            Kind::Temporary => self.statements.own_temporary(),
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

    /// Spells the statement that makes the landing table.
    pub(crate) fn create(&self) -> String {
        match self.kind {
            Kind::Target => self.statements.create_target(self.mapping),
            Kind::Build => self.statements.create_build(self.mapping),
            Kind::Temporary => self.statements.create_temporary(),
            Kind::Unlogged => self.statements.create_staging(),
        }
    }

    /// Keeps other writers out of the published table until the commit.
    pub(crate) fn lock(&mut self) -> Result<()> {
        if !self.locked {
            let sql = self.statements.lock();
            let failed = step(self.statements, "lock");
            self.transaction()?.batch_execute(&sql).map_err(failed)?;
            self.locked = true;
        }
        Ok(())
    }

    pub(crate) fn transaction(&mut self) -> Result<&mut Transaction<'c>> {
        match &mut self.through {
            Through::Transaction(tx) => Ok(tx),
            _ => Err(Error::Step {
                table: self.statements.table(),
                step: "write to the target of",
                fault: Fault::new(
                    Side::Target,
                    "the strategy writes into the publishing transaction, but did not open in it",
                ),
            }),
        }
    }
}

/// A landing table that every connection sees. Shared by the workers of one load.
#[derive(Clone, Copy)]
pub struct Committed<'c> {
    /// The connections to write through.
    pub pool: &'c PgPool,
    statements: &'c Statements,
}

impl Committed<'_> {
    /// Returns the landing table, quoted.
    pub fn table(&self) -> String {
        self.statements.own()
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
