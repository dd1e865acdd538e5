//! One table of a repair.

use super::report::{RepairWay, Seen};
use crate::copying::Copied;
use crate::diff::{Between, Found};
use crate::figures::Figures;
use crate::publish::Progress;
use crate::table::ProofRule;
use crate::table_run::TableRunner;
use crate::work::{Work, full_instead};
use crate::{TableContext, TableError, TableReport, VerifyPair};
use handoff_connect::Side;
use handoff_model::{Deletes, Phase, ProofBy, Reason};
use handoff_rows::has_key_values;
use handoff_verify::ShowKeys;
use jiff::Timestamp;

/// How often a table is mended that still differs afterwards, since its source is written to.
const ROUNDS: u32 = 2;

const EVERYWHERE: Between = Between { first: Side::Source, last: Side::Target };

impl TableRunner {
    /// Mends one table. Whatever happens is in the report.
    pub(super) fn repair(&self, context: &TableContext, keys: ShowKeys) -> (TableReport, Seen) {
        let plan = Work::repair(context, Timestamp::now()).report();
        let mut report = TableReport::begun(context.name.clone(), Some(plan));
        let mut seen = Seen::default();
        if let Err(error) = self.repair_and_prove(context, keys, &mut report, &mut seen) {
            self.note_failure(&mut report, &error);
        }
        (self.done(report), seen)
    }

    fn repair_and_prove(
        &self,
        context: &TableContext,
        keys: ShowKeys,
        report: &mut TableReport,
        seen: &mut Seen,
    ) -> Result<(), TableError> {
        if !was_moved(context, self.replicator.is_some()) {
            return Err(TableError::NeverMoved(context.name.clone()));
        }
        let pairs = |found: &Found| {
            let pairs = found.0.pairs.iter();
            pairs.map(|pair| VerifyPair::of(pair, &context.mapping, keys)).collect()
        };
        let keeps = context.deletes == Deletes::Ignore;
        // Every row was compared, whatever the run proves by.
        let rule = ProofRule { by: ProofBy::Rows, retains: keeps };
        let beside = |found: Found| if keeps { found.but_kept() } else { found };
        let mut began = Timestamp::now();
        let found = self.found(context, EVERYWHERE)?;
        seen.before = pairs(&found);
        let mut found = beside(found);
        let first = |seen: &Seen| seen.rounds == 0 && !self.is_whole(context);
        while seen.rounds < ROUNDS && (!found.0.is_equal() || first(seen)) {
            self.guard_of(context).check(&found, &context.mapping)?;
            let work = Work::repair(context, began);
            let before = Figures::take(report);
            let mut progress = Progress::default();
            let mended = self.mend(work, &found, &mut progress, seen);
            progress.tell(ProofRule { by: self.prove, retains: false }, report);
            before.add_to(report);
            mended?;
            began = Timestamp::now();
            let again = self.found(context, EVERYWHERE)?;
            seen.after = pairs(&again);
            found = beside(again);
            seen.rounds += 1;
        }
        let evidence = found.evidence(keeps);
        report.proof = evidence.proof(rule);
        report.notes.extend(evidence.retained_note(rule));
        if found.0.is_equal() {
            return Ok(());
        }
        let rows = found.differing();
        Err(TableError::StillDiffers { table: context.name.clone(), rows })
    }

    /// Returns false if the replica's table is recorded to lack rows that were being merged.
    fn is_whole(&self, context: &TableContext) -> bool {
        self.replicator.is_none() || context.tracked.loadable_copy().is_some()
    }

    fn mend(
        &self,
        work: Work<'_>,
        found: &Found,
        progress: &mut Progress,
        seen: &mut Seen,
    ) -> Result<(), TableError> {
        let context = work.context;
        let way = RepairWay::of(found, &context.mapping);
        seen.way = Some(way);
        let mut why = if has_key_values(&context.mapping) {
            "more rows differ than are listed"
        } else {
            "it has no key by which rows could be looked up"
        };
        if way == RepairWay::Rows {
            let Err(error) = self.mend_rows(&work, found, progress, seen) else { return Ok(()) };
            why = match full_instead(&error) {
                Some(Reason::Collided) => {
                    "rows that came meanwhile are in the way of a unique value"
                }
                Some(Reason::SchemaChanged) => "the replica's table is of another structure",
                Some(Reason::ReplicaDamaged) => "the replica's table is damaged",
                _ => return Err(error),
            };
            seen.way = Some(RepairWay::FullCopy);
        }
        if context.deletes == Deletes::Ignore {
            return Err(TableError::OnlyInFull { table: context.name.clone(), why });
        }
        let earlier = std::mem::take(progress);
        progress.notes = earlier.notes;
        self.attempt(&work.in_full(Reason::Repair), progress)?;
        progress.notes.push(format!("the whole table was copied: {why}"));
        Ok(())
    }

    fn mend_rows(
        &self,
        work: &Work<'_>,
        found: &Found,
        progress: &mut Progress,
        seen: &Seen,
    ) -> Result<(), TableError> {
        let context = work.context;
        // What went from the source since the comparison stays as well.
        let keeps = context.deletes == Deletes::Ignore;
        let in_replica = found.keys(&context.mapping, Side::Replica)?.keeping_gone(keeps);
        let copied = match &self.replicator {
            // After a first round the replica holds another copy than the plan knows.
            Some(replicator)
                if !in_replica.is_empty() || !self.is_whole(context) || seen.rounds > 0 =>
            {
                self.copy_rows(replicator, work, &in_replica, progress)?
            }
            Some(_) => self.loadable(context)?,
            None => Copied { id: work.copy_id, marks: work.old_marks(Phase::Copy), moved: None },
        };
        let keeps = keeps && self.replicator.is_none();
        let in_target = found.keys(&context.mapping, Side::Target)?.keeping_gone(keeps);
        // More rows than the replica lacked, and they are compared afterwards.
        let copied = Copied { moved: None, ..copied };
        self.load_rows(work, &in_target, &copied, progress)
    }
}

/// Returns true if the table has arrived everywhere before.
fn was_moved(context: &TableContext, has_replica: bool) -> bool {
    let copied = context.tracked.copy.as_ref().is_some_and(|copy| copy.copy_id.is_some());
    context.tracked.was_loaded() && (copied || !has_replica)
}
