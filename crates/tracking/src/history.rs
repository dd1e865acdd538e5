//! The lines of `etl_runs` that are about a run as a whole, and their end.

use crate::error::{Result, TrackingError};
use crate::layout::RUNS;
use crate::moment;
use crate::status::AttemptStatus;
use crate::tracker::Tracker;
use handoff_connect::{Fault, Side};
use handoff_model::{RunId, TableName, TablePhase};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// The machine and the start of a run, from its own line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Whereabouts {
    pub(crate) host: Option<String>,
    pub(crate) process: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
}

impl Tracker {
    /// Writes the line of this run, which has an empty table name. A run whose start is tried again goes on with
    /// the line that it had.
    pub(crate) fn begin_run(&self) -> Result<()> {
        let detail = serde_json::json!({
            "host": host(),
            "pid": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
        });
        let sql = format!(
            "INSERT INTO {} (run_id, table_name, status, started_at, detail) \
             VALUES ($1::uuid, '', $2, $3::timestamptz, $4::jsonb) \
             ON CONFLICT (run_id, table_name) DO UPDATE SET status = $2, finished_at = NULL",
            self.runs()
        );
        let values = [
            Some(self.run().to_string()),
            Some(AttemptStatus::Running.name().to_owned()),
            Some(moment::print(Timestamp::now())),
            Some(detail.to_string()),
        ];
        self.execute(RUNS.name, &sql, &values).map(drop)
    }

    /// Writes the lines of tables that were copied and not loaded, and ends the run's own line
    /// with `status`. The run lock does it when it is dropped, as failed, if nobody has.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`](crate::TrackingError) if the server fails.
    pub fn finish(&self, status: AttemptStatus) -> Result<()> {
        let columns = "status, phase, extraction, reason, copy_id, copy_strategy, rows_copied, \
                       bytes_copied, copy_ms, copy_performance, watermark, started_at, finished_at";
        let sql = format!(
            "WITH copied AS (INSERT INTO {runs} (run_id, table_name, {columns}) \
             SELECT $1::uuid, table_name, {columns} FROM jsonb_to_recordset($2::jsonb) AS copied (\
             table_name text, status text, phase text, extraction text, reason text, \
             copy_id text, copy_strategy text, rows_copied bigint, bytes_copied bigint, \
             copy_ms bigint, copy_performance jsonb, watermark jsonb, started_at timestamptz, finished_at timestamptz) \
             ON CONFLICT (run_id, table_name) DO NOTHING) \
             UPDATE {runs} SET finished_at = $3::timestamptz, status = $4 \
             WHERE run_id = $1::uuid AND table_name = '' AND status = 'running'",
            runs = self.runs()
        );
        let values = [
            Some(self.run().to_string()),
            Some(self.copied_as_json().to_string()),
            Some(moment::print(Timestamp::now())),
            Some(status.name().to_owned()),
        ];
        self.execute(RUNS.name, &sql, &values).map(drop)
    }

    fn copied_as_json(&self) -> serde_json::Value {
        let all = self.shared.copied.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = all.iter().map(|(table, remembered)| {
            let copied = &remembered.copied;
            let watermark = remembered.watermark.as_deref();
            serde_json::json!({
                "table_name": table.as_str(),
                "status": AttemptStatus::Success.name(),
                "phase": TablePhase::Copy.name(),
                "extraction": remembered.extraction.name(),
                "reason": remembered.reason.name(),
                "copy_id": copied.copy_id.to_string(),
                "copy_strategy": copied.strategy,
                "rows_copied": copied.rows,
                "bytes_copied": copied.bytes,
                "copy_ms": copied.millis(),
                "copy_performance": copied.performance(),
                "watermark": watermark.and_then(|text| {
                    serde_json::from_str::<serde_json::Value>(text).ok()
                }),
                "started_at": moment::print(copied.started),
                "finished_at": moment::print(copied.finished),
            })
        });
        lines.collect()
    }

    /// Writes the lines of tables whose turn never came, with the reason, all in one statement.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`](crate::TrackingError) if the server fails.
    pub fn not_started(&self, tables: &[(&TableName, &str)]) -> Result<()> {
        if tables.is_empty() {
            return Ok(());
        }
        let lines: serde_json::Value = tables
            .iter()
            .map(|(table, why)| serde_json::json!({"table_name": table.as_str(), "error": why}))
            .collect();
        let sql = format!(
            "INSERT INTO {} (run_id, table_name, status, started_at, finished_at, error) \
             SELECT $1::uuid, table_name, $2, $3::timestamptz, $3::timestamptz, error \
             FROM jsonb_to_recordset($4::jsonb) AS line (table_name text, error text) \
             ON CONFLICT (run_id, table_name) DO NOTHING",
            self.runs()
        );
        let values = [
            Some(self.run().to_string()),
            Some(AttemptStatus::NotStarted.name().to_owned()),
            Some(moment::print(Timestamp::now())),
            Some(lines.to_string()),
        ];
        self.execute(RUNS.name, &sql, &values).map(drop)
    }

