//! The last run, as its lines in `etl_runs` tell it.

use crate::error::{Result, TrackingError};
use crate::last_move::{count_at, text_at};
use crate::layout::RUNS;
use crate::moment;
use crate::status::AttemptStatus;
use crate::tracker::Tracker;
use handoff_model::RunId;
use jiff::Timestamp;
use serde::Serialize;

/// The run that began last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// The run.
    pub run_id: RunId,
    /// The state or the outcome.
    pub status: AttemptStatus,
    /// The start, UTC.
    pub started_at: Option<Timestamp>,
    /// The end, UTC.
    pub finished_at: Option<Timestamp>,
    /// Tables that arrived, or were copied if that was all that was asked.
    pub tables_ok: u64,
    /// Tables that failed, differ or were stopped.
    pub tables_failed: u64,
    /// Tables whose turn never came.
    pub tables_not_started: u64,
}

impl Tracker {
    /// Reads the last run: one query.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the server fails.
    pub fn last_run(&self) -> Result<Option<LastRun>> {
        if !self.has(&RUNS) {
            return Ok(None);
        }
        let failed = TrackingError::server("read", RUNS.name);
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let sql = format!(
            "SELECT run.run_id::text, run.status, {started}, {finished}, \
             count(line.status) FILTER (WHERE line.status = 'success'), \
             count(line.status) FILTER (WHERE line.status NOT IN ('success', 'not_started')), \
             count(line.status) FILTER (WHERE line.status = 'not_started') \
             FROM (SELECT run_id, status, started_at, finished_at FROM {runs} \
             WHERE table_name = '' ORDER BY started_at DESC LIMIT 1) run \
             LEFT JOIN {runs} line ON line.run_id = run.run_id AND line.table_name <> '' \
             GROUP BY run.run_id, run.status, run.started_at, run.finished_at",
            started = utc_text("started_at"),
            finished = utc_text("finished_at"),
            runs = self.runs(),
        );
        let row = conn.query_opt(&sql, &[]).map_err(|error| failed(conn.fault(&error)))?;
        let Some(row) = row else { return Ok(None) };
        let named = (
            text_at(&row, 0).as_deref().and_then(RunId::parse),
            text_at(&row, 1).as_deref().and_then(AttemptStatus::by_name),
        );
        // A line that was changed by hand into something that means nothing tells of no run.
        let (Some(run_id), Some(status)) = named else { return Ok(None) };
        Ok(Some(LastRun {
            run_id,
            status,
            started_at: time_at(&row, 2),
            finished_at: time_at(&row, 3),
            tables_ok: count_at(&row, 4).unwrap_or(0),
            tables_failed: count_at(&row, 5).unwrap_or(0),
            tables_not_started: count_at(&row, 6).unwrap_or(0),
        }))
    }
}

/// Returns the expression that prints a time of the run's line in UTC.
fn utc_text(column: &str) -> String {
    format!("to_char(run.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
}

fn time_at(row: &postgres::Row, column: usize) -> Option<Timestamp> {
    text_at(row, column).as_deref().and_then(moment::parse)
}
