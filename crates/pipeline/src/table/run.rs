//! The interpreter of a table's steps.
//!
//! [`TableRun`] makes one step after the other and keeps the results: the evidence, the totals and the notes.
//! [`after_error`] decides on the way on from a step that failed. The report is made at the end.

use super::attempt::{Attempt, WindowCut, WindowSlice};
use super::difference::TableDifference;
use super::evidence::{Evidence, ProofRule};
use super::probe::Probe;
use super::publication::MovedRows;
use super::recovery::{Recovery, after_error};
use super::run_scope::RunScope;
use super::steps::{Route, Step, steps};
use super::sweep::KeySweep;
use crate::error::TableError;
use crate::report::{CopyReport, HopTotals, LoadReport, TableReport};
use handoff_model::{CopyId, LossAudit, MoveFigures, Reason, RunEvent, chain};
use handoff_plan::{PlanReport, TablePlan};
use handoff_tracking::WatermarkAt;
use std::collections::VecDeque;

/// One table on its way through a run.
pub(crate) struct TableRun<'r> {
    pub(crate) run: &'r RunScope<'r>,
    pub(crate) plan: &'r TablePlan,
    pub(crate) attempt: Attempt<'r>,
    pub(crate) route: Route,
    pub(crate) rule: ProofRule,
    pub(crate) handed: HandedOn,
    pub(crate) evidence: Evidence,
    pub(crate) totals: MoveTotals,
    pub(crate) notes: Vec<String>,
    /// Set once it turned out that nothing is to be moved.
    pub(crate) is_unchanged: bool,
}

/// The results of steps that later steps of the same attempt need.
#[derive(Default)]
pub(crate) struct HandedOn {
    pub(crate) probe: Option<Probe>,
    /// The rest of a window that is cut.
    pub(crate) cut: Option<WindowCut>,
    /// The slice to copy next.
    pub(crate) slice: Option<WindowSlice>,
    /// Set once a slice was published.
    pub(crate) has_slices: bool,
    pub(crate) found: Option<TableDifference>,
    pub(crate) swept: Option<KeySweep>,
    /// The number of times that the publication of hop 1 was begun; of the current slice, if there are slices.
    pub(crate) tries: u32,
    /// The number of publications that hop 1 made.
    pub(crate) copies: u32,
    pub(crate) copied: Option<CopiedRows>,
    /// The figures of the last publication.
    pub(crate) figures: Option<MoveFigures>,
}

/// The sums of all publications of a table.
#[derive(Clone, Default)]
pub(crate) struct MoveTotals {
    pub(crate) copy: Option<HopTotals>,
    pub(crate) load: Option<HopTotals>,
    /// The watermarks that the copy reaches.
    pub(crate) marks: Option<Vec<WatermarkAt>>,
    /// Values that could not be carried unchanged.
    pub(crate) lossy: LossAudit,
}

/// A copy that arrived: the rows that hop 2 is to load, and the watermarks that they reach.
#[derive(Debug, Clone)]
pub(crate) struct CopiedRows {
    pub(crate) id: CopyId,
    pub(crate) marks: Option<Vec<WatermarkAt>>,
    /// The rows that hop 1 moved, where hop 2 reads the same.
    pub(crate) moved: Option<MovedRows>,
}

/// The way on from a step that was made.
pub(crate) enum Flow {
    /// The next step follows.
    Next,
    /// These steps follow, and then the next.
    First(Vec<Step>),
    /// The table is done.
    Done,
}

impl RunScope<'_> {
    /// Moves one table, once it has the structure that its rows need. Every outcome is in the report.
    pub(crate) fn move_table(&self, plan: &TablePlan) -> TableReport {
        let Some(changes) = plan.changes() else { return self.move_rows(plan) };
        match self.patiently(plan, || self.movers.change(plan, changes)) {
            Ok(there) => self.move_rows(&plan.changed(changes, there)),
            Err(error) => self.failed(plan, &error),
        }
    }

    fn move_rows(&self, plan: &TablePlan) -> TableReport {
        let mut table = TableRun::new(self, Attempt::planned(plan));
        let done = match &self.spool {
            Some(_) => {
                table.restart(table.attempt.in_full(Reason::Asked));
                table.follow(vec![Step::LoadFile])
            }
            None => table.follow(steps(&table.route)),
        };
        let mut report = table.into_report();
        report.tell_structure(self.movers.take_changes(&plan.name), done.is_ok());
        report
            .notes
            .extend(plan.structure.iter().flat_map(|changes| changes.notes.iter().cloned()));
        if let Err(error) = done {
            self.note_failure(&mut report, &error);
        }
        report.notes.extend(plan.mapping.notes.iter().cloned());
        report.notes.extend(plan.window.iter().flat_map(|window| window.notes()));
        self.done(report)
    }
}

