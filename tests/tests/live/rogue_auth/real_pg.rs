//! A real PostgreSQL still lets us in, near and far.

use super::remote::forward;
use super::{fingerprint_in, sign_in_pg, tls};
use crate::certificates::{Certificates, install};
use handoff_connect::{Fault, PeerTrust, PgPool};
use handoff_settings::{PgServer, RequireAuth, Secret, TlsMode, TlsSettings};
use handoff_testbed::{Postgres, ServerOptions};

/// The roles, and the method by which each is let in.
const ROLES: [(&str, &str); 4] =
    [("r_scram", "scram-sha-256"), ("r_md5", "md5"), ("r_clear", "password"), ("r_open", "trust")];

fn prepare(server: &Postgres) {
    let mut admin = server.endpoint().admin().unwrap();
    let mut lines = Vec::new();
    for (role, method) in ROLES {
        let encryption = if method == "md5" { "md5" } else { "scram-sha-256" };
        admin
            .batch_execute(&format!(
                "SET password_encryption = '{encryption}'; CREATE ROLE {role} LOGIN PASSWORD 'pass \
                 word'"
            ))
            .unwrap();
        lines.push(format!("SELECT 'host all {role} all {method}'"));
    }
    let lines = lines.join(" UNION ALL ");
    admin
        .batch_execute(&format!(
            "COPY ({lines}) TO PROGRAM 'cat - pg_hba.conf > new_hba && mv new_hba pg_hba.conf'; \
             SELECT pg_reload_conf(), pg_sleep(0.3)"
        ))
        .unwrap();
}

fn visitor(server: &PgServer, role: &str, tls: TlsSettings) -> PgServer {
    PgServer { user: role.into(), password: Secret::new("pass word"), tls, ..server.clone() }
}

#[track_caller]
fn lets_in(server: &PgServer) -> PgPool {
    let pool = sign_in_pg(server).unwrap_or_else(|fault| panic!("{fault}"));
    let mut conn = pool.get().unwrap();
    let one: i32 = conn.query_one("SELECT 1", &[]).unwrap().get(0);
    assert_eq!(one, 1);
    pool.cancel(&conn.cancel_token()).unwrap();
    drop(conn);
    pool
}

#[track_caller]
fn refused(server: &PgServer, says: &str) -> Fault {
    match sign_in_pg(server) {
        Ok(_) => panic!("{server:?} was let in"),
        Err(fault) => {
            assert!(fault.message().contains(says), "{fault}");
            fault
        }
    }
}

#[test]
fn postgresql_signs_us_in_by_every_method_where_that_is_safe() {
    let server = Postgres::start(&ServerOptions::default()).unwrap();
    prepare(&server);
    let near = PgServer::from_url(&server.endpoint().url("postgres")).unwrap();
    let door = forward(near.port);
    let far = PgServer { host: door.ip().to_string(), port: door.port(), ..near.clone() };

    // Without TLS at the server.
    for (role, _) in ROLES {
        lets_in(&visitor(&near, role, TlsSettings::default()));
    }
    for role in ["r_scram", "r_open"] {
        let pool = lets_in(&visitor(&far, role, TlsSettings::default()));
        assert_eq!(pool.protection().peer, PeerTrust::Unverified);
    }
    refused(&visitor(&far, "r_md5", TlsSettings::default()), "as an MD5 hash");
    refused(&visitor(&far, "r_clear", TlsSettings::default()), "in plain text");
    let plus = |server: PgServer| PgServer { require_auth: RequireAuth::ScramPlus, ..server };
    refused(&plus(visitor(&near, "r_scram", TlsSettings::default())), "does not bind");

    // With a certificate that nobody knows.
    let certificates = Certificates::new();
    install(&server, &certificates, 2090);
    for (role, _) in ROLES {
        assert!(lets_in(&visitor(&near, role, TlsSettings::default())).protection().encrypted);
    }
    lets_in(&visitor(&far, "r_scram", TlsSettings::default()));
    let fault = refused(&visitor(&far, "r_clear", TlsSettings::default()), "nobody vouches for");
    refused(&visitor(&far, "r_md5", tls(TlsMode::Require)), "as an MD5 hash");
    let pinned = TlsSettings {
        fingerprint: Some(fingerprint_in(fault.message())),
        ..TlsSettings::default()
    };
    let signed = TlsSettings { ca: Some(certificates.file("ca.pem")), ..tls(TlsMode::VerifyCa) };
    for tls in [pinned, signed] {
        for (role, _) in ROLES {
            let pool = lets_in(&visitor(&far, role, tls.clone()));
            assert_eq!(pool.protection().peer, PeerTrust::Verified);
        }
    }
    lets_in(&plus(visitor(&far, "r_scram", TlsSettings::default())));
    refused(&plus(visitor(&far, "r_open", TlsSettings::default())), "without showing");
    let scram = |server: PgServer| PgServer { require_auth: RequireAuth::Scram, ..server };
    lets_in(&scram(visitor(&far, "r_scram", tls(TlsMode::Disable))));
    refused(&scram(visitor(&near, "r_clear", TlsSettings::default())), "require_auth");
}
