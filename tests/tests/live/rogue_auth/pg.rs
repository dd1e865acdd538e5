//! Rogue PostgreSQL servers.

use super::pg_rogue::{Question, Rogue};
use super::remote::{SelfSigned, address, holds};
use super::{PASSWORD, fingerprint_in, sign_in_pg, unverified, verified};
use crate::certificates::Certificates;
use handoff_connect::Fault;
use handoff_settings::{PgServer, RequireAuth, Secret, TlsMode, TlsSettings};
use std::net::IpAddr;

/// Every question that is after the password, and what the refusal says.
const QUESTIONS: [(Question, &str); 5] = [
    (Question::Clear, "asks for the password of etl itself"),
    (Question::Md5, "as an MD5 hash"),
    (Question::ScramThenClear, "asks for the password of etl itself"),
    (Question::Scram("1"), "in 1 rounds"),
    (Question::Scram("4000000000"), "in 4000000000 rounds"),
];

fn server(rogue: &Rogue, tls: &TlsSettings) -> PgServer {
    let url = format!("postgres://etl@{}/olap", rogue.address);
    PgServer {
        password: Secret::new(PASSWORD),
        tls: tls.clone(),
        ..PgServer::from_url(&url).unwrap()
    }
}

fn refusal(server: &PgServer) -> Fault {
    match sign_in_pg(server) {
        Ok(_) => panic!("{server:?} was believed"),
        Err(fault) => fault,
    }
}

/// The hash that `etl` would answer to the salt of [`Question::Md5`].
fn is_md5(answer: &[u8]) -> bool {
    holds(answer, "md5")
}

#[test]
fn no_password_leaves_for_a_postgresql_server_that_nobody_vouches_for() {
    for certificate in [None, Some(SelfSigned::new())] {
        for (question, says) in QUESTIONS {
            let rogue = Rogue::start(address(), question, certificate.clone());
            for tls in unverified() {
                let what = format!("{question:?} {tls:?} {}", certificate.is_some());
                let fault = refusal(&server(&rogue, &tls));
                assert!(!fault.is_transient(), "{what}: {fault}");
                assert_eq!(rogue.answers.take(), b"", "{what}: {fault}");
                assert!(!holds(&rogue.heard.take(), PASSWORD), "{what}: {fault}");
                let demands = tls.mode == TlsMode::Require && certificate.is_none();
                let says = if demands { "offers no TLS" } else { says };
                assert!(fault.message().contains(says), "{what}: {fault}");
            }
        }
    }
}

#[test]
fn an_impostor_of_a_verified_postgresql_server_learns_not_even_the_role() {
    let certificates = Certificates::new();
    for certificate in [None, Some(SelfSigned::new())] {
        let rogue = Rogue::start(address(), Question::Clear, certificate);
        for tls in verified(&certificates.file("ca.pem")) {
            let fault = refusal(&server(&rogue, &tls));
            assert!(!fault.is_transient(), "{tls:?}: {fault}");
            let heard = rogue.heard.take();
            assert!(!holds(&heard, PASSWORD) && !holds(&heard, "etl"), "{tls:?}: {fault}");
        }
    }
}

/// The rogue hears a password where it may be sent, so that the tests above are not deaf.
#[test]
fn a_pinned_postgresql_server_and_one_of_this_machine_are_given_the_password() {
    let loopback: IpAddr = [127, 0, 0, 1].into();
    let far = Rogue::start(address(), Question::Clear, Some(SelfSigned::new()));
    let fault = refusal(&server(&far, &TlsSettings::default()));
    let pinned = TlsSettings {
        fingerprint: Some(fingerprint_in(fault.message())),
        ..TlsSettings::default()
    };
    let near = Rogue::start(loopback, Question::Clear, None);
    for (rogue, tls) in [(&far, &pinned), (&near, &TlsSettings::default())] {
        let server = server(rogue, tls);
        let signing_in = std::thread::spawn(move || sign_in_pg(&server).is_ok());
        let heard = wait_for(rogue);
        assert!(holds(&heard, PASSWORD), "{tls:?}");
        drop(signing_in);
    }
    let near = Rogue::start(loopback, Question::Md5, None);
    let server = server(&near, &TlsSettings::default());
    let signing_in = std::thread::spawn(move || sign_in_pg(&server).is_ok());
    assert!(is_md5(&wait_for(&near)));
    drop(signing_in);
}

/// Waits for the answer to the question.
fn wait_for(rogue: &Rogue) -> Vec<u8> {
    for _ in 0..500 {
        let answers = rogue.answers.take();
        if !answers.is_empty() {
            return answers;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("nothing came");
}

#[test]
fn a_server_that_does_not_show_that_it_knows_the_password_is_not_written_to() {
    for (required, says) in [
        (RequireAuth::Scram, "without showing that it knows the password"),
        (RequireAuth::ScramPlus, "without showing that it knows the password"),
    ] {
        let loopback: IpAddr = [127, 0, 0, 1].into();
        for ip in [address(), loopback] {
            let rogue = Rogue::start(ip, Question::Nothing, Some(SelfSigned::new()));
            let server =
                PgServer { require_auth: required, ..server(&rogue, &TlsSettings::default()) };
            let fault = refusal(&server);
            assert!(fault.message().contains(says), "{fault}");
            assert_eq!(rogue.answers.take(), b"");
            let clear = Rogue::start(ip, Question::Clear, None);
            let server = PgServer {
                require_auth: required,
                ..self::server(&clear, &TlsSettings::default())
            };
            let fault = refusal(&server);
            assert!(fault.message().contains("itself"), "{fault}");
            assert_eq!(clear.answers.take(), b"");
        }
    }
}
