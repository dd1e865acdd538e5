//! What it took to move each table, as `etl_runs` tells it.

use crate::layout::RUNS;
use crate::{Error, Result, Tracker, moment};
use handoff_model::{Extraction, Reason, TableName};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The last time that rows of a table were moved and arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LastMove {
    /// When it began, UTC.
    pub started_at: Option<Timestamp>,
    /// What was moved of the table.
    pub extraction: Option<Extraction>,
    /// Rows that hop 1 moved, if it was made.
    pub rows_copied: Option<u64>,
    /// How long it took, in milliseconds.
    pub copy_ms: Option<u64>,
    /// Rows that hop 2 moved, if it was made.
    pub rows_loaded: Option<u64>,
    /// How long it took, in milliseconds.
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
    /// Returns an [`Error`] if the server fails.
    pub fn last_moves(&self) -> Result<BTreeMap<(TableName, Extraction), LastMove>> {
        if !self.has(&RUNS) {
            return Ok(BTreeMap::new());
        }
        let failed = Error::server("read", RUNS.name);
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

/// A line that was changed by hand into something that means nothing tells of no move.
fn read(row: &postgres::Row) -> Option<((TableName, Extraction), LastMove)> {
    let text = |column: usize| row.try_get::<_, Option<String>>(column).ok().flatten();
    let count = |column: usize| {
        let number = row.try_get::<_, Option<i64>>(column).ok().flatten()?;
        u64::try_from(number).ok()
    };
    let table = TableName::new(&text(0)?).ok()?;
    let extraction = Extraction::by_name(&text(1)?)?;
    let last = LastMove {
        started_at: text(2).as_deref().and_then(moment::parse),
        extraction: Some(extraction),
        rows_copied: count(3),
        copy_ms: count(4),
        rows_loaded: count(5),
        load_ms: count(6),
    };
    Some(((table, extraction), last))
}
