//! The end of a run in the tracking tables.

use crate::report::{TableReport, TableStatus, Verdict};
use handoff_model::{CancelToken, TableName, chain};
use handoff_plan::Hops;
use handoff_tracking::{AttemptStatus, ProofOutcome, ProofRecord, Tracker};
use jiff::Timestamp;

/// The parts of a run that its end needs.
pub(crate) struct RunEnding<'a> {
    pub(crate) tracker: &'a Tracker,
    pub(crate) cancel: &'a CancelToken,
    pub(crate) hops: Hops,
    /// The time at which the catalogue was read: the data of a table left alone is no older.
    pub(crate) looked_at: Timestamp,
    pub(crate) keep_days: u32,
}

impl RunEnding<'_> {
    /// Records the comparisons and ends the run in the tables of state. The rows have arrived by then, so a
    /// fault here is only warned of.
    pub(crate) fn record(&self, reports: &[TableReport]) {
        let proofs: Vec<_> = reports.iter().filter_map(recorded_proof).collect();
        let same = reports
            .iter()
            .filter(|report| report.status == TableStatus::Ok && report.is_unchanged())
            .filter_map(|report| Some((&report.table, report.plan.as_ref()?.extraction)));
        let same: Vec<_> = same.filter(|_| self.hops == Hops::Both).collect();
        let tracker = self.tracker;
        let done = tracker
            .proved(&proofs)
            .and_then(|()| tracker.unchanged(&same, self.looked_at))
            .and_then(|()| tracker.not_started(&not_started(reports)))
            .and_then(|()| tracker.finish(self.status(reports)))
            .and_then(|()| tracker.prune(self.keep_days));
        if let Err(error) = done {
            log::warn!("the end of the run could not be recorded: {}", chain(&error));
        }
    }

    fn status(&self, reports: &[TableReport]) -> AttemptStatus {
        let statuses: Vec<TableStatus> = reports.iter().map(|report| report.status).collect();
        if statuses.contains(&TableStatus::Failed) {
            AttemptStatus::Failed
        } else if statuses.contains(&TableStatus::Cancelled) || self.cancel.is_cancelled() {
            AttemptStatus::Cancelled
        } else if statuses.contains(&TableStatus::NotStarted) {
            AttemptStatus::NotStarted
        } else {
            AttemptStatus::Success
        }
    }
}

fn not_started(reports: &[TableReport]) -> Vec<(&TableName, &str)> {
    let waiting = reports.iter().map(|report| (&report.table, &report.not_started_because));
    waiting.filter_map(|(table, reason)| Some((table, reason.as_deref()?))).collect()
}

/// Returns the record of a table's comparison.
fn recorded_proof(report: &TableReport) -> Option<(TableName, ProofRecord)> {
    let proof = report.proof.as_ref().filter(|_| !report.is_unchanged())?;
    // What says nothing of the target is no proof of what is in it.
    let of_target = proof.target_rows.is_some() || proof.verdict == Verdict::Differs;
    let outcome = match proof.verdict {
        Verdict::Equal => ProofOutcome::Equal,
        Verdict::SameCount => ProofOutcome::SameCount,
        Verdict::Differs => ProofOutcome::Differs,
    };
    let proof = ProofRecord {
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

#[cfg(test)]
mod tests;
