//! COPY OUT: the rows of a table come whole, over every kind of line and sign-in, and what ends them
//! early is told.

use super::{options, pg_server, target};
use crate::certificates::{Certificates, install};
use handoff_connect::{Fault, PgConn, PgPool, Side};
use handoff_model::{CancelToken, RunId};
use handoff_rows::tuples;
use handoff_settings::{PgServer, Secret, TlsMode};
use handoff_testbed::{Postgres, ServerOptions, Trio};
use std::fs;
use std::io::{self, BufRead};
use std::os::unix::fs::PermissionsExt;

/// What came of a COPY.
#[derive(Debug, PartialEq, Eq)]
struct Copied {
    rows: u64,
    bytes: u64,
    /// In how many pieces the driver handed it out.
    pieces: u64,
}

/// Counts the pieces that a reader hands out.
struct Counted<R> {
    reader: R,
    pieces: u64,
}

impl<R: BufRead> io::Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.pieces += 1;
        self.reader.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }
}

fn copy(conn: &mut PgConn, select: &str, mut each: impl FnMut(u64)) -> Result<Copied, Fault> {
    let sql = format!("COPY ({select}) TO STDOUT (FORMAT binary)");
    let mut copied = Copied { rows: 0, bytes: 0, pieces: 0 };
    let read = conn.copy_out(&sql).map_err(io::Error::other).and_then(|reader| {
        let mut counted = Counted { reader, pieces: 0 };
        let rows = tuples(&mut counted, |tuple| {
            copied.rows += 1;
            copied.bytes += tuple.len() as u64;
            each(copied.rows);
        })?;
        assert_eq!(rows, copied.rows);
        copied.pieces = counted.pieces;
        Ok(())
    });
    match read {
        Ok(()) => Ok(copied),
        Err(error) => Err(match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(error) => conn.fault(error),
            None => Fault::new(Side::Target, error.to_string()),
        }),
    }
}

const NUMBERS: &str = "SELECT x, 'row ' || x FROM generate_series(1, 100000) x";

/// Not in FROM, where the server would write all of them to a file first.
const LONG: &str = "SELECT generate_series(1, 100000000)";

/// Two bytes of count, four of length for each of two fields, the number, and the text.
const NUMBERS_BYTES: u64 =
    100_000 * (2 + 4 + 4 + 4 + 4) + 9 + 90 * 2 + 900 * 3 + 9_000 * 4 + 90_000 * 5 + 6;

/// Copies tables of every shape, one after the other over one session.
fn check(server: &PgServer, encrypted: bool) -> Copied {
    let pool = PgPool::open(server, &options(RunId::new())).unwrap();
    let mut conn = pool.get().unwrap();
    let session = "SELECT pg_backend_pid(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let row = conn.query_one(session, &[]).unwrap();
    assert_eq!(row.get::<_, bool>(1), encrypted);
    let numbers = copy(&mut conn, NUMBERS, |_| {}).unwrap();
    assert_eq!((numbers.rows, numbers.bytes), (100_000, NUMBERS_BYTES));
    let empty = copy(&mut conn, "SELECT 1 WHERE false", |_| {}).unwrap();
    assert_eq!((empty.rows, empty.bytes), (0, 0));
    let none = copy(&mut conn, "SELECT FROM generate_series(1, 5000)", |_| {}).unwrap();
    assert_eq!((none.rows, none.bytes), (5000, 10_000));
    let wide = "SELECT repeat('x', n) FROM (VALUES (3000000), (1), (8180), (1200000), (0)) v(n)";
    let wide = copy(&mut conn, wide, |_| {}).unwrap();
    assert_eq!((wide.rows, wide.bytes), (5, 3_000_000 + 1 + 8180 + 1_200_000 + 5 * 6));
    drop(conn);
    let mut again = pool.get().unwrap();
    assert_eq!(again.query_one(session, &[]).unwrap().get::<_, i32>(0), row.get::<_, i32>(0));
    numbers
}

