//! The clock of a server, read.

use handoff_connect::{Fault, MyConn};
use handoff_plan::SourceClock;

/// The server's own time as an expression of SQL, whatever the zone of our session. A server without tables of time
/// zones may not be set to a zone that it does not know.
pub const LOCAL_TIME: &str = "COALESCE(CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', \
                              @@global.time_zone), UTC_TIMESTAMP())";

/// Reads the clock.
pub(crate) fn read_clock(conn: &mut MyConn) -> Result<SourceClock, Fault> {
    let ask = format!("SELECT CAST(UTC_TIMESTAMP() AS CHAR), CAST({LOCAL_TIME} AS CHAR)");
    let times = conn.query_first::<(String, String), _>(ask).map_err(|error| conn.fault(&error))?;
    times
        .and_then(|(utc, local)| SourceClock::parse(&utc, &local))
        .ok_or_else(|| Fault::new(conn.side(), "the server does not tell the time"))
}
