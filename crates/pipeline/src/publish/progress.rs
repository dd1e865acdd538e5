//! One attempt at a table, as far as it has come.

use crate::figures::{copy_report, load_report};
use crate::table::{Evidence, ProofRule};
use crate::{PlanReport, TableReport};
use handoff_loader::LoadOutcome;
use handoff_replicator::CopyOutcome;
use handoff_tracking::WatermarkAt;

/// One attempt at a table, as far as it has come: what it moved, what it found, and what a person
/// should know. Of an attempt that another takes the place of, nothing is told.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The plan, if it turned out that nothing was to be done.
    pub(crate) plan: Option<PlanReport>,
    pub(crate) copy: Option<CopyOutcome>,
    /// How far the copy goes.
    pub(crate) marks: Option<Vec<WatermarkAt>>,
    pub(crate) load: Option<LoadOutcome>,
    pub(crate) evidence: Evidence,
    pub(crate) notes: Vec<String>,
}

impl Progress {
    /// Adds notes that are not there yet.
    pub(crate) fn note(&mut self, notes: &[String]) {
        for note in notes {
            if !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
    }

    /// Tells it.
    pub(crate) fn tell(self, rule: ProofRule, report: &mut TableReport) {
        if self.plan.is_some() {
            report.plan = self.plan;
        }
        report.copy = self.copy.as_ref().map(|copy| copy_report(copy, self.marks.as_deref()));
        report.load = self.load.as_ref().map(load_report);
        report.lossy = self.load.map(|load| load.audit).unwrap_or_default();
        report.proof = self.evidence.proof(rule);
        report.notes.extend(self.notes);
    }
}
