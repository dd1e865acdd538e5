//! Loads in chunks whose process or server dies: the rows that are read again, counted by the server.

use super::chunked::{chunked, resumed};
use super::{Bench, chain, changes};
use crate::etl::{Etl, arm};
use crate::fault_points::wait_until_stopped;
use handoff_connect::FAULT_POINTS;
use handoff_loader::Error;
use handoff_model::CopyId;
use handoff_testbed::{Bed, Durability, MariaDb, Postgres, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
        Own::with(name, refresh, Durability::default())
    }

    fn with(name: &str, refresh: bool, durability: Durability) -> Own {
        let options = ServerOptions { durability, ..ServerOptions::default() };
        let replica = MariaDb::start(&ServerOptions::default()).unwrap();
        let target = Postgres::start(&options).unwrap();
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
        assert_eq!((outcome.figures.rows, changes(&outcome)), (ROWS, (ROWS, 0, 0)));
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
        let own = Own::with("chunked crashed", refresh, Durability::Durable);
        let copy = CopyId::new();
        own.broken_by(copy, |_| own.target.kill9());
        own.target.restart().unwrap();
        let mut client = own.bench.trio.target();
        let mut has_rows = |table: String| {
            let sql = format!("SELECT EXISTS (SELECT FROM raw.{table})");
            client.query_one(&sql, &[]).unwrap().get::<_, bool>(0)
        };
        let left = [format!("__handoff_{copy}"), format!("__handoff_at_{copy}")].map(&mut has_rows);
        assert_eq!(left, [!refresh; 2], "both are empty or neither");
        // A connection that died with the server may be found out now.
        let outcome = own
            .bench
            .load_copy("t", &chunked(CHUNK), copy)
            .or_else(|_| own.bench.load_copy("t", &chunked(CHUNK), copy))
            .unwrap();
        assert_eq!(resumed(&outcome).is_some(), !refresh, "{:?}", outcome.notes);
        assert_eq!((outcome.figures.rows, changes(&outcome)), (ROWS, (ROWS, 0, 0)));
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
    bench.options.cancel = handoff_model::CancelToken::new();
    let outcome = bench.load_copy("t", &chunked(CHUNK), copy).unwrap();
    assert!(resumed(&outcome).unwrap() >= 3 * CHUNK);
    assert_eq!(bench.sum("t"), outcome.sum);
}

/// A replica of the test's own, which counts the rows that are read of each table.
struct Counting {
    trio: Trio,
    etl: Etl,
    _replica: MariaDb,
}

impl Counting {
    const ROWS: u64 = 8_000;
    const CHUNK: u64 = 1_000;

    fn new(engine: &str) -> Counting {
        let replica = MariaDb::start(&ServerOptions::default()).unwrap();
        replica.admin().unwrap().query_drop("SET GLOBAL userstat = 1").unwrap();
        let (source, target) = (Bed::shared().source(), Bed::shared().target());
        let trio = Trio::on("chunked etl", source, replica.endpoint(), target);
        trio.sql_source(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, body TEXT) ENGINE={engine};
             INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_{}",
            Counting::ROWS
        ));
        let settings = format!(
            "{}\n[selection]\nchunk_rows = {}\n[tables.t]\nloader = \"chunked\"\n",
            trio.settings_toml(),
            Counting::CHUNK
        );
        Counting { etl: Etl::with(&settings), trio, _replica: replica }
    }

    /// The rows that were ever read of the replica's table.
    fn read(&self) -> u64 {
        let sql = "SELECT ROWS_READ FROM information_schema.TABLE_STATISTICS \
                   WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 't'";
        let read = self.trio.replica().exec_first(sql, (self.trio.replica_name(),)).unwrap();
        read.unwrap_or(0)
    }

    /// Loads with a fault point armed.
    #[track_caller]
    fn dies_at(&self, point: &str) {
        let mut command = self.etl.command(&["load"]);
        let done = arm(&mut command, point).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.signal(), Some(libc::SIGABRT), "{point}: {said}");
    }

    /// The rows in staging, if it is there.
    fn staged(&self) -> u64 {
        let mut client = self.trio.target();
        let sql = "SELECT relname::text FROM pg_class WHERE relname ~ '^__handoff_[0-9a-f]{16}$'";
        let Some(staging) = client.query_opt(sql, &[]).unwrap() else { return 0 };
        let sql = format!("SELECT count(*) FROM raw.{}", staging.get::<_, String>(0));
        client.query_one(&sql, &[]).unwrap().get::<_, i64>(0).cast_unsigned()
    }

    #[track_caller]
    fn nothing_is_left(&self) {
        let sql = "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_\\_handoff%'";
        assert_eq!(self.trio.target().query_one(sql, &[]).unwrap().get::<_, i64>(0), 0);
    }
}

