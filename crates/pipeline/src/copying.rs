//! Hop 1 of a table.

use crate::figures::add;
use crate::probe::Probe;
use crate::table_run::TableRunner;
use crate::work::{Slice, Work};
use crate::{Proof, TableContext, TableError, TableReport, Verdict};
use handoff_model::{CopyId, Phase, ProofBy, TableSum};
use handoff_replicator::{CopyJob, CopyOutcome, Replicator, Way};
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

impl TableRunner {
    /// Copies a slice, and compares source and replica after the last. A source that is written to
    /// meanwhile is copied once more before a difference is called one.
    pub(crate) fn copy_and_compare(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        (slice, id): (&Slice, CopyId),
        sum: &mut Option<CopyOutcome>,
        report: &mut TableReport,
    ) -> Result<Copied, TableError> {
        let mut attempt = CopyAttempt { id, first: true };
        // Not before what is gone was looked for; and what stays differs for good.
        let later = work.sweeps() || work.keeps_deleted();
        let compares = self.prove == ProofBy::Rows && slice.is_last && !later;
        // What an attempt at the changed rows misses, one at all rows is to bring.
        let attempts = if work.is_incremental() { 1 } else { 2 };
        for _ in 0..attempts {
            let outcome = self.phase(work.context, Phase::Copy, || {
                self.copy(replicator, work, slice, &mut attempt)
            })?;
            let new = outcome.notes.iter().filter(|note| !report.notes.contains(note)).cloned();
            let new: Vec<String> = new.collect();
            report.notes.extend(new);
            // A later slice takes rows of an earlier one along, and hop 2 may load everything.
            let same = work.is_incremental() != work.loads_everything();
            let moved = (same && slice.is_last && sum.is_none()).then_some(MovedRows {
                rows: outcome.rows,
                sum: outcome.sum,
                swept: false,
            });
            add(sum, outcome);
            if compares {
                let compare = || self.prover.compare_copy(replicator, work.context);
                report.proof = Some(self.again(work.context, compare)?);
            }
            if report.proof.as_ref().is_none_or(|proof| proof.verdict != Verdict::Differs) {
                let marks = work.marks(slice, attempt.id);
                return Ok(Copied { id: attempt.id, marks, moved });
            }
        }
        let difference = report.proof.as_ref().map(Proof::difference).unwrap_or_default();
        Err(TableError::Differs(difference))
    }

    /// Compares every row of source and replica, where that is asked for.
    pub(crate) fn compare_copy(
        &self,
        replicator: &Replicator,
        context: &TableContext,
        report: &mut TableReport,
    ) -> Result<(), TableError> {
        if self.prove != ProofBy::Rows {
            return Ok(());
        }
        let compare = || self.prover.compare_copy(replicator, context);
        let proof = self.again(context, compare)?;
        let difference = (proof.verdict == Verdict::Differs).then(|| proof.difference());
        report.proof = Some(proof);
        difference.map_or(Ok(()), |difference| Err(TableError::Differs(difference)))
    }

    fn copy(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        slice: &Slice,
        attempt: &mut CopyAttempt,
    ) -> Result<CopyOutcome, TableError> {
        let context = work.context;
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
        let opened = replicator.open(job).map_err(TableError::Copy)?;
        let marks = work.marks(slice, attempt.id);
        let (table, id, print) = (&context.name, attempt.id, &context.fingerprint);
        let begun = match opened.way() {
            Way::Swap => self.tracker.copy_started(table, id, marks.as_deref(), print),
            Way::Merge => self.tracker.merge_started(table, id, marks.as_deref(), print),
            Way::Transaction => Ok(()),
        };
        begun.map_err(TableError::Tracking)?;
        let seal = self.tracker.seal(self.seal_work(work, Some(id), marks.as_deref()));
        opened.finish(&seal).map_err(TableError::Copy)
    }

    /// Counts the rows of source and replica after an incremental copy. Rows that came since the
    /// probe are no difference.
    pub(crate) fn count_copy(
        &self,
        replicator: &Replicator,
        work: &Work<'_>,
        probe: &Probe,
        report: &mut TableReport,
    ) -> Result<(), TableError> {
        let name = &work.context.name;
        let counts =
            self.again(work.context, || replicator.counts(name).map_err(TableError::ProveCopy))?;
        let mut proof = Proof {
            counted: true,
            source_rows: Some(counts.source),
            replica_rows: Some(counts.replica),
            ..Proof::nothing()
        };
        let equal = self.is_explained(work, probe, counts.source, counts.replica)?;
        if !equal {
            proof.verdict = Verdict::Differs;
        }
        let difference = proof.difference();
        report.proof = Some(proof);
        if equal { Ok(()) } else { Err(TableError::Miscounted(difference)) }
    }

    /// Returns true if rows that were written since the probe explain why the source has more than
    /// arrived. As many as there were then have to be there: the rows above a watermark that is the
    /// column's highest value are not all new.
    pub(crate) fn is_explained(
        &self,
        work: &Work<'_>,
        probe: &Probe,
        source: u64,
        arrived: u64,
    ) -> Result<bool, TableError> {
        if source <= arrived {
            return Ok(source == arrived || work.keeps_deleted());
        }
        let Some(later) = probe.later().filter(|_| arrived >= probe.rows) else { return Ok(false) };
        let count = || self.asker().count(&work.context.schema, &later);
        Ok(source - arrived <= self.again(work.context, count)?)
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
        }
    }
}
