//! Loads that fail leave the target as it was, and say why without a value.

use super::{Bench, chain};
use handoff_loader::Error;
use handoff_testbed::{PgEndpoint, row};
use postgres::{Client, NoTls};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_target_with_other_columns_is_refused_with_every_difference() {
    let bench = Bench::new("load differs");
    bench
        .mysql("CREATE TABLE t (id INT PRIMARY KEY, a INT, b TEXT); INSERT INTO t VALUES (1,2,'')");
    bench.pg("CREATE TABLE raw.t (id bigint PRIMARY KEY, a integer, extra text NOT NULL)");
    bench.pg("INSERT INTO raw.t VALUES (7, 7, 'mine')");
    let error = bench.load("t").unwrap_err();
    let Error::Unfit(misfit) = &error else { panic!("{}", chain(&error)) };
    assert!(misfit.reasons.len() >= 3, "{misfit:?}");
    let text = error.to_string();
    for name in ["id", "b", "extra"] {
        assert!(text.contains(name), "{text}");
    }
    assert_eq!(misfit.target, "\"raw\".\"t\"");
    assert!(!error.is_transient());
    assert_eq!(bench.trio.rows("t"), [row!["7", "7", "mine"]]);
}

#[test]
fn a_refusing_seal_rolls_everything_back() {
    let bench = Bench::new("load seal");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    *bench.seal.refuses.lock().unwrap() = true;
    let error = bench.load("t").unwrap_err();
    assert!(chain(&error).starts_with("cannot record the load of `t`: "), "{}", chain(&error));
    assert_eq!(bench.ask("SELECT to_regclass('raw.t')::text"), "");

    *bench.seal.refuses.lock().unwrap() = false;
    bench.load("t").unwrap();
    bench.mysql("INSERT INTO t VALUES (2)");
    *bench.seal.refuses.lock().unwrap() = true;
    bench.load("t").unwrap_err();
    assert_eq!(bench.trio.rows("t"), [row!["1"]]);
    assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new());
}

/// Asks again and again until the target's database has a COPY under way; the sessions that `ask`
/// counts are those of `COPYING`.
fn once_copying(server: &PgEndpoint, database: &str, ask: &str) {
    let sql = format!("SELECT {ask} FROM pg_stat_activity WHERE {COPYING}");
    let mut client = server.admin().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while client.query_one(&sql, &[&database]).unwrap().get::<_, i64>(0) == 0 {
        assert!(Instant::now() < until, "no COPY was seen");
    }
}

const COPYING: &str = "datname = $1::text AND query LIKE 'COPY%' AND state = 'active'";

#[test]
fn a_backend_killed_in_the_middle_of_a_copy_leaves_the_old_rows() {
    let bench = Bench::new("load killed");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b TEXT); INSERT INTO t VALUES (-1, '', '')",
    );
    bench.load("t").unwrap();
    bench.mysql(
        "INSERT INTO t SELECT seq, REPEAT(MD5(seq), 5), REPEAT(MD5(seq), 5) FROM seq_1_to_200000",
    );
    let (server, name) = (bench.trio.target_server().clone(), bench.trio.target_name());
    let error = thread::scope(|scope| {
        scope.spawn(|| once_copying(&server, &name, "count(pg_terminate_backend(pid))"));
        bench.load("t").unwrap_err()
    });
    assert!(error.is_transient(), "{}", chain(&error));
    assert!(chain(&error).starts_with("cannot write `t` (after "), "{}", chain(&error));
    assert_eq!(bench.trio.rows("t"), [row!["-1", "", ""]]);

    let again = bench.load("t").unwrap();
    assert_eq!((again.figures.inserted, again.figures.rows), (200_000, 200_001));
}

#[test]
fn a_refused_row_names_the_constraint_and_no_value() {
    let bench = Bench::new("load refused");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'Miller')",
    );
    bench.load("t").unwrap();
    bench.pg("ALTER TABLE raw.t ADD CONSTRAINT no_smith CHECK (name <> 'Smith')");
    bench.mysql("INSERT INTO t VALUES (2, 'Smith')");
    let error = bench.load("t").unwrap_err();
    let text = chain(&error);
    assert!(text.contains("no_smith") && text.contains("`t`"), "{text}");
    assert!(!text.contains("Smith"), "{text}");
    assert!(!error.is_transient());
    assert_eq!(bench.trio.rows("t"), [row!["1", "Miller"]]);
}

#[test]
fn a_row_beyond_the_memory_limit_fails_with_its_key() {
    let mut bench = Bench::new("load too large");
    bench.options.largest_row = 256 << 10;
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, body LONGTEXT); INSERT INTO t VALUES (1, '')");
    bench.load("t").unwrap();
    bench.mysql("INSERT INTO t VALUES (77, REPEAT('x', 300000))");
    let error = bench.load("t").unwrap_err();
    let text = chain(&error);
    assert!(text.contains("the key 77") && text.contains("memory_limit_mb"), "{text}");
    assert_eq!(bench.trio.rows("t"), [row!["1", ""]]);
}

#[test]
fn another_writer_is_waited_for_and_its_row_is_seen() {
    let bench = Bench::new("load writer");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    bench.load("t").unwrap();
    bench.mysql("INSERT INTO t VALUES (2)");
    let mut other = Client::connect(&bench.trio.target_url(), NoTls).unwrap();
    let mut writer = other.transaction().unwrap();
    writer.batch_execute("INSERT INTO raw.t VALUES (3)").unwrap();
    let outcome = thread::scope(|scope| {
        let load = scope.spawn(|| bench.load("t").unwrap());
        thread::sleep(Duration::from_millis(500));
        assert!(!load.is_finished());
        writer.commit().unwrap();
        load.join().unwrap()
    });
    assert_eq!(super::changes(&outcome), (1, 0, 1));
    assert_eq!(bench.trio.rows("t"), [row!["1"], row!["2"]]);
}

#[test]
fn cancelling_ends_a_wait_for_a_lock_at_once() {
    let bench = Bench::new("load cancelled");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    bench.load("t").unwrap();
    bench.mysql("INSERT INTO t VALUES (2)");
    let mut other = Client::connect(&bench.trio.target_url(), NoTls).unwrap();
    let mut lock = other.transaction().unwrap();
    lock.batch_execute("LOCK TABLE raw.t IN ACCESS EXCLUSIVE MODE").unwrap();

    let started = Instant::now();
    let error = thread::scope(|scope| {
        let load = scope.spawn(|| bench.load("t").unwrap_err());
        thread::sleep(Duration::from_millis(500));
        bench.options.cancel.cancel();
        load.join().unwrap()
    });
    assert!(error.is_cancelled(), "{}", chain(&error));
    assert!(started.elapsed() < Duration::from_secs(10));
    lock.rollback().unwrap();
    assert_eq!(bench.trio.rows("t"), [row!["1"]]);
}

#[test]
fn cancelling_ends_a_copy() {
    let bench = Bench::new("load cancelled copy");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT); INSERT INTO t VALUES (-1, '')");
    bench.load("t").unwrap();
    bench.mysql("INSERT INTO t SELECT seq, REPEAT(MD5(seq), 10) FROM seq_1_to_500000");
    let (server, name) = (bench.trio.target_server().clone(), bench.trio.target_name());
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            once_copying(&server, &name, "count(*)");
            bench.options.cancel.cancel();
        });
        bench.load("t").unwrap_err()
    });
    assert!(error.is_cancelled(), "{}", chain(&error));
    assert_eq!(bench.trio.rows("t"), [row!["-1", ""]]);
}
