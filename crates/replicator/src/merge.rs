//! Replacing the rows of a table that changed.
//!
//! The rows are gathered in a staging table first. Those that the table holds byte for byte leave it
//! again, so that no unchanged row is rewritten. Then every row of a staged key is deleted before
//! the first is inserted: two rows may have swapped a unique value. `ON DUPLICATE KEY UPDATE` would
//! find the wrong one of them.

use crate::copy_context::CopyContext;
use crate::error::{CopyStage, Error, Result};
use crate::job::CopyScope;
use crate::leftover::LeftoverKind;
use crate::merge_sql::MergeSql;
use crate::prepared_copy::{CopyEffect, PreparedCopy, WriteScope};
use crate::shadow_guard::ShadowGuard;
use crate::staged_keys::{StagedKeys, StagedKeysSql, keys_sql};
use crate::table_writer::WriteOutcome;
use crate::transaction::undo;
use handoff_connect::{MyConn, PublishHook, SessionProfile, fault_point, quote_my};
use handoff_model::TableSum;
use handoff_rows::KeyList;

impl PreparedCopy<'_> {
    pub(crate) fn merge(&self, seal: &dyn PublishHook) -> Result<CopyEffect> {
        // Ordinary tables are dropped once the connection has been given back.
        let mut guards = Vec::new();
        let mut conn = self.copy.writer(CopyStage::Write)?;
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

    /// Has the seal record that the source was looked at, and that no row differs.
    fn nothing(&self, conn: &mut MyConn, seal: &dyn PublishHook) -> Result<CopyEffect> {
        let local = self.copy.replicator.takes_local();
        let strategy = if local { "load_data_local" } else { "prepared_inserts" };
        let sum = self.copy.job.canonical.map(|_| TableSum::default());
        let written = WriteOutcome { strategy, sum, lines: None, ..WriteOutcome::nothing() };
        let rows = CopyEffect::nothing_yet(written);
        self.check(conn, seal, &rows)?;
        self.seal(conn, seal, &rows)?;
        Ok(rows)
    }

    fn merge_on(&self, conn: &mut MyConn, seal: &dyn PublishHook) -> Result<CopyEffect> {
        let (table, staging) = (self.copy.job.table, self.own_table());
        let mut sql = MergeSql::new(table, &self.columns, &staging);
        let mut rows = CopyEffect::nothing_yet(self.gather(conn, &staging)?);
        if let Some(list) = self.scope.keys() {
            let keys_sql = StagedKeysSql::new(table, &staging, &self.own_keys());
            let keys = self.gather_keyed(conn, list, &keys_sql, &mut rows)?;
            if keys.kept > 0 {
                let found = self.change(conn, &keys_sql.drop_found, rows.written.rows)?;
                sql.delete_gone = keys.deletes_gone(found).then_some(keys_sql.delete_gone);
            }
        }
        let staged = rows.written.rows;
        if staged > 0 || sql.delete_gone.is_some() {
            self.check_unchanged()?;
        }
        if staged > 0 {
            rows.unchanged = self.change(conn, &sql.drop_unchanged, staged)?;
        }
        fault_point("replicator.merge_staged", &table.name);
        if rows.unchanged == staged && sql.delete_gone.is_none() {
            self.check(conn, seal, &rows)?;
            self.seal(conn, seal, &rows)?;
        } else {
            self.replace(conn, &sql, seal, &mut rows)?;
        }
        fault_point("replicator.merge_sealed", &table.name);
        Ok(rows)
    }

    /// Stages the rows of the filter, if they are meant.
    fn gather(&self, conn: &mut MyConn, staging: &str) -> Result<WriteOutcome> {
        if let CopyScope::Keys(_) = self.scope {
            return Ok(WriteOutcome::nothing());
        }
        let written = self.write(conn, staging, false, WriteScope::Filter);
        written.map_err(|error| self.collision(error))
    }

    /// Stages the rows of `list` beside those of `rows`, unless they are among them.
    fn gather_keyed<'k>(
        &self,
        conn: &mut MyConn,
        list: &'k KeyList,
        sql: &StagedKeysSql,
        rows: &mut CopyEffect,
    ) -> Result<StagedKeys<'k>> {
        let (staging, own_keys) = (self.own_table(), self.own_keys());
        let mut keys = StagedKeys::stage(self.copy, conn, list, &own_keys)?;
        let there = rows.written;
        if there.rows > 0 {
            let dropped = self.change(conn, &sql.drop_found, there.rows)?;
            keys.sift(self.copy, conn, &own_keys, dropped)?;
        }
        let scope = WriteScope::Keys { keys: &keys, there };
        let found =
            self.write(conn, &staging, false, scope).map_err(|error| self.collision(error))?;
        rows.written = if there.rows == 0 { found } else { there.and(found) };
        Ok(keys)
    }

    /// Replaces the staged rows, deletes those that are gone, and has that sealed, in one
    /// transaction where the engine has any.
    fn replace(
        &self,
        conn: &mut MyConn,
        sql: &MergeSql,
        seal: &dyn PublishHook,
        rows: &mut CopyEffect,
    ) -> Result<()> {
        let staged = rows.written.rows;
        let at = self.copy.at(CopyStage::Merge, staged);
        conn.set_profile(SessionProfile::Merge).map_err(|fault| at.error(fault))?;
        let transaction = self.copy.job.replica_engine().is_transactional();
        if transaction {
            self.copy.run(conn, "START TRANSACTION", at)?;
        }
        self.delete_and_insert(conn, sql, rows)?;
        self.check(conn, seal, rows)?;
        fault_point("replicator.merge_checked", &self.copy.job.table.name);
        self.seal(conn, seal, rows)?;
        if transaction {
            self.commit(conn, staged)?;
        }
        Ok(())
    }

    fn delete_and_insert(
        &self,
        conn: &mut MyConn,
        sql: &MergeSql,
        rows: &mut CopyEffect,
    ) -> Result<()> {
        let table = &self.copy.job.table.name;
        let staged = rows.written.rows;
        let changed = staged - rows.unchanged;
        rows.updated = self.change(conn, &sql.delete, staged)?;
        if let Some(delete_gone) = &sql.delete_gone {
            rows.deleted = self.change(conn, delete_gone, staged)?;
        }
        fault_point("replicator.merge_deleted", table);
        if rows.updated > changed {
            return Err(self.conflict(None));
        }
        rows.inserted = changed - rows.updated;
        let arrived = self.change(conn, &sql.insert, staged).map_err(|e| self.collision(e))?;
        if arrived != changed {
            return Err(Error::RowsLost { table: table.clone(), sent: changed, arrived });
        }
        let warnings = u64::from(conn.warnings());
        if warnings > 0 {
            self.check_merged(conn, sql, changed, warnings)?;
            rows.written.checked = true;
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
        let CopyContext { replicator, .. } = self.copy;
        let guard = replicator.replica.cancel_guard(conn, &replicator.cancel);
        let counted = conn.query_first::<u64, _>(sql.count_equal.as_str());
        drop(guard);
        let at = self.copy.at(CopyStage::Compare, changed);
        if counted.map_err(|error| self.copy.failed(conn, at, &error))? == Some(changed) {
            return Ok(());
        }
        Err(Error::ValuesChanged { table: self.copy.job.table.name.clone(), warnings })
    }

    /// Runs a statement of the merge and returns the number of rows it changed.
    fn change(&self, conn: &mut MyConn, statement: &str, rows: u64) -> Result<u64> {
        self.copy.run(conn, statement, self.copy.at(CopyStage::Merge, rows))?;
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
        Error::MergeConflict { table: self.copy.job.table.name.clone(), key }
    }

    /// Makes the empty staging table, and the one of the keys.
    fn make_own<'s>(&'s self, conn: &mut MyConn, guards: &mut Vec<ShadowGuard<'s>>) -> Result<()> {
        let staging = self.replica_table().staging(&self.own_table());
        guards.extend(self.make(conn, &staging, LeftoverKind::New)?);
        if self.scope.keys().is_some() {
            let keys = keys_sql(self.copy.job.table, &self.own_keys());
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
        let (replicator, at) = (self.copy.replicator, self.copy.at(CopyStage::Gather, 0));
        if replicator.makes_temporary() {
            match self.copy.run(conn, &format!("CREATE TEMPORARY TABLE {table}"), at) {
                Err(error) if error.is_denied() => replicator.forget_temporary(),
                made => return made.map(|()| None),
            }
        }
        self.copy.run(conn, &format!("CREATE TABLE {table}"), at)?;
        Ok(Some(ShadowGuard::new(replicator, self.copy.job, kind)))
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
        LeftoverKind::Keys.table(self.copy.job.copy_id)
    }
}
