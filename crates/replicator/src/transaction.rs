//! Refreshing a table in one transaction.

use crate::error::{CopyStage, Result};
use crate::prepared_copy::{CopiedRows, PreparedCopy, WriteScope};
use handoff_connect::{MyConn, Seal, fault_point, quote_my};
use mysql::prelude::Queryable;

impl PreparedCopy<'_> {
    pub(crate) fn transaction(&self, seal: &dyn Seal) -> Result<CopiedRows> {
        let mut conn = self.writer()?;
        let done = self.in_transaction(&mut conn, seal);
        if done.is_err() {
            undo(&mut conn);
        }
        done
    }

    fn in_transaction(&self, conn: &mut MyConn, seal: &dyn Seal) -> Result<CopiedRows> {
        let name = &self.job.table.name;
        self.run(conn, "START TRANSACTION", self.at(CopyStage::Empty, 0))?;
        let empty = format!("DELETE FROM {}", quote_my(name.as_str()));
        self.run(conn, &empty, self.at(CopyStage::Empty, 0))?;
        let before = Some(conn.affected_rows());
        let filled = self.fill(conn, name.as_str(), true, WriteScope::Filter)?;
        let moved = CopiedRows { before, ..CopiedRows::whole(filled) };
        self.check_unchanged()?;
        self.check(conn, seal, &moved)?;
        self.seal(conn, seal, &moved)?;
        self.commit(conn, moved.filled.rows)?;
        Ok(moved)
    }

    pub(crate) fn commit(&self, conn: &mut MyConn, rows: u64) -> Result<()> {
        fault_point("replicator.before_commit", &self.job.table.name);
        self.run(conn, "COMMIT", self.at(CopyStage::Publish, rows))?;
        fault_point("replicator.committed", &self.job.table.name);
        Ok(())
    }
}

/// Ends a transaction that failed, and the use of its session.
pub(crate) fn undo(conn: &mut MyConn) {
    // If it cannot be run, the end of the session does the same.
    let _ = conn.query_drop("ROLLBACK");
    conn.mark_broken();
}
