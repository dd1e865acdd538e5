//! The last run, as its lines in `etl_runs` tell it.

use crate::layout::RUNS;
use crate::{Error, Result, Status, Tracker, moment};
use handoff_model::RunId;
use jiff::Timestamp;
use serde::Serialize;

/// The run that began last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// The run.
    pub run_id: RunId,
    /// How it stands, or ended.
    pub status: Status,
    /// When it began, UTC.
    pub started_at: Option<Timestamp>,
    /// When it ended, UTC.
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
    /// Returns an [`Error`] if the server fails.
    pub fn last_run(&self) -> Result<Option<LastRun>> {
        if !self.has(&RUNS) {
            return Ok(None);
        }
        let failed = Error::server("read", RUNS.name);
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let time = |column| {
            format!("to_char(run.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
        };
        let sql = format!(
            "SELECT run.run_id::text, run.status, {started}, {finished}, \
             count(line.status) FILTER (WHERE line.status = 'success'), \
             count(line.status) FILTER (WHERE line.status NOT IN ('success', 'not_started')), \
             count(line.status) FILTER (WHERE line.status = 'not_started') \
             FROM (SELECT run_id, status, started_at, finished_at FROM {runs} \
             WHERE table_name = '' ORDER BY started_at DESC LIMIT 1) run \
             LEFT JOIN {runs} line ON line.run_id = run.run_id AND line.table_name <> '' \
             GROUP BY run.run_id, run.status, run.started_at, run.finished_at",
            started = time("started_at"),
            finished = time("finished_at"),
            runs = self.runs(),
        );
        let row = conn.query_opt(&sql, &[]).map_err(|error| failed(conn.fault(&error)))?;
        let Some(row) = row else { return Ok(None) };
        let text = |column: usize| row.try_get::<_, Option<String>>(column).ok().flatten();
        let count = |column: usize| {
            row.try_get::<_, i64>(column).ok().and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
        };
        let time = |column| text(column).as_deref().and_then(moment::parse);
        let named = (
            text(0).as_deref().and_then(RunId::parse),
            text(1).as_deref().and_then(Status::by_name),
        );
        // A line that was changed by hand into something that means nothing tells of no run.
        let (Some(run_id), Some(status)) = named else { return Ok(None) };
        Ok(Some(LastRun {
            run_id,
            status,
            started_at: time(2),
            finished_at: time(3),
            tables_ok: count(4),
            tables_failed: count(5),
            tables_not_started: count(6),
        }))
    }
}
