//! Hop 1 of a table.

use crate::TableError;
use crate::diff::Between;
use crate::figures::add;
use crate::probe::{Asker, Probe};
use crate::publish::{CopyChecks, Progress, Relay, likely_rows};
use crate::slices::Slices;
use crate::sweep::Sweep;
use crate::table::{Evidence, WrittenSince};
use crate::table_run::TableRunner;
use crate::work::{EVERYTHING, Slice, Work};
use handoff_connect::Side;
use handoff_model::{CopyId, Phase, ProofBy, TableSum};
use handoff_replicator::{CopyJob, CopyOutcome, Replicator, Way};
use handoff_rows::KeyList;
use handoff_tracking::{CopyState, SealWork, WatermarkAt};

/// A copy that arrived: what hop 2 is to load, and how far it goes.
#[derive(Debug, Clone)]
pub(crate) struct Copied {
    pub(crate) id: CopyId,
    pub(crate) marks: Option<Vec<WatermarkAt>>,
    /// What hop 1 moved, where hop 2 reads the same rows.
    pub(crate) moved: Option<MovedRows>,
}

/// The rows that hop 1 moved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MovedRows {
    pub(crate) rows: u64,
    /// Their sum as they were read, if it was taken.
    pub(crate) sum: Option<TableSum>,
    /// Whether rows were brought into line by their keys since.
    pub(crate) swept: bool,
}

/// The identity of one attempt at hop 1.
struct CopyAttempt {
    id: CopyId,
    first: bool,
}

/// What hop 1 copies in one publication.
#[derive(Clone, Copy)]
pub(crate) struct CopyPart<'a> {
    slice: &'a Slice,
    /// The rows to bring into line beside those of the slice.
    keys: Option<&'a KeyList>,
    /// What the source said before, if the rows of both sides are to be counted.
    probe: Option<&'a Probe>,
    /// Whether a part was published before it.
    follows: bool,
}

impl TableRunner {
    /// Makes hop 1, and returns what hop 2 is to load. Without a replica that is the source, and where
    /// hop 2 alone is made, what the replica holds.
    pub(crate) fn copy_hop(
        &self,
        work: &Work<'_>,
        probe: Option<&Probe>,
        progress: &mut Progress,
    ) -> Result<Copied, TableError> {
        let Some(replicator) = self.replicator.as_ref().filter(|_| work.copies()) else {
            if self.servers.replica.is_some() {
                return self.loadable(work.context);
            }
            let (id, whole) = (work.copy_id, work.whole(probe));
            return Ok(Copied { id, marks: work.marks(&whole, id), moved: None });
        };
        self.foresee_loss(work, probe)?;
        let mut slices = Slices::new(work, probe, self.chunk_rows);
        let mut copied = None;
        while let Some(slice) = slices.next(self)? {
            if !slice.is_last && work.sweeps() && copied.is_none() {
                // A refusal comes before the first slice, and the keys with the last.
                self.sweep(work, SOURCE_AND_REPLICA, window_rows(probe), progress)?;
            }
            let next = self.copy_slice(replicator, work, &slice, probe, progress)?;
            copied = Some(next);
        }
        if work.sweeps() {
            self.compare_copy(replicator, work, progress)?;
        }
        copied.ok_or_else(|| TableError::NotCopied(work.context.name.clone()))
    }

    /// Refuses a table whose rows are counted if so many of them are gone that a move of everything,
    /// which the counts would ask for, would be refused: before the window changes a replica's table
    /// that has no transactions, or that takes it in slices.
    fn foresee_loss(&self, work: &Work<'_>, probe: Option<&Probe>) -> Result<(), TableError> {
        let counted = self.counts(work) && work.is_incremental();
        let by_count = counted && !work.sweeps() && !work.keeps_deleted();
        let (Some(probe), Some(pool)) = (probe.filter(|_| by_count), &self.servers.replica) else {
            return Ok(());
        };
        let context = work.context;
        let (guard, name) = (self.guard_of(context), &context.name);
        let likely = likely_rows(context);
        if guard.check_full(name, Side::Replica, likely.saturating_sub(probe.rows), likely).is_ok()
        {
            return Ok(());
        }
        let asker = Asker { pool, cancel: &self.cancel };
        let rows = self.again(context, || asker.count(&context.schema, &EVERYTHING))?;
        guard.check_full(name, Side::Replica, rows.saturating_sub(probe.rows), rows)
    }

