//! The facts about one table before anything is proposed.

use crate::narrow::NarrowType;
use handoff_schema::{StorageEngine, TableSchema};

/// Tables below both sizes are carried in full: that takes a fraction of a second, and an
/// incremental copy saves nothing of it.
pub(crate) const SMALL_ROWS: u64 = 10_000;
pub(crate) const SMALL_BYTES: u64 = 4_000_000;

/// Days that count as recent.
pub(crate) const RECENT_DAYS: u32 = 30;

/// An InnoDB table takes this much when it is empty.
const EMPTY_BYTES: u64 = 16_384;

/// The facts about one table.
#[derive(Debug, Clone)]
pub(crate) struct TableEvidence<'a> {
    pub(crate) schema: &'a TableSchema,
    pub(crate) looked: SeenRows,
    /// The rows' evidence about columns that could be narrower.
    pub(crate) tallies: Vec<ColumnTally>,
    /// The rows' evidence about the column that the server moves.
    pub(crate) recent: Option<RecentRows>,
}

/// The part of a table's rows that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SeenRows {
    /// Not at all: there are none, or they could say nothing.
    No,
    /// Every row.
    All { rows: u64 },
    /// The first rows that the server gave.
    First { rows: u64 },
    /// Rows from the beginning, the middle and the end of the key.
    Spread { rows: u64 },
    /// The server refused, for this reason.
    Failed(String),
}

/// The fit of a column's values to a narrower type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColumnTally {
    /// Index into the columns of the table.
    pub(crate) column: usize,
    /// The narrower type.
    pub(crate) narrow: NarrowType,
    /// Values that are not NULL.
    pub(crate) values: u64,
    /// Values that do not fit.
    pub(crate) misfits: u64,
    /// Values that are 1.
    pub(crate) ones: u64,
}

/// The rows that moved lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecentRows {
    /// Rows that the server moved in the last [`RECENT_DAYS`].
    pub(crate) rows: u64,
    /// Rows that were looked at, or all where an index was asked.
    pub(crate) of: u64,
    /// True if counting ended at a limit.
    pub(crate) capped: bool,
}

impl<'a> TableEvidence<'a> {
    /// Returns the evidence of a table of whose rows nothing is known.
    pub(crate) fn of_catalogue(schema: &'a TableSchema, looked: SeenRows) -> TableEvidence<'a> {
        TableEvidence { schema, looked, tallies: Vec::new(), recent: None }
    }
}

impl SeenRows {
    /// Returns the rows that were looked at.
    pub(crate) fn rows(&self) -> u64 {
        match self {
            SeenRows::No | SeenRows::Failed(_) => 0,
            SeenRows::All { rows } | SeenRows::First { rows } | SeenRows::Spread { rows } => *rows,
        }
    }
}

/// Returns true if the table is empty, as far as the catalogue knows.
pub(crate) fn is_empty(schema: &TableSchema) -> bool {
    let nothing_there = schema.rows_are_exact() || schema.data_bytes <= EMPTY_BYTES;
    schema.rows == 0 && (nothing_there || !matches!(schema.engine, StorageEngine::InnoDb))
}

/// Returns true if copying the table in full is no work.
pub(crate) fn is_small(schema: &TableSchema) -> bool {
    schema.rows < SMALL_ROWS && schema.data_bytes < SMALL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(engine: StorageEngine, rows: u64, data_bytes: u64) -> TableSchema {
        TableSchema { engine, rows, data_bytes, ..TableSchema::empty("t") }
    }

    #[test]
    fn an_estimate_of_no_rows_is_believed_of_a_table_without_bytes() {
        for (engine, rows, bytes, expected) in [
            (StorageEngine::InnoDb, 0, EMPTY_BYTES, true),
            (StorageEngine::InnoDb, 0, EMPTY_BYTES + 1, false),
            (StorageEngine::InnoDb, 1, 0, false),
            (StorageEngine::MyIsam, 0, 1 << 30, true),
            (StorageEngine::Aria, 0, 1 << 30, true),
            (StorageEngine::Other("X".to_owned()), 0, 1 << 30, true),
        ] {
            let table = table(engine, rows, bytes);
            assert_eq!(is_empty(&table), expected, "{:?} {rows} {bytes}", table.engine);
        }
    }

    #[test]
    fn a_table_is_small_below_both_limits() {
        for (rows, bytes, expected) in [
            (SMALL_ROWS - 1, SMALL_BYTES - 1, true),
            (SMALL_ROWS, SMALL_BYTES - 1, false),
            (SMALL_ROWS - 1, SMALL_BYTES, false),
        ] {
            assert_eq!(is_small(&table(StorageEngine::InnoDb, rows, bytes)), expected);
        }
    }

    #[test]
    fn rows_that_were_not_looked_at_are_none() {
        assert_eq!(SeenRows::No.rows() + SeenRows::Failed("no".to_owned()).rows(), 0);
        assert_eq!(SeenRows::All { rows: 7 }.rows(), 7);
    }
}
