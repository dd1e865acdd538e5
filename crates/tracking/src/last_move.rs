//! The last move of each table, from `etl_runs`.

use crate::error::{Result, TrackingError};
use crate::layout::RUNS;
use crate::moment;
use crate::tracker::Tracker;
use handoff_model::{Extraction, Reason, TableName};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The last time that rows of a table were moved and arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LastMove {
    /// The start, UTC.
    pub started_at: Option<Timestamp>,
    /// The part of the table that was moved.
    pub extraction: Option<Extraction>,
    /// Rows that hop 1 moved, if it was made.
    pub rows_copied: Option<u64>,
    /// The duration in milliseconds.
    pub copy_ms: Option<u64>,
    /// Rows that hop 2 moved, if it was made.
    pub rows_loaded: Option<u64>,
    /// The duration in milliseconds.
    pub load_ms: Option<u64>,
}

impl LastMove {
    /// Returns how long both hops took, in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        self.copy_ms.unwrap_or(0) + self.load_ms.unwrap_or(0)
    }
}

impl Tracker {
    /// Reads the last good move of every table: one query. Of an incremental table and the same that
    /// was moved in full both are kept.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the server fails.
    pub fn last_moves(&self) -> Result<BTreeMap<(TableName, Extraction), LastMove>> {
        if !self.has(&RUNS) {
            return Ok(BTreeMap::new());
        }
        let failed = TrackingError::server("read", RUNS.name);
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let sql = format!(
            "SELECT DISTINCT ON (table_name, extraction) table_name, extraction, \
             to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), \
             rows_copied, copy_ms, rows_loaded, load_ms FROM {} \
             WHERE table_name <> '' AND status = 'success' AND reason <> '{}' \
             ORDER BY table_name, extraction, started_at DESC",
            self.runs(),
            Reason::Unchanged
        );
        let rows = conn.query(&sql, &[]).map_err(|error| failed(conn.fault(&error)))?;
        Ok(rows.iter().filter_map(read).collect())
    }
}

/// Returns a text, unless the column is NULL or of another type.
pub(crate) fn text_at(row: &postgres::Row, column: usize) -> Option<String> {
    row.try_get::<_, Option<String>>(column).ok().flatten()
}

/// Returns a number, unless the column is NULL or holds none.
pub(crate) fn count_at(row: &postgres::Row, column: usize) -> Option<u64> {
    let number = row.try_get::<_, Option<i64>>(column).ok().flatten()?;
    u64::try_from(number).ok()
}

/// A line that was changed by hand into something that means nothing tells of no move.
fn read(row: &postgres::Row) -> Option<((TableName, Extraction), LastMove)> {
    let table = TableName::new(&text_at(row, 0)?).ok()?;
    let extraction = Extraction::by_name(&text_at(row, 1)?)?;
    let last = LastMove {
        started_at: text_at(row, 2).as_deref().and_then(moment::parse),
        extraction: Some(extraction),
        rows_copied: count_at(row, 3),
        copy_ms: count_at(row, 4),
        rows_loaded: count_at(row, 5),
        load_ms: count_at(row, 6),
    };
    Some(((table, extraction), last))
}
