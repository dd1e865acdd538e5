//! Tables of ours that a crash left in the replica.

pub use handoff_connect::{Leftover, LeftoverKind};

use crate::error::{Result, server_failed};
use crate::pair::Replicator;
use handoff_connect::{MyPool, SessionProfile, quote_my};

/// Returns the shadows and old tables that are in the replica, by one query.
///
/// # Errors
///
/// Returns [`Error::Server`](crate::Error::Server) if the replica fails.
pub fn list_leftovers(replica: &MyPool) -> Result<Vec<Leftover>> {
    replica.leftovers().map_err(server_failed("list the leftovers of earlier copies"))
}

/// Drops a table that a copy left, if it is still there.
///
/// # Errors
///
/// Returns [`Error::Server`](crate::Error::Server) if the replica fails, or if somebody holds on to the table.
pub fn drop_leftover(replica: &MyPool, leftover: &Leftover) -> Result<()> {
    let failed = server_failed("drop the leftovers of an earlier copy");
    let mut conn = replica.get(SessionProfile::Write).map_err(failed)?;
    let name = quote_my(leftover.kind.table(leftover.copy_id));
    conn.query_drop(format!("DROP TABLE IF EXISTS {name}"))
        .map_err(|error| failed(conn.fault(&error)))
}

impl Replicator {
    /// Returns the tables that earlier copies left in this replica: [`list_leftovers`].
    ///
    /// # Errors
    ///
    /// Returns [`Error::Server`](crate::Error::Server) if the replica fails.
    pub fn leftovers(&self) -> Result<Vec<Leftover>> {
        list_leftovers(&self.replica)
    }

    /// Drops one of them: [`drop_leftover`].
    ///
    /// # Errors
    ///
    /// Returns [`Error::Server`](crate::Error::Server) if the replica fails.
    pub fn drop_leftover(&self, leftover: &Leftover) -> Result<()> {
        drop_leftover(&self.replica, leftover)
    }
}
