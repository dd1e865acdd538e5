//! Hop 2 and its reference.

use crate::{Amount, Result, Shape, lap};
use handoff_connect::{Fault, MyPool, PgPool, PoolOptions, Profile, Published, Seal, Side};
use handoff_loader::{LoadJob, LoadMode, LoadOutcome, LoadStrategy, Loader, LoaderOptions};
use handoff_model::{Cancel, NopObserver, RowFilter, RunId};
use handoff_rows::{Encoder, Locking};
use handoff_schema::{Catalogue, Mapping, TableSchema};
use handoff_settings::{MySqlServer, PgServer, TableSettings, Values};
use handoff_testbed::{Durability, MariaDb, Postgres, ServerOptions, quoted, quoted_pg};
use mysql::Value;
use mysql::prelude::Queryable;
use postgres::config::Host;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const DATABASE: &str = "bench";

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
    pub mapping: Mapping,
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
        let options = PoolOptions { size: 2, run: RunId::new() };
        let server = MySqlServer::from_url(&replica.url(DATABASE))?;
        let from = MyPool::open(&server, Side::Replica, &options)?;
        let to = PgPool::open(&PgServer::from_url(&target.url(DATABASE))?, &options)?;
        to.get()?.batch_execute("CREATE SCHEMA raw")?;
        Ok(Hop2 { replica, target, from, to })
    }

    /// Makes the table of a shape in the replica.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn make(&self, shape: Shape, rows: u64) -> Result<Described> {
        let mut conn = self.replica.endpoint().admin_in(DATABASE)?;
        shape.make(&mut conn, shape.rows(rows))?;
        let mut conn = self.from.get(Profile::Read)?;
        let mut catalogue = Catalogue::read(&mut conn, DATABASE)?;
        let table = catalogue.tables.remove(shape.name()).ok_or("the table was just made")??;
        let mapping = Mapping::new(&table, &TableSettings::default(), &Values::default())?;
        Ok(Described { table, mapping })
    }

    /// Fetches the rows of a table as the driver hands them out.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn fetch(&self, described: &Described) -> Result<Vec<Vec<Value>>> {
        let encoder = Encoder::new(&described.mapping, &Values::default());
        let (select, table) = (encoder.select_list().join(", "), described.table.name.as_str());
        let mut conn = self.from.get(Profile::Read)?;
        let rows = conn.exec_iter(format!("SELECT {select} FROM {}", quoted(table)), ())?;
        rows.map(|row| Ok(row?.unwrap())).collect()
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
        Ok((elapsed, Amount { rows: outcome.rows_loaded, bytes: outcome.bytes }))
    }

    /// Drops what the last contender made, and has the server write what it still holds back, so
    /// that nobody pays for another.
    fn clear(&self, table: &str) -> Result<()> {
        let mut admin = self.target.endpoint().admin_in(DATABASE)?;
        let sql = format!("DROP TABLE IF EXISTS raw.{}; CHECKPOINT", quoted_pg(table));
        // One by one: a checkpoint cannot be in a transaction.
        sql.split(';').try_for_each(|sql| admin.batch_execute(sql))?;
        Ok(())
    }

    fn loader(&self) -> Loader {
        let options = LoaderOptions {
            schema: "raw".to_owned(),
            grant_select_to: Vec::new(),
            values: Values::default(),
            cancel: Cancel::new(),
            observer: Arc::new(NopObserver),
            memory_bytes: 128 << 20,
            largest_row: 128 << 20,
        };
        Loader::new(self.from.clone(), self.to.clone(), options)
    }
}

impl Described {
    fn job(&self) -> LoadJob<'_> {
        LoadJob {
            table: &self.table,
            mapping: &self.mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: None,
            locking: Locking::Free,
            target: None,
        }
    }
}

/// Records nothing.
pub(crate) struct Unrecorded;

impl Seal for Unrecorded {
    fn on_replica(&self, _: &mut mysql::Conn, _: &Published) -> Result<(), Fault> {
        Ok(())
    }

    fn on_target(&self, _: &mut postgres::Transaction<'_>, _: &Published) -> Result<(), Fault> {
        Ok(())
    }
}

/// `psql \copy … FROM 'file' (FORMAT binary)` of the rows that a load has brought.
///
/// As a load does, it makes the table in the transaction that fills it, so that both are logged
/// alike and neither has an index; unlike a load it reads a local file that is in its final form.
pub struct PsqlCopy<'a> {
    hop: &'a Hop2,
    table: String,
    file: PathBuf,
    _folder: TempDir,
}

/// Whether statistics are gathered before the commit, as a load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analyze {
    /// They are.
    Yes,
    /// They are not.
    No,
}

impl<'a> PsqlCopy<'a> {
    /// Writes the file from what is in the target now.
    ///
    /// # Errors
    ///
    /// Returns an error if `psql` is missing or fails.
    pub fn new(hop: &'a Hop2, described: &Described) -> Result<PsqlCopy<'a>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("rows");
        let table = described.mapping.pg_table.clone();
        let copy = PsqlCopy { hop, table, file, _folder: folder };
        let (from, model) = (copy.quoted(&copy.table), copy.quoted(&copy.model()));
        let like = format!("CREATE TABLE {model} (LIKE {from})");
        copy.psql(&[&copy.meta(&from, "TO"), &like])?;
        Ok(copy)
    }

    /// Copies the file into a table of the same definition.
    ///
    /// # Errors
    ///
    /// Returns an error if a server or `psql` fails.
    pub fn run(&self, analyze: Analyze) -> Result<Duration> {
        self.hop.clear(&self.table)?;
        let (table, model) = (self.quoted(&self.table), self.quoted(&self.model()));
        let create = format!("CREATE TABLE {table} (LIKE {model})");
        let (copy, gather) = (self.meta(&table, "FROM"), format!("ANALYZE {table}"));
        let mut commands = vec!["BEGIN", &create, &copy, &gather, "COMMIT"];
        commands.retain(|&command| analyze == Analyze::Yes || command != gather);
        lap(|| self.psql(&commands))
    }

    fn meta(&self, table: &str, direction: &str) -> String {
        format!(r"\copy {table} {direction} '{}' (FORMAT binary)", self.file.display())
    }

    fn model(&self) -> String {
        format!("{} as loaded", self.table)
    }

    fn quoted(&self, table: &str) -> String {
        format!("raw.{}", quoted_pg(table))
    }

    /// Runs commands in one session.
    fn psql(&self, commands: &[&str]) -> Result<()> {
        let config: postgres::Config = self.hop.target.url(DATABASE).parse()?;
        let Some(Host::Tcp(host)) = config.get_hosts().first() else {
            return Err("the target's URL names no host".into());
        };
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"])
            .env("PGHOST", host)
            .env("PGPORT", config.get_ports().first().map(u16::to_string).unwrap_or_default())
            .env("PGUSER", config.get_user().unwrap_or_default())
            .env("PGPASSWORD", String::from_utf8(config.get_password().unwrap_or_default().into())?)
            .env("PGDATABASE", DATABASE);
        for command in commands {
            psql.args(["--command", command]);
        }
        let status = psql.status()?;
        if status.success() { Ok(()) } else { Err(format!("psql: {status}").into()) }
    }
}
