//! The earlier moves of each table, by which a run chooses how to move it.

use crate::error::{Result, TrackingError};
use crate::last_move::text_at;
use crate::layout::RUNS;
use crate::moment;
use crate::tracker::Tracker;
use handoff_model::{Extraction, ProofBy, Reason, TableName};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The recorded moves of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableHistory {
    /// The reason of the last move.
    pub last_reason: Option<Reason>,
    /// The last time at which every row of the target was compared with the source, or came from it.
    pub compared_at: Option<Timestamp>,
}

impl Tracker {
    /// Reads the moves of every table since a time: one query.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the server fails.
    pub fn histories(&self, since: Timestamp) -> Result<BTreeMap<TableName, TableHistory>> {
        if !self.has(&RUNS) {
            return Ok(BTreeMap::new());
        }
        let failed = TrackingError::server("read", RUNS.name);
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let read = conn.query(&self.histories_sql(), &[&since.to_string()]);
        let rows = read.map_err(|error| failed(conn.fault(&error)))?;
        Ok(rows.iter().filter_map(history).collect())
    }

    fn histories_sql(&self) -> String {
        format!(
            "SELECT table_name, (array_agg(reason ORDER BY started_at DESC))[1], \
             to_char(max(started_at) FILTER (WHERE extraction = '{}' OR reason = '{}' \
             OR proof_by = '{}') AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') \
             FROM {} WHERE table_name <> '' AND status = 'success' AND reason <> '{}' \
             AND started_at >= $1::text::timestamptz GROUP BY table_name",
            Extraction::FullTable,
            Reason::Recheck,
            ProofBy::Rows,
            self.runs(),
            Reason::Unchanged,
        )
    }
}

/// A line that was changed by hand into something that means nothing tells of no move.
fn history(row: &postgres::Row) -> Option<(TableName, TableHistory)> {
    let table = TableName::new(&text_at(row, 0)?).ok()?;
    let history = TableHistory {
        last_reason: text_at(row, 1).and_then(|reason| Reason::by_name(&reason)),
        compared_at: text_at(row, 2).as_deref().and_then(moment::parse),
    };
    Some((table, history))
}
