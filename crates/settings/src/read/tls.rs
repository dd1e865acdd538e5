//! The checks of a server's certificate, and the ways in which it may let us in.

use crate::fingerprint::CertificatePin;
use crate::reader::SettingsReader;
use crate::section::{Section, Text};
use crate::server::{RequireAuth, TlsMode, TlsSettings};
use std::fs;
use std::path::PathBuf;

/// Reads `tls`, `tls_ca` and `tls_fingerprint`.
pub(super) fn read_tls(section: &mut Section<'_>, reader: &mut SettingsReader<'_>) -> TlsSettings {
    let place = section.place("tls");
    let mode = section.choice("tls", TlsMode::NAMES, reader).unwrap_or_default();
    let ca = section.text("tls_ca", reader);
    let pin = section.text("tls_fingerprint", reader);
    if let (TlsMode::VerifyCa, None, Some(place)) = (mode, &ca, place) {
        let message = format!(
            "{} is \"verify-ca\", which does not look at the host's name, so that without tls_ca \
             whoever has any public certificate would do; name the file of the authority as \
             tls_ca, or write tls = \"verify-full\"",
            section.subject("tls")
        );
        reader.problem(&place, message);
    }
    if let (Some(pin), true) = (&pin, mode.verifies() || mode == TlsMode::Disable || ca.is_some()) {
        let message = format!(
            "{} names the very certificate, which leaves nothing to {} or tls_ca; write tls = \
             \"require\" beside it, without tls_ca, or take it out",
            pin.subject,
            section.subject("tls")
        );
        reader.problem(&pin.place, message);
    }
    let pinned = pin.is_some();
    let fingerprint = pin.and_then(|pin| fingerprint(&pin, reader));
    let ca = ca.map(|ca| authorities(&ca, mode.verifies() || pinned, reader));
    TlsSettings { mode, ca, fingerprint }
}

fn fingerprint(text: &Text, reader: &mut SettingsReader<'_>) -> Option<CertificatePin> {
    let fingerprint = CertificatePin::parse(&text.value);
    if fingerprint.is_none() {
        let message = format!(
            "{} is no fingerprint; write \"sha256:\" and the 64 digits that openssl x509 -noout \
             -fingerprint -sha256 -in FILE prints for the server's certificate",
            text.subject
        );
        reader.problem(&text.place, message);
    }
    fingerprint
}

fn authorities(text: &Text, is_used: bool, reader: &mut SettingsReader<'_>) -> PathBuf {
    // A file that is named and not used would be taken for protection.
    if !is_used {
        let message = format!(
            "{} has no effect without verification; write tls = \"verify-full\" (or \
             \"verify-ca\") beside it",
            text.subject
        );
        reader.problem(&text.place, message);
    }
    readable(text, "name a PEM file of the authority's certificate", reader)
}

/// Reads `server_public_key`.
pub(super) fn public_key(
    section: &mut Section<'_>,
    tls: &TlsSettings,
    reader: &mut SettingsReader<'_>,
) -> Option<PathBuf> {
    let text = section.text("server_public_key", reader)?;
    if !tls.is_optional() && tls.mode != TlsMode::Disable {
        let message = format!(
            "{} is for plain text, and the connection has TLS or is none; take it out",
            text.subject
        );
        reader.problem(&text.place, message);
    }
    Some(readable(&text, "name a PEM file of the server's public RSA key", reader))
}

fn readable(text: &Text, fix: &str, reader: &mut SettingsReader<'_>) -> PathBuf {
    let path = reader.path(&text.value);
    if let Err(error) = fs::read(&path) {
        let message = format!(
            "{}: cannot read {} ({error}); {fix} that this account may read",
            text.subject,
            path.display()
        );
        reader.problem(&text.place, message);
    }
    path
}

/// Reads `require_auth`. Over a Unix socket, `host`, the driver is on its own.
pub(super) fn read_require_auth(
    section: &mut Section<'_>,
    host: Option<&str>,
    reader: &mut SettingsReader<'_>,
) -> RequireAuth {
    let place = section.place("require_auth");
    let required = section.choice("require_auth", RequireAuth::NAMES, reader).unwrap_or_default();
    if let (Some(place), Some(host)) = (place, host)
        && host.starts_with('/')
        && required != RequireAuth::Any
    {
        let message = format!(
            "{} has no effect over the Unix socket of url, which only this machine reaches; take \
             it out, or name 127.0.0.1 in the url",
            section.subject("require_auth")
        );
        reader.problem(&place, message);
    }
    required
}
