//! The steps that publish.

use super::attempt::rebased;
use super::evidence::Evidence;
use super::publication::{CheckScope, CopyCheck, LoadCheck, MovedRows, ReadRows};
use super::roles::{CopiedPart, CopyOrder, LoadOrder, LoadedPart, NoCheck};
use super::run::{CopiedRows, TableRun};
use super::steps::{Counting, Goal};
use super::sweep::KeySweep;
use crate::error::TableError;
use crate::report::HopTotals;
use handoff_connect::Side;
use handoff_loader::{LoadMode, LoadOutcome};
use handoff_model::{CopyId, ProofBy, TablePhase};
use handoff_plan::Hops;
use handoff_replicator::CopyOutcome;
use handoff_rows::KeyList;
use handoff_tracking::PublishedMove;
use jiff::Timestamp;

impl TableRun<'_> {
    /// Publishes a slice, or the whole window or table, in the replica, and with the last slice the keys that
    /// no window finds.
    pub(super) fn copy_rows(&mut self, counts: bool) -> Result<(), TableError> {
        let slice = match &self.handed.slice {
            Some(slice) => slice.clone(),
            None => self.attempt.whole(self.handed.probe.as_ref()),
        };
        let id = self.copy_id();
        let swept = self.handed.swept.as_ref().filter(|_| slice.is_last);
        let marks = self.attempt.marks(&slice, id);
        let record = self.attempt.record(Some(id), marks.as_deref());
        let looked_before = self.handed.has_slices || swept.is_some();
        let order = CopyOrder {
            plan: self.plan,
            id,
            is_first: self.handed.tries == 1,
            part: match swept {
                Some(swept) => CopiedPart::RowsAndKeys(&slice.filter, &swept.keys),
                None => CopiedPart::Rows(&slice.filter),
            },
            sums: self.run.stages.proof == ProofBy::Sums,
            record: PublishedMove { is_whole: slice.is_last, ..record },
            since: looked_before.then_some(self.attempt.began),
        };
        let check = CopyCheck::new(self.check_scope(), counts && slice.is_last);
        let done = self.run.movers.copy(&order, &check);
        let evidence = check.into_evidence();
        let is_swept = swept.is_some();
        let note = swept.and_then(KeySweep::note);
        let outcome = self.judged(done, evidence)?;
        // A later slice takes rows of an earlier one along, and hop 2 may load everything.
        let is_window = self.route.goal == Goal::Window;
        let same = is_window != self.route.loads_everything();
        let alone = slice.is_last && !self.handed.has_slices;
        let (rows, sum) = (outcome.figures.rows, outcome.filter_sum);
        let moved = (same && alone).then_some(MovedRows { rows, sum, is_swept });
        self.take_copied(&outcome);
        self.notes.extend(note);
        self.totals.marks = marks.clone();
        self.handed.has_slices |= !slice.is_last;
        self.handed.swept = None;
        if self.run.stages.hops == Hops::Copy && slice.is_last {
            self.take_unloaded(moved);
        }
        self.handed.copied = Some(CopiedRows { id, marks, moved });
        Ok(())
    }

    /// Adds the evidence of a copy that is not loaded: the rows that were read, and as many in the replica.
    fn take_unloaded(&mut self, moved: Option<MovedRows>) {
        let Some(moved) = moved.filter(|_| self.evidence.at.is_none()) else { return };
        self.evidence = Evidence::begun();
        self.evidence.rows.source = Some(moved.rows);
        self.evidence.rows.replica = Some(moved.rows);
        self.evidence.sums.source = moved.sum;
    }

    /// Begins a publication of hop 1, and returns the identity of its copy: a new one for each but the first.
    fn copy_id(&mut self) -> CopyId {
        self.handed.tries += 1;
        let is_first = self.handed.tries == 1 && !self.handed.has_slices;
        if is_first { self.attempt.copy_id } else { CopyId::new() }
    }

    /// Brings the rows that the comparison named into line in the replica.
    pub(super) fn copy_keys(&mut self) -> Result<(), TableError> {
        let id = self.copy_id();
        // Rows that went from the source since the comparison stay as well.
        let keys = self.keys(Side::Replica)?.keeping_gone(self.route.retains());
        let marks = rebased(self.attempt.recorded_marks(TablePhase::Copy).as_deref(), id);
        let order = CopyOrder {
            plan: self.plan,
            id,
            is_first: self.handed.tries == 1,
            part: CopiedPart::Keys(&keys),
            sums: self.run.stages.proof == ProofBy::Sums,
            record: self.attempt.record(Some(id), marks.as_deref()),
            since: Some(self.attempt.began),
        };
        let outcome = self.run.movers.copy(&order, &NoCheck)?;
        let (rows, sum) = (outcome.figures.rows, outcome.sum);
        // A repair copies more rows than hop 2 lacks, or other ones.
        let moved = (!self.route.is_repair).then_some(MovedRows { rows, sum, is_swept: false });
        self.take_copied(&outcome);
        self.handed.copied = Some(CopiedRows { id, marks, moved });
        Ok(())
    }

    /// Takes the copy in the replica, or the source itself, for the load.
    pub(super) fn take_copy(&mut self) -> Result<(), TableError> {
        let id = self.attempt.copy_id;
        let copied = if self.run.stages.has_replica {
            let Some(id) = self.plan.tracked.loadable_copy() else {
                return Err(TableError::NotCopied(self.plan.name.clone()));
            };
            CopiedRows { id, marks: self.attempt.recorded_marks(TablePhase::Copy), moved: None }
        } else if self.route.goal == Goal::Differing {
            CopiedRows { id, marks: self.attempt.recorded_marks(TablePhase::Copy), moved: None }
        } else {
            let whole = self.attempt.whole(self.handed.probe.as_ref());
            CopiedRows { id, marks: self.attempt.marks(&whole, id), moved: None }
        };
        self.handed.copied = Some(copied);
        Ok(())
    }

    /// Publishes in the target the rows that hop 1 copied, together with the keys that no window finds.
    pub(super) fn load_rows(&mut self, counting: Counting) -> Result<(), TableError> {
        let copied = self.copied()?;
        let (mode, filter) = (self.route.load_mode(), self.rows_to_load());
        let swept = self.handed.swept.as_ref();
        let order = LoadOrder {
            plan: self.plan,
            copy_id: Some(copied.id),
            part: match swept {
                Some(swept) => LoadedPart::RowsAndKeys(&filter, &swept.keys),
                None => LoadedPart::Rows(&filter),
            },
            mode,
            record: self.attempt.record(Some(copied.id), copied.marks.as_deref()),
            since: self.since_if_read_from_source(swept.is_some()),
        };
        // The rows that a comparison named are not all that are loaded.
        let moved = copied.moved.filter(|_| self.route.goal != Goal::Differing);
        let check = LoadCheck::new(self.check_scope(), counting, moved);
        let check = if mode == LoadMode::Full { check.full(ReadRows::Loaded) } else { check };
        let note = swept.and_then(KeySweep::note);
        let done = self.run.movers.load(&order, &check);
        let evidence = check.into_evidence();
        let outcome = self.judged(done, evidence)?;
        self.notes.extend(note);
        self.take_loaded(&outcome);
        if !self.route.proves_rows() {
            self.notes.extend(self.evidence.retained_note(self.rule));
        }
        Ok(())
    }

    /// Brings the rows that the comparison named into line in the target.
    pub(super) fn load_keys(&mut self, counting: Counting) -> Result<(), TableError> {
        let copied = self.copied()?;
        let has_replica = self.run.stages.has_replica;
        let side = self.handed.found.as_ref().map_or(Side::Target, |found| found.last_side());
        let keys = self.keys(side)?.keeping_gone(self.route.retains() && !has_replica);
        let base = copied.marks.as_ref().and_then(|marks| Some(marks.first()?.base));
        let recorded = self.attempt.recorded_marks(TablePhase::Load);
        let marks = match base {
            Some(base) => rebased(recorded.as_deref(), base),
            None => recorded,
        };
        let order = LoadOrder {
            plan: self.plan,
            copy_id: Some(copied.id),
            part: LoadedPart::Keys(&keys),
            mode: LoadMode::Incremental,
            record: self.attempt.record(Some(copied.id), marks.as_deref()),
            since: self.since_if_read_from_source(true),
        };
        let check = LoadCheck::new(self.check_scope(), counting, copied.moved);
        let done = self.run.movers.load(&order, &check);
        let evidence = check.into_evidence();
        let outcome = self.judged(done, evidence)?;
        self.take_loaded(&outcome);
        Ok(())
    }

    /// Loads everything from a file that an earlier load kept. It is of no copy that is known, nor is its age,
    /// so nothing is recorded that a later run could take for up to date.
    pub(super) fn load_file(&mut self) -> Result<(), TableError> {
        let Some(file) = &self.run.spool else { return Ok(()) };
        let record = self.attempt.record(None, None);
        let order = LoadOrder {
            plan: self.plan,
            copy_id: None,
            part: LoadedPart::File(file),
            mode: LoadMode::Full,
            record: PublishedMove { copied_at: None, copied_from: None, ..record },
            since: None,
        };
        // The replica is what the target is to equal, not the file.
        let check =
            LoadCheck::new(self.check_scope(), Counting::Nothing, None).full(ReadRows::Again);
        let done = self.run.movers.load(&order, &check);
        let evidence = check.into_evidence();
        let outcome = self.judged(done, evidence)?;
        if !self.route.proves_rows() {
            // Nothing is known of the file but what arrived.
            self.evidence = Evidence::begun();
            self.evidence.rows.target = Some(outcome.figures.rows);
        }
        self.take_loaded(&outcome);
        Ok(())
    }

    /// Returns the table and its evidence for the check of a publication.
    fn check_scope(&self) -> CheckScope<'_> {
        CheckScope {
            run: self.run,
            plan: self.plan,
            route: self.route,
            rule: self.rule,
            probe: self.handed.probe.as_ref(),
            before: self.evidence.clone(),
        }
    }

    /// Takes the evidence of a check, unless the mover failed at something else.
    fn judged<T>(
        &mut self,
        done: Result<T, TableError>,
        evidence: Option<Evidence>,
    ) -> Result<T, TableError> {
        let decides = match &done {
            Ok(_) => true,
            Err(error) => matches!(
                error,
                TableError::Differs(_)
                    | TableError::Miscounted(_)
                    | TableError::TooManyDeletes { .. }
            ),
        };
        if let Some(evidence) = evidence.filter(|_| decides) {
            self.evidence = evidence;
        }
        done
    }

    fn take_copied(&mut self, outcome: &CopyOutcome) {
        self.handed.copies += 1;
        self.handed.figures = Some(outcome.figures);
        self.note(&outcome.notes);
        HopTotals::add(&mut self.totals.copy, outcome.figures, outcome.strategy);
    }

    fn take_loaded(&mut self, outcome: &LoadOutcome) {
        self.handed.figures = Some(outcome.figures);
        self.note(&outcome.notes);
        HopTotals::add(&mut self.totals.load, outcome.figures, outcome.strategy);
        self.totals.lossy.merge(&outcome.audit);
    }

    /// Returns the time from which rows were looked for in the source that hop 2 reads itself.
    fn since_if_read_from_source(&self, by_keys: bool) -> Option<Timestamp> {
        (by_keys && !self.run.stages.has_replica).then_some(self.attempt.began)
    }

    fn copied(&self) -> Result<CopiedRows, TableError> {
        let copied = self.handed.copied.clone();
        copied.ok_or_else(|| TableError::NotCopied(self.plan.name.clone()))
    }

    /// Returns the keys that the comparison named on the way to `side`.
    fn keys(&self, side: Side) -> Result<KeyList, TableError> {
        match &self.handed.found {
            Some(found) => found.keys(&self.plan.mapping, side),
            None => Err(TableError::NoUsableKey(self.plan.name.clone())),
        }
    }
}
