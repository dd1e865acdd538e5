//! What a pool hands out: sessions set up, living, and never one that may be spoilt.

use super::{my_server, options, replica, target};
use handoff_connect::{MyClient, MyPool, ServerFlavor, SessionProfile, Side};
use handoff_model::RunId;
use handoff_settings::{MySqlServer, Secret, TlsMode};
use handoff_testbed::{Bed, MariaDb, MySql9, ServerOptions, Trio};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Variables by name, lower case.
fn variables(conn: &mut MyClient) -> BTreeMap<String, String> {
    let rows: Vec<(String, String)> = conn.query("SHOW SESSION VARIABLES").unwrap();
    rows.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect()
}

#[track_caller]
fn check(conn: &mut MyClient, expected: &[(&str, &str)]) {
    let found = variables(conn);
    for &(name, value) in expected {
        assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
    }
}

const EVERY: [(&str, &str); 8] = [
    ("time_zone", "+00:00"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("collation_connection", "utf8mb4_bin"),
    ("net_write_timeout", "7200"),
    ("lock_wait_timeout", "60"),
    ("wait_timeout", "604800"),
    ("sql_select_limit", "18446744073709551615"),
];

#[test]
fn a_limit_that_the_server_sets_for_all_does_not_cut_a_read_short() {
    let (bed, server) = (Bed::shared(), MariaDb::start(&ServerOptions::default()).unwrap());
    let trio = Trio::on("select limit", bed.source(), server.endpoint(), bed.target());
    trio.sql_replica("SET GLOBAL sql_select_limit = 3");
    let mut conn = replica(&trio, RunId::new()).get(SessionProfile::Read).unwrap();
    let rows: Vec<u32> = conn.query("SELECT seq FROM seq_1_to_5").unwrap();
    assert_eq!(rows, [1, 2, 3, 4, 5]);
}

#[test]
fn a_session_is_set_up_for_its_profile() {
    let trio = Trio::new("profiles");
    trio.sql_replica(&format!(
        "CREATE USER hurried IDENTIFIED BY 'h' WITH MAX_STATEMENT_TIME 5; \
         GRANT ALL ON `{}`.* TO hurried",
        trio.replica_name()
    ));
    let hurried = MySqlServer {
        user: "hurried".into(),
        password: Secret::new("h"),
        ..my_server(&trio.replica_url())
    };
    let pool = MyPool::open(&hurried, Side::Replica, &options(RunId::new())).unwrap();
    assert_eq!(pool.version().flavor, ServerFlavor::MariaDb);

    let mut conn = pool.get(SessionProfile::Read).unwrap();
    check(&mut conn, &EVERY);
    let read = [
        ("sql_mode", ""),
        ("max_statement_time", "0.000000"),
        ("character_set_results", "utf8mb4"),
        ("foreign_key_checks", "ON"),
        ("unique_checks", "ON"),
        ("check_constraint_checks", "ON"),
        ("tx_isolation", "REPEATABLE-READ"),
    ];
    check(&mut conn, &read);
    let id = conn.connection_id();

    conn.set_profile(SessionProfile::Write).unwrap();
    let write = [
        ("sql_mode", "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"),
        ("foreign_key_checks", "OFF"),
        ("unique_checks", "OFF"),
        ("check_constraint_checks", "OFF"),
        ("tx_isolation", "READ-COMMITTED"),
    ];
    check(&mut conn, &write);
    drop(conn);

    let mut conn = pool.get(SessionProfile::RawRead).unwrap();
    assert_eq!(conn.connection_id(), id, "the same connection, set up anew");
    check(&mut conn, &[("character_set_results", ""), ("foreign_key_checks", "ON")]);
    conn.set_profile(SessionProfile::Read).unwrap();
    check(&mut conn, &read);
}

#[test]
fn mysql_9_is_set_up_too() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("not run, without MySQL 9: {error}");
            return;
        }
    };
    let endpoint = server.endpoint();
    endpoint.create_database("c").unwrap();
    let open = |server: &MySqlServer| {
        MyPool::open(server, Side::Source, &options(RunId::new())).unwrap_or_else(|f| panic!("{f}"))
    };

    // caching_sha2_password on a cold cache, in plain text: the driver asks for the server's key.
    endpoint.allow("c").unwrap();
    let mut plain = my_server(&endpoint.reader_url("c"));
    plain.tls.mode = TlsMode::Disable;
    open(&plain);

    let pool = open(&my_server(&endpoint.url("c")));
    assert_eq!(pool.version().flavor, ServerFlavor::MySql);
    let mut conn = pool.get(SessionProfile::Write).unwrap();
    check(&mut conn, &EVERY);
    let write = [
        ("sql_mode", "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"),
        ("information_schema_stats_expiry", "0"),
        ("max_execution_time", "0"),
        ("transaction_isolation", "READ-COMMITTED"),
    ];
    check(&mut conn, &write);
    let cipher: Option<(String, String)> =
        conn.query_first("SHOW STATUS LIKE 'Ssl_cipher'").unwrap();
    assert_ne!(cipher.unwrap().1, "", "prefer takes the TLS that the server offers");
}

