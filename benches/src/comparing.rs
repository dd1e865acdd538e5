//! Comparing a table, and what its servers take to hand it out.

use crate::{Result, lap, peak_memory};
use handoff_connect::{MyPool, PgPool, PoolOptions, SessionProfile, Side, ValueRef};
use handoff_model::{CancelToken, NopObserver, RowFilter, SumBy};
use handoff_rows::{Encoder, Locking, ReadSpec, RowReader, RowSink};
use handoff_schema::{SourceCatalogue, TableMapping, TableSchema};
use handoff_settings::{MySqlServer, PgServer, TableSettings, ValuePolicies};
use handoff_testbed::{Bed, Durability, ServerOptions, Trio, quoted, quoted_pg};
use handoff_verify::{ComparedTable, Verifier, VerifyJob, VerifyOptions};
use mysql::prelude::Queryable;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A table, by what reading it does to its writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Locks them out, so that it is read in ranges.
    MyIsam,
    /// Is read in a snapshot.
    InnoDb,
}

impl Engine {
    /// Returns the name of the table.
    fn table(self) -> &'static str {
        match self {
            Engine::MyIsam => "compared_myisam",
            Engine::InnoDb => "compared_innodb",
        }
    }

    fn locking(self) -> Locking {
        match self {
            Engine::MyIsam => Locking::Ranges,
            Engine::InnoDb => Locking::Snapshot,
        }
    }
}

/// Bytes that are fetched at once.
const CHUNK: usize = 256 * 1024;

/// Two tables with an integer key that are the same in source, replica and target.
pub struct Comparing {
    trio: Trio,
    etl: PathBuf,
    source: MyPool,
    replica: MyPool,
    target: PgPool,
    /// With MyISAM, then with InnoDB.
    tables: [(TableSchema, TableMapping); 2],
    /// The servers, which end with this value.
    _bed: Bed,
}

impl Comparing {
    /// Starts the servers, makes the tables and carries them.
    ///
    /// # Errors
    ///
    /// Returns what kept a server from starting, or a table from arriving.
    pub fn start(rows: u64) -> Result<Comparing> {
        let etl = peak_memory::build()?;
        let options = ServerOptions { durability: Durability::Durable, ..ServerOptions::default() };
        let bed = Bed::start(&options)?;
        let trio = Trio::on("comparing", bed.source(), bed.replica(), bed.target());
        for engine in [Engine::MyIsam, Engine::InnoDb] {
            trio.source().query_drop(format!(
                "CREATE TABLE {} (id INT PRIMARY KEY, patient INT, day DATE, fee DOUBLE, \
                 note VARCHAR(60)) ENGINE={engine:?} SELECT seq AS id, seq % 40000 AS patient, \
                 '2000-01-01' + INTERVAL seq % 9000 DAY AS day, seq / 7 AS fee, \
                 CONCAT('note ', seq) AS note FROM seq_1_to_{rows}",
                engine.table()
            ))?;
        }
        peak_memory::of(&etl, &["run", "--quiet"], &trio.settings_toml())?;
        let options = PoolOptions { size: 4, ..PoolOptions::default() };
        let my = |url: String, side| -> Result<MyPool> {
            Ok(MyPool::open(&MySqlServer::from_url(&url)?, side, &options)?)
        };
        let source = my(trio.source_url(), Side::Source)?;
        let replica = my(trio.replica_url(), Side::Replica)?;
        let target = PgPool::open(&PgServer::from_url(&trio.target_url())?, &options)?;
        let mut found =
            SourceCatalogue::read(&mut replica.get(SessionProfile::Read)?, replica.database())?
                .tables;
        let mut described = |engine: Engine| -> Result<(TableSchema, TableMapping)> {
            let table = found.remove(engine.table()).ok_or("a table did not arrive")??;
            let mapping =
                TableMapping::new(&table, &TableSettings::default(), &ValuePolicies::default())?;
            Ok((table, mapping))
        };
        let tables = [described(Engine::MyIsam)?, described(Engine::InnoDb)?];
        Ok(Comparing { trio, etl, source, replica, target, tables, _bed: bed })
    }

