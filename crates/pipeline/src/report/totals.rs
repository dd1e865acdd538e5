//! The totals of a table's publications, and the parts of a report that are made of them.

use super::{CopyReport, LoadReport, TableReport, Verdict};
use handoff_loader::LoadOutcome;
use handoff_model::{LossAudit, MovePerformance, TableName};
use handoff_replicator::CopyOutcome;
use handoff_tracking::{ProofOutcome, WatermarkAt};
use std::time::Duration;

/// The figures of one publication.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepFigures {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) duration: Duration,
}

impl StepFigures {
    pub(crate) fn of_copy(copy: &CopyOutcome) -> StepFigures {
        StepFigures { rows: copy.rows, bytes: copy.bytes, duration: copy.duration }
    }

    pub(crate) fn of_load(load: &LoadOutcome) -> StepFigures {
        StepFigures { rows: load.rows_loaded, bytes: load.bytes, duration: load.duration }
    }
}

/// The sum of all publications of a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct MoveTotals {
    copy: Option<CopyOutcome>,
    /// The watermarks that the copy reaches.
    pub(crate) marks: Option<Vec<WatermarkAt>>,
    load: Option<LoadOutcome>,
}

impl MoveTotals {
    /// Adds a publication of hop 1.
    pub(crate) fn add_copy(&mut self, later: CopyOutcome) {
        let Some(sum) = &mut self.copy else {
            self.copy = Some(later);
            return;
        };
        sum.rows += later.rows;
        sum.inserted += later.inserted;
        sum.updated += later.updated;
        sum.deleted += later.deleted;
        sum.unchanged += later.unchanged;
        sum.bytes += later.bytes;
        sum.duration += later.duration;
        sum.waits += later.waits;
        sum.strategy = later.strategy;
        sum.checked |= later.checked;
    }

    /// Adds a publication of hop 2.
    pub(crate) fn add_load(&mut self, later: LoadOutcome) {
        let Some(sum) = &mut self.load else {
            self.load = Some(later);
            return;
        };
        sum.rows_loaded += later.rows_loaded;
        sum.rows_inserted += later.rows_inserted;
        sum.rows_updated += later.rows_updated;
        sum.rows_deleted += later.rows_deleted;
        sum.bytes += later.bytes;
        sum.duration += later.duration;
        sum.waits += later.waits;
        sum.strategy = later.strategy;
        sum.audit.merge(&later.audit);
    }

    pub(crate) fn copy_report(&self) -> Option<CopyReport> {
        Some(copy_report(self.copy.as_ref()?, self.marks.as_deref()))
    }

    pub(crate) fn load_report(&self) -> Option<LoadReport> {
        self.load.as_ref().map(load_report)
    }

    /// Returns the values that could not be carried unchanged.
    pub(crate) fn lossy(&self) -> LossAudit {
        self.load.as_ref().map(|load| load.audit.clone()).unwrap_or_default()
    }
}

/// Makes the report of hop 1.
fn copy_report(outcome: &CopyOutcome, marks: Option<&[WatermarkAt]>) -> CopyReport {
    let CopyOutcome { rows, bytes, duration, waits, .. } = outcome;
    CopyReport {
        rows_copied: outcome.rows,
        rows_inserted: outcome.inserted,
        rows_updated: outcome.updated,
        rows_deleted: outcome.deleted,
        bytes: outcome.bytes,
        strategy_used: outcome.strategy,
        duration_ms: millis(outcome.duration),
        performance: MovePerformance::new(*rows, *bytes, *duration, waits),
        watermark: marks.map(spelled),
    }
}

/// Makes the report of hop 2.
fn load_report(outcome: &LoadOutcome) -> LoadReport {
    let LoadOutcome { rows_loaded, bytes, duration, waits, .. } = outcome;
    LoadReport {
        rows_loaded: outcome.rows_loaded,
        rows_inserted: outcome.rows_inserted,
        rows_updated: outcome.rows_updated,
        rows_deleted: outcome.rows_deleted,
        bytes: outcome.bytes,
        strategy_used: outcome.strategy,
        duration_ms: millis(outcome.duration),
        performance: MovePerformance::new(*rows_loaded, *bytes, *duration, waits),
    }
}

/// Returns the record of a table's comparison.
pub(crate) fn recorded_proof(
    report: &TableReport,
) -> Option<(TableName, handoff_tracking::ProofRecord)> {
    let proof = report.proof.as_ref().filter(|_| !report.is_unchanged())?;
    // What says nothing of the target is no proof of what is in it.
    let of_target = proof.target_rows.is_some() || proof.verdict == Verdict::Differs;
    let outcome = match proof.verdict {
        Verdict::Equal => ProofOutcome::Equal,
        Verdict::SameCount => ProofOutcome::SameCount,
        Verdict::Differs => ProofOutcome::Differs,
    };
    let proof = handoff_tracking::ProofRecord {
        outcome,
        by: proof.by,
        detail: serde_json::to_string(proof).ok(),
        at: proof.at,
        source_rows: proof.source_rows.filter(|_| proof.counted),
        replica_rows: proof.replica_rows.filter(|_| proof.counted),
        target_rows: proof.target_rows.filter(|_| proof.counted),
    };
    of_target.then(|| (report.table.clone(), proof))
}

/// Spells watermarks, such as `DateTStamp 2026-01-31 23:00:00`.
fn spelled(marks: &[WatermarkAt]) -> String {
    let texts = marks.iter().map(|mark| format!("{} {}", mark.column, mark.watermark));
    texts.collect::<Vec<_>>().join(", ")
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
