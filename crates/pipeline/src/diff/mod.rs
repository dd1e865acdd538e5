//! Tables of which only the rows that differ are moved, found by comparing all of them.
//!
//! The databases are compared, the keys of the rows that differ go to hop 1, and the same keys go on
//! to hop 2. No mover knows how they were found.

mod compare;
mod found;
mod guard;
mod marks;

pub(crate) use compare::{Between, MOST};
pub(crate) use found::Found;
pub(crate) use guard::{DeleteLimits, Guard, GuardedCommand};

use crate::copying::{Copied, MovedRows};
use crate::figures::add;
use crate::publish::Progress;
use crate::table_run::TableRunner;
use crate::work::Work;
use crate::{Hops, TableError};
use handoff_connect::Side;
use handoff_model::{CopyId, Phase, ProofBy, RowFilter};
use handoff_replicator::{CopyJob, CopyOutcome, Replicator};
use handoff_rows::KeyList;
use handoff_tracking::WatermarkAt;
use marks::based;

impl TableRunner {
    /// Compares a table of the plan and moves what differs.
    pub(crate) fn diff(&self, work: &Work<'_>, progress: &mut Progress) -> Result<(), TableError> {
        let context = work.context;
        let behind = if self.replicator.is_some() { Side::Replica } else { Side::Target };
        let between = Between { first: Side::Source, last: behind };
        let found = self.found(context, between)?;
        progress.notes.extend(found.note());
        self.guard_of(context).check(&found, &context.mapping)?;
        if found.is_too_much(behind) {
            return Err(TableError::TooMuchDiffers(context.name.clone()));
        }
        let keys = found.keys(&context.mapping, behind)?;
        let copied = match &self.replicator {
            Some(replicator) => self.copy_rows(replicator, work, &keys, progress)?,
            None => Copied { id: work.copy_id, marks: work.old_marks(Phase::Copy), moved: None },
        };
        if self.hops == Hops::Copy {
            return Ok(());
        }
        if self.replicator.is_some() && work.loads_everything() {
            // The rows of the comparison are not all that are loaded.
            let copied = Copied { moved: None, ..copied };
            self.load_hop(work, None, &copied, progress)
        } else {
            self.load_rows(work, &keys, &copied, progress)
        }
    }

    /// Brings the rows of `keys` into line in the replica.
    pub(crate) fn copy_rows(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        keys: &KeyList,
        progress: &mut Progress,
    ) -> Result<Copied, TableError> {
        let context = work.context;
        let mut id = work.copy_id;
        let old = work.old_marks(Phase::Copy);
        let outcome = self.phase(context, Phase::Copy, || {
            let marks = based(old.as_deref(), id);
            let done = self.copy_keys(replicator, work, keys, (id, marks.as_deref()));
            if done.is_err() {
                id = CopyId::new();
            }
            done
        })?;
        progress.note(&outcome.notes);
        let moved = Some(MovedRows { rows: outcome.rows, sum: outcome.sum, swept: false });
        add(&mut progress.copy, outcome);
        self.compare_copy(replicator, work, progress)?;
        Ok(Copied { id, marks: based(old.as_deref(), id), moved })
    }

    pub(crate) fn copy_keys(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        keys: &KeyList,
        (copy_id, marks): (CopyId, Option<&[WatermarkAt]>),
    ) -> Result<CopyOutcome, TableError> {
        let context = work.context;
        let job = CopyJob {
            table: &context.schema,
            copy_id,
            replica_table: context.replica.as_deref(),
            filter: &RowFilter::All,
            canonical: (self.prove == ProofBy::Sums).then_some((&*context.mapping, &self.values)),
        };
        let opened = replicator.open_keys(job, keys).map_err(TableError::Copy)?;
        if !context.schema.engine.is_transactional() {
            let (table, print) = (&context.name, &context.fingerprint);
            let begun = self.tracker.merge_started(table, copy_id, marks, print);
            begun.map_err(TableError::Tracking)?;
        }
        let seal = self.tracker.seal(self.seal_work(work, Some(copy_id), marks)).since(work.began);
        opened.finish(&seal).map_err(TableError::Copy)
    }

    /// Brings the rows of `keys` into line in the target: those that hop 1 moved, if it says what that
    /// was.
    pub(crate) fn load_rows(
        &self,
        work: &Work<'_>,
        keys: &KeyList,
        copied: &Copied,
        progress: &mut Progress,
    ) -> Result<(), TableError> {
        let base = copied.marks.as_ref().and_then(|marks| Some(marks.first()?.base));
        let old = work.old_marks(Phase::Load);
        let marks = base.map_or(old.clone(), |base| based(old.as_deref(), base));
        let copied = Copied { marks, ..*copied };
        let evidence = &mut progress.evidence;
        let load = || self.load_keys(work, keys, &copied, evidence);
        let outcome = self.phase(work.context, Phase::Load, load)?;
        progress.note(&outcome.notes);
        add(&mut progress.load, outcome);
        Ok(())
    }
}
