//! Refreshing a table in one transaction.

use crate::error::{CopyStage, Result};
use crate::prepared_copy::{CopyEffect, PreparedCopy, WriteScope};
use handoff_connect::{MyConn, PublishHook, fault_point, quote_my};

impl PreparedCopy<'_> {
    pub(crate) fn transaction(&self, seal: &dyn PublishHook) -> Result<CopyEffect> {
        let mut conn = self.copy.writer(CopyStage::Write)?;
        let done = self.in_transaction(&mut conn, seal);
        if done.is_err() {
            undo(&mut conn);
        }
        done
    }

    fn in_transaction(&self, conn: &mut MyConn, seal: &dyn PublishHook) -> Result<CopyEffect> {
        let name = &self.copy.job.table.name;
        self.copy.run(conn, "START TRANSACTION", self.copy.at(CopyStage::Empty, 0))?;
        let empty = format!("DELETE FROM {}", quote_my(name.as_str()));
        self.copy.run(conn, &empty, self.copy.at(CopyStage::Empty, 0))?;
        let before = Some(conn.affected_rows());
        let written = self.write(conn, name.as_str(), true, WriteScope::Filter)?;
        let rows = CopyEffect { before, ..CopyEffect::whole(written) };
        self.check_unchanged()?;
        self.check(conn, seal, &rows)?;
        self.seal(conn, seal, &rows)?;
        self.commit(conn, rows.written.rows)?;
        Ok(rows)
    }

    pub(crate) fn commit(&self, conn: &mut MyConn, rows: u64) -> Result<()> {
        fault_point("replicator.before_commit", &self.copy.job.table.name);
        self.copy.run(conn, "COMMIT", self.copy.at(CopyStage::Publish, rows))?;
        fault_point("replicator.committed", &self.copy.job.table.name);
        Ok(())
    }
}

/// Ends a transaction that failed, and the use of its session.
pub(crate) fn undo(conn: &mut MyConn) {
    // If it cannot be run, the end of the session does the same.
    let _ = conn.query_drop("ROLLBACK");
    conn.mark_broken();
}
