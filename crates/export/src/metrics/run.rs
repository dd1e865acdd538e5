//! The metrics of a run.

use super::catalogue::{
    RUN_ENDED, RUN_EXIT, RUN_INFO, RUN_STARTED, RUN_SUCCESS, RUN_TABLE_BYTES, RUN_TABLE_DURATION,
    RUN_TABLE_LOSSY, RUN_TABLE_MOVED, RUN_TABLE_RETRIES, RUN_TABLE_SUCCESS, RUN_TABLE_VERDICT,
    RUN_TABLES,
};
use super::document::{MetricsDocument, SampleValue};
use handoff_model::TablePhase;
use handoff_pipeline::{RunReport, TableReport, TableStatus};
use jiff::Timestamp;

/// The end of a command that was to make a run.
#[derive(Debug)]
pub struct RunOutcome<'a> {
    /// The report; [`None`] if the run could not start.
    pub report: Option<&'a RunReport>,
    /// The start of the command.
    pub started_at: Timestamp,
    /// The end of the command.
    pub ended_at: Timestamp,
    /// Its exit code.
    pub exit_code: u8,
}

/// Returns the metrics of a run.
pub fn run_metrics(outcome: &RunOutcome<'_>, version: &str) -> String {
    let mut metrics = MetricsDocument::default();
    let report = outcome.report;
    if let Some(report) = report {
        let labels = [&report.run_id.to_string(), &report.schema, version];
        metrics.add(&RUN_INFO, &labels, true);
    }
    metrics.add(&RUN_SUCCESS, &[], report.is_some_and(|report| report.ok));
    metrics.add(&RUN_EXIT, &[], u64::from(outcome.exit_code));
    metrics.add(&RUN_STARTED, &[], outcome.started_at);
    metrics.add(&RUN_ENDED, &[], outcome.ended_at);
    if let Some(report) = report {
        for status in TableStatus::ALL {
            let tables = report.with_status(status).count();
            metrics.add(&RUN_TABLES, &[status.name()], u64::try_from(tables).unwrap_or(u64::MAX));
        }
        report.tables.iter().for_each(|table| add_table(&mut metrics, table));
    }
    metrics.text()
}

fn add_table(metrics: &mut MetricsDocument, report: &TableReport) {
    let table = report.table.as_str();
    let labels = [table, report.status.name()];
    metrics.add(&RUN_TABLE_SUCCESS, &labels, report.status == TableStatus::Ok);
    metrics.add(&RUN_TABLE_RETRIES, &[table], u64::from(report.retries));
    if let Some(copy) = &report.copy {
        let labels = [table, TablePhase::Copy.name()];
        metrics.add(&RUN_TABLE_MOVED, &labels, copy.rows_copied);
        metrics.add(&RUN_TABLE_BYTES, &labels, copy.bytes);
        metrics.add(&RUN_TABLE_DURATION, &labels, SampleValue::Milliseconds(copy.duration_ms));
    }
    if let Some(load) = &report.load {
        let labels = [table, TablePhase::Load.name()];
        metrics.add(&RUN_TABLE_MOVED, &labels, load.rows_loaded);
        metrics.add(&RUN_TABLE_BYTES, &labels, load.bytes);
        metrics.add(&RUN_TABLE_DURATION, &labels, SampleValue::Milliseconds(load.duration_ms));
    }
    if let Some(proof) = &report.proof {
        let labels = [table, TablePhase::Prove.name()];
        metrics.add(&RUN_TABLE_DURATION, &labels, SampleValue::Milliseconds(proof.duration_ms));
        let labels = [table, proof.verdict.name(), proof.by.name()];
        metrics.add(&RUN_TABLE_VERDICT, &labels, true);
    }
    for lossy in report.lossy.entries() {
        let labels = [table, lossy.column.as_str(), lossy.policy.name()];
        metrics.add(&RUN_TABLE_LOSSY, &labels, lossy.count);
    }
}
