//! Filling a shadow and renaming it into place.

use crate::error::{CopyStage, Result};
use crate::leftover::LeftoverKind;
use crate::prepared_copy::{CopyEffect, PreparedCopy, WriteScope};
use crate::shadow_guard::EmptyShadow;
use handoff_connect::{MyConn, PublishHook, fault_point, quote_my};

impl PreparedCopy<'_> {
    pub(crate) fn swap(
        &self,
        mut shadow: EmptyShadow<'_>,
        seal: &dyn PublishHook,
    ) -> Result<CopyEffect> {
        let table = &self.copy.job.table.name;
        // Taken after the shadow, and so given back before the shadow is dropped.
        let mut conn = self.copy.writer(CopyStage::Write)?;
        let rows =
            CopyEffect::whole(self.write(&mut conn, &shadow.name, false, WriteScope::Filter)?);
        if let Some(alter) = &shadow.add_indexes {
            self.copy.run(&mut conn, alter, self.copy.at(CopyStage::Index, rows.written.rows))?;
        }
        fault_point("replicator.indexed", table);
        self.check_unchanged()?;
        self.check(&mut conn, seal, &rows)?;
        fault_point("replicator.before_rename", table);
        let at = self.copy.at(CopyStage::Publish, rows.written.rows);
        seal.before_swap().map_err(|fault| at.error(fault))?;
        let old = self.rename(&mut conn, &shadow.name, rows.written.rows)?;
        shadow.guard.renamed();
        fault_point("replicator.renamed", table);
        self.seal(&mut conn, seal, &rows)?;
        fault_point("replicator.sealed", table);
        if let Some(old) = old
            && let Err(error) = conn.query_drop(format!("DROP TABLE IF EXISTS {}", quote_my(&*old)))
        {
            // The copy is complete; the next run finds the old table by its name.
            log::warn!("`{old}` stays in the replica for now: {}", conn.fault(&error));
        }
        fault_point("replicator.dropped_old", table);
        Ok(rows)
    }

    /// Puts the shadow in the table's place and returns the old table's name.
    fn rename(&self, conn: &mut MyConn, shadow: &str, rows: u64) -> Result<Option<String>> {
        let (table, shadow) = (quote_my(self.copy.job.table.name.as_str()), quote_my(shadow));
        let old =
            self.copy.job.replica_table.map(|_| LeftoverKind::Old.table(self.copy.job.copy_id));
        let statement = match &old {
            Some(old) => {
                let old = quote_my(old.as_str());
                format!("RENAME TABLE {table} TO {old}, {shadow} TO {table}")
            }
            None => format!("RENAME TABLE {shadow} TO {table}"),
        };
        self.copy.run(conn, &statement, self.copy.at(CopyStage::Publish, rows))?;
        Ok(old)
    }
}
