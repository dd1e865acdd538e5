//! Comparing a table, and what its servers take to hand it out.

use crate::{Result, lap, peak_memory};
use handoff_connect::{MyPool, PgPool, PoolOptions, Profile, Side};
use handoff_model::{Cancel, NopObserver, RunId, SumBy};
use handoff_rows::{Encoder, Locking};
use handoff_schema::{Catalogue, Mapping, TableSchema};
use handoff_settings::{MySqlServer, PgServer, TableSettings, Values};
use handoff_testbed::{Bed, Durability, ServerOptions, Trio, quoted, quoted_pg};
use handoff_verify::{Place, Verifier, VerifyJob, VerifyOptions};
use mysql::prelude::Queryable;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The table.
const TABLE: &str = "compared";

/// Bytes that are fetched at once.
const CHUNK: usize = 256 * 1024;

/// A table with an integer key that is the same in source, replica and target.
pub struct Comparing {
    trio: Trio,
    etl: PathBuf,
    source: MyPool,
    replica: MyPool,
    target: PgPool,
    table: TableSchema,
    mapping: Mapping,
    /// The servers, which end with this value.
    _bed: Bed,
}

impl Comparing {
    /// Starts the servers, makes the table and carries it.
    ///
    /// # Errors
    ///
    /// Returns what kept a server from starting, or the table from arriving.
    pub fn start(rows: u64) -> Result<Comparing> {
        let etl = peak_memory::build()?;
        let options = ServerOptions { durability: Durability::Durable, ..ServerOptions::default() };
        let bed = Bed::start(&options)?;
        let trio = Trio::on("comparing", bed.source(), bed.replica(), bed.target());
        trio.source().query_drop(format!(
            "CREATE TABLE {TABLE} (id INT PRIMARY KEY, patient INT, day DATE, fee DOUBLE, \
             note VARCHAR(60)) ENGINE=MyISAM SELECT seq AS id, seq % 40000 AS patient, \
             '2000-01-01' + INTERVAL seq % 9000 DAY AS day, seq / 7 AS fee, \
             CONCAT('note ', seq) AS note FROM seq_1_to_{rows}"
        ))?;
        peak_memory::of(&etl, &["run", "--quiet"], &trio.settings_toml())?;
        let options = PoolOptions { size: 4, run: RunId::new() };
        let my = |url: String, side| -> Result<MyPool> {
            Ok(MyPool::open(&MySqlServer::from_url(&url)?, side, &options)?)
        };
        let source = my(trio.source_url(), Side::Source)?;
        let replica = my(trio.replica_url(), Side::Replica)?;
        let target = PgPool::open(&PgServer::from_url(&trio.target_url())?, &options)?;
        let catalogue = Catalogue::read(&mut replica.get(Profile::Read)?, replica.database());
        let table = catalogue?
            .tables
            .into_values()
            .find_map(|table| table.ok().filter(|table| table.name.as_str() == TABLE));
        let table = table.ok_or("the table did not arrive")?;
        let mapping = Mapping::new(&table, &TableSettings::default(), &Values::default())?;
        Ok(Comparing { trio, etl, source, replica, target, table, mapping, _bed: bed })
    }

    /// Returns the bytes of the table's files.
    pub fn bytes(&self) -> u64 {
        self.table.data_bytes
    }

    /// Reads the table from the source or the replica, and looks at nothing.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn read_mysql(&self, side: Side) -> Result<Duration> {
        let pool = if side == Side::Source { &self.source } else { &self.replica };
        let encoder = Encoder::new(&self.mapping, &Values::default());
        let (select, table) = (encoder.select_list().join(", "), quoted(TABLE));
        let mut conn = pool.get(Profile::Read)?;
        lap(|| {
            for row in conn.exec_iter(format!("SELECT {select} FROM {table}"), ())? {
                drop(row?);
            }
            Ok(())
        })
    }

    /// Reads the table from the target with the driver as it comes, and looks at nothing.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn read_postgres(&self) -> Result<Duration> {
        let mut conn = self.trio.target();
        let sql = format!(
            "COPY (SELECT * FROM raw.{}) TO STDOUT (FORMAT binary)",
            quoted_pg(&self.mapping.pg_table)
        );
        lap(|| {
            let mut reader = conn.copy_out(&sql)?;
            let mut buffer = vec![0; CHUNK];
            while reader.read(&mut buffer)? > 0 {}
            Ok(())
        })
    }

    /// Compares the replica with the target.
    ///
    /// # Errors
    ///
    /// Returns an error if a server fails, or if they are not equal.
    pub fn near(&self) -> Result<Duration> {
        self.compare(&[self.place(&self.replica, Locking::Free), self.raw()], SumBy::Read)
    }

    /// Compares the source with the replica.
    ///
    /// # Errors
    ///
    /// Returns an error if a server fails, or if they are not equal.
    pub fn far(&self, sums: SumBy) -> Result<Duration> {
        let source = self.place(&self.source, Locking::Ranges);
        self.compare(&[source, self.place(&self.replica, Locking::Free)], sums)
    }

    fn place<'a>(&'a self, pool: &'a MyPool, locking: Locking) -> Place<'a> {
        Place::My { pool, table: &self.table, locking, throttle: None }
    }

    fn raw(&self) -> Place<'_> {
        Place::Pg { pool: &self.target, schema: "raw" }
    }

    fn compare(&self, places: &[Place<'_>], sums: SumBy) -> Result<Duration> {
        let options = VerifyOptions { sums, ..VerifyOptions::default() };
        let verifier = Verifier::new(options, Cancel::new(), Arc::new(NopObserver));
        let (mapping, values) = (&self.mapping, &Values::default());
        let job = VerifyJob { mapping, values, places, rows: self.table.rows };
        lap(|| {
            let found = verifier.compare(&job)?;
            if found.is_equal() { Ok(()) } else { Err("the tables differ".into()) }
        })
    }

    /// Returns the most memory that `etl verify` takes.
    ///
    /// # Errors
    ///
    /// Returns an error if it fails, or finds a difference.
    pub fn memory(&self) -> Result<u64> {
        let etl: &Path = &self.etl;
        Ok(peak_memory::of(etl, &["verify", "--quiet"], &self.trio.settings_toml())?.bytes)
    }
}
