//! The protection of a connection.

use crate::findings::Findings;
use crate::report::CheckSubject as S;
use handoff_connect::{LinkProtection, PeerTrust};
use handoff_settings::{TlsMode, TlsSettings};

/// Says what protects the connection. `in_use` is the protocol and cipher, if there is one.
pub(crate) fn finding(
    in_use: Option<&str>,
    protection: &LinkProtection,
    server: &SecuredServer<'_>,
    findings: &mut Findings,
) {
    let what = match in_use {
        Some(in_use) => format!("{in_use}, {}", known(protection, server)),
        None => "plain text".to_owned(),
    };
    let SecuredServer { tls, host, .. } = server;
    let side = findings.side();
    match (protection.peer, protection.fingerprint) {
        (PeerTrust::Verified, _) => findings.ok(S::Tls, what),
        (PeerTrust::Local, _) if in_use.is_some() => findings.ok(S::Tls, what),
        (PeerTrust::Local, _) => findings.ok(S::Tls, "plain text, within this machine"),
        (PeerTrust::Unverified, Some(_)) if server.is_bound => findings.ok(S::Tls, what),
        (PeerTrust::Unverified, Some(fingerprint)) => {
            let what = format!(
                "{what}: an attacker between here and {host} can impersonate it, read the rows and change \
                 them. Compare the fingerprint below with the output of openssl x509 -noout \
                 -fingerprint -sha256 -in FILE on the server, and pin it"
            );
            findings
                .warning(S::Tls, what)
                .setting(format!("[{side}]\ntls_fingerprint = \"{fingerprint}\""));
        }
        (PeerTrust::Unverified, None) if tls.mode == TlsMode::Disable => {
            let what = format!(
                "plain text to {host}: {ANYBODY}; demand TLS, and etl check says how to verify it"
            );
            findings.warning(S::Tls, what).setting(format!("[{side}]\ntls = \"require\""));
        }
        (PeerTrust::Unverified, None) => {
            let what = format!(
                "plain text to {host}, since the server offers no TLS: {ANYBODY}; switch TLS on there \
                 (ssl_cert and ssl_key in its configuration), then demand it, and etl check says how \
                 to verify it"
            );
            findings.warning(S::Tls, what).setting(format!("[{side}]\ntls = \"require\""));
        }
    }
}

const ANYBODY: &str = "anybody on the way can read the rows and impersonate the server";

/// The server's settings that say how it is to be known.
pub(crate) struct SecuredServer<'a> {
    pub(crate) tls: &'a TlsSettings,
    pub(crate) host: &'a str,
    /// True if the server has to bind its sign-in to its certificate.
    pub(crate) is_bound: bool,
}

/// Says how far the peer is known.
fn known(protection: &LinkProtection, server: &SecuredServer<'_>) -> &'static str {
    match (protection.peer, server.tls.mode) {
        (PeerTrust::Verified, TlsMode::VerifyFull) => "certificate and host name verified",
        (PeerTrust::Verified, TlsMode::VerifyCa) => "certificate verified, host name not",
        (PeerTrust::Verified, _) => "certificate pinned",
        _ if server.is_bound => "certificate bound to the password",
        _ => "certificate not verified",
    }
}

/// Returns true if a host can only be this machine.
pub(crate) fn is_near(host: &str) -> bool {
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || host.starts_with('/') || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CheckVerdict::{self, Ok, Warning};
    use PeerTrust::{Local, Unverified, Verified};
    use handoff_connect::Side;
    use handoff_settings::CertificatePin;

    #[track_caller]
    fn check(tls: bool, peer: PeerTrust, mode: TlsMode, expected: CheckVerdict) -> String {
        told(tls, peer, mode, false, expected)
    }

    #[track_caller]
    fn told(
        encrypted: bool,
        peer: PeerTrust,
        mode: TlsMode,
        is_bound: bool,
        expected: CheckVerdict,
    ) -> String {
        let in_use = encrypted.then_some("TLSv1.3 (X)");
        let fingerprint = encrypted.then(|| CertificatePin::new([0xab; 32]));
        let protection = LinkProtection { encrypted, peer, fingerprint };
        let tls = TlsSettings { mode, ..TlsSettings::default() };
        let mut findings = Findings::of(Side::Source);
        let server = SecuredServer { tls: &tls, host: "clinic", is_bound };
        finding(in_use, &protection, &server, &mut findings);
        let found = findings.into_vec().remove(0);
        assert_eq!(found.verdict, expected, "{found:?}");
        let fixes = found.fixes.iter().map(|fix| fix.text.clone());
        [vec![found.what], fixes.collect()].concat().join("\n")
    }

    #[test]
    fn every_peer_that_nobody_vouches_for_is_warned_of() {
        let pin = format!("[source]\ntls_fingerprint = \"sha256:{}\"", "ab".repeat(32));
        for mode in [TlsMode::Prefer, TlsMode::Require] {
            let what = check(true, Unverified, mode, Warning);
            assert!(what.ends_with(&pin) && what.contains("certificate not verified"), "{what}");
        }
        for mode in [TlsMode::Prefer, TlsMode::Disable] {
            let what = check(false, Unverified, mode, Warning);
            assert!(what.ends_with("[source]\ntls = \"require\""), "{what}");
        }
    }

    #[test]
    fn a_peer_that_is_known_or_near_is_not() {
        let what = check(true, Verified, TlsMode::VerifyFull, Ok);
        assert_eq!(what, "TLSv1.3 (X), certificate and host name verified");
        assert!(check(true, Verified, TlsMode::VerifyCa, Ok).contains("host name not"));
        assert!(check(true, Verified, TlsMode::Require, Ok).contains("pinned"));
        assert!(check(true, Local, TlsMode::Prefer, Ok).contains("not verified"));
        assert!(check(false, Local, TlsMode::Prefer, Ok).contains("within this machine"));
        let bound = told(true, Unverified, TlsMode::Require, true, Ok);
        assert!(bound.contains("bound to the password"), "{bound}");
    }
}
