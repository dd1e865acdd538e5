//! Rows that are gone from the source, found by comparing keys.

use crate::copying::Copied;
use crate::diff::Between;
use crate::figures::{add, copy_report, load_report};
use crate::probe::Probe;
use crate::table_run::{Sums, TableRunner};
use crate::wording::counted;
use crate::work::{Slice, Work, full_instead};
use crate::{TableError, TableReport};
use handoff_connect::Side;
use handoff_loader::{LoadMode, LoadOutcome};
use handoff_model::{CopyId, Phase, Reason, RowFilter, SumBy};
use handoff_replicator::Replicator;
use handoff_rows::{KeyList, has_key_values};

/// What is said of a key by which no row can be looked up.
const BLIND: &str = "rows that are gone are found by counting: its key is of a type that cannot be \
                     swept";

impl TableRunner {
    /// Copies a slice; once more after a sweep, where a row that is gone was in the way of another.
    pub(crate) fn copy_swept(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        (slice, id): (&Slice, CopyId),
        (sums, report): (&mut Sums, &mut TableReport),
    ) -> Result<Copied, TableError> {
        match self.copy_and_compare(replicator, work, (slice, id), &mut sums.copy, report) {
            Err(error) if work.sweeps() && full_instead(&error) == Some(Reason::Collided) => {
                let mut before = Copied { id, marks: work.old_marks(Phase::Copy), moved: None };
                self.sweep_copy(replicator, work, &mut before, (&mut *sums, &mut *report))?;
                let at = (slice, CopyId::new());
                self.copy_and_compare(replicator, work, at, &mut sums.copy, report)
            }
            done => done,
        }
    }

    /// Loads some rows, in the same way.
    pub(crate) fn load_swept(
        &self,
        work: &Work<'_>,
        rows: (&RowFilter, LoadMode),
        copied: &Copied,
        (sums, report): (&mut Sums, &mut TableReport),
    ) -> Result<LoadOutcome, TableError> {
        let load = || self.phase(work.context, Phase::Load, || self.load(work, rows, copied));
        match load() {
            Err(error) if work.sweeps() && full_instead(&error) == Some(Reason::Collided) => {
                let marks = work.old_marks(Phase::Load);
                let before = Copied { id: copied.id, marks, moved: None };
                self.sweep_load(work, &before, (sums, report))?;
                load()
            }
            done => done,
        }
    }

    /// Deletes from the replica the rows whose keys the source has no more, and brings those that it
    /// has and no window found.
    pub(crate) fn sweep_copy(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        copied: &mut Copied,
        (sums, report): (&mut Sums, &mut TableReport),
    ) -> Result<(), TableError> {
        let between = Between { first: Side::Source, last: Side::Replica };
        let Some(keys) = self.sweep(work, between, report)? else { return Ok(()) };
        let mut id = CopyId::new();
        let outcome = self.phase(work.context, Phase::Copy, || {
            let done = self.copy_keys(replicator, work, &keys, (id, copied.marks.as_deref()));
            if done.is_err() {
                id = CopyId::new();
            }
            done
        })?;
        copied.id = id;
        if let Some(moved) = &mut copied.moved {
            moved.swept = true;
        }
        add(&mut sums.copy, outcome);
        report.copy = sums.copy.as_ref().map(|sum| copy_report(sum, copied.marks.as_deref()));
        Ok(())
    }

    /// Sweeps once more where rows went while the sweep before was under way, so that the counts
    /// differ.
    pub(crate) fn sweep_again(
        &self,
        counted: Result<(), TableError>,
        (replicator, probe): (&Replicator, &Probe),
        work: &Work<'_>,
        copied: &mut Copied,
        (sums, report): (&mut Sums, &mut TableReport),
    ) -> Result<(), TableError> {
        match counted {
            Err(TableError::Miscounted(_)) if work.sweeps() => {
                self.sweep_copy(replicator, work, copied, (sums, &mut *report))?;
                self.count_copy(replicator, work, probe, report)
            }
            counted => counted,
        }
    }

    /// The same for the target and the database that it is loaded from.
    pub(crate) fn sweep_load(
        &self,
        work: &Work<'_>,
        copied: &Copied,
        (sums, report): (&mut Sums, &mut TableReport),
    ) -> Result<(), TableError> {
        let first = if self.servers.replica.is_some() { Side::Replica } else { Side::Source };
        let between = Between { first, last: Side::Target };
        let Some(keys) = self.sweep(work, between, report)? else { return Ok(()) };
        let marks = copied.marks.as_deref();
        let load = || self.load_keys(work, &keys, (copied.id, marks));
        add(&mut sums.load, self.phase(work.context, Phase::Load, load)?);
        report.load = sums.load.as_ref().map(load_report);
        Ok(())
    }

    /// Returns the keys that only one of the databases has, if there is any.
    fn sweep(
        &self,
        work: &Work<'_>,
        between: Between,
        report: &mut TableReport,
    ) -> Result<Option<KeyList>, TableError> {
        let context = work.context;
        if !has_key_values(&context.mapping) {
            if !report.notes.iter().any(|note| note == BLIND) {
                report.notes.push(BLIND.to_owned());
            }
            return Ok(None);
        }
        let mapping = context.mapping.of_key();
        let found = self.found_in(&mapping, SumBy::Read, context, between)?;
        self.guard.check(&found, &context.mapping)?;
        if found.is_too_much(between.last) {
            return Err(TableError::TooMuchDiffers(context.name.clone()));
        }
        let keys = found.keys(&mapping, between.last)?;
        let gone: u64 = found.pairs().map(|(pair, _)| pair.phantom).sum();
        if gone > 0 {
            let rows = counted(gone, "row");
            let side = between.last;
            report.notes.push(format!("{rows} gone from the source: deleted from the {side}"));
        }
        Ok((!keys.is_empty()).then_some(keys))
    }
}
