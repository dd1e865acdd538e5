//! Hop 2: tables read from the replica arrive in PostgreSQL, by every strategy and in every way
//! of publishing.
//!
//! Expected rows are written out by hand, as PostgreSQL prints them. MySQL is not asked what it
//! holds, so a mistake in reading cannot hide a mistake in writing.

mod broken_off;
mod chunked;
mod csv;
mod embedder;
mod every_type;
mod faults;
mod frozen;
mod keys;
mod parallel;
mod publishing;
mod readers;
mod rows;
mod statements;

use handoff_connect::{
    Fault, MyClient, MyPool, PgPool, PoolOptions, PublishHook, PublishedRows, SessionProfile, Side,
};
use handoff_loader::{
    ChunkedLoad, CopyCsv, Error, LoadJob, LoadMode, LoadOutcome, LoadStrategy, Loader,
    LoaderOptions, ParallelLoad, StandardLoad, StreamingLoad,
};
use handoff_model::{CancelToken, CopyId, NopObserver, RowFilter, TableSum};
use handoff_rows::{Locking, target_sum};
use handoff_schema::{SourceCatalogue, TableMapping, TableSchema, TargetCatalogue, TargetTable};
use handoff_settings::{MySqlServer, PgServer, TableSettings, ValuePolicies};
use handoff_testbed::Trio;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

/// The strategies that publish, set up so that small tables take the way of large ones.
fn strategies() -> Vec<Box<dyn LoadStrategy>> {
    vec![
        Box::new(StreamingLoad::default()),
        Box::new(StandardLoad::default()),
        Box::new(ChunkedLoad { rows: 700, ..ChunkedLoad::default() }),
        Box::new(parallel()),
        Box::new(CopyCsv::default()),
    ]
}

/// Three workers, whatever the machine has.
fn parallel() -> ParallelLoad {
    let mut parallel = ParallelLoad::new(NonZeroUsize::new(3).unwrap());
    parallel.least_bytes = 0;
    parallel
}

/// A replica to read from, a target with the schema `raw`, and what a load needs.
struct Bench {
    trio: Trio,
    from: MyPool,
    to: PgPool,
    options: LoaderOptions,
    seal: Ledger,
}

impl Bench {
    #[track_caller]
    fn new(test: &str) -> Bench {
        Bench::on(Trio::new(test))
    }

    #[track_caller]
    fn on(trio: Trio) -> Bench {
        let options = PoolOptions { size: 4, ..PoolOptions::default() };
        let replica = MySqlServer::from_url(&trio.replica_url()).unwrap();
        let target = PgServer::from_url(&trio.target_url()).unwrap();
        let from = MyPool::open(&replica, Side::Replica, &options).unwrap();
        let to = PgPool::open(&target, &options).unwrap();
        to.get().unwrap().batch_execute("CREATE SCHEMA raw").unwrap();
        let options = LoaderOptions {
            schema: "raw".to_owned(),
            grant_select_to: Vec::new(),
            values: ValuePolicies::default(),
            cancel: CancelToken::new(),
            observer: Arc::new(NopObserver),
            memory_bytes: 64 << 20,
            largest_row: 16 << 20,
        };
        Bench { trio, from, to, options, seal: Ledger::default() }
    }

    /// Runs statements on the replica.
    #[track_caller]
    fn mysql(&self, sql: &str) {
        self.trio.sql_replica(sql);
    }

    /// Runs statements on the target under the role that loads.
    #[track_caller]
    fn pg(&self, sql: &str) {
        self.to.get().unwrap().batch_execute(sql).unwrap();
    }

