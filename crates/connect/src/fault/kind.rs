//! The meaning of a fault for the step that met it.

/// The meaning of a fault for the step that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The same step fails again.
    Lasting,
    /// The session lives, and the same step may succeed when tried again.
    Transient,
    /// The connection is gone; over a new one the same step may succeed.
    Disconnect,
    /// Somebody ended the statement.
    Cancelled,
}

/// Returns true for I/O errors that mean a lost connection rather than a mistake of ours.
pub(super) fn is_lost(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind as K;
    matches!(
        kind,
        K::ConnectionRefused
            | K::ConnectionReset
            | K::ConnectionAborted
            | K::NotConnected
            | K::BrokenPipe
            | K::UnexpectedEof
            | K::TimedOut
            | K::WouldBlock
            | K::Interrupted
            | K::HostUnreachable
            | K::NetworkUnreachable
            | K::NetworkDown
    )
}