impl<'r> TableRun<'r> {
    pub(crate) fn new(run: &'r RunScope<'r>, attempt: Attempt<'r>) -> TableRun<'r> {
        let route = attempt.route(run.stages);
        TableRun {
            run,
            plan: attempt.plan,
            rule: ProofRule { by: run.stages.proof, retains: route.retains() },
            route,
            attempt,
            handed: HandedOn::default(),
            evidence: Evidence::default(),
            totals: MoveTotals::default(),
            notes: Vec::new(),
            is_unchanged: false,
        }
    }

    /// Puts another attempt in the place of the one before, of which only the totals and the notes stay.
    pub(crate) fn restart(&mut self, attempt: Attempt<'r>) {
        self.route = attempt.route(self.run.stages);
        self.rule = ProofRule { by: self.run.stages.proof, retains: self.route.retains() };
        self.attempt = attempt;
        self.handed = HandedOn::default();
        self.evidence = Evidence::default();
    }

    /// Makes steps, in order, and those that follow from failures.
    ///
    /// # Errors
    ///
    /// Returns the error of the step after which nothing can follow.
    pub(crate) fn follow(&mut self, steps: Vec<Step>) -> Result<(), TableError> {
        let mut ahead = VecDeque::from(steps);
        while let Some(step) = ahead.pop_front() {
            match self.perform(step) {
                Ok(Flow::Next) => {}
                Ok(Flow::First(steps)) => go_first(&mut ahead, &steps),
                Ok(Flow::Done) => ahead.clear(),
                Err(error) => self.recover(step, error, &mut ahead)?,
            }
        }
        Ok(())
    }

    /// Puts the steps ahead that follow a step which failed.
    fn recover(
        &mut self,
        step: Step,
        error: TableError,
        ahead: &mut VecDeque<Step>,
    ) -> Result<(), TableError> {
        let attempt = match after_error(step, &error, &self.route, self.handed.copies) {
            Recovery::Fail => return Err(error),
            Recovery::FailRetaining => {
                self.notes.push(retaining_note(self.plan));
                return Err(error);
            }
            Recovery::CopyAgain => {
                self.evidence = Evidence::default();
                let counts = self.route.counts();
                go_first(ahead, &[Step::CopyRows { counts }, step]);
                return Ok(());
            }
            Recovery::Again => self.attempt.again(),
            Recovery::InFull(reason) => {
                let text = format!("moved in full after all: {}", chain(&error));
                let table = Some(self.plan.name.clone());
                self.run.observer.event(&RunEvent::Notice { table, text });
                self.attempt.in_full(reason)
            }
        };
        // Of an attempt that another takes the place of nothing is told.
        self.restart(attempt);
        self.totals = MoveTotals::default();
        self.notes.clear();
        *ahead = VecDeque::from(steps(&self.route));
        Ok(())
    }

    /// Makes one step, again after a transient fault, and tells the observer of a publication.
    fn perform(&mut self, step: Step) -> Result<Flow, TableError> {
        let (run, table) = (self.run, self.plan.name.clone());
        if let Some(phase) = step.phase() {
            run.cancel.check()?;
            let (table, rows) = (table.clone(), Some(self.plan.schema.rows));
            run.observer.event(&RunEvent::PhaseStarted { table, phase, rows });
        }
        let flow = run.patiently(self.plan, || self.execute(step))?;
        if let (Some(phase), Some(figures)) = (step.phase(), self.handed.figures.take()) {
            let MoveFigures { rows, bytes, duration, .. } = figures;
            run.observer.event(&RunEvent::PhaseFinished { table, phase, rows, bytes, duration });
        }
        Ok(flow)
    }

    fn execute(&mut self, step: Step) -> Result<Flow, TableError> {
        match step {
            Step::AskEmpty => return self.ask_empty(),
            Step::Probe => return self.probe(),
            Step::CutWindow { is_first } => return self.cut_window(is_first),
            Step::Compare(between) => self.compare(between)?,
            Step::ForeseeLoss => self.foresee_loss()?,
            Step::Sweep(between) => self.sweep(between)?,
            Step::CopyRows { counts } => self.copy_rows(counts)?,
            Step::CopyKeys => self.copy_keys()?,
            Step::TakeCopy => self.take_copy()?,
            Step::CompareCopy => self.compare_copy()?,
            Step::LoadRows(counting) => self.load_rows(counting)?,
            Step::LoadKeys(counting) => self.load_keys(counting)?,
            Step::LoadFile => self.load_file()?,
            Step::CompareRetained => self.compare_retained()?,
        }
        Ok(Flow::Next)
    }

    /// Adds notes that are not there yet.
    pub(crate) fn note(&mut self, notes: &[String]) {
        for note in notes {
            if !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
    }

    /// Judges the evidence.
    pub(crate) fn judge(&self) -> Result<(), TableError> {
        self.evidence.error(self.rule).map_or(Ok(()), Err)
    }

    /// Makes the report of evidence, totals and notes.
    pub(crate) fn into_report(self) -> TableReport {
        let mut plan = self.attempt.report(self.route.load_mode());
        if self.is_unchanged {
            plan = PlanReport { reason: Reason::Unchanged, ..plan };
        }
        let MoveTotals { copy, load, marks, lossy } = self.totals;
        TableReport {
            copy: copy.map(|copy| CopyReport::new(&copy, marks.as_deref().map(shown_marks))),
            load: load.map(|load| LoadReport::new(&load)),
            proof: self.evidence.proof(self.rule),
            lossy,
            notes: self.notes,
            ..TableReport::begun(self.plan.name.clone(), Some(plan))
        }
    }
}

fn go_first(ahead: &mut VecDeque<Step>, steps: &[Step]) {
    for step in steps.iter().rev() {
        ahead.push_front(*step);
    }
}

/// Returns watermarks for a person, such as `DateTStamp 2026-01-31 23:00:00`.
fn shown_marks(marks: &[WatermarkAt]) -> String {
    let texts = marks.iter().map(|mark| format!("{} {}", mark.column, mark.watermark));
    texts.collect::<Vec<_>>().join(", ")
}

/// Says why a table is not moved in full.
fn retaining_note(plan: &TablePlan) -> String {
    let name = plan.name.in_shell();
    format!(
        "it keeps rows that are gone from the source (deletes = \"ignore\"), so it is not moved in \
         full by itself: `etl repair {name}` brings the other rows into line; `etl run {name} --full \
         --max-delete-percent 100` moves it, and then they are gone"
    )
}

#[cfg(test)]
mod tests;
