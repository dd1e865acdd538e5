//! What is known of one table before anything is proposed.

use super::narrow::Narrow;
use handoff_schema::{StorageEngine, TableSchema};

/// Tables below both sizes are carried in full: that takes a fraction of a second, and an
/// incremental copy saves nothing of it.
pub(super) const SMALL_ROWS: u64 = 10_000;
pub(super) const SMALL_BYTES: u64 = 4_000_000;

/// Days that count as recent.
pub(super) const RECENT_DAYS: u32 = 30;

/// An InnoDB table takes this much when it is empty.
const EMPTY_BYTES: u64 = 16_384;

/// What is known of one table.
#[derive(Debug, Clone)]
pub(super) struct Evidence<'a> {
    pub(super) schema: &'a TableSchema,
    pub(super) looked: Looked,
    /// What the rows say of columns that could be narrower.
    pub(super) tallies: Vec<Tally>,
    /// What the rows say of the column that the server moves.
    pub(super) recent: Option<Recent>,
}

/// How far the rows of a table were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Looked {
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

/// How the values of a column fit a narrower type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// Index into the columns of the table.
    pub(super) column: usize,
    /// The narrower type.
    pub(super) narrow: Narrow,
    /// Values that are not NULL.
    pub(super) values: u64,
    /// Values that do not fit.
    pub(super) misfits: u64,
    /// Values that are 1.
    pub(super) ones: u64,
}

/// How many rows moved lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recent {
    /// Rows that the server moved in the last [`RECENT_DAYS`].
    pub(super) rows: u64,
    /// Rows that were looked at, or all where an index was asked.
    pub(super) of: u64,
    /// Whether counting ended at a limit.
    pub(super) capped: bool,
}

impl Looked {
    /// Returns the rows that were looked at.
    pub(super) fn rows(&self) -> u64 {
        match self {
            Looked::No | Looked::Failed(_) => 0,
            Looked::All { rows } | Looked::First { rows } | Looked::Spread { rows } => *rows,
        }
    }
}

/// Returns true if the table is empty, as far as the catalogue knows.
pub(super) fn is_empty(schema: &TableSchema) -> bool {
    let nothing_there = schema.rows_are_exact() || schema.data_bytes <= EMPTY_BYTES;
    schema.rows == 0 && (nothing_there || !matches!(schema.engine, StorageEngine::InnoDb))
}

/// Returns true if copying the table in full is no work.
pub(super) fn is_small(schema: &TableSchema) -> bool {
    schema.rows < SMALL_ROWS && schema.data_bytes < SMALL_BYTES
}
