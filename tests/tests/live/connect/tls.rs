//! TLS in every mode, on both sides, with certificates made here.

use super::{my_server, options, pg_server};
use handoff_connect::{Fault, MyPool, PgPool, Profile, Side};
use handoff_model::RunId;
use handoff_settings::{MySqlServer, PgServer, TlsMode};
use handoff_testbed::{MariaDb, MySql9, MySqlEndpoint, Postgres, ServerOptions};
use mysql::prelude::Queryable;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An authority and what it signs, for 127.0.0.1 and no other name.
struct Certificates {
    folder: TempDir,
    authority: Issuer<'static, KeyPair>,
    key: KeyPair,
}

impl Certificates {
    fn new() -> Certificates {
        let folder = tempfile::tempdir().unwrap();
        // The servers run as other users.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (authority, pem) = authority("ours");
        fs::write(folder.path().join("ca.pem"), pem).unwrap();
        fs::write(folder.path().join("other.pem"), self::authority("other").1).unwrap();
        Certificates { folder, authority, key: KeyPair::generate().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn certificate(&self, until: i32) -> String {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.signed_by(&self.key, &self.authority).unwrap().pem()
    }

    /// Writes what the server presents from its next reload on.
    fn write(&self, until: i32) {
        fs::write(self.file("server.pem"), self.certificate(until)).unwrap();
        fs::write(self.file("server.key"), self.key.serialize_pem()).unwrap();
    }
}

fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

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
        case(VerifyCa, None, "127.0.0.1", Err("is signed by none of the public authorities")),
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
    let row: Option<(String, String)> =
        pool.get(Profile::Read)?.query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'").unwrap();
    Ok(!row.unwrap().1.is_empty())
}

fn arguments(certificates: &Certificates) -> ServerOptions {
    let named = |option, file| format!("--{option}={}", certificates.file(file).display());
    let arguments = vec![named("ssl-cert", "server.pem"), named("ssl-key", "server.key")];
    ServerOptions { arguments, ..ServerOptions::default() }
}

#[test]
fn tls_towards_mariadb() {
    let certificates = Certificates::new();
    certificates.write(2090);
    let server = MariaDb::start(&arguments(&certificates)).unwrap();
    let connect = |mode, ca, host: &str| mysql(server.endpoint(), mode, ca, host);
    check(&good(), certificates.folder.path(), connect);
    certificates.write(2021);
    server.endpoint().admin().unwrap().query_drop("FLUSH SSL").unwrap();
    check(&expired(), certificates.folder.path(), connect);
}

#[test]
fn tls_towards_mysql_9() {
    let certificates = Certificates::new();
    certificates.write(2090);
    let server = match MySql9::start(&arguments(&certificates)) {
        Ok(server) => server,
        Err(handoff_testbed::Error::NotAvailable(why)) => {
            eprintln!("not run, without MySQL 9: {why}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let connect = |mode, ca, host: &str| mysql(server.endpoint(), mode, ca, host);
    check(&good(), certificates.folder.path(), connect);
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

/// Has the server write its own certificate and key, so that the key is its user's alone.
fn install(server: &Postgres, certificates: &Certificates, until: i32) {
    let mut admin = server.endpoint().admin().unwrap();
    certificates.write(until);
    for file in ["server.pem", "server.key"] {
        let text = fs::read_to_string(certificates.file(file)).unwrap();
        admin
            .batch_execute(&format!(
                "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) \
                 TO PROGRAM 'umask 077; cat > {file}'"
            ))
            .unwrap();
    }
    for setting in ["ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.key'", "ssl = on"] {
        admin.batch_execute(&format!("ALTER SYSTEM SET {setting}")).unwrap();
    }
    admin.batch_execute("SELECT pg_reload_conf(), pg_sleep(0.3)").unwrap();
}

#[test]
fn tls_towards_postgresql() {
    let certificates = Certificates::new();
    let server = Postgres::start(&ServerOptions::default()).unwrap();
    let connect = |mode, ca, host: &str| postgres(&server, mode, ca, host);
    install(&server, &certificates, 2090);
    check(&good(), certificates.folder.path(), connect);
    install(&server, &certificates, 2021);
    check(&expired(), certificates.folder.path(), connect);
}