    /// Copies a slice, and with the last one what no slice finds.
    fn copy_slice(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        slice: &Slice,
        probe: Option<&Probe>,
        progress: &mut Progress,
    ) -> Result<Copied, TableError> {
        let swept = match slice.is_last && work.sweeps() {
            true => self.sweep(work, SOURCE_AND_REPLICA, window_rows(probe), progress)?,
            false => None,
        };
        let part = CopyPart {
            slice,
            keys: swept.as_ref().map(|swept| &swept.keys),
            probe: probe.filter(|_| slice.is_last && self.counts(work)),
            follows: progress.copy.is_some(),
        };
        let mut copied = self.copy_and_compare(replicator, work, part, progress)?;
        progress.notes.extend(swept.as_ref().and_then(Sweep::note));
        if let Some(moved) = &mut copied.moved {
            moved.swept = swept.is_some();
        }
        Ok(copied)
    }

    /// Returns true if rows are counted: where some were moved, and where everything took their place.
    pub(crate) fn counts(&self, work: &Work<'_>) -> bool {
        self.prove != ProofBy::Rows && (work.is_incremental() || work.is_second)
    }

    /// Copies a part of a table, and compares source and replica after the last. A source that is
    /// written to meanwhile is copied once more before a difference is called one.
    fn copy_and_compare(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        part: CopyPart<'_>,
        progress: &mut Progress,
    ) -> Result<Copied, TableError> {
        let id = if part.follows { CopyId::new() } else { work.copy_id };
        let mut attempt = CopyAttempt { id, first: true };
        // Not before what is gone was looked for; and what stays differs for good.
        let later = work.sweeps() || work.keeps_deleted();
        let compares = self.prove == ProofBy::Rows && part.slice.is_last && !later;
        // What an attempt at the changed rows misses, one at all rows is to bring.
        let attempts = if work.is_incremental() { 1 } else { 2 };
        for _ in 0..attempts {
            let evidence = &mut progress.evidence;
            let outcome = self.phase(work.context, Phase::Copy, || {
                self.copy(replicator, work, part, &mut attempt, evidence)
            })?;
            progress.note(&outcome.notes);
            // A later slice takes rows of an earlier one along, and hop 2 may load everything.
            let same = work.is_incremental() != work.loads_everything();
            let alone = part.slice.is_last && progress.copy.is_none();
            let moved = (same && alone).then_some(MovedRows {
                rows: outcome.rows,
                sum: outcome.filter_sum,
                swept: false,
            });
            add(&mut progress.copy, outcome);
            if compares {
                let compare = || self.prover.compare_copy(replicator, work.context);
                progress.evidence = self.again(work.context, compare)?;
            }
            if progress.evidence.difference(self.rule(work)).is_none() {
                let marks = work.marks(part.slice, attempt.id);
                progress.marks = marks.clone();
                return Ok(Copied { id: attempt.id, marks, moved });
            }
        }
        let error = progress.evidence.error(self.rule(work));
        Err(error.unwrap_or_else(|| TableError::NotCopied(work.context.name.clone())))
    }

    /// Compares every row of source and replica, where that is asked for.
    pub(crate) fn compare_copy(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        progress: &mut Progress,
    ) -> Result<(), TableError> {
        if self.prove != ProofBy::Rows {
            return Ok(());
        }
        let compare = || self.prover.compare_copy(replicator, work.context);
        progress.evidence = self.again(work.context, compare)?;
        progress.evidence.error(self.rule(work)).map_or(Ok(()), Err)
    }

