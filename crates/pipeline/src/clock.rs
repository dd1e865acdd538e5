//! What time it is where the rows are written.

use crate::WatermarkKind;
use handoff_connect::{Fault, MyConn};
use jiff::civil::DateTime;
use mysql::prelude::Queryable;

/// The clock of the server whose rows are read, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceClock {
    /// In UTC, as its TIMESTAMPs tell.
    pub utc: DateTime,
    /// In the server's own zone, as `NOW()` of an application tells unless it says otherwise.
    pub local: DateTime,
}

/// Spells the server's own time, whatever the zone of our session. A server without tables of time
/// zones may not be set to a zone that it does not know.
pub(crate) const LOCAL: &str = "COALESCE(CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', \
                                @@global.time_zone), UTC_TIMESTAMP())";

impl SourceClock {
    /// Reads the clock.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server fails.
    pub(crate) fn read(conn: &mut MyConn) -> Result<SourceClock, Fault> {
        let ask = format!("SELECT CAST(UTC_TIMESTAMP() AS CHAR), CAST({LOCAL} AS CHAR)");
        let told = conn.query_first::<(String, String), _>(ask);
        let told = told.map_err(|error| conn.fault(&error))?;
        told.and_then(|(utc, local)| SourceClock::parse(&utc, &local))
            .ok_or_else(|| Fault::new(conn.side(), "the server does not tell the time"))
    }

    /// Reads what a server printed.
    pub(crate) fn parse(utc: &str, local: &str) -> Option<SourceClock> {
        Some(SourceClock { utc: utc.parse().ok()?, local: local.parse().ok()? })
    }

    /// Returns the time that a column of this kind is written with.
    pub(crate) fn now(&self, kind: WatermarkKind) -> DateTime {
        if kind == WatermarkKind::Timestamp { self.utc } else { self.local }
    }
}
