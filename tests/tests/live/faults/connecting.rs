//! Servers that a run must not begin with: no TLS or the wrong one, another encoding, too old.

use super::{TWO, instead, mended};
use crate::bad_input::refused;
use crate::certificates::{Certificates, install};
use crate::etl::Etl;
use handoff_testbed::{Bed, MariaDb, Postgres, ServerOptions, Trio};

/// The settings with further lines in the section that holds `url`.
fn with(toml: &str, url: &str, lines: &str) -> Etl {
    let line = format!("url = \"{url}\"\n");
    Etl::with(&instead(toml, &line, &format!("{line}{lines}\n")))
}

#[test]
fn tls_that_a_server_does_not_offer() {
    let trio = Trio::new("no_tls");
    trio.sql_source(TWO);
    let toml = trio.settings_toml();
    let sides = [
        ("source", trio.source_url()),
        ("replica", trio.replica_url()),
        ("target", trio.target_url()),
    ];
    for (side, url) in sides {
        let etl = with(&toml, &url, "tls = \"require\"");
        let remedy = format!("[{side}] demands it: switch TLS on at the server");
        refused(&trio, &etl, &["run"], 3, &[side, "offers no TLS", &remedy]);
    }
    mended(&Etl::new(&trio));
}

#[test]
fn a_certificate_that_nobody_trusted_has_signed() {
    let certificates = Certificates::new();
    certificates.write(2090);
    let source = MariaDb::start(&certificates.arguments()).unwrap();
    let target = Postgres::start(&ServerOptions::default()).unwrap();
    install(&target, &certificates, 2090);
    let bed = Bed::shared();
    let trio = Trio::on("untrusted", source.endpoint(), bed.replica(), target.endpoint());
    trio.sql_source(TWO);
    let toml = trio.settings_toml();
    let verify = |ca: &str| {
        let ca = certificates.file(ca);
        format!("tls = \"verify-full\"\ntls_ca = \"{}\"", ca.display())
    };
    for (side, url) in [("source", trio.source_url()), ("target", trio.target_url())] {
        let untrusted = with(&toml, &url, &verify("other.pem"));
        let says = [side, "is signed by none of the authorities in", "other.pem", "tls_ca"];
        refused(&trio, &untrusted, &["run"], 3, &says);
        mended(&with(&toml, &url, &verify("ca.pem")));
    }
}

#[test]
fn a_target_that_cannot_hold_every_text() {
    let trio = Trio::new("target_latin1");
    trio.sql_source(TWO);
    let name = format!("{}_latin1", trio.target_name());
    trio.sql_target(&format!(
        "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let url = trio.target_url();
    let toml = instead(&trio.settings_toml(), &url, &url.replace(&trio.target_name(), &name));
    let says = ["target", &name, "is encoded in LATIN1", "ENCODING 'UTF8'", "[target]"];
    refused(&trio, &Etl::with(&toml), &["run"], 3, &says);
    let mut latin1 = trio.target_server().admin_in(&name).unwrap();
    let made = latin1.query("SELECT nspname FROM pg_namespace WHERE nspname = 'raw'", &[]).unwrap();
    assert!(made.is_empty(), "a schema was made in the refused database");
    drop(latin1);
    trio.sql_target(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
    mended(&Etl::new(&trio));
}

/// MariaDB says whatever version it is told to say, which is all that a client can know.
#[test]
fn a_server_that_is_too_old() {
    let arguments = vec!["--version=10.1.48-MariaDB".to_owned()];
    let old = MariaDb::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on("too_old", old.endpoint(), bed.replica(), bed.target());
    trio.sql_source(TWO);
    for arguments in [["check"], ["run"]] {
        let says = ["MariaDB 10.1.48 is too old", "MariaDB 10.4"];
        let before = crate::bad_input::contents(&trio);
        let done = Etl::new(&trio).exits(3, &arguments);
        let shown = done.stdout + &done.stderr;
        assert!(says.iter().all(|part| shown.contains(part)), "{shown}");
        assert_eq!(crate::bad_input::contents(&trio), before);
    }
}
