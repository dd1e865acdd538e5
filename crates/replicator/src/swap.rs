//! Filling a shadow and renaming it into place.

use crate::error::{CopyStage, Result};
use crate::leftover::LeftoverKind;
use crate::prepared_copy::{CopiedRows, PreparedCopy, WriteScope};
use crate::shadow_guard::ShadowGuard;
use handoff_connect::{MyConn, Seal, fault_point, quote_my};
use mysql::prelude::Queryable;

/// The empty shadow of a table.
pub(crate) struct ShadowSwap<'a> {
    pub(crate) shadow: ShadowGuard<'a>,
    pub(crate) name: String,
    /// The statement that builds the indexes which the shadow still lacks.
    pub(crate) add_indexes: Option<String>,
}

impl PreparedCopy<'_> {
    pub(crate) fn swap(&self, mut swap: ShadowSwap<'_>, seal: &dyn Seal) -> Result<CopiedRows> {
        let table = &self.job.table.name;
        // Taken after the shadow, and so given back before the shadow is dropped.
        let mut conn = self.writer()?;
        let moved =
            CopiedRows::whole(self.fill(&mut conn, &swap.name, false, WriteScope::Filter)?);
        if let Some(alter) = &swap.add_indexes {
            self.run(&mut conn, alter, self.at(CopyStage::Index, moved.filled.rows))?;
        }
        fault_point("replicator.indexed", table);
        self.check_unchanged()?;
        self.check(&mut conn, seal, &moved)?;
        fault_point("replicator.before_rename", table);
        let at = self.at(CopyStage::Publish, moved.filled.rows);
        seal.before_swap().map_err(|fault| at.error(fault))?;
        let old = self.rename(&mut conn, &swap.name, moved.filled.rows)?;
        swap.shadow.renamed();
        fault_point("replicator.renamed", table);
        self.seal(&mut conn, seal, &moved)?;
        fault_point("replicator.sealed", table);
        if let Some(old) = old
            && let Err(error) = conn.query_drop(format!("DROP TABLE IF EXISTS {}", quote_my(&*old)))
        {
            // The copy is complete; the next run finds the old table by its name.
            log::warn!("`{old}` stays in the replica for now: {}", conn.fault(&error));
        }
        fault_point("replicator.dropped_old", table);
        Ok(moved)
    }

    /// Puts the shadow in the table's place and returns the old table's name.
    fn rename(&self, conn: &mut MyConn, shadow: &str, rows: u64) -> Result<Option<String>> {
        let (table, shadow) = (quote_my(self.job.table.name.as_str()), quote_my(shadow));
        let old = self.job.replica_table.map(|_| LeftoverKind::Old.table(self.job.copy_id));
        let statement = match &old {
            Some(old) => {
                let old = quote_my(old.as_str());
                format!("RENAME TABLE {table} TO {old}, {shadow} TO {table}")
            }
            None => format!("RENAME TABLE {shadow} TO {table}"),
        };
        self.run(conn, &statement, self.at(CopyStage::Publish, rows))?;
        Ok(old)
    }
}