#[test]
fn taking_a_connection_again_costs_no_round_trip() {
    let trio = Trio::new("round_trips");
    let pool = replica(&trio, RunId::new());
    let questions = || -> u64 {
        let mut conn = pool.get(SessionProfile::Read).unwrap();
        let row: Option<(String, u64)> =
            conn.query_first("SHOW SESSION STATUS LIKE 'Questions'").unwrap();
        row.unwrap().1
    };
    let before = questions();
    for _ in 0..10 {
        drop(pool.get(SessionProfile::Read).unwrap());
    }
    assert_eq!(questions(), before + 1, "only the asking itself");
    assert_eq!(pool.connection_ids().len(), 1, "connections are made when they are needed");
}

#[test]
fn a_connection_that_the_server_closed_is_not_handed_out() {
    let trio = Trio::new("stale");
    let pool = replica(&trio, RunId::new());
    let id = pool.get(SessionProfile::Read).unwrap().connection_id();
    trio.sql_replica(&format!("KILL {id}"));
    let mut conn = pool.get(SessionProfile::Read).unwrap();
    assert_ne!(conn.connection_id(), id);
    assert_eq!(conn.query_first::<u8, _>("SELECT 1").unwrap(), Some(1));

    let pool = target(&trio, RunId::new());
    let pid = |conn: &mut postgres::Client| -> i32 {
        conn.query_one("SELECT pg_backend_pid()", &[]).unwrap().get(0)
    };
    let first = pid(&mut pool.get().unwrap());
    assert_eq!(pid(&mut pool.get().unwrap()), first, "used again");
    trio.sql_target(&format!("SELECT pg_terminate_backend({first}, 5000)"));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_ne!(pid(&mut pool.get().unwrap()), first);
}

#[test]
fn a_connection_that_met_a_fault_is_not_handed_out() {
    let trio = Trio::new("spoilt");
    let pool = replica(&trio, RunId::new());
    let mut conn = pool.get(SessionProfile::Write).unwrap();
    let id = conn.connection_id();
    conn.query_drop("START TRANSACTION").unwrap();
    let error = conn.query_drop("SELECT * FROM nothing").unwrap_err();
    let fault = conn.fault(&error);
    assert_eq!(fault.code(), Some("1146"));
    drop(conn);
    assert_ne!(pool.get(SessionProfile::Write).unwrap().connection_id(), id);

    let (tell, told) = std::sync::mpsc::channel();
    let lost = std::thread::spawn({
        let pool = pool.clone();
        move || {
            let conn = pool.get(SessionProfile::Write).unwrap();
            tell.send(conn.connection_id()).unwrap();
            std::panic::resume_unwind(Box::new("in the middle of something"));
        }
    });
    assert!(lost.join().is_err());
    assert!(!pool.connection_ids().contains(&told.recv().unwrap()));
}

#[test]
fn a_wire_that_is_cut_ends_an_unread_result_at_once() {
    let trio = Trio::new("wire");
    let pool = replica(&trio, RunId::new());
    let mut conn = pool.get(SessionProfile::Read).unwrap();
    let wire = conn.wire().unwrap();
    let start = std::time::Instant::now();
    let sql = "SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000000";
    let mut rows = conn.rows(sql, &[]).unwrap();
    assert!(rows.each(|_| ControlFlow::Break(())).unwrap().is_break());
    wire.cut();
    drop(rows);
    conn.close();
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert_eq!(
        pool.get(SessionProfile::Read).unwrap().query_first::<u8, _>("SELECT 1").unwrap(),
        Some(1)
    );
}

#[test]
fn a_postgresql_session_is_set_up_and_named() {
    let trio = Trio::new("pg_session");
    trio.sql_target(&format!(
        "ALTER DATABASE \"{0}\" SET statement_timeout = '5s'; ALTER DATABASE \"{0}\" SET \"DateStyle\" = 'German'",
        trio.target_name()
    ));
    let run = RunId::new();
    let pool = target(&trio, run);
    assert!(pool.version_num() >= 130_000);
    let mut conn = pool.get().unwrap();
    let row = conn
        .query_one(
            "SELECT current_setting('statement_timeout'), current_setting('DateStyle'), \
             current_setting('TimeZone'), current_setting('application_name')",
            &[],
        )
        .unwrap();
    let found: Vec<String> = (0..4).map(|index| row.get(index)).collect();
    assert_eq!(found, ["0", "ISO, YMD", "UTC", &format!("handoff {run}")]);
}
