//! What the steps of a table add up to, and how it is told.

use crate::{CopyReport, LoadReport, TableReport, Verdict};
use handoff_loader::LoadOutcome;
use handoff_model::{Audit, Performance, TableName};
use handoff_replicator::CopyOutcome;
use handoff_tracking::{Outcome, WatermarkAt};
use std::time::Duration;

/// The figures of a step.
pub(crate) trait Moved {
    /// Rows, bytes and duration.
    fn figures(&self) -> (u64, u64, Duration);

    /// Adds a later step to an earlier one of the same table.
    fn add(&mut self, later: Self);
}

/// Adds a step to those before it.
pub(crate) fn add<T: Moved>(sum: &mut Option<T>, step: T) {
    match sum {
        Some(sum) => sum.add(step),
        None => *sum = Some(step),
    }
}

impl Moved for CopyOutcome {
    fn figures(&self) -> (u64, u64, Duration) {
        (self.rows, self.bytes, self.duration)
    }

    fn add(&mut self, later: CopyOutcome) {
        self.rows += later.rows;
        self.inserted += later.inserted;
        self.updated += later.updated;
        self.deleted += later.deleted;
        self.unchanged += later.unchanged;
        self.bytes += later.bytes;
        self.duration += later.duration;
        self.waits += later.waits;
        self.strategy = later.strategy;
        self.checked |= later.checked;
        self.notes = later.notes;
    }
}

impl Moved for LoadOutcome {
    fn figures(&self) -> (u64, u64, Duration) {
        (self.rows_loaded, self.bytes, self.duration)
    }

    fn add(&mut self, later: LoadOutcome) {
        self.rows_loaded += later.rows_loaded;
        self.rows_inserted += later.rows_inserted;
        self.rows_updated += later.rows_updated;
        self.rows_deleted += later.rows_deleted;
        self.bytes += later.bytes;
        self.duration += later.duration;
        self.waits += later.waits;
        self.strategy = later.strategy;
        self.sum += later.sum;
        self.unchanged &= later.unchanged;
        self.audit.merge(&later.audit);
        self.notes = later.notes;
    }
}

/// Tells what hop 1 did.
pub(crate) fn copy_report(outcome: &CopyOutcome, marks: Option<&[WatermarkAt]>) -> CopyReport {
    let CopyOutcome { rows, bytes, duration, waits, .. } = outcome;
    CopyReport {
        rows_copied: outcome.rows,
        rows_inserted: outcome.inserted,
        rows_updated: outcome.updated,
        rows_deleted: outcome.deleted,
        bytes: outcome.bytes,
        strategy_used: outcome.strategy,
        duration_ms: millis(outcome.duration),
        performance: Performance::new(*rows, *bytes, *duration, waits),
        watermark: marks.map(spelled),
    }
}

/// Tells what hop 2 did.
pub(crate) fn load_report(outcome: &LoadOutcome) -> LoadReport {
    let LoadOutcome { rows_loaded, bytes, duration, waits, .. } = outcome;
    LoadReport {
        rows_loaded: outcome.rows_loaded,
        rows_inserted: outcome.rows_inserted,
        rows_updated: outcome.rows_updated,
        rows_deleted: outcome.rows_deleted,
        bytes: outcome.bytes,
        strategy_used: outcome.strategy,
        duration_ms: millis(outcome.duration),
        performance: Performance::new(*rows_loaded, *bytes, *duration, waits),
    }
}

/// What the steps before did to a table.
pub(crate) struct Figures {
    copy: Option<CopyReport>,
    load: Option<LoadReport>,
    lossy: Audit,
}

impl Figures {
    /// Takes the figures out of a report, for another step to write its own.
    pub(crate) fn take(report: &mut TableReport) -> Figures {
        let (copy, load) = (report.copy.take(), report.load.take());
        Figures { copy, load, lossy: std::mem::take(&mut report.lossy) }
    }

    /// Adds them to those of the later step.
    pub(crate) fn add_to(self, report: &mut TableReport) {
        report.copy = both(self.copy, report.copy.take(), CopyReport::and);
        report.load = both(self.load, report.load.take(), LoadReport::and);
        report.lossy.merge(&self.lossy);
    }
}

fn both<T>(earlier: Option<T>, later: Option<T>, and: fn(&T, &T) -> T) -> Option<T> {
    match (earlier, later) {
        (Some(earlier), Some(later)) => Some(and(&earlier, &later)),
        (earlier, later) => earlier.or(later),
    }
}

impl CopyReport {
    /// Adds up what two steps of one table did to the replica.
    pub(crate) fn and(&self, later: &CopyReport) -> CopyReport {
        let (rows, bytes) = (self.rows_copied + later.rows_copied, self.bytes + later.bytes);
        let took = Duration::from_millis(self.duration_ms + later.duration_ms);
        CopyReport {
            rows_copied: rows,
            rows_inserted: self.rows_inserted + later.rows_inserted,
            rows_updated: self.rows_updated + later.rows_updated,
            rows_deleted: self.rows_deleted + later.rows_deleted,
            bytes,
            duration_ms: millis(took),
            performance: self.performance.and(&later.performance, rows, bytes, took),
            ..later.clone()
        }
    }
}

impl LoadReport {
    /// Adds up what two steps of one table did to the target.
    pub(crate) fn and(&self, later: &LoadReport) -> LoadReport {
        let (rows, bytes) = (self.rows_loaded + later.rows_loaded, self.bytes + later.bytes);
        let took = Duration::from_millis(self.duration_ms + later.duration_ms);
        LoadReport {
            rows_loaded: rows,
            rows_inserted: self.rows_inserted + later.rows_inserted,
            rows_updated: self.rows_updated + later.rows_updated,
            rows_deleted: self.rows_deleted + later.rows_deleted,
            bytes,
            duration_ms: millis(took),
            performance: self.performance.and(&later.performance, rows, bytes, took),
            ..later.clone()
        }
    }
}

/// Returns what is recorded of a comparison.
pub(crate) fn recorded_proof(report: &TableReport) -> Option<(TableName, handoff_tracking::Proof)> {
    let proof = report.proof.as_ref().filter(|_| !report.is_unchanged())?;
    // What says nothing of the target is no proof of what is in it.
    let of_target = proof.target_rows.is_some() || proof.verdict == Verdict::Differs;
    let outcome = match proof.verdict {
        Verdict::Equal => Outcome::Equal,
        Verdict::SameCount => Outcome::SameCount,
        Verdict::Differs => Outcome::Differs,
    };
    let counted = |rows: Option<u64>| rows.filter(|_| proof.counted);
    let proof = handoff_tracking::Proof {
        outcome,
        by: proof.by,
        detail: serde_json::to_string(proof).ok(),
        at: proof.at,
        source_rows: counted(proof.source_rows),
        replica_rows: counted(proof.replica_rows),
        target_rows: counted(proof.target_rows),
    };
    of_target.then(|| (report.table.clone(), proof))
}

/// Spells watermarks, such as `DateTStamp 2026-01-31 23:00:00`.
pub(crate) fn spelled(marks: &[WatermarkAt]) -> String {
    let mark = |mark: &WatermarkAt| format!("{} {}", mark.column, mark.watermark);
    marks.iter().map(mark).collect::<Vec<_>>().join(", ")
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
