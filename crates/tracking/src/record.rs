//! Recording what happened to a table.

use crate::change::Change;
use crate::changes::{self, Attempt};
use crate::layout::COPIES;
use crate::{Error, Finding, Remedy, Result, Status, Tracker, WatermarkAt};
use handoff_connect::Profile;
use handoff_model::{CopyId, Phase, TableName};
use mysql::prelude::Queryable;
use postgres::types::{ToSql, Type};

/// What is known beside table, phase and status. Which of it is needed depends on those.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metadata<'a> {
    /// The copy that begins, is found done, or is undone.
    pub copy_id: Option<CopyId>,
    /// How far a copy that begins is to go.
    pub watermark: Option<&'a [WatermarkAt]>,
    /// The structure of the table, as a hash.
    pub fingerprint: Option<&'a str>,
    /// Whether a copy that begins changes the table itself (a merge) and not a shadow of it.
    pub in_place: bool,
    /// Why an attempt failed or was stopped, as an error chain without row values.
    pub error: Option<&'a str>,
}

impl Tracker {
    /// Records that a copy into a shadow is about to begin: status `running`, a pending id, the
    /// proposed watermark. The last good copy and watermark stay.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if the server fails.
    pub fn copy_started(
        &self,
        table: &TableName,
        copy_id: CopyId,
        proposed: Option<&[WatermarkAt]>,
        fingerprint: &str,
    ) -> Result<()> {
        let metadata = Metadata {
            copy_id: Some(copy_id),
            watermark: proposed,
            fingerprint: Some(fingerprint),
            ..Metadata::default()
        };
        self.update_pipeline_status(table, Phase::Copy, Status::Running, &metadata)
    }

    /// Records that rows are about to be merged into the replica table itself, where no
    /// transaction protects it: until the merge is done it may not be loaded.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if the server fails.
    pub fn merge_started(
        &self,
        table: &TableName,
        copy_id: CopyId,
        proposed: Option<&[WatermarkAt]>,
        fingerprint: &str,
    ) -> Result<()> {
        let metadata = Metadata {
            copy_id: Some(copy_id),
            watermark: proposed,
            fingerprint: Some(fingerprint),
            in_place: true,
            ..Metadata::default()
        };
        self.update_pipeline_status(table, Phase::Copy, Status::Running, &metadata)
    }

    /// Records that an interrupted copy has arrived all the same: its shadow is the table. The
    /// proposed watermark becomes the watermark. Nothing happens if `copy_id` is not pending.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if the server fails.
    pub fn copy_finished_by_recovery(&self, table: &TableName, copy_id: CopyId) -> Result<()> {
        let metadata = Metadata { copy_id: Some(copy_id), ..Metadata::default() };
        self.update_pipeline_status(table, Phase::Copy, Status::Success, &metadata)
    }

    /// Records that an interrupted copy never arrived. The last good copy and watermark stay.
    /// Nothing happens if `copy_id` is not pending.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if the server fails.
    pub fn copy_undone(&self, table: &TableName, copy_id: CopyId) -> Result<()> {
        let metadata = Metadata { copy_id: Some(copy_id), ..Metadata::default() };
        self.update_pipeline_status(table, Phase::Copy, Status::Interrupted, &metadata)
    }

    /// Records that an attempt failed or was stopped, in a transaction of its own. Moves no
    /// watermark and changes nothing of the last good attempt.
    ///
    /// Both servers are told as far as they can be reached.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if one of the servers fails.
    pub fn failed(
        &self,
        table: &TableName,
        phase: Phase,
        status: Status,
        error: &str,
    ) -> Result<()> {
        let metadata = Metadata { error: Some(error), ..Metadata::default() };
        self.update_pipeline_status(table, phase, status, &metadata)
    }

    /// Records that tables of this name which are there already are ours from now on. What is in
    /// them is not known: they have no watermark, and the one in the replica may not be loaded
    /// before it was copied.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if a server fails.
    pub fn adopt(&self, table: &TableName, in_replica: bool, in_target: bool) -> Result<()> {
        let entry = self.entry(table);
        let known = self.states()?.remove(table).unwrap_or_default();
        let copy_known = known.copy.is_some_and(|copy| copy.is_ours());
        let load_known = known.load.is_some_and(|load| load.is_ours());
        if in_replica && !copy_known && self.replica().is_some() {
            self.write_copy(&changes::copy_adopted(entry))?;
        }
        if in_target && !load_known {
            self.write_target(&[changes::load_adopted(entry)])?;
        }
        Ok(())
    }