    /// Asks the target for one text.
    #[track_caller]
    fn ask(&self, sql: &str) -> String {
        let row = self.to.get().unwrap().query_one(sql, &[]).unwrap();
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    fn loader(&self) -> Loader {
        Loader::new(self.from.clone(), self.to.clone(), self.options.clone())
    }

    /// Loads a table in full, as the default does.
    fn load(&self, table: &str) -> Result<LoadOutcome, Error> {
        self.load_as(table, &StreamingLoad::default(), LoadMode::Full, &RowFilter::All)
    }

    fn load_as(
        &self,
        table: &str,
        strategy: &dyn LoadStrategy,
        mode: LoadMode,
        filter: &RowFilter,
    ) -> Result<LoadOutcome, Error> {
        let (schema, mapping) = self.describe(table);
        let target = self.target(&mapping.pg_table);
        let job = LoadJob {
            table: &schema,
            mapping: &mapping,
            filter,
            mode,
            copy_id: None,
            locking: Locking::Free,
            target: target.as_ref(),
        };
        self.loader().load(&job, strategy, &self.seal)
    }

    /// Loads a table in full from the copy `copy_id`, which nobody writes to.
    fn load_copy(
        &self,
        table: &str,
        strategy: &dyn LoadStrategy,
        copy_id: CopyId,
    ) -> Result<LoadOutcome, Error> {
        self.load_locking(table, strategy, (copy_id, Locking::Free))
    }

    /// The same of a table that others may write to.
    fn load_locking(
        &self,
        table: &str,
        strategy: &dyn LoadStrategy,
        (copy_id, locking): (CopyId, Locking),
    ) -> Result<LoadOutcome, Error> {
        let (schema, mapping) = self.describe(table);
        let target = self.target(&mapping.pg_table);
        let job = LoadJob {
            table: &schema,
            mapping: &mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: Some(copy_id),
            locking,
            target: target.as_ref(),
        };
        self.loader().load(&job, strategy, &self.seal)
    }

    /// Sums what the target holds.
    #[track_caller]
    fn sum(&self, table: &str) -> TableSum {
        let (_, mapping) = self.describe(table);
        let mut conn = self.to.get().unwrap();
        target_sum(&mut conn, &self.options.schema, &mapping.pg_table, &mapping).unwrap()
    }

    /// Describes a table of the replica, and what it becomes.
    #[track_caller]
    fn describe(&self, table: &str) -> (TableSchema, TableMapping) {
        let mut conn = self.from.get(SessionProfile::Read).unwrap();
        let mut catalogue = SourceCatalogue::read(&mut conn, &self.trio.replica_name()).unwrap();
        let schema = catalogue.tables.remove(table).unwrap().unwrap();
        let mapping =
            TableMapping::new(&schema, &TableSettings::default(), &self.options.values).unwrap();
        (schema, mapping)
    }
}

impl Bench {
    /// Describes a table of the target.
    #[track_caller]
    fn target(&self, pg_table: &str) -> Option<TargetTable> {
        let mut conn = self.to.get().unwrap();
        TargetCatalogue::read(&mut conn, &self.options.schema).unwrap().tables.remove(pg_table)
    }
}

/// What the seal was handed, load by load; refuses the load if it is told to.
#[derive(Default)]
struct Ledger {
    entries: Mutex<Vec<PublishedRows>>,
    refuses: Mutex<bool>,
}

impl Ledger {
    fn last(&self) -> PublishedRows {
        self.entries.lock().unwrap().last().unwrap().clone()
    }
}

impl PublishHook for Ledger {
    fn on_replica(&self, _: &mut MyClient, _: &PublishedRows) -> Result<(), Fault> {
        unreachable!("a load publishes in the target")
    }

    fn on_target(
        &self,
        tx: &mut postgres::Transaction<'_>,
        published: &PublishedRows,
    ) -> Result<(), Fault> {
        let sql = if *self.refuses.lock().unwrap() { "SELECT 1 FROM missing" } else { "SELECT 1" };
        tx.batch_execute(sql).map_err(|error| Fault::pg(Side::Target, &error))?;
        self.entries.lock().unwrap().push(published.clone());
        Ok(())
    }
}

/// Rows inserted, updated and deleted.
fn changes(outcome: &LoadOutcome) -> (u64, u64, u64) {
    (outcome.figures.inserted, outcome.figures.updated, outcome.figures.deleted)
}

/// The error and its causes, as a person reads them.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}
