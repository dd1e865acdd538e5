//! Loads in chunks, broken off and taken up.

use super::{Bench, chain, changes};
use crate::etl::Etl;
use handoff_loader::{Chunked, Error, LoadOutcome};
use handoff_model::CopyId;
use handoff_settings::{Values, ZeroDates};
use handoff_testbed::{Bed, MariaDb, Postgres, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::thread;
use std::time::{Duration, Instant};

fn chunked(rows: u64) -> Chunked {
    Chunked { rows, ..Chunked::default() }
}

/// The rows that were there already, by the note of the load.
fn resumed(outcome: &LoadOutcome) -> Option<u64> {
    let note = outcome.notes.first()?;
    let text = note.strip_prefix("an earlier attempt was taken up after ")?;
    text.split(' ').next()?.parse().ok()
}

/// A table of 5,000 rows, of which row 2,500 cannot be carried: after two chunks of 1,000 the load
/// breaks off.
fn broken_off(name: &str, refresh: bool) -> (Bench, CopyId) {
    let mut bench = Bench::new(name);
    bench.options.values = Values { zero_dates: ZeroDates::Fail, ..Values::default() };
    bench.mysql(
        "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, seen DATE NULL, body TEXT);
         INSERT INTO t SELECT seq, IF(seq = 2500, '0000-00-00', '2024-01-01'), seq
         FROM seq_1_to_5000",
    );
    if refresh {
        bench.pg("CREATE TABLE raw.t (id int PRIMARY KEY, seen date, body text)");
    }
    let copy = CopyId::new();
    let error = bench.load_copy("t", &chunked(1000), copy).unwrap_err();
    assert!(chain(&error).contains("a zero date"), "{}", chain(&error));
    let left = [format!("__handoff_{copy}"), format!("__handoff_at_{copy}")];
    assert_eq!(bench.loader().leftovers().unwrap(), left);
    let staged = bench.ask(&format!("SELECT count(*)::text FROM raw.__handoff_{copy}"));
    assert_eq!(staged, "2000");
    bench.mysql("UPDATE t SET seen = NULL WHERE id = 2500");
    (bench, copy)
}

/// Loads what was broken off and looks at what arrived.
#[track_caller]
fn finish(bench: &Bench, copy: CopyId, expected: Option<u64>) {
    let outcome = bench.load_copy("t", &chunked(1000), copy).unwrap();
    assert_eq!(resumed(&outcome), expected, "{:?}", outcome.notes);
    assert_eq!((outcome.rows_loaded, changes(&outcome)), (5000, (5000, 0, 0)));
    assert_eq!(bench.sum("t"), outcome.sum);
    assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new());
}

#[test]
fn the_next_load_of_the_same_copy_goes_on_behind_the_last_chunk() {
    for refresh in [false, true] {
        let (bench, copy) = broken_off("chunked resumes", refresh);
        finish(&bench, copy, Some(2000));
    }
}

#[test]
fn another_copy_starts_again() {
    let (bench, copy) = broken_off("chunked other copy", true);
    let names = bench.loader().leftovers().unwrap();
    let other = CopyId::new();
    // The next run knows which copies may be loaded.
    assert_eq!(bench.loader().drop_leftovers(&names, &[copy, other]).unwrap(), 0);
    assert_eq!(bench.loader().drop_leftovers(&names, &[other]).unwrap(), 2);
    finish(&bench, other, None);
}

#[test]
fn staging_that_does_not_hold_what_the_checkpoint_says_starts_again() {
    for (name, sql) in [
        ("changed", "UPDATE raw.OWN SET body = '' WHERE id = 7"),
        ("deleted", "DELETE FROM raw.OWN WHERE id = 7"),
        ("added", "INSERT INTO raw.OWN VALUES (7000)"),
        ("emptied", "TRUNCATE raw.OWN"),
        ("altered", "ALTER TABLE raw.OWN DROP COLUMN seen"),
        ("dropped", "DROP TABLE raw.OWN"),
        ("no row", "DELETE FROM raw.CHECKPOINT"),
        ("no checkpoint", "DROP TABLE raw.CHECKPOINT"),
        ("no place", "UPDATE raw.CHECKPOINT SET place = 'x'"),
    ] {
        let (bench, copy) = broken_off(&format!("chunked {name}"), true);
        let sql = sql.replace("OWN", &format!("__handoff_{copy}"));
        bench.pg(&sql.replace("CHECKPOINT", &format!("__handoff_at_{copy}")));
        finish(&bench, copy, None);
    }
}

