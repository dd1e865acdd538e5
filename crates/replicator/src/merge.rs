//! Replacing the rows of a table that changed.
//!
//! The rows are gathered in a staging table first. Those that the table holds byte for byte leave it
//! again, so that no unchanged row is rewritten. Then every row of a staged key is deleted before
//! the first is inserted: two rows may have swapped a unique value. `ON DUPLICATE KEY UPDATE` would
//! find the wrong one of them.

use crate::error::{CopyStage, Error, Result};
use crate::job::CopyScope;
use crate::leftover::LeftoverKind;
use crate::merge_sql::MergeSql;
use crate::prepared_copy::{CopiedRows, PreparedCopy, WriteScope};
use crate::shadow_guard::ShadowGuard;
use crate::staged_keys::{StagedKeys, StagedKeysSql, keys_sql};
use crate::table_writer::WriteOutcome;
use crate::transaction::undo;
use handoff_connect::{MyConn, Profile, Seal, fault_point, quote_my};
use handoff_model::TableSum;
use handoff_rows::KeyList;
use mysql::prelude::Queryable;

impl PreparedCopy<'_> {
    pub(crate) fn merge(&self, seal: &dyn Seal) -> Result<CopiedRows> {
        // Ordinary tables are dropped once the connection has been given back.
        let mut guards = Vec::new();
        let mut conn = self.writer()?;
        if let CopyScope::Keys(keys) = self.scope
            && keys.is_empty()
        {
            return self.nothing(&mut conn, seal);
        }
        let done =
            self.make_own(&mut conn, &mut guards).and_then(|()| self.merge_on(&mut conn, seal));
        match &done {
            Err(_) => undo(&mut conn),
            Ok(_) if guards.is_empty() => self.drop_temporary(&mut conn),
            Ok(_) => {}
        }
        drop(conn);
        done
    }

    /// Has it sealed that the source was looked at, and that no row differs.
    fn nothing(&self, conn: &mut MyConn, seal: &dyn Seal) -> Result<CopiedRows> {
        let local = self.replicator.takes_local();
        let strategy = if local { "load_data_local" } else { "prepared_inserts" };
        let sum = self.job.canonical.map(|_| TableSum::default());
        let filled = WriteOutcome { rows: 0, bytes: 0, strategy, checked: false, sum, lines: None };
        let moved = CopiedRows::nothing_yet(filled);
        self.check(conn, seal, &moved)?;
        self.seal(conn, seal, &moved)?;
        Ok(moved)
    }

    fn merge_on(&self, conn: &mut MyConn, seal: &dyn Seal) -> Result<CopiedRows> {
        let staging = self.own_table();
        let sql = MergeSql::new(self.job.table, &self.columns, &staging);
        let own_keys = self.own_keys();
        let keyed_sql = StagedKeysSql::new(self.job.table, &staging, &own_keys);
        let mut moved = CopiedRows::nothing_yet(self.gather(conn, &staging)?);
        let mut keyed = None;
        if let Some(keys) = self.scope.keys() {
            keyed = Some(self.gather_keyed(conn, keys, &keyed_sql, &mut moved)?);
        }
        let filled = moved.filled;
        let mut gone = None;
        if let Some(keyed) = keyed.filter(|keyed| keyed.kept > 0) {
            let found = self.change(conn, &keyed_sql.drop_found, filled.rows)?;
            let deletes = found < keyed.kept && !keyed.keeps_gone();
            gone = deletes.then_some(keyed_sql.delete_gone);
        }
        if filled.rows > 0 || gone.is_some() {
            self.check_unchanged()?;
        }
        if filled.rows > 0 {
            moved.unchanged = self.change(conn, &sql.drop_unchanged, filled.rows)?;
        }
        fault_point("replicator.merge_staged", &self.job.table.name);
        if moved.unchanged == filled.rows && gone.is_none() {
            self.check(conn, seal, &moved)?;
            self.seal(conn, seal, &moved)?;
        } else {
            self.replace(conn, (&sql, gone.as_deref()), seal, &mut moved)?;
        }
        fault_point("replicator.merge_sealed", &self.job.table.name);
        Ok(moved)
    }

    /// Stages the rows of the filter, if they are meant.
    fn gather(&self, conn: &mut MyConn, staging: &str) -> Result<WriteOutcome> {
        if let CopyScope::Keys(_) = self.scope {
            return Ok(WriteOutcome::nothing());
        }
        let filled = self.fill(conn, staging, false, WriteScope::Filter);
        filled.map_err(|error| self.collision(error))
    }

    /// Stages the rows of `keys` beside those that `moved` tells of, unless they are among them.
    fn gather_keyed<'k>(
        &self,
        conn: &mut MyConn,
        keys: &'k KeyList,
        sql: &StagedKeysSql,
        moved: &mut CopiedRows,
    ) -> Result<StagedKeys<'k>> {
        let (staging, own_keys) = (self.own_table(), self.own_keys());
        let mut keyed = StagedKeys::stage(self, conn, keys, &own_keys)?;
        if moved.filled.rows > 0 {
            let dropped = self.change(conn, &sql.drop_found, moved.filled.rows)?;
            keyed.sift(self, conn, &own_keys, dropped)?;
        }
        let there = moved.filled;
        let found = self.fill(conn, &staging, false, WriteScope::Keys { keyed: &keyed, there });
        let found = found.map_err(|error| self.collision(error))?;
        moved.filled = if there.rows == 0 { found } else { there.and(found) };
        Ok(keyed)
    }

    /// Replaces the staged rows and has that sealed, in one transaction where the engine has any.
    /// The second statement deletes the rows that are gone, if there may be any.
    fn replace(
        &self,
        conn: &mut MyConn,
        sql: (&MergeSql, Option<&str>),
        seal: &dyn Seal,
        moved: &mut CopiedRows,
    ) -> Result<()> {
        let rows = moved.filled.rows;
        let at = self.at(CopyStage::Merge, rows);
        conn.set_profile(Profile::Merge).map_err(|fault| at.error(fault))?;
        let transaction = self.job.replica_engine().is_transactional();
        if transaction {
            self.run(conn, "START TRANSACTION", at)?;
        }
        self.delete_and_insert(conn, sql, moved)?;
        self.check(conn, seal, moved)?;
        fault_point("replicator.merge_checked", &self.job.table.name);
        self.seal(conn, seal, moved)?;
        if transaction {
            self.commit(conn, rows)?;
        }
        Ok(())
    }

    fn delete_and_insert(
        &self,
        conn: &mut MyConn,
        (sql, delete_gone): (&MergeSql, Option<&str>),
        moved: &mut CopiedRows,
    ) -> Result<()> {
        let table = &self.job.table.name;
        let (rows, changed) = (moved.filled.rows, moved.filled.rows - moved.unchanged);
        moved.updated = self.change(conn, &sql.delete, rows)?;
        if let Some(delete_gone) = delete_gone {
            moved.deleted = self.change(conn, delete_gone, rows)?;
        }
        fault_point("replicator.merge_deleted", table);
        if moved.updated > changed {
            return Err(self.conflict(None));
        }
        moved.inserted = changed - moved.updated;
        let arrived = self.change(conn, &sql.insert, rows).map_err(|e| self.collision(e))?;
        if arrived != changed {
            return Err(Error::RowsLost { table: table.clone(), sent: changed, arrived });
        }
        let warnings = u64::from(conn.warnings());
        if warnings > 0 {
            self.check_merged(conn, sql, changed, warnings)?;
            moved.filled.checked = true;
        }
        fault_point("replicator.merge_inserted", table);
        Ok(())
    }

    /// Sees to it that the table now holds the staged rows byte for byte.
    fn check_merged(
        &self,
        conn: &mut MyConn,
        sql: &MergeSql,
        changed: u64,
        warnings: u64,
    ) -> Result<()> {
        let at = self.at(CopyStage::Compare, changed);
        let guard = self.replicator.replica.cancel_guard(conn, &self.replicator.cancel);
        let equal = conn.query_first::<u64, _>(sql.count_equal.as_str());
        drop(guard);
        let equal = equal.map_err(|error| self.replicator.failed(conn, at, &error))?;
        if equal == Some(changed) {
            return Ok(());
        }
        Err(Error::ValuesChanged { table: self.job.table.name.clone(), warnings })
    }

    /// Runs a statement of the merge and returns the number of rows it changed.
    fn change(&self, conn: &mut MyConn, statement: &str, rows: u64) -> Result<u64> {
        self.run(conn, statement, self.at(CopyStage::Merge, rows))?;
        Ok(conn.affected_rows())
    }

    /// Tells rows that are in each other's way from other failures: in the staging table two rows of
    /// one key, read while the source was written to; in the replica's table one that is gone from
    /// the source.
    fn collision(&self, error: Error) -> Error {
        match (&error, error.duplicate()) {
            (_, Some(key)) => self.conflict(key),
            (Error::RowsLost { .. }, _) => self.conflict(None),
            _ => error,
        }
    }

    fn conflict(&self, key: Option<String>) -> Error {
        Error::MergeConflict { table: self.job.table.name.clone(), key }
    }

    /// Makes the empty staging table, and the one of the keys.
    fn make_own<'s>(&'s self, conn: &mut MyConn, guards: &mut Vec<ShadowGuard<'s>>) -> Result<()> {
        let staging = self.replica_table().staging(&self.own_table());
        guards.extend(self.make(conn, &staging, LeftoverKind::New)?);
        if self.scope.keys().is_some() {
            let keys = keys_sql(self.job.table, &self.own_keys());
            guards.extend(self.make(conn, &keys, LeftoverKind::Keys)?);
        }
        Ok(())
    }

    /// Makes a table: a temporary one, or where the account has no right to those an ordinary one,
    /// which a crash leaves behind for [`Replicator::leftovers`].
    ///
    /// [`Replicator::leftovers`]: crate::Replicator::leftovers
    fn make<'s>(
        &'s self,
        conn: &mut MyConn,
        table: &str,
        kind: LeftoverKind,
    ) -> Result<Option<ShadowGuard<'s>>> {
        let (replicator, at) = (self.replicator, self.at(CopyStage::Gather, 0));
        if replicator.makes_temporary() {
            match self.run(conn, &format!("CREATE TEMPORARY TABLE {table}"), at) {
                Err(error) if error.is_denied() => replicator.forget_temporary(),
                made => return made.map(|()| None),
            }
        }
        self.run(conn, &format!("CREATE TABLE {table}"), at)?;
        Ok(Some(ShadowGuard::new(replicator, self.job, kind)))
    }

    fn drop_temporary(&self, conn: &mut MyConn) {
        let mut drop = format!("DROP TEMPORARY TABLE {}", quote_my(self.own_table()));
        if self.scope.keys().is_some() {
            drop = format!("{drop}, {}", quote_my(self.own_keys()));
        }
        if let Err(error) = conn.query_drop(drop) {
            // The end of its session drops it.
            log::debug!("a staging table stays for now: {}", conn.fault(&error));
        }
    }

    /// Returns the name of the table of the keys.
    fn own_keys(&self) -> String {
        LeftoverKind::Keys.table(self.job.copy_id)
    }
}
