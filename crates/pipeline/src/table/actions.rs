//! The steps that ask and compare.

use super::attempt::EVERYTHING;
use super::difference::TableDifference;
use super::evidence::{Evidence, SideRows};
use super::publication::likely_rows;
use super::roles::ComparedPart;
use super::run::{Flow, TableRun};
use super::steps::{Between, Goal, slice_steps};
use super::sweep::{BLIND, KeySweep};
use crate::error::TableError;
use crate::report::Verdict;
use handoff_connect::Side;
use handoff_model::{ProofBy, RowFilter};
use handoff_plan::Hops;
use handoff_rows::has_key_values;
use std::time::Instant;

impl TableRun<'_> {
    pub(super) fn ask_empty(&mut self) -> Result<Flow, TableError> {
        if !self.run.questions.is_empty(self.plan)? {
            return Ok(Flow::Next);
        }
        let replica = self.run.stages.has_replica.then_some(0);
        let rows = SideRows { source: Some(0), replica, target: Some(0) };
        Ok(self.leave(Evidence::of_counts(rows)))
    }

    pub(super) fn probe(&mut self) -> Result<Flow, TableError> {
        let probe = self.run.questions.probe(self.plan, self.attempt.filter)?;
        self.handed.probe = Some(probe);
        let Some(evidence) = self.evidence_if_still()? else { return Ok(Flow::Next) };
        let flow = self.leave(evidence);
        let note = self.evidence.retained_note(self.rule);
        self.notes.extend(note);
        Ok(flow)
    }

    /// Leaves the table alone.
    fn leave(&mut self, evidence: Evidence) -> Flow {
        self.evidence = evidence;
        self.is_unchanged = true;
        Flow::Done
    }

    /// Returns the recorded counts if no row of the window is there to be moved and the source has as many
    /// rows as were counted everywhere when the table was last loaded.
    fn evidence_if_still(&self) -> Result<Option<Evidence>, TableError> {
        let (stages, tracked) = (self.run.stages, &self.plan.tracked);
        let (Some(copy), Some(load)) = (&tracked.copy, &tracked.load) else { return Ok(None) };
        let Some(probe) = &self.handed.probe else { return Ok(None) };
        let rows = SideRows {
            source: Some(probe.rows),
            replica: load.replica_rows,
            target: load.target_rows,
        };
        let evidence = Evidence::of_counts(rows);
        let is_still = stages.hops == Hops::Both
            && stages.proof != ProofBy::Rows
            && self.route.goal == Goal::Window
            && !self.route.sweeps()
            && probe.changed == Some(0)
            && !tracked.last_attempt_failed()
            && copy.copy_id == load.loaded_copy_id
            && load.source_rows == Some(probe.rows)
            && load.target_rows.is_some()
            // Rows that are gone and stay are counted everywhere but in the source.
            && evidence.verdict(self.rule) != Verdict::Differs
            && !self.replica_has_changes()?;
        Ok(is_still.then_some(evidence))
    }

    /// Returns true if the replica has a row of the window, of which the source has none any more.
    fn replica_has_changes(&self) -> Result<bool, TableError> {
        let stages = self.run.stages;
        if stages.proof != ProofBy::Sums || self.route.retains() || !stages.has_replica {
            return Ok(false);
        }
        let rows = self.run.questions.count(Side::Replica, self.plan, self.attempt.filter)?;
        Ok(rows > 0)
    }

    /// Refuses a table whose rows are counted if so many of them are gone that a move of everything,
    /// which the counts would ask for, would be refused: before the window changes a replica's table
    /// that has no transactions, or that takes it in slices.
    pub(super) fn foresee_loss(&mut self) -> Result<(), TableError> {
        let Some(probe) = &self.handed.probe else { return Ok(()) };
        let (limit, name) = (self.run.delete_limit(self.plan), &self.plan.name);
        let likely = likely_rows(self.plan);
        let lost = likely.saturating_sub(probe.rows);
        if limit.check_full(name, Side::Replica, lost, likely).is_ok() {
            return Ok(());
        }
        let rows = self.run.questions.count(Side::Replica, self.plan, &EVERYTHING)?;
        limit.check_full(name, Side::Replica, rows.saturating_sub(probe.rows), rows)
    }

    /// Cuts off the next slice. The rest after the last cut is the slice of the next publication.
    pub(super) fn cut_window(&mut self, is_first: bool) -> Result<Flow, TableError> {
        if is_first && self.handed.cut.is_none() {
            self.handed.cut = self.attempt.cut(self.handed.probe.as_ref());
        }
        let Some(cut) = &mut self.handed.cut else { return Ok(Flow::Next) };
        let (questions, rows) = (self.run.questions, self.run.chunk_rows);
        let end = questions.slice_end(self.plan, &cut.column, &cut.bound(), rows)?;
        let slice = cut.slice(end);
        let is_last = slice.is_last;
        self.handed.slice = Some(slice);
        self.handed.tries = 0;
        Ok(if is_last { Flow::Next } else { Flow::First(slice_steps(&self.route, is_first)) })
    }

    /// Compares every row of a table of which those that differ are moved.
    pub(super) fn compare(&mut self, between: Between) -> Result<(), TableError> {
        let found = self.run.questions.compare(self.plan, between, ComparedPart::Rows)?;
        self.note(found.note().as_slice());
        self.run.delete_limit(self.plan).check(&found, &self.plan.mapping)?;
        if found.is_too_much(between.last) {
            return Err(TableError::TooMuchDiffers(self.plan.name.clone()));
        }
        self.handed.found = Some(found);
        Ok(())
    }

    /// Compares keys before the window of an attempt is moved from one database to the other. Nothing is
    /// written anywhere yet, so that a refusal leaves everything as it is.
    pub(super) fn sweep(&mut self, between: Between) -> Result<(), TableError> {
        if !has_key_values(&self.plan.mapping) {
            self.note(&[BLIND.to_owned()]);
            return Ok(());
        }
        let found = self.run.questions.compare(self.plan, between, ComparedPart::Keys)?;
        self.run.delete_limit(self.plan).check(&found, &self.plan.mapping)?;
        // The window of a load from a replica may be wider than the one that was counted.
        let is_counted = between.first == Side::Source;
        let probe = self.handed.probe.as_ref().filter(|_| is_counted);
        let window = probe.and_then(|probe| probe.changed);
        self.handed.swept = KeySweep::of(&found, self.plan, between, window)?;
        Ok(())
    }

    pub(super) fn compare_copy(&mut self) -> Result<(), TableError> {
        let started = Instant::now();
        let mut evidence = Evidence::begun();
        evidence.take_checksums(self.run.questions.checksums(self.plan)?);
        evidence.looked(started.elapsed());
        self.evidence = evidence;
        self.judge()
    }

    /// Compares every row, of which the source may lack some.
    pub(super) fn compare_retained(&mut self) -> Result<(), TableError> {
        let from_replica = self.run.stages.hops == Hops::Load;
        let first = if from_replica { Side::Replica } else { Side::Source };
        let found = self.compare_rows(Between { first, last: Side::Target })?;
        self.evidence = found.without_retained().evidence(true);
        self.judge()
    }

    /// Compares every row.
    pub(crate) fn compare_rows(&self, between: Between) -> Result<TableDifference, TableError> {
        self.run.questions.compare(self.plan, between, ComparedPart::Rows)
    }

    /// Returns the rows that hop 2 loads.
    pub(super) fn rows_to_load(&self) -> RowFilter {
        self.attempt.rows_to_load(self.route.load_mode()).clone()
    }
}
