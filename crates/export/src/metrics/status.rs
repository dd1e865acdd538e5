//! The metrics of the recorded state.

use super::catalogue::{
    IN_PROGRESS, LAST_RUN_ENDED, LAST_RUN_STARTED, LAST_RUN_SUCCESS, LAST_RUN_TABLES,
    STATUS_WRITTEN, TABLE_ARRIVED, TABLE_BYTES, TABLE_DATA, TABLE_DURATION, TABLE_HEALTHY,
    TABLE_KEPT, TABLE_MOVED, TABLE_PROVED, TABLE_ROWS, TABLE_VERDICT,
};
use super::document::{MetricsDocument, SampleValue};
use handoff_model::{TableName, TablePhase};
use handoff_pipeline::StatusSnapshot;
use handoff_tracking::{AttemptStatus, CopyState, LastRun, LoadState, TableHealth, TrackedTable};
use jiff::Timestamp;

/// Returns the metrics of the recorded state, looked up at a time.
pub fn status_metrics(snapshot: &StatusSnapshot, at: Timestamp) -> String {
    let mut metrics = MetricsDocument::default();
    metrics.add(&STATUS_WRITTEN, &[], at);
    metrics.add(&IN_PROGRESS, &[], snapshot.in_progress.is_some());
    if let Some(run) = &snapshot.last_run {
        add_run(&mut metrics, run);
    }
    for (table, tracked) in &snapshot.states {
        add_table(&mut metrics, table, tracked);
    }
    metrics.text()
}

fn add_run(metrics: &mut MetricsDocument, run: &LastRun) {
    let is_success = run.status == AttemptStatus::Success;
    metrics.add(&LAST_RUN_SUCCESS, &[run.status.name()], is_success);
    metrics.add_known(&LAST_RUN_STARTED, &[], run.started_at);
    metrics.add_known(&LAST_RUN_ENDED, &[], run.finished_at);
    for (status, tables) in [
        ("ok", run.tables_ok),
        ("failed", run.tables_failed),
        ("not_started", run.tables_not_started),
    ] {
        metrics.add(&LAST_RUN_TABLES, &[status], tables);
    }
}

fn add_table(metrics: &mut MetricsDocument, name: &TableName, tracked: &TrackedTable) {
    let table = name.as_str();
    let health = TableHealth::of(tracked);
    metrics.add(&TABLE_HEALTHY, &[table, health.name()], health.is_well());
    // No younger data will come for a table that is gone.
    let awaited = tracked.data_as_of().filter(|_| health != TableHealth::Gone);
    metrics.add_known(&TABLE_DATA, &[table], awaited);
    if let Some(copy) = &tracked.copy {
        add_copy(metrics, table, copy);
    }
    if let Some(load) = &tracked.load {
        add_load(metrics, table, load);
    }
}

fn add_copy(metrics: &mut MetricsDocument, table: &str, copy: &CopyState) {
    let labels = [table, TablePhase::Copy.name()];
    metrics.add_known(&TABLE_ARRIVED, &labels, copy.last_success_at);
    metrics.add_known(&TABLE_MOVED, &labels, copy.rows);
    metrics.add_known(&TABLE_BYTES, &labels, copy.bytes);
    metrics.add_known(&TABLE_DURATION, &labels, copy.duration_ms.map(SampleValue::Milliseconds));
}

fn add_load(metrics: &mut MetricsDocument, table: &str, load: &LoadState) {
    let labels = [table, TablePhase::Load.name()];
    metrics.add_known(&TABLE_ARRIVED, &labels, load.last_success_at);
    metrics.add_known(&TABLE_MOVED, &labels, load.rows);
    metrics.add_known(&TABLE_BYTES, &labels, load.bytes);
    metrics.add_known(&TABLE_DURATION, &labels, load.duration_ms.map(SampleValue::Milliseconds));
    for (side, rows) in
        [("source", load.source_rows), ("replica", load.replica_rows), ("target", load.target_rows)]
    {
        metrics.add_known(&TABLE_ROWS, &[table, side], rows);
    }
    metrics.add_known(&TABLE_KEPT, &[table], load.kept_rows());
    metrics.add_known(&TABLE_PROVED, &[table], load.proved_at);
    if let Some(verdict) = &load.proof {
        let by = load.proof_by.map_or("", |by| by.name());
        metrics.add(&TABLE_VERDICT, &[table, verdict, by], true);
    }
}
