//! Rogue MySQL servers.

use super::my_rogue::{KEY, Question, Rogue};
use super::remote::{SelfSigned, address, holds};
use super::{PASSWORD, fingerprint_in, sign_in_my, unverified, verified};
use crate::certificates::Certificates;
use handoff_connect::Fault;
use handoff_settings::{MySqlServer, Secret, TlsMode, TlsSettings};
use std::net::IpAddr;

/// Every question that is after the password.
const QUESTIONS: [Question; 8] = [
    Question::Password,
    Question::PluginThenPassword,
    Question::Plugin("mysql_clear_password", 20),
    Question::Plugin("sha256_password", 20),
    Question::Plugin("dialog", 20),
    Question::Plugin("mysql_old_password", 8),
    Question::Plugin("mysql_native_password", 0),
    Question::OldPlugin,
];

fn server(rogue: &Rogue, tls: &TlsSettings) -> MySqlServer {
    let url = format!("mysql://reader@{}/app", rogue.address);
    MySqlServer {
        password: Secret::new(PASSWORD),
        tls: tls.clone(),
        ..MySqlServer::from_url(&url).unwrap()
    }
}

fn refusal(server: &MySqlServer) -> Fault {
    match sign_in_my(server) {
        Ok(_) => panic!("{server:?} was believed"),
        Err(fault) => fault,
    }
}

#[test]
fn no_password_leaves_for_a_mysql_server_that_nobody_vouches_for() {
    for certificate in [None, Some(SelfSigned::new())] {
        for question in QUESTIONS {
            let rogue = Rogue::start(address(), question, certificate.clone());
            for tls in unverified() {
                let what = format!("{question:?} {tls:?} {}", certificate.is_some());
                let fault = refusal(&server(&rogue, &tls));
                assert!(!fault.is_transient(), "{what}: {fault}");
                assert_eq!(rogue.answers.take(), b"", "{what}: {fault}");
                let heard = rogue.heard.take();
                assert!(!holds(&heard, PASSWORD), "{what}: {fault}");
                let demands = tls.mode == TlsMode::Require && certificate.is_none();
                assert_eq!(holds(&heard, "reader"), !demands, "{what}: {fault}");
            }
        }
    }
}

#[test]
fn an_impostor_of_a_verified_mysql_server_learns_not_even_the_account() {
    let certificates = Certificates::new();
    for certificate in [None, Some(SelfSigned::new())] {
        let rogue = Rogue::start(address(), Question::Password, certificate);
        for tls in verified(&certificates.file("ca.pem")) {
            let fault = refusal(&server(&rogue, &tls));
            assert!(!fault.is_transient(), "{tls:?}: {fault}");
            let heard = rogue.heard.take();
            assert!(!holds(&heard, PASSWORD) && !holds(&heard, "reader"), "{tls:?}: {fault}");
        }
    }
}

/// The rogue hears a password where it may be sent, so that the tests above are not deaf.
#[test]
fn a_pinned_mysql_server_and_one_of_this_machine_are_given_the_password() {
    let loopback: IpAddr = [127, 0, 0, 1].into();
    let remote = Rogue::start(address(), Question::Password, Some(SelfSigned::new()));
    let fault = refusal(&server(&remote, &TlsSettings::default()));
    let pinned = TlsSettings {
        fingerprint: Some(fingerprint_in(fault.message())),
        ..TlsSettings::default()
    };
    let near = Rogue::start(loopback, Question::Password, Some(SelfSigned::new()));
    for (rogue, tls) in [(&remote, &pinned), (&near, &TlsSettings::default())] {
        rogue.heard.take();
        // It lets everybody in, and knows no statement.
        refusal(&server(rogue, tls));
        assert!(holds(&rogue.heard.take(), PASSWORD), "{tls:?}");
    }
    let plain = Rogue::start(loopback, Question::Password, None);
    refusal(&server(&plain, &TlsSettings::default()));
    let answers = plain.answers.take();
    assert!(answers[0] == 2 && answers.len() > 256, "by its own key: {answers:?}");
    assert!(!holds(&answers, PASSWORD));
}

#[test]
fn a_configured_key_is_the_only_one_that_a_password_is_encrypted_with() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("public_key.pem");
    std::fs::write(&file, KEY).unwrap();
    let plain = Rogue::start(address(), Question::Password, None);
    let keyed = MySqlServer { public_key: Some(file), ..server(&plain, &TlsSettings::default()) };
    refusal(&keyed);
    let answers = plain.answers.take();
    // A block of RSA and the statement that follows; a request for a key would be one byte before.
    let statement = b"\x03SELECT VERSION()";
    assert_eq!(answers.windows(statement.len()).position(|part| part == statement), Some(256));
    assert!(!holds(&answers, PASSWORD));
}

#[test]
fn no_file_leaves_for_a_mysql_server_that_asks_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record");
    std::fs::write(&file, "a patient's record").unwrap();
    let path: &'static str = file.to_str().unwrap().to_owned().leak();
    for ip in [address(), [127, 0, 0, 1].into()] {
        let rogue = Rogue::start(ip, Question::File(path), None);
        refusal(&server(&rogue, &TlsSettings::default()));
        let heard = rogue.heard.take();
        assert!(holds(&heard, "VERSION()"), "it was asked");
        assert!(!holds(&heard, "a patient's record"));
    }
}
