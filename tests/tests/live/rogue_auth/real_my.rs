//! Real MySQL and MariaDB servers still let us in, near and far.

use super::remote::forward;
use super::{fingerprint_in, sign_in_my, tls};
use crate::certificates::Certificates;
use crate::etl::{Done, Etl};
use handoff_connect::{Fault, MyPool, PeerTrust, SessionProfile};
use handoff_settings::{MySqlServer, Secret, TlsMode, TlsSettings};
use handoff_testbed::{MariaDb, MySql9, MySqlEndpoint, ServerOptions};
use mysql::prelude::Queryable;

const NEAR: &str = "127.0.0.1";

/// A server, reached under its own address and as if it stood far away.
struct World {
    near: MySqlServer,
    far: MySqlServer,
    admin: mysql::Conn,
}

impl World {
    fn of(endpoint: &MySqlEndpoint) -> World {
        let near = MySqlServer::from_url(&endpoint.url("information_schema")).unwrap();
        let door = forward(near.port);
        let far = MySqlServer { host: door.ip().to_string(), port: door.port(), ..near.clone() };
        World { near, far, admin: endpoint.admin().unwrap() }
    }

    /// Makes an account anew, so that the server has forgotten its password.
    fn account(&mut self, by: &str) {
        self.admin.query_drop("DROP USER IF EXISTS visitor").unwrap();
        self.admin.query_drop(format!("CREATE USER visitor IDENTIFIED {by}")).unwrap();
    }
}

fn visitor(server: &MySqlServer, tls: TlsSettings) -> MySqlServer {
    MySqlServer {
        user: "visitor".into(),
        password: Secret::new("pass word"),
        tls,
        ..server.clone()
    }
}

#[track_caller]
fn lets_in(server: &MySqlServer) -> MyPool {
    let pool = sign_in_my(server).unwrap_or_else(|fault| panic!("{fault}"));
    let one: Option<u8> = pool.get(SessionProfile::Read).unwrap().query_first("SELECT 1").unwrap();
    assert_eq!(one, Some(1));
    pool
}

#[track_caller]
fn refused(server: &MySqlServer) -> Fault {
    match sign_in_my(server) {
        Ok(_) => panic!("{server:?} was let in"),
        Err(fault) => fault,
    }
}

#[test]
fn mysql_9_signs_us_in_with_a_cold_cache() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(handoff_testbed::TestbedError::NotAvailable(why)) => {
            eprintln!("not run, without MySQL 9: {why}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let mut world = World::of(server.endpoint());
    let by = "WITH caching_sha2_password BY 'pass word'";
    // On this machine everything goes, as it does after apt install.
    for mode in [TlsMode::Prefer, TlsMode::Require, TlsMode::Disable] {
        world.account(by);
        let pool = lets_in(&visitor(&world.near, tls(mode)));
        assert_eq!(pool.protection().peer, PeerTrust::Local);
        assert_eq!(pool.protection().encrypted, mode != TlsMode::Disable);
    }
    let socket: Option<(String, String)> =
        world.admin.query_first("SELECT @@datadir, @@socket").unwrap();
    let (folder, socket) = socket.unwrap();
    let socket = std::path::Path::new(&folder).join(socket).display().to_string();
    world.account(by);
    lets_in(&visitor(&MySqlServer { host: socket, ..world.near.clone() }, tls(TlsMode::Require)));

    // Far away the password is asked for until the server has it in its cache.
    world.account(by);
    let fault = refused(&visitor(&world.far, TlsSettings::default()));
    let pinned = TlsSettings {
        fingerprint: Some(fingerprint_in(fault.message())),
        ..TlsSettings::default()
    };
    let plain = refused(&visitor(&world.far, tls(TlsMode::Disable)));
    assert!(plain.message().contains("server_public_key = "), "{plain}");
    let pool = lets_in(&visitor(&world.far, pinned));
    assert_eq!(pool.protection().peer, PeerTrust::Verified);
    for mode in [TlsMode::Prefer, TlsMode::Require, TlsMode::Disable] {
        let pool = lets_in(&visitor(&world.far, tls(mode)));
        assert_eq!(pool.protection().peer, PeerTrust::Unverified);
    }

    // In plain text the server's key will do.
    world.account(by);
    let key: Option<(String, String)> =
        world.admin.query_first("SHOW STATUS LIKE 'Caching_sha2_password_rsa_public_key'").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, key.unwrap().1).unwrap();
    let keyed = visitor(&world.far, tls(TlsMode::Disable));
    lets_in(&MySqlServer { public_key: Some(file), ..keyed });
    let wrong = visitor(&world.near, TlsSettings::default());
    let wrong = MySqlServer { password: Secret::new("guess"), ..wrong };
    assert!(refused(&wrong).message().contains("check the user"));
}

