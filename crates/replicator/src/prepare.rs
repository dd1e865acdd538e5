//! The decision on the mode of a copy, and the shadow that the mode needs.

use crate::copied_column::copied_columns;
use crate::copy_context::CopyContext;
use crate::definition::TableDefinition;
use crate::error::{CopyStage, Result};
use crate::job::{CopyJob, CopyScope, PublishMode};
use crate::leftover::LeftoverKind;
use crate::pair::Replicator;
use crate::prepared_copy::{CopyPlan, PreparedCopy};
use crate::publish_mode::{check_merge, publish_mode};
use crate::shadow::{IndexTiming, ReplicaTable, ShadowSql};
use crate::shadow_guard::{EmptyShadow, ShadowGuard};
use handoff_connect::fault_point;
use handoff_model::WaitClock;
use handoff_rows::KeyList;
use handoff_schema::{OmissionKind, OmittedPart, StorageEngine, TableSchema};
use std::time::Instant;

/// Tables of fewer rows keep their secondary indexes in CREATE TABLE: one statement less.
const INDEXES_LAST_FROM: u64 = 20_000;

impl Replicator {
    /// Decides the mode for one table and makes the empty shadow where that mode has one.
    ///
    /// # Errors
    ///
    /// Returns an [`Error`](crate::Error) of the table if a server fails, the definition is not
    /// understood or not the one that `job` describes, or some rows are asked for that cannot be
    /// merged; the replica is then as it was.
    pub fn open<'a>(&'a self, job: CopyJob<'a>) -> Result<PreparedCopy<'a>> {
        self.prepare(job, publish_mode(&job)?, CopyScope::Filter)
    }

    /// Opens a table of which the rows of the job's filter are to be merged, and those of `keys` be
    /// brought into line with them, as [`Replicator::open_keys`] does: both are one publication.
    ///
    /// # Errors
    ///
    /// As [`Replicator::open`].
    pub fn open_with_keys<'a>(
        &'a self,
        job: CopyJob<'a>,
        keys: &'a KeyList,
    ) -> Result<PreparedCopy<'a>> {
        if keys.is_empty() {
            return self.open(job);
        }
        check_merge(&job)?;
        self.prepare(job, PublishMode::Merge, CopyScope::FilterAndKeys(keys))
    }

    /// Opens a table of which exactly the rows of `keys` are to be brought into line, by
    /// [`PublishMode::Merge`]: rows that the source has are merged, the others are deleted. The filter
    /// of the job plays no part.
    ///
    /// The keys are compared as the server does, so that a key whose case changed replaces the one
    /// it was.
    ///
    /// # Errors
    ///
    /// As [`Replicator::open`].
    pub fn open_keys<'a>(
        &'a self,
        job: CopyJob<'a>,
        keys: &'a KeyList,
    ) -> Result<PreparedCopy<'a>> {
        check_merge(&job)?;
        self.prepare(job, PublishMode::Merge, CopyScope::Keys(keys))
    }

    fn prepare<'a>(
        &'a self,
        job: CopyJob<'a>,
        mode: PublishMode,
        scope: CopyScope<'a>,
    ) -> Result<PreparedCopy<'a>> {
        let copy = CopyContext { replicator: self, job };
        copy.check_cancel()?;
        let definition = self.definition(job.table)?;
        let columns = copied_columns(job.table, self.source.version().flavor, |name| {
            definition.numbered().any(|other| other == name)
        });
        let omissions = self.omissions(job.table, &definition);
        let plan = match mode {
            PublishMode::Swap => CopyPlan::Swap(self.make_shadow(copy, &definition)?),
            PublishMode::InTransaction => CopyPlan::InTransaction,
            PublishMode::Merge => CopyPlan::Merge,
        };
        fault_point("replicator.opened", &job.table.name);
        let (started, clock) = (Instant::now(), WaitClock::default());
        Ok(PreparedCopy { copy, columns, definition, scope, omissions, plan, started, clock })
    }

    fn make_shadow<'a>(
        &'a self,
        copy: CopyContext<'a>,
        definition: &TableDefinition,
    ) -> Result<EmptyShadow<'a>> {
        let name = LeftoverKind::New.table(copy.job.copy_id);
        let table = self.replica_table(copy.job.table, definition);
        let ShadowSql { create, add_indexes } = table.shadow(&name, index_timing(&copy.job));
        let mut conn = copy.writer(CopyStage::Create)?;
        let created = conn.query_drop(create);
        created.map_err(|error| copy.failed(&conn, copy.at(CopyStage::Create, 0), &error))?;
        let guard = ShadowGuard::new(self, copy.job, LeftoverKind::New);
        Ok(EmptyShadow { guard, name, add_indexes })
    }

    pub(crate) fn replica_table<'a>(
        &self,
        table: &'a TableSchema,
        definition: &'a TableDefinition,
    ) -> ReplicaTable<'a> {
        ReplicaTable::new(table, definition, self.source.version().flavor, self.demands_key)
    }

    fn omissions(&self, table: &TableSchema, definition: &TableDefinition) -> Vec<OmittedPart> {
        let mut omissions = self.replica_table(table, definition).omissions();
        if let Some(count) = self.triggers.get(table.name.as_str()) {
            let (table, kind) = (table.name.clone(), OmissionKind::Triggers);
            omissions.push(OmittedPart { table, kind, name: count.to_string() });
        }
        omissions
    }
}

/// Chooses the moment for the secondary indexes: a large InnoDB table gets them once its rows are there.
fn index_timing(job: &CopyJob<'_>) -> IndexTiming {
    if job.replica_engine() == StorageEngine::InnoDb && job.table.rows >= INDEXES_LAST_FROM {
        IndexTiming::Last
    } else {
        IndexTiming::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{CopyId, RowFilter};

    #[test]
    fn only_a_large_innodb_table_gets_its_indexes_last() {
        for (engine, rows, expected) in [
            (StorageEngine::InnoDb, INDEXES_LAST_FROM, IndexTiming::Last),
            (StorageEngine::InnoDb, INDEXES_LAST_FROM - 1, IndexTiming::First),
            (StorageEngine::MyIsam, INDEXES_LAST_FROM, IndexTiming::First),
            (StorageEngine::Other("MEMORY".to_owned()), INDEXES_LAST_FROM, IndexTiming::Last),
        ] {
            let table = &TableSchema { engine, rows, ..TableSchema::empty("t") };
            let (copy_id, filter) = (CopyId::new(), &RowFilter::All);
            let job = CopyJob { table, copy_id, replica_table: None, filter, canonical: None };
            assert_eq!(index_timing(&job), expected, "{:?} {rows}", table.engine);
        }
    }
}
