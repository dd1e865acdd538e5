//! Hop 2 and its reference.

use crate::{Amount, Key, Psql, Result, Shape, lap};
use handoff_connect::{
    Fault, MyClient, MyPool, PgPool, PoolOptions, PublishHook, PublishedRows, SessionProfile, Side,
};
use handoff_loader::{LoadJob, LoadMode, LoadOutcome, LoadStrategy, Loader, LoaderOptions};
use handoff_model::{CancelToken, CopyId, NopObserver, RowFilter};
use handoff_rows::{Encoder, Locking};
use handoff_schema::{SourceCatalogue, TableMapping, TableSchema, TargetCatalogue, TargetTable};
use handoff_settings::{MySqlServer, PgServer, TableSettings, ValuePolicies};
use handoff_testbed::{Durability, MariaDb, Postgres, ServerOptions, quoted, quoted_pg};
use mysql::Value;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// The database of the benches, on every server.
pub(crate) const DATABASE: &str = "bench";

/// Connections that a load in parallel may want.
const CONNECTIONS: u32 = 12;

/// A replica with the tables of every wanted shape, and an empty target. Both flush as they come.
pub struct Hop2 {
    replica: MariaDb,
    target: Postgres,
    from: MyPool,
    to: PgPool,
}

/// A table of the replica and what it becomes.
pub struct Described {
    table: TableSchema,
    /// What it becomes.
    pub mapping: TableMapping,
}

impl Hop2 {
    /// Starts the servers.
    ///
    /// # Errors
    ///
    /// Returns what kept one from starting.
    pub fn start() -> Result<Hop2> {
        let options = ServerOptions { durability: Durability::Durable, ..ServerOptions::default() };
        let (replica, target) = (MariaDb::start(&options)?, Postgres::start(&options)?);
        replica.endpoint().create_database(DATABASE)?;
        target.endpoint().create_database(DATABASE)?;
        let options = PoolOptions { size: CONNECTIONS, ..PoolOptions::default() };
        let server = MySqlServer::from_url(&replica.url(DATABASE))?;
        let from = MyPool::open(&server, Side::Replica, &options)?;
        let to = PgPool::open(&PgServer::from_url(&target.url(DATABASE))?, &options)?;
        to.get()?.batch_execute("CREATE SCHEMA raw")?;
        Ok(Hop2 { replica, target, from, to })
    }

    /// Makes the table of a shape in the replica, afresh.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn make(&self, shape: Shape, key: Key, rows: u64) -> Result<Described> {
        shape.make(&mut self.replica()?, key, shape.rows(rows))?;
        self.describe(shape.name())
    }

    /// Describes a table of the replica.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such table, or what the server said.
    pub fn describe(&self, table: &str) -> Result<Described> {
        let mut conn = self.from.get(SessionProfile::Read)?;
        let mut catalogue = SourceCatalogue::read(&mut conn, DATABASE)?;
        let table = catalogue.tables.remove(table).ok_or("the replica has no such table")??;
        let mapping =
            TableMapping::new(&table, &TableSettings::default(), &ValuePolicies::default())?;
        Ok(Described { table, mapping })
    }

    /// Fetches the rows of a table as the driver hands them out.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn fetch(&self, described: &Described) -> Result<Vec<Vec<Value>>> {
        let encoder = Encoder::new(&described.mapping, &ValuePolicies::default());
        let (select, table) = (encoder.select_list().join(", "), described.table.name.as_str());
        let mut conn = self.from.get(SessionProfile::Read)?;
        let mut rows = conn.rows(&format!("SELECT {select} FROM {}", quoted(table)), &[])?;
        let mut fetched = Vec::new();
        let _ = rows.each(|row| {
            fetched.push(row.iter().map(|value| Value::from(*value)).collect());
            ControlFlow::<()>::Continue(())
        })?;
        Ok(fetched)
    }

    /// Loads a table that the target does not have, and returns how long it took and how much it
    /// was.
    ///
    /// # Errors
    ///
    /// Returns an error if a server fails.
    pub fn load(
        &self,
        described: &Described,
        strategy: &dyn LoadStrategy,
    ) -> Result<(Duration, Amount)> {
        self.clear(&described.mapping.pg_table)?;
        let mut outcome = None;
        let elapsed = lap(|| {
            outcome = Some(self.loader().load(&described.job(), strategy, &Unrecorded)?);
            Ok(())
        })?;
        let outcome: LoadOutcome = outcome.ok_or("a load has an outcome")?;
        Ok((elapsed, Amount { rows: outcome.figures.rows, bytes: outcome.figures.bytes }))
    }

    /// Drops what the last contender made, and has the server write what it still holds back, so
    /// that nobody pays for another.
    pub(crate) fn clear(&self, table: &str) -> Result<()> {
        let mut admin = self.target()?;
        let sql = format!("DROP TABLE IF EXISTS raw.{}; CHECKPOINT", quoted_pg(table));
        // One by one: a checkpoint cannot be in a transaction.
        sql.split(';').try_for_each(|sql| admin.batch_execute(sql))?;
        Ok(())
    }

    /// Connects to the replica.
    pub(crate) fn replica(&self) -> Result<mysql::Conn> {
        Ok(self.replica.endpoint().admin_in(DATABASE)?)
    }

    /// Connects to the target.
    pub(crate) fn target(&self) -> Result<postgres::Client> {
        Ok(self.target.endpoint().admin_in(DATABASE)?)
    }

    /// Describes a table of the target.
    pub(crate) fn landed(&self, table: &str) -> Result<TargetTable> {
        let mut tables = TargetCatalogue::read(&mut self.to.get()?, "raw")?.tables;
        Ok(tables.remove(table).ok_or("the target has no such table")?)
    }

    /// Prepares to run `psql` in the target.
    pub(crate) fn psql(&self) -> Result<Psql> {
        Psql::new(&self.target.url(DATABASE))
    }

    pub(crate) fn loader(&self) -> Loader {
        let options = LoaderOptions {
            schema: "raw".to_owned(),
            grant_select_to: Vec::new(),
            values: ValuePolicies::default(),
            cancel: CancelToken::new(),
            observer: Arc::new(NopObserver),
            memory_bytes: 128 << 20,
            largest_row: 128 << 20,
        };
        Loader::new(self.from.clone(), self.to.clone(), options)
    }
}

impl Described {
    /// A load in full into a target that does not have the table.
    pub(crate) fn job(&self) -> LoadJob<'_> {
        LoadJob {
            table: &self.table,
            mapping: &self.mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: Some(CopyId::new()),
            locking: Locking::Free,
            target: None,
        }
    }
}

/// Records nothing.
pub(crate) struct Unrecorded;

impl PublishHook for Unrecorded {
    fn on_replica(&self, _: &mut MyClient, _: &PublishedRows) -> Result<(), Fault> {
        Ok(())
    }

    fn on_target(&self, _: &mut postgres::Transaction<'_>, _: &PublishedRows) -> Result<(), Fault> {
        Ok(())
    }
}
