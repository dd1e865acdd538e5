//! A table of every type lands the same by every strategy, to the byte: the sum of what was encoded
//! is the sum of what the target sends back.

use super::{Bench, changes};
use crate::types::{COMMON, Edge, MARIADB, MYSQL9, statements};
use handoff_loader::{ChunkedLoad, LoadMode, LoadStrategy};
use handoff_model::{KeyRange, KeyValue, RowFilter};
use handoff_testbed::{Bed, MySql9, Row, ServerOptions, Trio};

/// Each row is a chunk, and the ranges part them.
fn strategies() -> Vec<Box<dyn LoadStrategy>> {
    let mut all = super::strategies();
    all.retain(|strategy| strategy.name() != "chunked");
    all.push(Box::new(ChunkedLoad { rows: 1, ..ChunkedLoad::default() }));
    all
}

#[track_caller]
fn check(trio: Trio, strategy: &dyn LoadStrategy, edges: &[&[Edge]]) {
    let name = strategy.name();
    let bench = Bench::on(trio);
    let (sql, expected) = statements("InnoDB", edges);
    bench.mysql(&sql);
    let load = |mode, filter: &RowFilter| {
        let outcome = bench.load_as("every", strategy, mode, filter).unwrap();
        assert_eq!(rows(&bench), expected, "{name}");
        outcome
    };

    let first = load(LoadMode::Full, &RowFilter::All);
    assert_eq!(first.notes, Vec::<String>::new(), "{name}, first: not by another way");
    assert_eq!((first.sum, changes(&first)), (bench.sum("every"), (2, 0, 0)), "{name}, first");

    spoil(&bench);
    let again = load(LoadMode::Full, &RowFilter::All);
    assert_eq!((again.sum, changes(&again)), (first.sum, (1, 1, 1)), "{name}, refreshed");
    assert_eq!(bench.sum("every"), first.sum, "{name}, refreshed");
    assert_eq!(changes(&load(LoadMode::Full, &RowFilter::All)), (0, 0, 0), "{name}, unchanged");

    bench.pg("UPDATE raw.every SET c0 = 1 WHERE id = 1");
    let after = KeyRange { after: Some(vec![KeyValue::Int(0)]), upto: None };
    let part = load(LoadMode::Incremental, &RowFilter::Range(after));
    assert_eq!((part.figures.rows, changes(&part)), (1, (0, 1, 0)), "{name}, incremental");
    assert_eq!(bench.sum("every"), first.sum, "{name}, incremental");
    assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new(), "{name}");
}

/// One row that is gone, one that has changed and one too many.
#[track_caller]
fn spoil(bench: &Bench) {
    bench.pg("DELETE FROM raw.every WHERE id = 0; UPDATE raw.every SET c0 = NULL WHERE id = 1; \
         INSERT INTO raw.every (id) VALUES (9)");
}

fn rows(bench: &Bench) -> Vec<Row> {
    bench.trio.rows("every")
}

fn in_utc(trio: Trio) -> Trio {
    trio.sql_target(&format!("ALTER DATABASE {} SET timezone = 'UTC'", trio.target_name()));
    trio
}

#[test]
fn every_type_of_mariadb_by_every_strategy() {
    for strategy in strategies() {
        let trio = in_utc(Trio::new(&format!("load every {}", strategy.name())));
        check(trio, &*strategy, &[COMMON, MARIADB]);
    }
}

#[test]
fn every_type_of_mysql_9_by_every_strategy() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {}", error.chain());
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    for strategy in strategies() {
        let (mysql, target) = (server.endpoint(), Bed::shared().target());
        let trio =
            in_utc(Trio::on(&format!("load every9 {}", strategy.name()), mysql, mysql, target));
        check(trio, &*strategy, &[COMMON, MYSQL9]);
    }
}

/// A target that prints and reads dates, intervals and floats its own way.
#[test]
fn the_habits_of_the_target_change_nothing() {
    for strategy in strategies() {
        let trio = Trio::new(&format!("load habits {}", strategy.name()));
        let name = trio.target_name();
        let bench = Bench::on(trio);
        bench.trio.sql_target(&format!(
            "ALTER DATABASE {name} SET datestyle = 'SQL, DMY'; \
             ALTER DATABASE {name} SET intervalstyle = 'sql_standard'; \
             ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'; \
             ALTER DATABASE {name} SET bytea_output = 'escape'; \
             ALTER DATABASE {name} SET extra_float_digits = 0"
        ));
        let bench = Bench { to: fresh(&bench), ..bench };
        bench.mysql(&statements("InnoDB", &[COMMON, MARIADB]).0);
        let outcome = bench.load_as("every", &*strategy, LoadMode::Full, &RowFilter::All).unwrap();
        assert_eq!(bench.sum("every"), outcome.sum, "{}", strategy.name());
    }
}

/// Sessions that have begun since the database was altered.
fn fresh(bench: &Bench) -> handoff_connect::PgPool {
    let options =
        handoff_connect::PoolOptions { size: 4, ..handoff_connect::PoolOptions::default() };
    let target = handoff_settings::PgServer::from_url(&bench.trio.target_url()).unwrap();
    handoff_connect::PgPool::open(&target, &options).unwrap()
}
