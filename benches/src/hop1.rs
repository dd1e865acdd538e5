//! Hop 1 and its reference.

use crate::hop2::Unrecorded;
use crate::{Amount, Result, lap, make_largest};
use handoff_connect::{MyPool, PoolOptions, SessionProfile, Side};
use handoff_model::{CancelToken, CopyId, NopObserver, RowFilter};
use handoff_replicator::{CopyJob, Replicator};
use handoff_schema::{SourceCatalogue, TableSchema};
use handoff_settings::MySqlServer;
use handoff_testbed::{Durability, MariaDb, ServerOptions, quoted};
use mysql::Opts;
use mysql::prelude::Queryable;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const DATABASE: &str = "bench";

/// How many tables Handoff copies at once.
const AT_ONCE: usize = 2;

/// A source with the three largest tables of the practice, and an empty replica.
pub struct Hop1 {
    source: MariaDb,
    replica: MariaDb,
    replicator: Replicator,
    tables: Vec<TableSchema>,
    amount: Amount,
}

/// How the tables go through `mariadb-dump | mariadb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipes {
    /// All of them through one, as usual.
    One,
    /// One for each table, two at a time.
    TwoAtATime,
}

impl Hop1 {
    /// Starts the servers and makes the tables, of about `rows` rows together.
    ///
    /// # Errors
    ///
    /// Returns what a server said.
    pub fn start(rows: u64) -> Result<Hop1> {
        let options = ServerOptions { durability: Durability::Durable, ..ServerOptions::default() };
        let (source, replica) = (MariaDb::start(&options)?, MariaDb::start(&options)?);
        source.endpoint().create_database(DATABASE)?;
        replica.endpoint().create_database(DATABASE)?;
        let (_, rows) = make_largest(&mut source.endpoint().admin_in(DATABASE)?, rows)?;
        let pool = |server: &MariaDb, side| -> Result<MyPool> {
            let size = u32::try_from(AT_ONCE)? + 1;
            let options = PoolOptions { size, ..PoolOptions::default() };
            Ok(MyPool::open(&MySqlServer::from_url(&server.url(DATABASE))?, side, &options)?)
        };
        let (from, to) = (pool(&source, Side::Source)?, pool(&replica, Side::Replica)?);
        let catalogue = SourceCatalogue::read(&mut from.get(SessionProfile::Read)?, DATABASE)?;
        let mut tables = catalogue.tables.into_values().collect::<Result<Vec<_>, _>>()?;
        tables.sort_by_key(|table| std::cmp::Reverse(table.data_bytes));
        let bytes = tables.iter().map(|table| table.data_bytes).sum();
        let replicator = Replicator::new(from, to, CancelToken::new(), Arc::new(NopObserver))?;
        Ok(Hop1 { source, replica, replicator, tables, amount: Amount { rows, bytes } })
    }

    /// Returns how much the tables hold, by the source's catalogue.
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// Copies all tables, two at a time, the largest first.
    ///
    /// # Errors
    ///
    /// Returns the first error of a table.
    pub fn copy(&self) -> Result<Duration> {
        self.clear()?;
        let elapsed = lap(|| two_at_a_time(&self.tables, |table| self.copy_table(table)))?;
        self.check()?;
        Ok(elapsed)
    }

    /// Has the server's own programs do it.
    ///
    /// # Errors
    ///
    /// Returns an error if one is missing or fails.
    pub fn dump(&self, pipes: Pipes) -> Result<Duration> {
        self.clear()?;
        let elapsed = lap(|| match pipes {
            Pipes::One => self.pipe(&self.tables),
            Pipes::TwoAtATime => {
                two_at_a_time(&self.tables, |table| self.pipe(std::slice::from_ref(table)))
            }
        })?;
        self.check()?;
        Ok(elapsed)
    }

    fn copy_table(&self, table: &TableSchema) -> Result<()> {
        let copy_id = CopyId::new();
        let job = CopyJob {
            table,
            copy_id,
            replica_table: None,
            filter: &RowFilter::All,
            canonical: None,
        };
        self.replicator.open(job)?.finish(&Unrecorded)?;
        Ok(())
    }

    fn pipe(&self, tables: &[TableSchema]) -> Result<()> {
        let mut dump = program("mariadb-dump", &self.source.url(DATABASE))?;
        dump.args(["--quick", "--single-transaction", "--skip-comments"]).arg(DATABASE);
        dump.args(tables.iter().map(|table| table.name.as_str())).stdout(Stdio::piped());
        let mut dump = Running(dump.spawn()?);
        let mut load = program("mariadb", &self.replica.url(DATABASE))?;
        let rows = dump.0.stdout.take().ok_or("the dump has no output")?;
        let loaded = load.arg(DATABASE).stdin(rows).status()?;
        let dumped = dump.0.wait()?;
        if loaded.success() && dumped.success() {
            return Ok(());
        }
        Err(format!("mariadb-dump: {dumped}, mariadb: {loaded}").into())
    }

    /// Empties the replica, so that nobody pays for another.
    fn clear(&self) -> Result<()> {
        let mut conn = self.replica.endpoint().admin_in(DATABASE)?;
        for table in &self.tables {
            let name = quoted(table.name.as_str());
            conn.query_drop(format!("DROP TABLE IF EXISTS {name}"))?;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let mut conn = self.replica.endpoint().admin_in(DATABASE)?;
        let mut rows = 0;
        for table in &self.tables {
            let count = format!("SELECT COUNT(*) FROM {}", quoted(table.name.as_str()));
            rows += conn.query_first::<u64, _>(count)?.unwrap_or(0);
        }
        if rows == self.amount.rows {
            return Ok(());
        }
        Err(format!("{rows} rows arrived, not {}", self.amount.rows).into())
    }
}

/// A program that does not outlive its bench.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless the bench failed.
        let _ = self.0.kill();
    }
}

/// Prepares a client program for the server of a URL, its password out of the arguments.
fn program(name: &str, url: &str) -> Result<Command> {
    let opts = Opts::from_url(url)?;
    let mut command = Command::new(name);
    command
        .arg("--no-defaults")
        .arg(format!("--host={}", opts.get_ip_or_hostname()))
        .arg(format!("--port={}", opts.get_tcp_port()))
        .arg(format!("--user={}", opts.get_user().unwrap_or_default()))
        .env("MYSQL_PWD", opts.get_pass().unwrap_or_default());
    Ok(command)
}

/// Works on `tables` with [`AT_ONCE`] threads, in order.
fn two_at_a_time(
    tables: &[TableSchema],
    work: impl Fn(&TableSchema) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<()> {
        while let Some(table) = tables.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(table)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a copy panicked")?)
    })
}
