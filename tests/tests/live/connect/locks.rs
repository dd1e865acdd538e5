//! Named locks, what a dead run leaves, and telling two names of one database.

use super::{my_server, options, replica, target};
use handoff_connect::{MyPool, SessionProfile, Side};
use handoff_model::RunId;
use handoff_settings::MySqlServer;
use handoff_testbed::Trio;
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until the server has noticed that a session is gone.
fn until(what: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < end, "it never came");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_mysql_lock_is_held_by_one_session_until_it_is_dropped() {
    let trio = Trio::new("my_lock");
    let (run, name) = (RunId::new(), format!("handoff:{}", trio.replica_name()));
    let (first, second) = (replica(&trio, run), replica(&trio, RunId::new()));
    let mut lock = first.hold_lock(&name).unwrap().unwrap();
    lock.check().unwrap();
    assert!(second.hold_lock(&name).unwrap().is_none());
    let holder = second.lock_holder(&name).unwrap().unwrap();
    assert!(first.connection_ids().contains(&holder.connection), "{holder}");
    assert_eq!(holder.account.as_deref(), Some("etl"));

    trio.sql_replica(&format!("KILL {}", holder.connection));
    assert!(lock.check().is_err(), "the lock is lost with its session");
    // The client hears of it before the server has cleared the session away.
    until(|| second.hold_lock(&name).unwrap().is_some());
    until(|| first.lock_holder(&name).unwrap().is_none());
}

#[test]
fn a_postgresql_lock_is_held_by_one_session_until_it_is_dropped() {
    let trio = Trio::new("pg_lock");
    let run = RunId::new();
    let (first, second) = (target(&trio, run), target(&trio, RunId::new()));
    let mut lock = first.hold_lock("handoff:raw").unwrap().unwrap();
    lock.check().unwrap();
    assert!(second.hold_lock("handoff:raw").unwrap().is_none());
    assert!(second.hold_lock("handoff:other").unwrap().is_some());
    let holder = second.lock_holder("handoff:raw").unwrap().unwrap();
    assert_eq!(holder.run(), Some(run));
    assert_eq!(holder.account.as_deref(), Some("etl"));
    assert!(holder.since.is_some());

    trio.sql_target(&format!("SELECT pg_terminate_backend({}, 5000)", holder.connection));
    assert!(lock.check().is_err(), "the lock is lost with its session");
    until(|| second.hold_lock("handoff:raw").unwrap().is_some());
    until(|| first.lock_holder("handoff:raw").unwrap().is_none());
}

/// A dead client's statement goes on at the server. Here it is a living one on another thread.
#[test]
fn sessions_of_an_earlier_run_are_found_and_ended() {
    let trio = Trio::new("orphans");
    let (dead, other) = (RunId::new(), RunId::new());
    let (old, new) = (replica(&trio, dead), replica(&trio, RunId::new()));
    let bystander = replica(&trio, other);
    let busy = thread::spawn({
        let old = old.clone();
        move || old.get(SessionProfile::Write).unwrap().query_drop("SELECT SLEEP(60)").is_err()
    });
    let kept = old.get(SessionProfile::Read).unwrap();
    until(|| new.orphans(dead).unwrap().len() == 2);
    let mut ids = old.connection_ids();
    ids.sort_unstable();
    let mut found = new.orphans(dead).unwrap();
    found.sort_unstable();
    assert_eq!(found, ids);
    assert_eq!(new.end_orphans(dead, PATIENCE).unwrap(), 2);
    assert!(new.orphans(dead).unwrap().is_empty());
    assert_eq!(new.orphans(other).unwrap(), bystander.connection_ids());
    assert_eq!(new.end_orphans(dead, PATIENCE).unwrap(), 0);
    assert!(busy.join().unwrap());
    drop(kept);

    let (old, new) = (target(&trio, dead), target(&trio, RunId::new()));
    let busy =
        thread::spawn(move || old.get().unwrap().batch_execute("SELECT pg_sleep(60)").is_err());
    until(|| new.orphans(dead).unwrap().len() == 1);
    assert_eq!(new.end_orphans(dead, PATIENCE).unwrap(), 1);
    assert!(busy.join().unwrap());
}

#[test]
fn one_database_under_two_names_is_seen() {
    let trio = Trio::new("same");
    let run = RunId::new();
    let server = my_server(&trio.replica_url());
    let elsewhere = MySqlServer { host: "localhost".into(), ..server.clone() };
    let open = |server: &MySqlServer, side| MyPool::open(server, side, &options(run)).unwrap();
    let (source, replica) = (open(&elsewhere, Side::Source), open(&server, Side::Replica));
    assert!(source.is_same_database(&replica).unwrap());

    let other = MySqlServer { database: "information_schema".into(), ..server };
    assert!(!source.is_same_database(&open(&other, Side::Replica)).unwrap());
    let source = open(&my_server(&trio.source_url()), Side::Source);
    assert!(!source.is_same_database(&replica).unwrap());
}
