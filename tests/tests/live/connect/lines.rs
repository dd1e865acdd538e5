//! Connections under TLS do what plain ones do.

use super::{my_server, options};
use crate::certificates::Certificates;
use handoff_connect::{MyPool, SessionProfile, Side};
use handoff_model::RunId;
use handoff_settings::{MySqlServer, TlsMode};
use handoff_testbed::MariaDb;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

fn pool(server: &MySqlServer, mode: TlsMode) -> MyPool {
    let mut server = server.clone();
    server.tls.mode = mode;
    MyPool::open(&server, Side::Replica, &options(RunId::new())).unwrap()
}

/// Reads a statement's rows as packets.
fn packets(pool: &MyPool, sql: &str) -> Vec<Vec<u8>> {
    let mut conn = pool.get(SessionProfile::Read).unwrap();
    let mut found = Vec::new();
    let mut rows = conn.rows(sql, &[]).unwrap();
    let done = rows.each_packet(|packet| {
        found.push(packet.bytes().to_vec());
        ControlFlow::<()>::Continue(())
    });
    assert!(done.unwrap().is_continue());
    found
}

#[test]
fn under_tls_rows_files_and_cuts_are_those_of_plain_text() {
    let certificates = Certificates::new();
    certificates.write(2090);
    let mut arguments = certificates.arguments();
    arguments.arguments.push("--max-allowed-packet=64M".to_owned());
    let server = MariaDb::start(&arguments).unwrap();
    server.endpoint().create_database("lines").unwrap();
    let place = my_server(&server.endpoint().url("lines"));
    let (plain, tls) = (pool(&place, TlsMode::Disable), pool(&place, TlsMode::Require));
    assert!(tls.protection().encrypted && !plain.protection().encrypted);

    // A file of many packets, and rows that are longer than one.
    let mut writer = tls.get(SessionProfile::Write).unwrap();
    writer.query_drop("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(100))").unwrap();
    let load = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t CHARACTER SET binary (id, a)";
    let loaded = writer.load_local(load, |file| {
        (0..200_000).try_for_each(|id| writeln!(file, "{id}\t{}", "x".repeat(id % 90)))
    });
    assert_eq!(loaded.unwrap().rows, 200_000);
    drop(writer);
    for sql in
        ["SELECT * FROM t", "SELECT 1, repeat('long', 10000000), 2 UNION ALL SELECT 2, 'short', 3"]
    {
        assert!(packets(&tls, sql) == packets(&plain, sql), "{sql}");
    }

    // A cut ends the session at the server, in the middle of its rows.
    let mut conn = tls.get(SessionProfile::Read).unwrap();
    let id = conn.connection_id();
    let wire = conn.wire().unwrap();
    let mut rows = conn.rows("SELECT a.* FROM t a, t b", &[]).unwrap();
    assert!(rows.each(|_| ControlFlow::Break(())).unwrap().is_break());
    wire.cut();
    drop(rows);
    drop(conn);
    let mut admin = plain.get(SessionProfile::Read).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while admin
        .exec_first::<u32, _, _>(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE ID = ?",
            (id,),
        )
        .unwrap()
        .is_some()
    {
        assert!(Instant::now() < until, "the session is still there");
        std::thread::sleep(Duration::from_millis(20));
    }

    // A session that the server ended is not handed out again.
    let ended = tls.get(SessionProfile::Read).unwrap().connection_id();
    admin.query_drop(format!("KILL {ended}")).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let mut next = tls.get(SessionProfile::Read).unwrap();
    assert_ne!(next.connection_id(), ended);
    assert_eq!(next.query_first::<u8, _>("SELECT 1").unwrap(), Some(1));
}