/// The rows that landed were made under other settings.
#[test]
fn other_settings_start_again() {
    let (mut bench, copy) = broken_off("chunked settings", false);
    bench.options.values = Values::default();
    finish(&bench, copy, None);
}

#[test]
fn a_first_load_that_was_overtaken_starts_again() {
    let (bench, copy) = broken_off("chunked overtaken", false);
    bench.pg("CREATE TABLE raw.t (id int PRIMARY KEY, seen date, body text)");
    finish(&bench, copy, None);
}

#[test]
fn what_was_counted_of_lossy_values_is_not_forgotten() {
    // Row 100 has its NUL taken out in the first attempt, row 4,000 in the second.
    let mut bench = Bench::new("chunked lossy");
    bench.options.values = Values { zero_dates: ZeroDates::Fail, ..Values::default() };
    bench.mysql(
        "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, seen DATE NULL, body TEXT);
         INSERT INTO t SELECT seq, IF(seq = 2500, '0000-00-00', NULL), \
         IF(seq IN (100, 4000), CHAR(65, 0), 'x') FROM seq_1_to_5000",
    );
    let copy = CopyId::new();
    bench.load_copy("t", &chunked(1000), copy).unwrap_err();
    bench.mysql("UPDATE t SET seen = NULL");
    let outcome = bench.load_copy("t", &chunked(1000), copy).unwrap();
    assert_eq!(resumed(&outcome), Some(2000));
    assert_eq!(outcome.audit.entries().iter().map(|lossy| lossy.count).sum::<u64>(), 2);
}

#[test]
fn a_load_that_failed_at_its_end_reads_nothing_again() {
    let (bench, copy) = broken_off("chunked end", true);
    *bench.seal.refuses.lock().unwrap() = true;
    bench.load_copy("t", &chunked(1000), copy).unwrap_err();
    *bench.seal.refuses.lock().unwrap() = false;
    bench.mysql("DELETE FROM t WHERE id > 10");
    let outcome = bench.load_copy("t", &chunked(1000), copy).unwrap();
    assert_eq!((resumed(&outcome), changes(&outcome)), (Some(5000), (5000, 0, 0)));
}

#[test]
fn keys_of_every_kind_are_places_to_go_on_from() {
    for (name, columns, values) in [
        ("text", "id VARCHAR(40) PRIMARY KEY", "CONCAT(MD5(seq), 'é''\\\\')"),
        ("binary", "id BINARY(16) PRIMARY KEY", "UNHEX(MD5(seq))"),
        ("time", "id DATETIME(6) PRIMARY KEY", "NOW(6) + INTERVAL seq MICROSECOND"),
        ("several", "a INT, b DECIMAL(9,2), PRIMARY KEY (b, a)", "seq % 50, seq / 4"),
        ("unsigned", "id BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - seq"),
        ("double", "id DOUBLE PRIMARY KEY", "seq / 7"),
    ] {
        let mut bench = Bench::new(&format!("chunked key {name}"));
        bench.options.values = Values { zero_dates: ZeroDates::Fail, ..Values::default() };
        bench.mysql(&format!(
            "SET sql_mode = ''; CREATE TABLE t ({columns}, seen DATE NULL, place INT NULL);
             INSERT INTO t SELECT {values}, NULL, NULL FROM seq_1_to_500"
        ));
        let key = if name == "several" { "b, a" } else { "id" };
        bench.mysql(&format!(
            "SET sql_mode = '', @n = 0; UPDATE t SET place = (@n := @n + 1) ORDER BY {key};
             UPDATE t SET seen = '0000-00-00' WHERE place = 250"
        ));
        let copy = CopyId::new();
        bench.load_copy("t", &chunked(100), copy).unwrap_err();
        bench.mysql("UPDATE t SET seen = NULL");
        let outcome = bench.load_copy("t", &chunked(100), copy).unwrap();
        assert_eq!((resumed(&outcome), outcome.rows_loaded), (Some(200), 500), "{name}");
        assert_eq!(bench.sum("t"), outcome.sum, "{name}");
    }
}

