//! A request to stop ends the statement in progress, and faults carry no values.

use super::{replica, target};
use handoff_connect::SessionProfile;
use handoff_model::{CancelToken, RunId};
use handoff_testbed::Trio;
use std::thread;
use std::time::{Duration, Instant};

fn cancel_soon(cancel: &CancelToken) {
    let cancel = cancel.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        cancel.cancel();
    });
}

#[test]
fn a_request_to_stop_ends_the_running_statement() {
    let trio = Trio::new("cancel");
    let start = Instant::now();
    let pool = replica(&trio, RunId::new());
    let mut conn = pool.get(SessionProfile::Read).unwrap();
    let cancel = CancelToken::new();
    cancel_soon(&cancel);
    let guard = pool.cancel_guard(&conn, &cancel);
    // Not `query_drop`, which reads the rows and drops what goes wrong with them.
    let error = conn
        .query_first::<u64, _>(
            "SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b WHERE a.seq + b.seq = 1",
        )
        .unwrap_err();
    drop(guard);
    let fault = conn.fault(&error);
    assert!(fault.is_cancelled(), "{fault}");

    let pool = target(&trio, RunId::new());
    let mut conn = pool.get().unwrap();
    let cancel = CancelToken::new();
    cancel_soon(&cancel);
    let guard = pool.cancel_guard(&conn, &cancel);
    let error = conn.batch_execute("SELECT pg_sleep(60)").unwrap_err();
    drop(guard);
    let fault = conn.fault(&error);
    assert!(fault.is_cancelled(), "{fault}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn faults_of_real_servers_hold_no_values() {
    let trio = Trio::new("no_values");
    let pool = replica(&trio, RunId::new());
    let mut conn = pool.get(SessionProfile::Write).unwrap();
    conn.query_drop(
        "CREATE TABLE t (name VARCHAR(20) PRIMARY KEY, born DATE, n TINYINT, doc JSON)",
    )
    .unwrap();
    conn.query_drop("INSERT INTO t (name) VALUES ('Molnar')").unwrap();
    conn.query_drop("SET sql_mode = 'STRICT_ALL_TABLES', check_constraint_checks = 1").unwrap();
    for statement in [
        "INSERT INTO t (name) VALUES ('Molnar')",
        "INSERT INTO t (name, born) VALUES ('a', 'Molnar')",
        "INSERT INTO t (name, n) VALUES ('a', 'Molnar')",
        "INSERT INTO t (name, doc) VALUES ('a', 'Molnar')",
        "INSERT INTO t (name) VALUES ('Molnar Molnar Molnar Molnar')",
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Molnar'",
    ] {
        let error = conn.query_drop(statement).unwrap_err();
        let fault = conn.fault(&error);
        let text = format!("{fault} {fault:?}");
        assert!(
            error.to_string().contains("Molnar")
                || fault.column().is_some()
                || fault.constraint().is_some()
        );
        assert!(!text.contains("Molnar"), "{text}");
    }

    let pool = target(&trio, RunId::new());
    let mut conn = pool.get().unwrap();
    conn.batch_execute("CREATE TABLE public.t (name text PRIMARY KEY, n int CHECK (n > 0))")
        .unwrap();
    conn.batch_execute("INSERT INTO public.t VALUES ('Molnar', 1)").unwrap();
    for statement in [
        "INSERT INTO public.t VALUES ('Molnar', 1)",
        "INSERT INTO public.t VALUES ('Molnar2', 0)",
        "SELECT 'Molnar'::int",
        "SELECT 'Molnar'::date",
        "SELECT 'Molnar'::jsonb",
        "DO $$ BEGIN RAISE EXCEPTION 'Molnar'; END $$",
    ] {
        let error = conn.batch_execute(statement).unwrap_err();
        let fault = conn.fault(&error);
        let text = format!("{fault} {fault:?}");
        assert!(!text.contains("Molnar"), "{text}");
    }
    let mut copy = conn.copy_in("COPY public.t FROM STDIN").unwrap();
    std::io::Write::write_all(&mut copy, b"Szabo\tMolnar\n").unwrap();
    let error = copy.finish().unwrap_err();
    let fault = conn.fault(&error);
    let text = fault.to_string();
    assert!(text.contains("COPY t, line 1, column n") && !text.contains("Molnar"), "{text}");
}
