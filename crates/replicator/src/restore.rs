//! Undoing half a rename.

use crate::error::{Result, server_failed};
use crate::leftover::{Leftover, LeftoverKind};
use crate::pair::Replicator;
use handoff_connect::{MyPool, SessionProfile, quote_my};
use handoff_model::{CopyId, TableName};

impl Replicator {
    /// Gives `table` back to its name where copy `copy` had put it aside and nothing came in its
    /// place: [`restore_leftover`].
    ///
    /// # Errors
    ///
    /// Returns [`Error::Server`](crate::Error::Server) if the replica fails.
    pub fn restore_old(&self, table: &TableName, copy: CopyId) -> Result<()> {
        let old = Leftover { copy_id: copy, kind: LeftoverKind::Old };
        restore_leftover(&self.replica, &old, table)
    }
}

/// Renames a table that a copy put aside to `table`, unless there is such a table, or this one is gone.
///
/// A server without an atomic RENAME of two tables (MySQL before 8, MariaDB before 10.6) that
/// dies between the two leaves the old table under our name and none under its own. Call this
/// before anything of ours is dropped.
///
/// # Errors
///
/// Returns [`Error::Server`](crate::Error::Server) if the replica fails, or if somebody holds on to the table.
pub fn restore_leftover(replica: &MyPool, leftover: &Leftover, table: &TableName) -> Result<()> {
    let failed = server_failed("give a table its name back");
    let mut conn = replica.get(SessionProfile::Write).map_err(failed)?;
    let old = quote_my(leftover.kind.table(leftover.copy_id));
    match conn.query_drop(format!("RENAME TABLE {old} TO {}", quote_my(table.as_str()))) {
        // The name is taken; this table is not there, as some servers say it.
        Err(mysql::Error::MySqlError(error)) if matches!(error.code, 1050 | 1146 | 1017) => Ok(()),
        done => done.map_err(|error| failed(conn.fault(&error))),
    }
}