#[test]
fn mariadb_signs_us_in_by_ed25519_and_by_what_it_has_always_had() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let mut world = World::of(server.endpoint());
    world.admin.query_drop("INSTALL SONAME 'auth_ed25519'").unwrap();
    for by in ["VIA ed25519 USING PASSWORD('pass word')", "BY 'pass word'"] {
        world.account(by);
        for mode in [TlsMode::Prefer, TlsMode::Disable] {
            lets_in(&visitor(&world.near, tls(mode)));
            lets_in(&visitor(&world.far, tls(mode)));
        }
        let wrong = visitor(&world.far, TlsSettings::default());
        let wrong = MySqlServer { password: Secret::new("guess"), ..wrong };
        assert!(refused(&wrong).message().contains("check the user"), "{by}");
    }
    assert_eq!(world.near.host, NEAR);
}

/// Runs `etl` with the visitor's password.
fn run(etl: &Etl, arguments: &[&str]) -> Done {
    Done::from(etl.command(arguments).env("SOURCE_PASSWORD", "pass word").output().unwrap())
}

#[test]
fn init_pins_the_certificate_that_it_met_and_check_misses_it_when_it_changes() {
    let certificates = Certificates::new();
    certificates.write(2090);
    let server = MariaDb::start(&certificates.arguments()).unwrap();
    let mut world = World::of(server.endpoint());
    world.account("BY 'pass word'");
    for sql in ["CREATE DATABASE app", "CREATE TABLE app.t (id INT PRIMARY KEY)"] {
        world.admin.query_drop(sql).unwrap();
    }
    world.admin.query_drop("GRANT SELECT ON app.* TO visitor").unwrap();
    let url = |server: &MySqlServer| {
        MySqlServer { database: "app".into(), ..visitor(server, TlsSettings::default()) }.url()
    };
    let etl = Etl::with("");
    let near = run(&etl, &["init", &url(&world.near), "--quick", "--force"]);
    assert_eq!(near.code, Some(0), "{}", near.stderr);
    let file = || std::fs::read_to_string(etl.folder().join("handoff.toml")).unwrap();
    assert!(!file().contains("tls_fingerprint"), "{}", file());

    let met = run(&etl, &["init", &url(&world.far), "--quick", "--force"]);
    assert_eq!(met.code, Some(0), "{}", met.stderr);
    assert!(met.stdout.contains("not verified; handoff.toml pins it"), "{}", met.stdout);
    let pinned = fingerprint_in(&file());
    let known = run(&etl, &["check"]);
    assert!(known.stdout.contains("certificate pinned"), "{}", known.stdout);
    let given = ["--source-fingerprint", &pinned.to_string()];
    let given =
        run(&etl, &[&["init", &url(&world.far), "--quick", "--force"], &given[..]].concat());
    assert_eq!(given.code, Some(0), "{}", given.stderr);
    assert!(file().contains("as given"), "{}", file());

    certificates.write(2091);
    world.admin.query_drop("FLUSH SSL").unwrap();
    let other = run(&etl, &["check"]);
    let says = "is not the one that tls_fingerprint in [source] names";
    assert!(other.stdout.contains(says), "{}", other.stdout);
    assert_ne!(fingerprint_in(&other.stdout), pinned);
}
