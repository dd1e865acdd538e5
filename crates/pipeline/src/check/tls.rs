//! How a connection is protected.

use super::findings::Findings;
use super::report::CheckSubject as S;
use handoff_settings::{Tls, TlsMode};

/// Says what protects the connection. `in_use` is the protocol and cipher, if there is one.
pub(super) fn finding(in_use: Option<&str>, tls: &Tls, host: &str, findings: &mut Findings) {
    let side = findings.side();
    match in_use {
        Some(in_use) => {
            let verified = match tls.mode {
                TlsMode::VerifyFull => "certificate and host name verified",
                TlsMode::VerifyCa => "certificate verified, host name not",
                _ => "certificate not verified",
            };
            findings.ok(S::Tls, format!("{in_use}, {verified}"));
        }
        None if is_near(host) => findings.ok(S::Tls, "plain text, within this machine"),
        None if tls.mode == TlsMode::Disable => {
            let what = format!("plain text to {host}: whoever is on the way reads along");
            findings.warning(S::Tls, what).setting(format!("[{side}]\ntls = \"require\""));
        }
        None => {
            let what = format!(
                "plain text to {host}, since the server offers no TLS: whoever is on the way reads \
                 along; switch TLS on there (ssl_cert and ssl_key in its configuration), then \
                 demand it"
            );
            findings.warning(S::Tls, what).setting(format!("[{side}]\ntls = \"require\""));
        }
    }
}

/// Returns true if a host can only be this machine.
pub(super) fn is_near(host: &str) -> bool {
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || host.starts_with('/') || host.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CheckVerdict::{self, Ok, Warning};
    use handoff_connect::Side;

    #[track_caller]
    fn check(in_use: Option<&str>, mode: TlsMode, host: &str, expected: CheckVerdict) -> String {
        let mut findings = Findings::of(Side::Source);
        finding(in_use, &Tls { mode, ..Tls::default() }, host, &mut findings);
        let found = findings.into_vec().remove(0);
        assert_eq!(found.verdict, expected, "{found:?}");
        found.what
    }

    #[test]
    fn plain_text_to_another_machine_is_a_warning() {
        check(None, TlsMode::Prefer, "clinic", Warning);
        check(None, TlsMode::Disable, "10.0.0.4", Warning);
        for host in ["localhost", "127.0.0.1", "::1", "/run/mysqld/mysqld.sock"] {
            check(None, TlsMode::Prefer, host, Ok);
        }
        let what = check(Some("TLSv1.3 (X)"), TlsMode::Prefer, "clinic", Ok);
        assert_eq!(what, "TLSv1.3 (X), certificate not verified");
    }
}