    /// Finishes or undoes an interrupted copy in the tables of state, and returns whether the
    /// finding was one. Dropping what is left in the replica is the caller's, afterwards.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if the server fails.
    pub fn settle(&self, finding: &Finding) -> Result<bool> {
        let Finding::Interrupted { table, copy_id, remedy } = finding else { return Ok(false) };
        match remedy {
            Remedy::Finish => self.copy_finished_by_recovery(table, *copy_id)?,
            Remedy::Undo | Remedy::Repeat => self.copy_undone(table, *copy_id)?,
        }
        Ok(true)
    }

    /// Records a change of a table's state: the one door that the others go through.
    ///
    /// | Phase | Status | Needs | Means |
    /// | --- | --- | --- | --- |
    /// | copy | running | copy id | it begins |
    /// | copy | success | copy id | a recovery finds that it has arrived |
    /// | copy | interrupted | copy id | a recovery finds that it has not |
    /// | any | failed, cancelled | | it ended, and changed nothing |
    ///
    /// A success that comes with data is a [`TableSeal`](crate::TableSeal)'s.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`] if a server fails, or if this table has no such line.
    pub fn update_pipeline_status(
        &self,
        table: &TableName,
        phase: Phase,
        status: Status,
        metadata: &Metadata<'_>,
    ) -> Result<()> {
        self.demand_write()?;
        let refused = |why| Error::Change { phase: phase.name(), status: status.name(), why };
        let entry = self.entry(table);
        let identities = self.identities();
        let copy_id = || metadata.copy_id.ok_or_else(|| refused("it needs the copy's id"));
        match (phase, status) {
            (Phase::Copy, Status::Running) => {
                let attempt = Attempt {
                    copy_id: copy_id()?,
                    watermark: metadata.watermark,
                    fingerprint: metadata.fingerprint,
                    in_place: metadata.in_place,
                    source: identities.source.as_ref(),
                };
                self.write_copy(&changes::copy_begun(entry, attempt))
            }
            (Phase::Copy, Status::Success) => {
                self.write_copy(&changes::copy_finished(entry, copy_id()?))
            }
            (Phase::Copy, Status::Interrupted) => {
                self.write_copy(&changes::copy_undone(entry, copy_id()?))
            }
            (_, Status::Failed | Status::Cancelled) => {
                self.record_end(table, phase, status, metadata.error.unwrap_or_default())
            }
            (_, Status::NotStarted) => Err(refused("what never began changes no state")),
            (Phase::Load | Phase::Prove | Phase::Verify, _) => {
                Err(refused("a load is recorded together with its data, by a seal"))
            }
        }
    }

    fn record_end(
        &self,
        table: &TableName,
        phase: Phase,
        status: Status,
        error: &str,
    ) -> Result<()> {
        let entry = self.entry(table);
        if phase == Phase::Copy {
            // A copy that was rolled back has no place in the history.
            self.forget(table);
        }
        let line = changes::run_ended(entry, phase, status, error);
        let line = changes::with_copy(line, self.remembered(table).as_ref());
        if phase == Phase::Copy {
            let told = self.write_copy(&changes::copy_ended(entry, status, error));
            self.write_target(&[line])?;
            told
        } else {
            self.write_target(&[line, changes::load_ended(entry, status, error)])
        }
    }

    /// Writes a row of `etl_copy_status`, wherever it is.
    fn write_copy(&self, change: &Change) -> Result<()> {
        let Some(replica) = self.replica() else {
            return self.write_target(std::slice::from_ref(change));
        };
        self.demand_write()?;
        let failed = Error::server("write", COPIES.name);
        self.demand_locks().map_err(&failed)?;
        let mut conn = replica.get(Profile::Write).map_err(&failed)?;
        let statement = change.for_mysql(&self.in_replica(replica, change.layout()));
        let done = conn.exec_drop(statement.sql, statement.values);
        done.map_err(|error| failed(conn.fault(&error)))
    }

    /// Makes all of `changes` in the target, in one statement.
    pub(crate) fn write_target(&self, changes: &[Change]) -> Result<()> {
        let table = changes.last().map_or("", |change| change.layout().name);
        let statement = self.in_one_statement(changes);
        self.execute(table, &statement.sql, &statement.values).map(drop)
    }

    /// Runs one statement on the target, in a transaction of its own, and returns how many rows
    /// it changed.
    pub(crate) fn execute(
        &self,
        table: &'static str,
        sql: &str,
        values: &[Option<String>],
    ) -> Result<u64> {
        self.demand_write()?;
        let failed = Error::server("write", table);
        self.demand_locks().map_err(&failed)?;
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let done = conn.execute_typed(sql, &typed(values));
        done.map_err(|error| failed(conn.fault(&error)))
    }
}

/// Values as parameters: all are text, and the statement casts them.
pub(crate) fn typed(values: &[Option<String>]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect()
}
