//! TLS in every mode, on both sides, with certificates made here.

use super::{my_server, options, pg_server};
use crate::certificates::{Certificates, install};
use handoff_connect::{Fault, MyPool, PgPool, SessionProfile, Side};
use handoff_model::RunId;
use handoff_settings::{MySqlServer, PgServer, TlsMode};
use handoff_testbed::{MariaDb, MySql9, MySqlEndpoint, Postgres, ServerOptions};
use mysql::prelude::Queryable;
use std::path::{Path, PathBuf};

/// A way of connecting and what comes of it: `Ok` says whether the session is encrypted.
struct Case {
    mode: TlsMode,
    ca: Option<&'static str>,
    host: &'static str,
    expected: Result<bool, &'static str>,
}

fn case(
    mode: TlsMode,
    ca: impl Into<Option<&'static str>>,
    host: &'static str,
    expected: Result<bool, &'static str>,
) -> Case {
    Case { mode, ca: ca.into(), host, expected }
}

fn good() -> Vec<Case> {
    use TlsMode::{Disable, Prefer, Require, VerifyCa, VerifyFull};
    vec![
        case(Disable, None, "127.0.0.1", Ok(false)),
        case(Prefer, None, "localhost", Ok(true)),
        case(Require, None, "localhost", Ok(true)),
        case(VerifyCa, "ca.pem", "localhost", Ok(true)),
        case(VerifyCa, "other.pem", "127.0.0.1", Err("is signed by none of the authorities in ")),
        case(VerifyCa, None, "127.0.0.1", Err("takes a certificate for any name")),
        case(VerifyFull, None, "127.0.0.1", Err("is signed by none of the public authorities")),
        case(VerifyCa, "server.key", "127.0.0.1", Err("holds no certificate")),
        case(VerifyCa, "missing.pem", "127.0.0.1", Err("cannot be read")),
        case(VerifyFull, "ca.pem", "127.0.0.1", Ok(true)),
        case(VerifyFull, "ca.pem", "localhost", Err("is not made out to localhost")),
    ]
}

fn expired() -> Vec<Case> {
    vec![
        case(TlsMode::Require, None, "127.0.0.1", Ok(true)),
        case(TlsMode::VerifyCa, "ca.pem", "127.0.0.1", Err("has expired")),
        case(TlsMode::VerifyFull, "ca.pem", "127.0.0.1", Err("has expired")),
    ]
}

fn check(
    cases: &[Case],
    folder: &Path,
    connect: impl Fn(TlsMode, Option<PathBuf>, &str) -> Result<bool, Fault>,
) {
    for Case { mode, ca, host, expected } in cases {
        let found = connect(*mode, ca.map(|ca| folder.join(ca)), host);
        let what = format!("{mode:?}, {ca:?}, {host}: {found:?}");
        match (found, expected) {
            (Ok(encrypted), Ok(expected)) => assert_eq!(encrypted, *expected, "{what}"),
            (Err(fault), Err(expected)) => {
                assert!(fault.to_string().contains(expected), "{what}");
                assert!(!fault.is_transient(), "{what}");
            }
            _ => panic!("{what}"),
        }
    }
}

fn mysql(
    endpoint: &MySqlEndpoint,
    mode: TlsMode,
    ca: Option<PathBuf>,
    host: &str,
) -> Result<bool, Fault> {
    let mut server = MySqlServer { host: host.into(), ..my_server(&endpoint.url("mysql")) };
    server.tls.mode = mode;
    server.tls.ca = ca;
    let pool = MyPool::open(&server, Side::Source, &options(RunId::new()))?;
    let row: Option<(String, String)> = pool
        .get(SessionProfile::Read)?
        .query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        .unwrap();
    Ok(!row.unwrap().1.is_empty())
}

#[test]
fn tls_towards_mariadb() {
    let certificates = Certificates::new();
    certificates.write(2090);
    let server = MariaDb::start(&certificates.arguments()).unwrap();
    let connect = |mode, ca, host: &str| mysql(server.endpoint(), mode, ca, host);
    check(&good(), certificates.folder(), connect);
    certificates.write(2021);
    server.endpoint().admin().unwrap().query_drop("FLUSH SSL").unwrap();
    check(&expired(), certificates.folder(), connect);
}

#[test]
fn tls_towards_mysql_9() {
    let certificates = Certificates::new();
    certificates.write(2090);
    let server = match MySql9::start(&certificates.arguments()) {
        Ok(server) => server,
        Err(handoff_testbed::TestbedError::NotAvailable(why)) => {
            eprintln!("not run, without MySQL 9: {why}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let connect = |mode, ca, host: &str| mysql(server.endpoint(), mode, ca, host);
    check(&good(), certificates.folder(), connect);
    // An expired certificate MySQL 9 itself refuses to present.
}

fn postgres(
    server: &Postgres,
    mode: TlsMode,
    ca: Option<PathBuf>,
    host: &str,
) -> Result<bool, Fault> {
    let mut server =
        PgServer { host: host.into(), ..pg_server(&server.endpoint().url("postgres")) };
    server.tls.mode = mode;
    server.tls.ca = ca;
    let pool = PgPool::open(&server, &options(RunId::new()))?;
    let mut conn = pool.get()?;
    let row = conn.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]);
    // A cancel request goes over TLS too.
    pool.cancel(&conn.cancel_token())?;
    Ok(row.unwrap().get(0))
}

#[test]
fn tls_towards_postgresql() {
    let certificates = Certificates::new();
    let server = Postgres::start(&ServerOptions::default()).unwrap();
    let connect = |mode, ca, host: &str| postgres(&server, mode, ca, host);
    install(&server, &certificates, 2090);
    check(&good(), certificates.folder(), connect);
    install(&server, &certificates, 2021);
    check(&expired(), certificates.folder(), connect);
}