    fn copy(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        part: CopyPart<'_>,
        attempt: &mut CopyAttempt,
        evidence: &mut Evidence,
    ) -> Result<CopyOutcome, TableError> {
        let (context, slice) = (work.context, part.slice);
        let replica_table = if std::mem::take(&mut attempt.first) {
            context.replica.as_deref()
        } else {
            // An earlier attempt may have got as far as the swap. If the structure changed with
            // it, the old one makes this attempt a swap again, which is right either way.
            attempt.id = CopyId::new();
            let there = replicator.has(&context.name).map_err(TableError::Copy)?;
            let ours = || context.replica.as_deref().unwrap_or(&context.schema);
            there.then(ours)
        };
        let job = CopyJob {
            table: &context.schema,
            copy_id: attempt.id,
            replica_table,
            filter: work.copy(slice),
            canonical: (self.prove == ProofBy::Sums).then_some((&*context.mapping, &self.values)),
        };
        let opened = match part.keys {
            Some(keys) => replicator.open_with_keys(job, keys),
            None => replicator.open(job),
        };
        let opened = opened.map_err(TableError::Copy)?;
        let marks = work.marks(slice, attempt.id);
        let (table, id, print) = (&context.name, attempt.id, &context.fingerprint);
        let begun = match opened.way() {
            Way::Swap => self.tracker.copy_started(table, id, marks.as_deref(), print),
            Way::Merge if !context.schema.engine.is_transactional() => {
                self.tracker.merge_started(table, id, marks.as_deref(), print)
            }
            Way::Merge | Way::Transaction => Ok(()),
        };
        begun.map_err(TableError::Tracking)?;
        let is_whole = slice.is_last;
        let sealed = SealWork { is_whole, ..self.seal_work(work, Some(id), marks.as_deref()) };
        let mut seal = self.tracker.seal(sealed);
        if part.follows || part.keys.is_some() {
            seal = seal.since(work.began);
        }
        let checks = CopyChecks {
            runner: self,
            work,
            is_full: !work.is_incremental(),
            probe: part.probe,
            seal,
            relay: Relay::default(),
        };
        let done = opened.finish(&checks).map_err(TableError::Copy);
        checks.relay.settle(done, evidence)
    }

    /// Counts the rows that were written to the source since the probe, if they could explain why it has more
    /// than arrived.
    pub(crate) fn written(
        &self,
        work: &Work<'_>,
        probe: &Probe,
        source: u64,
        arrived: u64,
    ) -> Result<Option<WrittenSince>, TableError> {
        let first_look = probe.rows;
        if !Evidence::may_be_explained(source, arrived, first_look) {
            return Ok(None);
        }
        let Some(later) = probe.later() else { return Ok(None) };
        let rows = self.asker().count(&work.context.schema, &later)?;
        Ok(Some(WrittenSince { first_look, rows }))
    }

    pub(crate) fn seal_work<'a>(
        &self,
        work: &Work<'a>,
        copy_id: Option<CopyId>,
        watermark: Option<&'a [WatermarkAt]>,
    ) -> SealWork<'a> {
        SealWork {
            table: &work.context.name,
            copy_id,
            copied_at: work.context.tracked.copy.as_ref().and_then(CopyState::data_as_of),
            copied_from: work.context.copied_from(),
            watermark,
            fingerprint: &work.context.fingerprint,
            source_mark: work.mark(watermark),
            reason: work.reason,
            extraction: work.extraction,
            is_whole: true,
        }
    }
}

const SOURCE_AND_REPLICA: Between = Between { first: Side::Source, last: Side::Replica };

/// Returns how many rows a window has, if the source was asked.
pub(crate) fn window_rows(probe: Option<&Probe>) -> Option<u64> {
    probe?.changed
}
