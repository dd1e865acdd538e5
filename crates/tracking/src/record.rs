//! Recording what happened to a table.

use crate::change::RowChange;
use crate::changes::{self, BegunCopy};
use crate::error::{Result, TrackingError};
use crate::finding::{CopyRecovery, RecoveryFinding};
use crate::layout::COPIES;
use crate::status::AttemptStatus;
use crate::tracker::Tracker;
use crate::watermark::WatermarkAt;
use handoff_connect::SessionProfile;
use handoff_model::{CopyId, TableName, TablePhase};
use postgres::types::{ToSql, Type};

/// The facts of an attempt beside table, phase and status, which decide which facts are needed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptFacts<'a> {
    /// The copy that begins, is found done, or is undone.
    pub copy_id: Option<CopyId>,
    /// The watermarks that a copy which begins is to reach.
    pub watermark: Option<&'a [WatermarkAt]>,
    /// The structure of the table, as a hash.
    pub fingerprint: Option<&'a str>,
    /// True if a copy that begins changes the table itself (a merge) and not its shadow.
    pub in_place: bool,
    /// The reason that an attempt failed or was stopped, as an error chain without row values.
    pub error: Option<&'a str>,
}

impl Tracker {
    /// Records that a copy into a shadow is about to begin: status `running`, a pending id, the
    /// proposed watermark. The last good copy and watermark stay.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the server fails.
    pub fn copy_started(
        &self,
        table: &TableName,
        copy_id: CopyId,
        proposed: Option<&[WatermarkAt]>,
        fingerprint: &str,
    ) -> Result<()> {
        let metadata = AttemptFacts {
            copy_id: Some(copy_id),
            watermark: proposed,
            fingerprint: Some(fingerprint),
            ..AttemptFacts::default()
        };
        self.update_pipeline_status(table, TablePhase::Copy, AttemptStatus::Running, &metadata)
    }

    /// Records that rows are about to be merged into the replica table itself, where no
    /// transaction protects it: until the merge is done it may not be loaded.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the server fails.
    pub fn merge_started(
        &self,
        table: &TableName,
        copy_id: CopyId,
        proposed: Option<&[WatermarkAt]>,
        fingerprint: &str,
    ) -> Result<()> {
        let metadata = AttemptFacts {
            copy_id: Some(copy_id),
            watermark: proposed,
            fingerprint: Some(fingerprint),
            in_place: true,
            ..AttemptFacts::default()
        };
        self.update_pipeline_status(table, TablePhase::Copy, AttemptStatus::Running, &metadata)
    }

    /// Records that an interrupted copy has arrived all the same: its shadow is the table. The
    /// proposed watermark becomes the watermark. Nothing happens if `copy_id` is not pending.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the server fails.
    pub fn copy_finished_by_recovery(&self, table: &TableName, copy_id: CopyId) -> Result<()> {
        let metadata = AttemptFacts { copy_id: Some(copy_id), ..AttemptFacts::default() };
        self.update_pipeline_status(table, TablePhase::Copy, AttemptStatus::Success, &metadata)
    }

    /// Records that an interrupted copy never arrived. The last good copy and watermark stay.
    /// Nothing happens if `copy_id` is not pending.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the server fails.
    pub fn copy_undone(&self, table: &TableName, copy_id: CopyId) -> Result<()> {
        let metadata = AttemptFacts { copy_id: Some(copy_id), ..AttemptFacts::default() };
        self.update_pipeline_status(table, TablePhase::Copy, AttemptStatus::Interrupted, &metadata)
    }

    /// Records that an attempt failed or was stopped, in a transaction of its own. Moves no
    /// watermark and changes nothing of the last good attempt.
    ///
    /// Both servers are told as far as they can be reached.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if one of the servers fails.
    pub fn failed(
        &self,
        table: &TableName,
        phase: TablePhase,
        status: AttemptStatus,
        error: &str,
    ) -> Result<()> {
        let metadata = AttemptFacts { error: Some(error), ..AttemptFacts::default() };
        self.update_pipeline_status(table, phase, status, &metadata)
    }

