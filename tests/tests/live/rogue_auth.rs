//! Servers that are after the password: none leaves, whatever they ask for and however they are met.
//!
//! They listen on an address of this machine that is no loopback one, which is as far away as any.

mod my;
mod my_rogue;
mod pg;
mod pg_rogue;
mod real_my;
mod real_pg;
pub mod remote;
mod secrets;

use handoff_connect::{Fault, MyPool, PgPool, PoolOptions, Side};
use handoff_settings::{CertificatePin, MySqlServer, PgServer, TlsMode, TlsSettings};
use std::path::Path;

/// The password that must not leave.
const PASSWORD: &str = "S3cret-of-the-clinic";

fn options() -> PoolOptions {
    PoolOptions { size: 2, ..PoolOptions::default() }
}

fn sign_in_my(server: &MySqlServer) -> Result<MyPool, Fault> {
    MyPool::open(server, Side::Source, &options())
}

fn sign_in_pg(server: &PgServer) -> Result<PgPool, Fault> {
    PgPool::open(server, &options())
}

fn tls(mode: TlsMode) -> TlsSettings {
    TlsSettings { mode, ..TlsSettings::default() }
}

/// The ways of verifying a server that an impostor cannot pass.
fn verified(ca: &Path) -> Vec<TlsSettings> {
    let authority = |mode| TlsSettings { ca: Some(ca.to_owned()), ..tls(mode) };
    let pinned =
        TlsSettings { fingerprint: Some(CertificatePin::new([7; 32])), ..TlsSettings::default() };
    vec![
        authority(TlsMode::VerifyCa),
        authority(TlsMode::VerifyFull),
        tls(TlsMode::VerifyFull),
        pinned,
    ]
}

/// The ways of connecting to a server that nobody vouches for.
fn unverified() -> Vec<TlsSettings> {
    [TlsMode::Disable, TlsMode::Prefer, TlsMode::Require].map(tls).into()
}

/// Takes the line to paste out of a refusal.
#[track_caller]
fn line_to_paste(message: &str) -> String {
    let at = message.find("tls_fingerprint = \"sha256:").unwrap_or_else(|| panic!("{message}"));
    message[at..][.."tls_fingerprint = \"sha256:\"".len() + 64].to_owned()
}

/// Reads the fingerprint of a line to paste.
#[track_caller]
fn fingerprint_in(message: &str) -> CertificatePin {
    let line = line_to_paste(message);
    CertificatePin::parse(line.split('"').nth(1).unwrap()).unwrap()
}
