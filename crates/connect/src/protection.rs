//! What protects a connection.

use handoff_settings::Fingerprint;

/// How far the peer of a connection is known to be the server that was meant.
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
pub struct Protection {
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// How far the peer is known.
    pub peer: PeerTrust,
    /// The fingerprint of the certificate that the peer presented.
    pub fingerprint: Option<Fingerprint>,
}

impl Protection {
    /// Returns true if the peer may see a password.
    pub(crate) fn is_trusted(&self) -> bool {
        self.peer != PeerTrust::Unverified
    }
}
