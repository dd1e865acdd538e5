//! The facts by which the database that is read first tells its changes.

use crate::clock::read_clock;
use crate::error::{SessionError, SessionResult};
use crate::session::Session;
use handoff_connect::{MyConn, ServerFlavor, SessionProfile};
use handoff_plan::{ChangeDetector, ServerFacts, SourceClock};
use jiff::Timestamp;

/// The clock of the database that is read first, and its means to tell unwritten tables.
#[derive(Debug, Clone)]
pub struct SourceFacts {
    /// The clock.
    pub clock: SourceClock,
    /// The change tokens.
    pub detector: ChangeDetector,
}

impl Session<'_> {
    /// Asks the database that is read first for its time, and, if that is the source, for its change tokens.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if it does not tell the time. One that does not answer for its tables tells no
    /// change tokens.
    pub fn source_facts(&self, now: Timestamp) -> SessionResult<SourceFacts> {
        let mut conn = self.origin()?.get(SessionProfile::Read).map_err(SessionError::Connect)?;
        let clock =
            read_clock(&mut conn).map_err(SessionError::server("read the clock of the source"))?;
        let detector = match self.servers.source {
            Some(_) => ChangeDetector::new(server_facts(&mut conn).as_ref(), &clock, now),
            None => ChangeDetector::unasked(&clock),
        };
        Ok(SourceFacts { clock, detector })
    }
}

/// Asks a server where it runs and since when, to the second.
fn server_facts(conn: &mut MyConn) -> Option<ServerFacts> {
    let status = match conn.pool().version().flavor {
        ServerFlavor::MariaDb => "information_schema.GLOBAL_STATUS",
        ServerFlavor::MySql => "performance_schema.global_status",
    };
    let ask = format!(
        "SELECT @@version_compile_os, @@hostname, @@global.myisam_use_mmap, \
         CAST(UNIX_TIMESTAMP() - VARIABLE_VALUE AS SIGNED), CAST(VARIABLE_VALUE AS SIGNED) \
         FROM {status} WHERE VARIABLE_NAME = 'Uptime'"
    );
    let told = conn.query_first::<(String, String, bool, i64, i64), _>(ask).ok()?;
    let (system, host, maps_files, started, up) = told?;
    let database = conn.pool().database().to_owned();
    Some(ServerFacts { database, host, system, maps_files, started, up })
}