/// Servers of the test's own: one counts the rows it sends, one is killed.
struct Own {
    bench: Bench,
    replica: MariaDb,
    target: Postgres,
}

const ROWS: u64 = 60_000;
const CHUNK: u64 = 5_000;

impl Own {
    fn new(name: &str, refresh: bool) -> Own {
        let replica = MariaDb::start(&ServerOptions::default()).unwrap();
        let target = Postgres::start(&ServerOptions::default()).unwrap();
        let (source, own) = (Bed::shared().source(), replica.endpoint());
        let bench = Bench::on(Trio::on(name, source, own, target.endpoint()));
        bench.mysql(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b TEXT); INSERT INTO t \
             SELECT seq, REPEAT(MD5(seq), 10), REPEAT(MD5(seq), 10) FROM seq_1_to_{ROWS}"
        ));
        if refresh {
            bench.pg("CREATE TABLE raw.t (id int PRIMARY KEY, a text, b text)");
        }
        Own { bench, replica, target }
    }

    /// The rows that the replica has ever sent.
    fn sent(&self) -> u64 {
        let mut conn = self.replica.admin().unwrap();
        let row: (String, u64) =
            conn.query_first("SHOW GLOBAL STATUS LIKE 'Rows_sent'").unwrap().unwrap();
        row.1
    }

    /// Loads, and does `fault` as soon as some chunks have come.
    fn broken_by(&self, copy: CopyId, fault: impl Fn(&mut postgres::Client) + Sync) -> Error {
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut client = self.bench.trio.target();
                let sql = format!("SELECT count(*) FROM raw.__handoff_{copy}");
                let until = Instant::now() + Duration::from_secs(60);
                loop {
                    assert!(Instant::now() < until, "no chunk was seen");
                    let rows = client.query_one(&sql, &[]).map_or(0, |row| row.get::<_, i64>(0));
                    if rows >= 3 * CHUNK.cast_signed() {
                        return fault(&mut client);
                    }
                }
            });
            self.bench.load_copy("t", &chunked(CHUNK), copy).unwrap_err()
        })
    }
}

#[test]
fn a_killed_backend_costs_less_than_a_chunk() {
    for refresh in [false, true] {
        let own = Own::new("chunked killed", refresh);
        let before = own.sent();
        let copy = CopyId::new();
        let error = own.broken_by(copy, |client| {
            let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            client.query_one(sql, &[]).unwrap();
        });
        assert!(error.is_transient(), "{}", chain(&error));
        let outcome = own.bench.load_copy("t", &chunked(CHUNK), copy).unwrap();
        let taken_up = resumed(&outcome).unwrap();
        assert!(taken_up >= 3 * CHUNK && taken_up.is_multiple_of(CHUNK), "{taken_up}");
        assert_eq!((outcome.rows_loaded, changes(&outcome)), (ROWS, (ROWS, 0, 0)));
        assert_eq!(own.bench.sum("t"), outcome.sum);
        let sent = own.sent() - before;
        // What the catalogue was asked counts as well.
        assert!((ROWS..ROWS + CHUNK + 200).contains(&sent), "{sent}");
    }
}

