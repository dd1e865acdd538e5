//! Hop 1: whole tables of every kind, byte for byte, and what is left when something goes wrong.

mod faults;
mod merge;
mod mysql9;
mod names;
mod structure;
mod types;
mod ways;

use handoff_connect::{MyClient, MyPool, PoolOptions, PublishHook, PublishedRows, Side};
use handoff_model::{CancelToken, CopyId, NopObserver, Observer, RowFilter, TableName};
use handoff_replicator::{
    CopyJob, CopyOutcome, PreparedCopy, PublishMode, Replicator, Result, SideSums,
};
use handoff_schema::{SourceCatalogue, TableSchema};
use handoff_settings::MySqlServer;
use handoff_testbed::Trio;
use mysql::prelude::Queryable;
use std::sync::Arc;

/// A seal that records nothing.
struct NoSeal;

impl PublishHook for NoSeal {
    fn on_replica(&self, _: &mut MyClient, _: &PublishedRows) -> handoff_connect::Result<()> {
        Ok(())
    }

    fn on_target(
        &self,
        _: &mut postgres::Transaction<'_>,
        _: &PublishedRows,
    ) -> handoff_connect::Result<()> {
        Ok(())
    }
}

/// A source and a replica database with a replicator between them.
struct Pair {
    trio: Trio,
    source: MyPool,
    replica: MyPool,
    replicator: Replicator,
}

impl Pair {
    #[track_caller]
    fn new(test: &str) -> Pair {
        Pair::of(Trio::new(test), CancelToken::new(), Arc::new(NopObserver))
    }

    #[track_caller]
    fn of(trio: Trio, cancel: CancelToken, observer: Arc<dyn Observer>) -> Pair {
        let (source, replica) = (pool(&trio, Side::Source), pool(&trio, Side::Replica));
        let replicator = Replicator::new(source.clone(), replica.clone(), cancel, observer);
        Pair { trio, source, replica, replicator: replicator.unwrap() }
    }

    /// Describes a table as the catalogue of one side does now.
    #[track_caller]
    fn describe(&self, side: Side, table: &str) -> Option<TableSchema> {
        let pool = if side == Side::Source { &self.source } else { &self.replica };
        let mut conn = pool.get(handoff_connect::SessionProfile::Read).unwrap();
        let mut catalogue = SourceCatalogue::read(&mut conn, pool.database()).unwrap();
        catalogue.tables.remove(&TableName::new(table).unwrap()).map(std::result::Result::unwrap)
    }

    #[track_caller]
    fn copy(&self, table: &str) -> Result<CopyOutcome> {
        self.copy_with(table, |opened| opened.finish(&NoSeal))
    }

    /// Opens a table, both sides freshly described, and hands it to `then`.
    #[track_caller]
    fn copy_with<T>(
        &self,
        table: &str,
        then: impl FnOnce(PreparedCopy<'_>) -> Result<T>,
    ) -> Result<T> {
        self.copy_as(CopyId::new(), table, then)
    }

    #[track_caller]
    fn copy_as<T>(
        &self,
        copy_id: CopyId,
        table: &str,
        then: impl FnOnce(PreparedCopy<'_>) -> Result<T>,
    ) -> Result<T> {
        self.copy_some(copy_id, table, &RowFilter::All, then)
    }

    #[track_caller]
    fn copy_some<T>(
        &self,
        copy_id: CopyId,
        table: &str,
        filter: &RowFilter,
        then: impl FnOnce(PreparedCopy<'_>) -> Result<T>,
    ) -> Result<T> {
        let source = self.describe(Side::Source, table).unwrap();
        let replica = self.describe(Side::Replica, table);
        let job = CopyJob {
            table: &source,
            copy_id,
            replica_table: replica.as_ref(),
            filter,
            canonical: None,
        };
        then(self.replicator.open(job)?)
    }

    fn way(&self, table: &str) -> PublishMode {
        self.copy_with(table, |opened| Ok(opened.mode())).unwrap()
    }

    /// Copies a table and compares sums, counts and every column's bytes.
    #[track_caller]
    fn check(&self, table: &str) -> CopyOutcome {
        let outcome = self.copy(table).unwrap_or_else(|error| panic!("{table}: {}", chain(&error)));
        self.check_sums(table);
        outcome
    }

    #[track_caller]
    fn check_sums(&self, table: &str) {
        self.check_equal(table);
        let sums = self.row_sums(table);
        assert_eq!(sums.source, sums.replica, "{table}");
    }

    #[track_caller]
    fn row_sums(&self, table: &str) -> SideSums {
        let described = self.describe(Side::Source, table).unwrap();
        self.replicator.row_sums(&described).unwrap()
    }

    #[track_caller]
    fn check_equal(&self, table: &str) {
        let counts = self.replicator.counts(&TableName::new(table).unwrap()).unwrap();
        assert_eq!(counts.source, counts.replica, "{table}");
        let columns = self.describe(Side::Source, table).unwrap().columns;
        for column in columns {
            let (column, table) = (quoted(column.name.as_str()), quoted(table));
            let ask = format!("SELECT {column}, HEX({column}) FROM {table}");
            let source = values(self.trio.source(), &ask);
            assert_eq!(source, values(self.trio.replica(), &ask), "{table}.{column}");
        }
        assert!(self.replicator.leftovers().unwrap().is_empty(), "{table}");
    }
}

/// Reads rows through the binary protocol and in the columns' own character sets, sorted.
#[track_caller]
fn values(mut conn: mysql::Conn, ask: &str) -> Vec<String> {
    conn.query_drop("SET character_set_results = NULL, time_zone = '+00:00'").unwrap();
    let rows: Vec<mysql::Row> = conn.exec(ask, ()).unwrap();
    // As SQL, since 0.0 and -0.0 are not the same here, and the driver's Debug cuts bytes short.
    let text = |row: mysql::Row| {
        let values: Vec<String> = row.unwrap().iter().map(|value| value.as_sql(true)).collect();
        values.join(", ")
    };
    let mut rows: Vec<String> = rows.into_iter().map(text).collect();
    rows.sort();
    rows
}

#[track_caller]
fn pool(trio: &Trio, side: Side) -> MyPool {
    let url = if side == Side::Source { trio.source_url() } else { trio.replica_url() };
    let server = MySqlServer::from_url(&url).unwrap();
    MyPool::open(&server, side, &PoolOptions { size: 4, ..PoolOptions::default() }).unwrap()
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