/// Makes an account for each way of signing in, and a rule that demands it.
fn accounts(server: &Postgres) -> Vec<(&'static str, Secret)> {
    let mut admin = server.admin().unwrap();
    let mut rules = String::new();
    let mut accounts = Vec::new();
    for method in ["trust", "md5", "scram-sha-256", "password"] {
        let kept = if method == "md5" { "md5" } else { "scram-sha-256" };
        admin
            .batch_execute(&format!(
                "SET password_encryption = '{kept}'; CREATE ROLE \"{method}\" LOGIN PASSWORD 'secret'"
            ))
            .unwrap();
        rules.push_str(&format!(
            "local all \"{method}\" {method}\nhost all \"{method}\" all {method}\n"
        ));
        accounts.push((method, Secret::new(if method == "trust" { "" } else { "secret" })));
    }
    let hba: String = admin.query_one("SHOW hba_file", &[]).unwrap().get(0);
    let others = fs::read_to_string(&hba).unwrap();
    fs::write(&hba, format!("{rules}{others}")).unwrap();
    admin.batch_execute("SELECT pg_reload_conf(), pg_sleep(0.3)").unwrap();
    accounts
}

#[test]
fn rows_come_whole_over_every_line_and_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().to_str().unwrap().to_owned();
    // The server runs as another user.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let setting = format!("unix_socket_directories={socket}");
    let arguments = vec!["-c".into(), setting];
    let server = Postgres::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap();
    let base = pg_server(&server.endpoint().url("postgres"));
    let with = |mode, host: &str, (user, password): &(&str, Secret)| {
        let mut server = PgServer {
            host: host.into(),
            user: (*user).into(),
            password: password.clone(),
            ..base.clone()
        };
        server.tls.mode = mode;
        server
    };
    let accounts = accounts(&server);
    for account in &accounts {
        check(&with(TlsMode::Prefer, &socket, account), false);
        for mode in [TlsMode::Disable, TlsMode::Prefer] {
            let copied = check(&with(mode, "127.0.0.1", account), false);
            assert!(copied.pieces < copied.rows / 20, "{} in plain text, {copied:?}", account.0);
        }
    }
    let refused =
        PgPool::open(&with(TlsMode::Require, "127.0.0.1", &accounts[0]), &options(RunId::new()));
    assert!(refused.is_err(), "no TLS is there, and it is required");
    let certificates = Certificates::new();
    install(&server, &certificates, 2090);
    for account in &accounts {
        for mode in [TlsMode::Prefer, TlsMode::Require] {
            let copied = check(&with(mode, "127.0.0.1", account), true);
            assert!(copied.pieces < copied.rows / 20, "{} encrypted, {copied:?}", account.0);
        }
    }
}

#[test]
fn an_error_in_the_middle_is_told_without_the_row() {
    let trio = Trio::new("copy_error");
    let pool = target(&trio, RunId::new());
    let mut conn = pool.get().unwrap();
    let mut seen = 0;
    let select = "SELECT 1 / (x - 5000) FROM generate_series(1, 10000) x";
    let fault = copy(&mut conn, select, |row| seen = row).unwrap_err();
    assert_eq!(fault.code(), Some("22012"), "{fault}");
    assert!(seen <= 4999, "{seen} rows");
    drop(conn);
    let select =
        "SELECT CASE WHEN x = 5000 THEN 'Molnar' ELSE '1' END::int FROM generate_series(1, 9999) x";
    let fault = copy(&mut pool.get().unwrap(), select, |_| {}).unwrap_err();
    assert_eq!(fault.code(), Some("22P02"), "{fault}");
    assert!(!format!("{fault} {fault:?}").contains("Molnar"), "{fault}");
    assert_eq!(copy(&mut pool.get().unwrap(), NUMBERS, |_| {}).unwrap().rows, 100_000);
}

#[test]
fn a_request_to_stop_ends_a_copy() {
    let trio = Trio::new("copy_cancel");
    let pool = target(&trio, RunId::new());
    let mut conn = pool.get().unwrap();
    let cancel = CancelToken::new();
    let guard = pool.cancel_guard(&conn, &cancel);
    let stop = |row| {
        if row == 1000 {
            cancel.cancel();
        }
    };
    let fault = copy(&mut conn, LONG, stop).unwrap_err();
    drop(guard);
    assert!(fault.is_cancelled(), "{fault}");
    drop(conn);
    assert_eq!(copy(&mut pool.get().unwrap(), NUMBERS, |_| {}).unwrap().rows, 100_000);
}

#[test]
fn a_server_that_dies_in_a_copy_is_told() {
    let server = Postgres::start(&ServerOptions::default()).unwrap();
    let url = server.endpoint().url("postgres");
    let pool = PgPool::open(&pg_server(&url), &options(RunId::new())).unwrap();
    let mut conn = pool.get().unwrap();
    let kill = |row| {
        if row == 1000 {
            server.kill9();
        }
    };
    let fault = copy(&mut conn, LONG, kill).unwrap_err();
    assert!(fault.is_disconnect(), "{fault}");
}
