//! A pooler before the target.

use super::{NEWS, TWO, hasty, instead, mended};
use crate::bad_input::contents;
use crate::etl::{Etl, arm};
use handoff_testbed::{PgBouncer, Trio};
use postgres::NoTls;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Two connections and no reset: what a session was set to is left to the next.
const SMALL: [&str; 4] = [
    "pool_mode = session",
    "default_pool_size = 2",
    "server_reset_query =",
    "query_wait_timeout = 20",
];

fn through(trio: &Trio, settings: &[&str]) -> (PgBouncer, String) {
    let bouncer = PgBouncer::before(&trio.target_url(), settings).unwrap();
    let toml = instead(&trio.settings_toml(), &trio.target_url(), bouncer.url());
    (bouncer, toml)
}

/// A pool of two, of which one holds the lock, carries four tables at once.
#[test]
fn a_small_pool_in_session_mode_serves_every_command_and_keeps_nothing_of_ours() {
    let trio = Trio::new("pooled");
    trio.sql_source(TWO);
    for number in 0..6 {
        trio.sql_source(&format!(
            "CREATE TABLE t{number} (id INT PRIMARY KEY); INSERT INTO t{number} VALUES (1)"
        ));
    }
    let (bouncer, toml) = through(&trio, &SMALL);
    let etl = Etl::with(&toml);
    for arguments in [&["check"][..], &["plan"], &["run"], &["status"], &["verify"], &["repair"]] {
        let done = etl.ok(arguments);
        let is_told = done.stdout.contains("a pooler in session mode stands before PostgreSQL");
        assert_eq!(is_told, arguments[0] == "check", "{}", done.stdout);
    }
    trio.sql_source(NEWS);
    let done = etl.ok(&["run", "--prove"]);
    assert!(!done.stderr.contains("waiting for the pooler"), "{}", done.stderr);
    keeps_nothing(&trio, &bouncer);

    // A run that is killed leaves no lock with a session that the pooler keeps.
    trio.sql_source(&NEWS.replace("new", "newer"));
    let mut command = etl.command(&["run"]);
    arm(&mut command, "loader.moved:sick").stdout(Stdio::null());
    assert_eq!(command.stderr(Stdio::null()).status().unwrap().code(), None);
    mended(&etl);
    keeps_nothing(&trio, &bouncer);
}

/// Fails if a session behind the pooler holds a lock, or bears a setting of ours.
#[track_caller]
fn keeps_nothing(trio: &Trio, bouncer: &PgBouncer) {
    let held = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                WHERE datname = current_database() AND locktype = 'advisory'";
    let held: i64 = trio.target().query_one(held, &[]).unwrap().get(0);
    assert_eq!(held, 0, "a lock is left");
    let named = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'handoff %' \
                 AND datname = current_database()";
    let named: i64 = trio.target().query_one(named, &[]).unwrap().get(0);
    assert_eq!(named, 0, "a session is left under our name");
    let clients: Vec<_> =
        (0..2).map(|_| postgres::Client::connect(bouncer.url(), NoTls).unwrap()).collect();
    for mut client in clients {
        let query = "SELECT count(*) FROM pg_settings WHERE source = 'session' \
                     AND name NOT IN ('application_name', 'client_encoding')";
        let set: i64 = client.query_one(query, &[]).unwrap().get(0);
        assert_eq!(set, 0, "a setting is left");
    }
}

#[test]
fn a_pooler_that_lends_no_sessions_is_refused_before_anything_is_done() {
    let trio = Trio::new("lending");
    trio.sql_source(TWO);
    let before = contents(&trio);
    for mode in ["transaction", "statement"] {
        for robin in ["0", "1"] {
            let mode = format!("pool_mode = {mode}");
            let robin = format!("server_round_robin = {robin}");
            let (_bouncer, toml) = through(&trio, &[&mode, &robin, "default_pool_size = 5"]);
            let etl = Etl::with(&toml);
            for command in ["check", "plan", "run", "verify", "repair", "status"] {
                let done = etl.exits(3, &[command]);
                let shown = done.stdout + &done.stderr;
                for part in ["is a pooler that lends", "own port", "pool_mode=session"] {
                    assert!(shown.contains(part), "{mode} {command}: no `{part}` in: {shown}");
                }
                // What one that lends transactions leads to is looked at all the same.
                let is_seen = shown.contains("there is no schema \"raw\" yet");
                assert_eq!(is_seen, mode.contains("transaction") && command == "check", "{shown}");
            }
        }
    }
    assert_eq!(contents(&trio), before);
}

#[test]
fn a_pool_of_one_is_refused_with_the_remedy() {
    let trio = Trio::new("pool_of_one");
    trio.sql_source(TWO);
    let (_bouncer, toml) = through(&trio, &["pool_mode = session", "default_pool_size = 1"]);
    let began = Instant::now();
    let done = hasty(&toml).exits(3, &["run"]);
    assert!(began.elapsed() < Duration::from_secs(40));
    for part in ["waiting for the pooler", "served no second connection", "pool_size"] {
        assert!(done.stderr.contains(part), "no `{part}` in: {}", done.stderr);
    }
}