    /// Returns the tables whose turn did not come in the last run that planned them.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`](crate::TrackingError) if the server fails.
    pub fn last_not_started(&self) -> Result<BTreeSet<TableName>> {
        if !self.has(&RUNS) {
            return Ok(BTreeSet::new());
        }
        let failed = TrackingError::server("read", RUNS.name);
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let sql = format!(
            "SELECT table_name FROM (SELECT DISTINCT ON (table_name) table_name, status FROM {} \
             WHERE table_name <> '' ORDER BY table_name, started_at DESC) last \
             WHERE status = 'not_started'",
            self.runs()
        );
        let rows = conn.query(&sql, &[]).map_err(|error| failed(conn.fault(&error)))?;
        let names = rows.iter().filter_map(|row| row.try_get::<_, String>(0).ok());
        Ok(names.filter_map(|name| TableName::new(&name).ok()).collect())
    }

    /// Deletes the lines of `etl_runs` that began more than `keep_days` days ago, and returns how
    /// many there were.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`](crate::TrackingError) if the server fails.
    pub fn prune(&self, keep_days: u32) -> Result<u64> {
        let kept = SignedDuration::from_hours(24 * i64::from(keep_days));
        let Ok(oldest) = Timestamp::now().checked_sub(kept) else { return Ok(0) };
        let sql = format!("DELETE FROM {} WHERE started_at < $1::timestamptz", self.runs());
        self.execute(RUNS.name, &sql, &[Some(moment::print(oldest))])
    }

    /// Returns the other runs whose lines never ended.
    pub(crate) fn unfinished(&self) -> Result<Vec<RunId>, Fault> {
        let mut conn = self.shared.target.get()?;
        let sql = format!(
            "SELECT run_id::text FROM {} WHERE table_name = '' AND status = 'running' \
             AND run_id::text <> $1 ORDER BY started_at",
            self.runs()
        );
        let asked = conn.query(&sql, &[&self.run().to_string()]);
        let rows = asked.map_err(|error| conn.fault(&error))?;
        let ids = rows.iter().filter_map(|row| row.try_get::<_, String>(0).ok());
        Ok(ids.filter_map(|id| RunId::parse(&id)).collect())
    }

    /// Ends the lines of dead runs.
    pub(crate) fn bury(&self, dead: &[RunId]) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET status = 'interrupted', finished_at = $1::timestamptz \
             WHERE table_name = '' AND status = 'running' \
             AND run_id = ANY (string_to_array($2, ',')::uuid[])",
            self.runs()
        );
        let dead: Vec<String> = dead.iter().map(RunId::to_string).collect();
        let values = [Some(moment::print(Timestamp::now())), Some(dead.join(","))];
        self.execute(RUNS.name, &sql, &values).map(drop)
    }

    /// Returns what the line of a run tells, if there is one.
    pub(crate) fn whereabouts(&self, run: RunId) -> Result<Whereabouts, Fault> {
        let mut conn = self.shared.target.get()?;
        let sql = format!(
            "SELECT detail->>'host', detail->>'pid', \
             to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') \
             FROM {} WHERE table_name = '' AND run_id::text = $1",
            self.runs()
        );
        let row = conn.query_opt(&sql, &[&run.to_string()]);
        let Some(row) = row.map_err(|error| conn.fault(&error))? else {
            return Ok(Whereabouts::default());
        };
        Ok(Whereabouts {
            host: text_at(&row, 0)?,
            process: text_at(&row, 1)?,
            started_at: text_at(&row, 2)?.as_deref().and_then(moment::parse),
        })
    }
}

fn text_at(row: &postgres::Row, column: usize) -> Result<Option<String>, Fault> {
    row.try_get(column).map_err(|error| Fault::pg(Side::Target, &error))
}

/// The name of this machine, where the system tells it.
fn host() -> Option<String> {
    let in_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = in_kernel.or_else(|| std::env::var("HOSTNAME").ok())?;
    Some(told.trim().to_owned()).filter(|host| !host.is_empty())
}
