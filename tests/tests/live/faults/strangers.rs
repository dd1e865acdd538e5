//! The locks of a run, held by somebody who is none.

use super::{TWO, mended};
use crate::bad_input::contents;
use crate::etl::Etl;
use handoff_connect::{PgPool, PoolOptions};
use handoff_model::RunId;
use handoff_settings::PgServer;
use handoff_testbed::Trio;
use mysql::prelude::Queryable;
use std::time::{Duration, Instant};

/// Fails unless every command tells the stranger and the statement that ends it, and waits no longer than told.
#[track_caller]
fn is_told(trio: &Trio, etl: &Etl, side: &str, remedy: &str) {
    let says = [side, "not a run of yours", remedy];
    let before = contents(trio);
    for arguments in [&["run"][..], &["repair"], &["verify"], &["check"], &["run", "--wait=2s"]] {
        let began = Instant::now();
        let done = etl.exits(3, arguments);
        let shown = done.stdout + &done.stderr;
        for part in says {
            assert!(shown.contains(part), "{arguments:?}: no `{part}` in: {shown}");
        }
        assert!(!shown.contains("another run is in progress"), "{arguments:?}: {shown}");
        if arguments.len() > 1 {
            assert!(began.elapsed() >= Duration::from_secs(2), "it did not wait");
            assert!(shown.contains("waiting: "), "{shown}");
        }
    }
    for command in ["plan", "status"] {
        let shown = etl.run(&[command]).stdout;
        assert!(shown.contains("not a run of yours"), "{command}: {shown}");
    }
    assert_eq!(contents(trio), before);
}

#[test]
fn a_strangers_lock_is_told_from_a_runs() {
    let trio = Trio::new("stranger");
    trio.sql_source(TWO);
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);

    let mut stranger = trio.replica();
    let name = format!("handoff:{}", trio.replica_name());
    let got: Option<i64> = stranger.exec_first("SELECT GET_LOCK(?, 0)", (name,)).unwrap();
    assert_eq!(got, Some(1));
    let remedy = format!("KILL {}", stranger.connection_id());
    is_told(&trio, &etl, "replica", &remedy);
    trio.sql_replica(&remedy);
    mended(&etl);

    let mut stranger = trio.target();
    stranger.execute("SELECT pg_advisory_lock($1)", &[&target_key(&trio)]).unwrap();
    // A name alone makes no run.
    let named = format!("SET application_name = 'handoff {}'", RunId::new());
    stranger.batch_execute(&named).unwrap();
    let process: i32 = stranger.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0);
    let remedy = format!("SELECT pg_terminate_backend({process})");
    is_told(&trio, &etl, "target", &remedy);
    trio.sql_target(&remedy);
    mended(&etl);
}

/// The advisory lock of a run, as the server shows it while one of ours holds it.
fn target_key(trio: &Trio) -> i64 {
    let server = PgServer::from_url(&trio.target_url()).unwrap();
    let pool = PgPool::open(&server, &PoolOptions { size: 1, ..PoolOptions::default() }).unwrap();
    let name = format!("handoff:{}:raw", trio.target_name());
    let _held = pool.hold_lock(&name).unwrap().unwrap();
    let query = "SELECT (classid::int8 << 32) | objid::int8 FROM pg_locks \
         WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    trio.target().query_one(query, &[]).unwrap().get(0)
}
