//! Statements that take longer than a server may be silent.

use super::hole::{Hole, Passes};
use crate::etl::Etl;
use handoff_connect::{MyPool, PgPool, PoolOptions, SessionProfile, Side};
use handoff_model::CancelToken;
use handoff_settings::{MySqlServer, PgServer};
use handoff_testbed::Trio;
use std::time::{Duration, Instant};

fn options() -> PoolOptions {
    PoolOptions { silence: Duration::from_secs(1), ..PoolOptions::default() }
}

fn replica(trio: &Trio) -> MyPool {
    let server = MySqlServer::from_url(&trio.replica_url()).unwrap();
    MyPool::open(&server, Side::Replica, &options()).unwrap()
}

fn target(trio: &Trio) -> PgPool {
    let server = PgServer::from_url(&trio.target_url()).unwrap();
    PgPool::open(&server, &options()).unwrap()
}

#[test]
fn a_statement_that_a_server_works_on_may_take_longer_than_silence() {
    let trio = Trio::new("long_statements");
    let pool = replica(&trio);
    let mut conn = pool.get(SessionProfile::Read).unwrap();
    let guard = pool.cancel_guard(&conn, &CancelToken::new());
    let slept: Option<u8> = conn.query_first("SELECT SLEEP(4)").unwrap();
    assert_eq!(slept, Some(0));
    let mut rows = conn.rows("SELECT SLEEP(2) FROM seq_1_to_2", &[]).unwrap();
    let _ = rows.each(|_| std::ops::ControlFlow::<()>::Continue(())).unwrap();
    drop(rows);
    drop(guard);

    let mut conn = target(&trio).get().unwrap();
    conn.batch_execute("SELECT pg_sleep(4)").unwrap();
}

/// A statement that is not known to take long has the bound of its socket.
#[test]
fn a_short_statement_that_takes_long_is_given_up() {
    let trio = Trio::new("short_statements");
    let mut conn = replica(&trio).get(SessionProfile::Read).unwrap();
    let begun = Instant::now();
    let error = conn.query_first::<u8, _>("SELECT SLEEP(20)").unwrap_err();
    let fault = conn.fault(&error);
    assert!(fault.is_disconnect() && fault.to_string().contains("silence_timeout"), "{fault}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

/// A connection that waits for us, or is in nobody's hands, is left alone.
#[test]
fn a_connection_on_which_nothing_is_waited_for_is_left_alone() {
    let trio = Trio::new("idle_connections");
    let (my, pg) = (replica(&trio), target(&trio));
    let mut mine = my.get(SessionProfile::Read).unwrap();
    let mut theirs = pg.get().unwrap();
    let mut copy = {
        theirs.batch_execute("CREATE TABLE public.t (id int)").unwrap();
        theirs.copy_in("COPY public.t FROM STDIN").unwrap()
    };
    std::io::Write::write_all(&mut copy, b"1\n").unwrap();
    std::io::Write::flush(&mut copy).unwrap();
    std::thread::sleep(Duration::from_secs(4));
    std::io::Write::write_all(&mut copy, b"2\n").unwrap();
    assert_eq!(copy.finish().unwrap(), 2);
    let answer: Option<u8> = mine.query_first("SELECT 1").unwrap();
    assert_eq!(answer, Some(1));
}

/// A file that is long in coming holds no server to blame.
#[test]
fn a_file_that_comes_slowly_is_no_silence_of_the_server() {
    let trio = Trio::new("slow_file");
    let pool = replica(&trio);
    let mut conn = pool.get(SessionProfile::Write).unwrap();
    conn.query_drop("CREATE TABLE t (id INT PRIMARY KEY)").unwrap();
    let guard = pool.cancel_guard(&conn, &CancelToken::new());
    let load = "LOAD DATA LOCAL INFILE 'handoff' INTO TABLE t";
    let loaded = conn.load_local(load, |file| {
        file.write_all(b"1\n")?;
        std::thread::sleep(Duration::from_secs(4));
        file.write_all(b"2\n")
    });
    assert_eq!(loaded.unwrap().rows, 2);
    drop(guard);
}

/// MariaDB keeps a core busy while it waits for the file of a client that a network has swallowed.
#[test]
fn a_load_whose_client_is_gone_ends_by_itself() {
    let trio = Trio::new("gone_client");
    let hole = Hole::to(&trio.replica_url());
    let server = MySqlServer::from_url(hole.url()).unwrap();
    let pool = MyPool::open(&server, Side::Replica, &options()).unwrap();
    let mut conn = pool.get(SessionProfile::Write).unwrap();
    conn.query_drop("CREATE TABLE t (id INT PRIMARY KEY)").unwrap();
    let id = conn.connection_id();
    let loaded = conn.load_local("LOAD DATA LOCAL INFILE 'handoff' INTO TABLE t", |file| {
        (0..50_000).try_for_each(|id| writeln!(file, "{id}"))?;
        hole.lets(Passes::Nothing);
        Ok(())
    });
    assert!(loaded.is_err(), "its end is lost");

    let direct = replica(&trio);
    let state = || -> Option<String> {
        let mut conn = direct.get(SessionProfile::Read).unwrap();
        let ask = format!("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {id}");
        conn.query_first(ask).unwrap()
    };
    assert_eq!(state().as_deref(), Some("Reading from net"));
    let begun = Instant::now();
    while state().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(40), "it still waits for its file");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// The replica waits for ten seconds where silence may last two, and the source takes longer for one buffer of rows.
#[test]
fn a_source_that_is_slower_than_the_replica_is_patient_loses_no_load() {
    let trio = Trio::new("slow_source");
    trio.sql_source(
        "CREATE TABLE wide (id INT PRIMARY KEY, a MEDIUMTEXT); \
         INSERT INTO wide SELECT seq, REPEAT('x', 20000) FROM seq_1_to_48",
    );
    let toml = trio.settings_toml().replacen("[source]", "[source]\nmax_rows_per_second = 2", 1);
    let etl =
        Etl::with(&format!("{toml}\n[run]\nsilence_timeout = \"2s\"\nmax_retries = 0\njobs = 1\n"));
    let begun = Instant::now();
    etl.ok(&["replicate"]);
    assert!(begun.elapsed() > Duration::from_secs(15), "{:?}", begun.elapsed());
}
