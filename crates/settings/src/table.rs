//! The settings of one table.

use crate::objects::{NameCase, ObjectSettings};
use crate::structure::StructurePolicy;
use crate::written::WrittenAt;
use handoff_model::{ColumnName, Deletes, Extraction, Priority, Strategy};
use std::collections::BTreeMap;

/// The settings of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableSettings {
    /// The part of the table to move; [`None`] is `full_table`.
    pub extraction: Option<Extraction>,
    /// The watermark columns, combined with OR.
    pub watermark: Vec<ColumnName>,
    /// Rows to move again by age.
    pub lookback: Option<Lookback>,
    /// The treatment of rows that are gone from the source, where the changed rows are moved.
    pub deletes: Deletes,
    /// The most rows that a move may delete, in percent of those that are there; [`None`] is what
    /// `[run]` says.
    pub max_delete_percent: Option<u8>,
    /// Whose turn comes first.
    pub priority: Priority,
    /// The strategy that overrides the selection.
    pub loader: Option<Strategy>,
    /// True if the file of `copy_csv` stays, to be loaded again.
    pub keep_spool: bool,
    /// The policy for changes of its structure in the source; [`None`] is that of `[target]`.
    pub structure: Option<StructurePolicy>,
    /// Overrides of the type mapping: column to PostgreSQL type, as written.
    pub columns: BTreeMap<ColumnName, String>,
    /// The case of its names in the target, which `[target]` says.
    pub name_case: NameCase,
    /// The objects that it gets in the target; [`None`] is what `[target]` says.
    pub objects: Option<ObjectSettings>,
    /// The place in the file that names the table.
    pub written: WrittenAt,
}

/// Rows to move again although their watermark did not move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookback {
    /// The age up to which rows are moved again, in days.
    pub days: u32,
    /// The date columns to look at, combined with OR.
    pub columns: Vec<ColumnName>,
}

/// The strategies that this version can load with.
pub const AVAILABLE_STRATEGIES: &[Strategy] = &[
    Strategy::Standard,
    Strategy::Streaming,
    Strategy::Chunked,
    Strategy::Parallel,
    Strategy::CopyCsv,
];
