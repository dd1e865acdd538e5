//! Ranges of any key: balanced, without a gap, without a row in two of them.

use super::{Bench, chain, changes, parallel};
use handoff_loader::{Error, LoadMode, ParallelLoad, RowSource};
use handoff_model::{CopyId, KeyRange, RowFilter};
use handoff_rows::{Locking, RowSink};
use handoff_schema::TableSchema;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const ROWS: u64 = 20_000;

/// Loads a table with that key in parallel, first and again, and looks at the ranges.
#[track_caller]
fn check(name: &str, columns: &str, values: &str) {
    let bench = Bench::new(&format!("load parallel {name}"));
    bench.mysql(&format!(
        "CREATE TABLE t ({columns}, pad VARCHAR(20)); \
         INSERT INTO t SELECT {values}, seq FROM seq_1_to_{ROWS}; ANALYZE TABLE t"
    ));
    let shares = shares(&bench, ROWS);
    assert_eq!(shares.iter().sum::<u64>(), ROWS, "{name}: {shares:?}");
    assert_eq!(shares.len(), 4, "{name}: {shares:?}");
    let (least, most) = (*shares.iter().min().unwrap(), *shares.iter().max().unwrap());
    assert!(most * 2 <= least * 3, "{name}: {shares:?}");

    let load = || bench.load_as("t", &parallel(), LoadMode::Full, &RowFilter::All).unwrap();
    let first = load();
    assert_eq!(first.notes, Vec::<String>::new(), "{name}");
    assert_eq!((changes(&first), first.figures.rows), ((ROWS, 0, 0), ROWS), "{name}");
    assert_eq!(bench.sum("t"), first.sum, "{name}");
    bench.mysql(
        "UPDATE t SET pad = 'new' WHERE pad IN ('7', '19999'); DELETE FROM t WHERE pad = '8'",
    );
    let again = load();
    assert_eq!(changes(&again), (0, 2, 1), "{name}");
    assert_eq!(bench.sum("t"), again.sum, "{name}");
    assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new());
}

/// The number of rows in each of four ranges, where the catalogue says that there are `rows`.
fn shares(bench: &Bench, rows: u64) -> Vec<u64> {
    let (table, mapping) = bench.describe("t");
    let table = TableSchema { rows, ..table };
    let source = RowSource {
        pool: &bench.from,
        table: &table,
        mapping: &mapping,
        filter: &RowFilter::All,
        locking: Locking::Free,
        values: &bench.options.values,
        cancel: &bench.options.cancel,
        largest_row: 1 << 20,
        memory_bytes: 1 << 20,
        throttle: None,
        keys: None,
        clock: &handoff_model::WaitClock::default(),
    };
    let four = ParallelLoad::new(NonZeroUsize::new(4).unwrap());
    let count = |range: KeyRange| {
        source.read(&RowFilter::Range(range), &["1".to_owned()], &mut Nothing).unwrap()
    };
    four.split(&source).unwrap().into_iter().map(count).collect()
}

struct Nothing;

impl RowSink for Nothing {
    type Error = Error;

