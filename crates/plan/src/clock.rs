//! The time where the rows are written.

use jiff::civil::DateTime;

/// The clock of the server whose rows are read, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceClock {
    /// In UTC, as its TIMESTAMPs tell.
    pub utc: DateTime,
    /// In the server's own zone, as `NOW()` of an application tells unless it says otherwise.
    pub local: DateTime,
}

impl SourceClock {
    /// Reads the two times that a server printed.
    pub fn parse(utc: &str, local: &str) -> Option<SourceClock> {
        Some(SourceClock { utc: utc.parse().ok()?, local: local.parse().ok()? })
    }
}
