//! The protection of a connection.

use handoff_settings::CertificatePin;

/// The evidence that the peer of a connection is the server that was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerTrust {
    /// Its certificate was verified.
    Verified,
    /// It is reached over a Unix socket or a loopback address, where nobody is on the way.
    Local,
    /// Nobody vouches for it: it may be anybody who sits in between.
    Unverified,
}

/// The protection of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkProtection {
    /// True if the connection is encrypted.
    pub encrypted: bool,
    /// The evidence for the peer.
    pub peer: PeerTrust,
    /// The fingerprint of the certificate that the peer presented.
    pub fingerprint: Option<CertificatePin>,
}

impl LinkProtection {
    /// Returns true if the peer may see a password.
    pub(crate) fn is_trusted(&self) -> bool {
        self.peer != PeerTrust::Unverified
    }
}