    fn row(&mut self, _: &[handoff_connect::ValueRef<'_>]) -> Result<(), Error> {
        Ok(())
    }

    fn buffered(&self) -> usize {
        0
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn integers() {
    check("int", "id INT PRIMARY KEY", "seq");
    check("bigint", "id BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - seq * 1000000007");
    check("decimal", "id DECIMAL(20,4) PRIMARY KEY", "(CAST(seq AS SIGNED) - 10000) / 16");
}

/// Nine tenths of the keys in a millionth of their span.
#[test]
fn skewed_integers() {
    check("skewed", "id BIGINT PRIMARY KEY", "IF(seq <= 18000, seq, seq * 1000000000)");
}

/// InnoDB's counts are estimates, and may be old.
#[test]
fn whatever_the_catalogue_says_of_the_rows() {
    let bench = Bench::new("load parallel estimates");
    bench.mysql(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t SELECT seq * seq FROM seq_1_to_{ROWS}"
    ));
    for rows in [0, 30, ROWS * 10] {
        let shares = shares(&bench, rows);
        assert_eq!((shares.len(), shares.iter().sum::<u64>()), (4, ROWS), "{rows}: {shares:?}");
        assert!(shares.iter().all(|&share| share < ROWS / 4 * 3 / 2), "{rows}: {shares:?}");
    }
}

#[test]
fn strings() {
    check("utf8", "id VARCHAR(40) PRIMARY KEY", "CONCAT(MD5(seq), 'é')");
    check(
        "prefix",
        "id VARCHAR(60) CHARACTER SET latin1 PRIMARY KEY",
        "CONCAT('the same beginning of all keys ', seq)",
    );
    check(
        "binary collation",
        "id VARCHAR(40) COLLATE utf8mb4_bin PRIMARY KEY",
        "IF(seq % 2, CONCAT('a', seq), CONCAT('A', seq))",
    );
    check("enum", "id ENUM('b','a','c'), n INT, PRIMARY KEY (id, n)", "1 + seq % 3, seq");
}

#[test]
fn binaries() {
    check("binary", "id BINARY(16) PRIMARY KEY", "UNHEX(MD5(seq))");
    check("varbinary", "id VARBINARY(20) PRIMARY KEY", "UNHEX(HEX(seq * 7))");
    check(
        "uuid",
        "id UUID PRIMARY KEY",
        "CONCAT('00112233-4455-6677-8899-', LPAD(HEX(seq * 31), 12, '0'))",
    );
}

#[test]
fn dates() {
    check("date", "id DATE PRIMARY KEY", "DATE '1950-01-01' + INTERVAL seq DAY");
    check(
        "datetime",
        "id DATETIME(6) PRIMARY KEY",
        "TIMESTAMP '2024-03-31 00:00:00' + INTERVAL seq * 997 MICROSECOND",
    );
    check("time", "id TIME(3) PRIMARY KEY", "SEC_TO_TIME((CAST(seq AS SIGNED) - 10000) / 8)");
}

/// Most of the rows share the first part of the key.
#[test]
fn several_columns() {
    check(
        "composite",
        "clinic INT, id VARCHAR(20), PRIMARY KEY (clinic, id)",
        "IF(seq % 10, 1, seq), seq",
    );
    check("unique", "a DATE NOT NULL, b INT NOT NULL, UNIQUE (a, b)", "DATE '2024-01-01', seq");
}

#[test]
fn what_cannot_be_split_goes_as_one_stream_and_says_so() {
    let bench = Bench::new("load parallel single");
    let note = |table: &str, strategy: &ParallelLoad| {
        let load = bench.load_as(table, strategy, LoadMode::Full, &RowFilter::All).unwrap();
        assert_eq!(bench.sum(table), load.sum);
        load.notes
    };
    bench.mysql("CREATE TABLE t (a INT); INSERT INTO t SELECT seq FROM seq_1_to_5000");
    assert_eq!(
        note("t", &parallel()),
        ["loaded as one stream, not in parallel: it has no key to split it by"]
    );
    bench.mysql("CREATE TABLE u (a INT PRIMARY KEY); INSERT INTO u VALUES (1), (2)");
    assert_eq!(
        note("u", &ParallelLoad::default()),
        ["loaded as one stream, not in parallel: it is small"]
    );
    let others = (CopyId::new(), Locking::Snapshot);
    let load = bench.load_locking("u", &parallel(), others).unwrap();
    assert_eq!(
        load.notes,
        ["loaded as one stream, not in parallel: it is read from a database that others write to"]
    );
    bench.mysql("CREATE TABLE v (a INT PRIMARY KEY)");
    assert_eq!(
        note("v", &parallel()),
        ["loaded as one stream, not in parallel: its keys are too few to split it by"]
    );
}

/// Each range by a session of its own.
#[test]
fn ranges_are_loaded_at_the_same_time() {
    let bench = Bench::new("load parallel workers");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT); \
         INSERT INTO t SELECT seq, REPEAT(MD5(seq), 20) FROM seq_1_to_60000",
    );
    let loaded = AtomicBool::new(false);
    let most = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut client = bench.trio.target();
            let sql = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND query LIKE 'COPY %' AND state = 'active'";
            let mut most = 0;
            while !loaded.load(Ordering::Relaxed) {
                most = most.max(client.query_one(sql, &[]).unwrap().get::<_, i64>(0));
            }
            most
        });
        let load = bench.load_as("t", &parallel(), LoadMode::Full, &RowFilter::All);
        loaded.store(true, Ordering::Relaxed);
        assert_eq!(load.unwrap().figures.rows, 60_000);
        watcher.join().unwrap()
    });
    assert_eq!(most, 3);
    // A range is a transaction.
    assert_eq!(bench.ask("SELECT count(DISTINCT xmin::text)::text FROM raw.t"), "3");
}

#[test]
fn one_range_that_fails_fails_the_load() {
    let bench = Bench::new("load parallel fails");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t SELECT seq, 1 FROM seq_1_to_20000",
    );
    bench.load_as("t", &parallel(), LoadMode::Full, &RowFilter::All).unwrap();
    let before = bench.sum("t");
    bench.mysql("ALTER TABLE t MODIFY n DOUBLE; UPDATE t SET n = 2 WHERE id > 3");
    // The target's column is another now, so that the server refuses what the workers send.
    let error = bench.load_as("t", &parallel(), LoadMode::Full, &RowFilter::All).unwrap_err();
    assert!(matches!(error, Error::Unfit(_)), "{}", chain(&error));
    bench.mysql("ALTER TABLE t MODIFY n INT; ALTER TABLE t ADD seen DATE NULL");
    bench.pg("ALTER TABLE raw.t ADD seen date");
    bench.mysql("SET sql_mode = ''; UPDATE t SET seen = '0000-00-00' WHERE id = 15000");
    let mut bench = bench;
    bench.options.values.zero_dates = handoff_settings::ZeroDates::Fail;
    let error = bench.load_as("t", &parallel(), LoadMode::Full, &RowFilter::All).unwrap_err();
    assert!(chain(&error).contains("`seen`"), "{}", chain(&error));
    assert_eq!(bench.ask("SELECT count(*)::text FROM raw.t WHERE n = 1"), "20000");
    assert_eq!(before.rows, 20_000);
    assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new());
}