    fn described(&self, engine: Engine) -> &(TableSchema, TableMapping) {
        &self.tables[usize::from(engine == Engine::InnoDb)]
    }

    /// Returns the bytes of a table's files.
    pub fn bytes(&self, engine: Engine) -> u64 {
        self.described(engine).0.data_bytes
    }

    /// Reads a table from the source or the replica in one statement, and looks at nothing.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn read_mysql(&self, side: Side, engine: Engine) -> Result<Duration> {
        let pool = if side == Side::Source { &self.source } else { &self.replica };
        let encoder = Encoder::new(&self.described(engine).1, &ValuePolicies::default());
        let (select, table) = (encoder.select_list().join(", "), quoted(engine.table()));
        let mut conn = pool.get(SessionProfile::Read)?;
        lap(|| {
            let mut rows = conn.rows(&format!("SELECT {select} FROM {table}"), &[])?;
            let _ = rows.each(|_| ControlFlow::<()>::Continue(()))?;
            Ok(())
        })
    }

    /// Reads a table from the source as it has to be read there, and looks at nothing.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn read_source(&self, engine: Engine) -> Result<Duration> {
        let (table, mapping) = self.described(engine);
        let encoder = Encoder::new(mapping, &ValuePolicies::default());
        let (select, filter, locking) = (encoder.select_list(), &RowFilter::All, engine.locking());
        let cancel = &CancelToken::new();
        let mut conn = self.source.get(SessionProfile::Read)?;
        lap(|| {
            let spec = ReadSpec { table, select, filter, locking, cancel };
            RowReader::new(spec).read(&mut conn, &mut Nothing)?;
            Ok(())
        })
    }

    /// Reads a table from the target with the driver as it comes, and looks at nothing.
    ///
    /// # Errors
    ///
    /// Returns what the server said.
    pub fn read_postgres(&self, engine: Engine) -> Result<Duration> {
        let mut conn = self.trio.target();
        let sql = format!(
            "COPY (SELECT * FROM raw.{}) TO STDOUT (FORMAT binary)",
            quoted_pg(&self.described(engine).1.pg_table)
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
    pub fn near(&self, engine: Engine) -> Result<Duration> {
        let replica = self.place(&self.replica, engine, Locking::Free);
        self.compare(&[replica, self.raw()], engine, SumBy::Read)
    }

    /// Compares the source with the replica.
    ///
    /// # Errors
    ///
    /// Returns an error if a server fails, or if they are not equal.
    pub fn far(&self, engine: Engine, sums: SumBy) -> Result<Duration> {
        let source = self.place(&self.source, engine, engine.locking());
        let replica = self.place(&self.replica, engine, Locking::Free);
        self.compare(&[source, replica], engine, sums)
    }

    fn place<'a>(
        &'a self,
        pool: &'a MyPool,
        engine: Engine,
        locking: Locking,
    ) -> ComparedTable<'a> {
        ComparedTable::My { pool, table: &self.described(engine).0, locking, throttle: None }
    }

    fn raw(&self) -> ComparedTable<'_> {
        ComparedTable::Pg { pool: &self.target, schema: "raw" }
    }

    fn compare(
        &self,
        tables: &[ComparedTable<'_>],
        engine: Engine,
        sums: SumBy,
    ) -> Result<Duration> {
        let (table, mapping) = self.described(engine);
        let options = VerifyOptions { sums, ..VerifyOptions::default() };
        let verifier = Verifier::new(options, CancelToken::new(), Arc::new(NopObserver));
        let job =
            VerifyJob { mapping, values: &ValuePolicies::default(), tables, rows: table.rows };
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

/// Takes rows and looks at none.
struct Nothing;

impl RowSink for Nothing {
    type Error = handoff_rows::Error;

    fn row(&mut self, _: &[ValueRef<'_>]) -> Result<(), Self::Error> {
        Ok(())
    }

    fn buffered(&self) -> usize {
        0
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