    /// Records that tables of this name which are there already are ours from now on. What is in
    /// them is not known: they have no watermark, and the one in the replica may not be loaded
    /// before it was copied.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if a server fails.
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
    /// Returns a [`TrackingError`] if the server fails.
    pub fn settle(&self, finding: &RecoveryFinding) -> Result<bool> {
        let RecoveryFinding::Interrupted { table, copy_id, remedy } = finding else {
            return Ok(false);
        };
        match remedy {
            CopyRecovery::Finish => self.copy_finished_by_recovery(table, *copy_id)?,
            CopyRecovery::Undo | CopyRecovery::Repeat => self.copy_undone(table, *copy_id)?,
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
    /// A success that comes with data is a [`TrackingHook`](crate::TrackingHook)'s.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if a server fails, or if this table has no such line.
    pub fn update_pipeline_status(
        &self,
        table: &TableName,
        phase: TablePhase,
        status: AttemptStatus,
        metadata: &AttemptFacts<'_>,
    ) -> Result<()> {
        self.demand_write()?;
        let refused =
            |why| TrackingError::Change { phase: phase.name(), status: status.name(), why };
        let entry = self.entry(table);
        let identities = self.identities();
        let copy_id = || metadata.copy_id.ok_or_else(|| refused("it needs the copy's id"));
        match (phase, status) {
            (TablePhase::Copy, AttemptStatus::Running) => {
                let attempt = BegunCopy {
                    copy_id: copy_id()?,
                    watermark: metadata.watermark,
                    fingerprint: metadata.fingerprint,
                    in_place: metadata.in_place,
                    source: identities.source.as_ref(),
                };
                self.write_copy(&changes::copy_begun(entry, attempt))
            }
            (TablePhase::Copy, AttemptStatus::Success) => {
                self.write_copy(&changes::copy_finished(entry, copy_id()?))
            }
            (TablePhase::Copy, AttemptStatus::Interrupted) => {
                self.write_copy(&changes::copy_undone(entry, copy_id()?))
            }
            (_, AttemptStatus::Failed | AttemptStatus::Cancelled) => {
                self.record_end(table, phase, status, metadata.error.unwrap_or_default())
            }
            (_, AttemptStatus::NotStarted) => Err(refused("what never began changes no state")),
            (TablePhase::Load | TablePhase::Prove | TablePhase::Verify, _) => {
                Err(refused("a load is recorded together with its data, by a seal"))
            }
        }
    }

    fn record_end(
        &self,
        table: &TableName,
        phase: TablePhase,
        status: AttemptStatus,
        error: &str,
    ) -> Result<()> {
        let entry = self.entry(table);
        if phase == TablePhase::Copy {
            // A copy that was rolled back has no place in the history.
            self.forget(table);
        }
        let line = changes::run_ended(entry, phase, status, error);
        let line = changes::with_copy(line, self.remembered(table).as_ref());
        if phase == TablePhase::Copy {
            let told = self.write_copy(&changes::copy_ended(entry, status, error));
            self.write_target(&[line])?;
            told
        } else {
            self.write_target(&[line, changes::load_ended(entry, status, error)])
        }
    }

    /// Writes a row of `etl_copy_status`, wherever it is.
    fn write_copy(&self, change: &RowChange) -> Result<()> {
        let Some(replica) = self.replica() else {
            return self.write_target(std::slice::from_ref(change));
        };
        self.demand_write()?;
        let failed = TrackingError::server("write", COPIES.name);
        self.demand_locks().map_err(&failed)?;
        let mut conn = replica.get(SessionProfile::Write).map_err(&failed)?;
        let statement = change.for_mysql(&self.in_replica(replica, change.layout()));
        let done = conn.exec_drop(statement.sql, statement.values);
        done.map_err(|error| failed(conn.fault(&error)))
    }

    /// Makes all of `changes` in the target, in one statement.
    pub(crate) fn write_target(&self, changes: &[RowChange]) -> Result<()> {
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
        let failed = TrackingError::server("write", table);
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
