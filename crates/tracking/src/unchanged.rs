//! Tables that a run left alone, since it knew that they had not changed.

use crate::error::Result;
use crate::layout::{LOADS, RUNS};
use crate::moment;
use crate::status::AttemptStatus;
use crate::tracker::Tracker;
use handoff_model::{Extraction, Reason, TableName, TablePhase};
use jiff::Timestamp;

impl Tracker {
    /// Records that these tables hold at `as_of` what they held when they were last loaded: what is in
    /// the target is no older than that. All in one statement.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`](crate::TrackingError) if the server fails.
    pub fn unchanged(&self, tables: &[(&TableName, Extraction)], as_of: Timestamp) -> Result<()> {
        if tables.is_empty() {
            return Ok(());
        }
        let lines: serde_json::Value = tables
            .iter()
            .map(|(table, extraction)| {
                serde_json::json!({"table_name": table.as_str(), "extraction": extraction.name()})
            })
            .collect();
        let sql = format!(
            "WITH same AS (SELECT * FROM jsonb_to_recordset($1::jsonb) \
             AS same (table_name text, extraction text)), \
             lines AS (INSERT INTO {runs} (run_id, table_name, status, phase, extraction, reason, \
             started_at, finished_at) \
             SELECT $2::uuid, table_name, $3, $4, extraction, $5, $6::timestamptz, \
             $7::timestamptz FROM same ON CONFLICT (run_id, table_name) DO NOTHING) \
             UPDATE {loads} load SET data_as_of = $6::timestamptz \
             FROM same WHERE load.table_name = same.table_name",
            runs = self.in_target(&RUNS),
            loads = self.in_target(&LOADS),
        );
        let values = [
            lines.to_string(),
            self.run().to_string(),
            AttemptStatus::Success.name().to_owned(),
            TablePhase::Load.name().to_owned(),
            Reason::Unchanged.name().to_owned(),
            moment::print(as_of),
            moment::print(Timestamp::now()),
        ];
        self.execute(LOADS.name, &sql, &values.map(Some)).map(drop)
    }
}