/// A crash of the server empties unlogged staging and its checkpoint, or neither: a first load, which
/// is logged, is taken up, a refresh starts again.
#[test]
fn a_crash_of_the_server_is_survived() {
    for refresh in [false, true] {
        let own = Own::new("chunked crashed", refresh);
        let copy = CopyId::new();
        own.broken_by(copy, |_| own.target.kill9());
        own.target.restart().unwrap();
        // A connection that died with the server may be found out now.
        let outcome = own
            .bench
            .load_copy("t", &chunked(CHUNK), copy)
            .or_else(|_| own.bench.load_copy("t", &chunked(CHUNK), copy))
            .unwrap();
        assert_eq!(resumed(&outcome).is_some(), !refresh, "{:?}", outcome.notes);
        assert_eq!((outcome.rows_loaded, changes(&outcome)), (ROWS, (ROWS, 0, 0)));
        assert_eq!(own.bench.sum("t"), outcome.sum);
    }
}

#[test]
fn a_clean_restart_of_the_server_loses_nothing() {
    let own = Own::new("chunked restarted", true);
    let copy = CopyId::new();
    own.broken_by(copy, |_| own.target.stop());
    own.target.restart().unwrap();
    let outcome = own
        .bench
        .load_copy("t", &chunked(CHUNK), copy)
        .or_else(|_| own.bench.load_copy("t", &chunked(CHUNK), copy))
        .unwrap();
    assert!(resumed(&outcome).unwrap() >= 3 * CHUNK);
    assert_eq!(own.bench.sum("t"), outcome.sum);
}

#[test]
fn cancelling_keeps_what_has_come() {
    let own = Own::new("chunked cancelled", false);
    let copy = CopyId::new();
    let cancel = own.bench.options.cancel.clone();
    let error = own.broken_by(copy, |_| cancel.cancel());
    assert!(error.is_cancelled(), "{}", chain(&error));
    let mut bench = own.bench;
    bench.options.cancel = handoff_model::Cancel::new();
    let outcome = bench.load_copy("t", &chunked(CHUNK), copy).unwrap();
    assert!(resumed(&outcome).unwrap() >= 3 * CHUNK);
    assert_eq!(bench.sum("t"), outcome.sum);
}

/// The binary dies behind its third chunk, twice; the next `etl load` goes on each time.
#[test]
fn a_killed_process_is_taken_up_by_the_next() {
    let trio = Trio::new("chunked etl");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, body TEXT) ENGINE=MyISAM;
         INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_20000",
    );
    let settings =
        "[selection]\nchunk_rows = 1000\n[tables.t]\nloader = \"chunked\"\n[run]\njobs = 1\n";
    let etl = Etl::with(&format!("{}\n{settings}", trio.settings_toml()));
    etl.ok(&["replicate"]);
    for (point, rows) in [("loader.chunk_committed@3", 3000), ("loader.chunk_written@3", 5000)] {
        let done = etl.command(&["load"]).env("HANDOFF_FAULT_POINT", point).output().unwrap();
        assert_eq!(done.status.code(), None, "{}", String::from_utf8_lossy(&done.stderr));
        let sql = "SELECT relname::text FROM pg_class WHERE relname ~ '^__handoff_[0-9a-f]{16}$'";
        let staging: String = trio.target().query_one(sql, &[]).unwrap().get(0);
        let sql = format!("SELECT count(*) FROM raw.{staging}");
        assert_eq!(trio.target().query_one(&sql, &[]).unwrap().get::<_, i64>(0), rows);
    }
    let done = etl.ok(&["load", "--prove", "-v", "t"]);
    let said = format!("{}{}", done.stdout, done.stderr);
    assert!(said.contains("an earlier attempt was taken up after 5000 rows"), "{said}");
    assert_eq!(trio.rows("t").len(), 20_000);
    let left = "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_\\_handoff%'";
    assert_eq!(trio.target().query_one(left, &[]).unwrap().get::<_, i64>(0), 0);

    // Another copy: what is left of the first is dropped.
    trio.sql_source("UPDATE t SET body = 'y' WHERE id = 1");
    let mut again = etl.command(&["load"]);
    again.env("HANDOFF_FAULT_POINT", "loader.chunk_committed@3").output().unwrap();
    let done = etl.ok(&["run", "--prove", "-v", "t"]);
    assert!(!done.stdout.contains("taken up") && !done.stderr.contains("taken up"));
    assert_eq!(trio.target().query_one(left, &[]).unwrap().get::<_, i64>(0), 0);
}