/// Where the process may die, and what is committed then. Behind the commit of the load itself it is
/// done, and another one begins at the start. No keys come with a load of everything.
const DEATHS: [(&str, u64); 7] = [
    ("loader.opened", 0),
    ("loader.chunk_written@4", 3_000),
    ("loader.chunk_committed@4", 4_000),
    ("loader.moved", 8_000),
    ("loader.published", 8_000),
    ("loader.checked", 8_000),
    ("loader.sealed", 8_000),
];

#[test]
fn wherever_the_process_dies_no_row_that_was_committed_is_read_again() {
    let deaths: BTreeSet<_> =
        DEATHS.iter().map(|(point, _)| point.split('@').next().unwrap()).collect();
    let known = FAULT_POINTS.iter().filter(|point| point.starts_with("loader.")).copied();
    let others = ["loader.committed", "loader.keys_staged"];
    assert_eq!(deaths, known.filter(|point| !others.contains(point)).collect());

    let counting = Counting::new("InnoDB");
    counting.etl.ok(&["replicate"]);
    for round in ["first", "again"] {
        for (point, committed) in DEATHS {
            let before = counting.read();
            counting.dies_at(point);
            let died = counting.read();
            assert_eq!(counting.staged(), committed, "{round}, {point}");
            let done = counting.etl.ok(&["load", "-v", "t"]);
            let said = format!("{}{}", done.stdout, done.stderr);
            let note = format!("an earlier attempt was taken up after {committed} rows");
            assert_eq!(said.contains(&note), committed > 0, "{round}, {point}: {said}");
            assert_eq!(counting.read() - died, Counting::ROWS - committed, "{round}, {point}");
            let all = counting.read() - before;
            let most = Counting::ROWS + Counting::CHUNK;
            assert!((Counting::ROWS..=most).contains(&all), "{round}, {point}: {all}");
            counting.nothing_is_left();
            if round == "first" {
                // The next load is a first one as well.
                counting.trio.sql_target("DROP TABLE raw.t");
            }
        }
        counting.etl.ok(&["load", "--prove"]);
    }
}

/// The binary dies twice, in the second attempt behind what the first has brought.
#[test]
fn a_load_may_break_off_more_than_once() {
    let counting = Counting::new("MyISAM");
    counting.etl.ok(&["replicate"]);
    let before = counting.read();
    for (point, rows) in [("loader.chunk_committed@3", 3_000), ("loader.chunk_written@3", 5_000)] {
        counting.dies_at(point);
        assert_eq!(counting.staged(), rows);
    }
    counting.etl.ok(&["load", "t"]);
    assert_eq!(counting.read() - before, Counting::ROWS + Counting::CHUNK);
    assert_eq!(counting.trio.rows("t").len() as u64, Counting::ROWS);

    // Another copy: what is left of the first is dropped.
    counting.trio.sql_source("UPDATE t SET body = 'y' WHERE id = 1");
    counting.dies_at("loader.chunk_committed@3");
    assert_eq!(counting.staged(), 3_000);
    let done = counting.etl.ok(&["run", "--prove", "-v", "t"]);
    assert!(!done.stdout.contains("taken up") && !done.stderr.contains("taken up"));
    counting.nothing_is_left();
}

/// A session of an attempt that died may come to its end late.
#[test]
fn what_another_session_has_noted_meanwhile_is_not_overwritten() {
    let trio = Trio::new("chunked late");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t SELECT seq FROM seq_1_to_900",
    );
    let settings = "[selection]\nchunk_rows = 100\n[tables.t]\nloader = \"chunked\"\n";
    let etl = Etl::with(&format!("{}\n{settings}", trio.settings_toml()));
    etl.ok(&["replicate"]);
    let point = "stop loader.chunk_committed@2";
    let mut load = etl.command(&["load"]);
    arm(&mut load, point).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut load = load.spawn().unwrap();
    wait_until_stopped(&mut load, point);
    let sql = "SELECT relname::text FROM pg_class WHERE relname LIKE '\\_\\_handoff\\_at\\_%'";
    let checkpoint: String = trio.target().query_one(sql, &[]).unwrap().get(0);
    trio.sql_target(&format!("UPDATE raw.{checkpoint} SET chunks = chunks + 1"));
    let id = load.id().to_string();
    assert!(Command::new("kill").args(["-CONT", &id]).status().unwrap().success());
    let done = load.wait_with_output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("by the checkpoint of this load"), "{said}");
    etl.ok(&["load", "--prove"]);
}
