//! The report of a verification.

use handoff_connect::Side;
use handoff_model::human::grouped;
use handoff_model::{ColumnName, ProofBy, RunId, SumBy, TableName};
use handoff_schema::TableMapping;
use handoff_verify::{PairDifferences, RowDifference, ShowKeys, TableComparison};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The report of a verification. As JSON its fields are a contract: some are added, none renamed.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyReport {
    /// The verification; its sessions on the servers carry this id.
    pub run_id: RunId,
    /// The start of the verification.
    pub started_at: Timestamp,
    /// The end of the verification.
    pub finished_at: Timestamp,
    /// True if every table was compared and is equal everywhere.
    pub ok: bool,
    /// True if it was stopped before its end.
    pub cancelled: bool,
    /// True if only counts and records were compared.
    pub quick: bool,
    /// The databases compared, in the order of the way.
    pub sides: Vec<Side>,
    /// The tables, by name.
    pub tables: Vec<VerifyTable>,
    /// Remarks for a person on the whole verification.
    pub notes: Vec<String>,
}

/// The outcome of a verification for one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifyStatus {
    /// It is the same everywhere.
    Equal,
    /// It differs.
    Differs,
    /// Rows of the source changed while they were looked at, and nothing else differs.
    Moving,
    /// It could not be compared.
    Failed,
    /// The verification was stopped while it was compared.
    Cancelled,
    /// The verification was stopped before its turn came.
    NotStarted,
}

impl VerifyStatus {
    /// Judges a table by the differences between each database and the next; with `retains`, rows may stay that
    /// the source has no more.
    pub(crate) fn of(pairs: &[VerifyPair], retains: bool) -> VerifyStatus {
        let differing: u64 = pairs.iter().map(|pair| pair.differing(retains)).sum();
        let moving: u64 = pairs.iter().map(|pair| pair.moving).sum();
        match (differing, moving) {
            (0, 0) => VerifyStatus::Equal,
            (0, _) => VerifyStatus::Moving,
            _ => VerifyStatus::Differs,
        }
    }

    /// Returns the words for people: `equal`, `differs`, `moving`, `failed`, `cancelled`,
    /// `not started`.
    pub fn label(self) -> &'static str {
        match self {
            VerifyStatus::Equal => "equal",
            VerifyStatus::Differs => "differs",
            VerifyStatus::Moving => "moving",
            VerifyStatus::Failed => "failed",
            VerifyStatus::Cancelled => "cancelled",
            VerifyStatus::NotStarted => "not started",
        }
    }
}

/// The report of a verification on one table.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyTable {
    /// The table.
    pub table: TableName,
    /// The outcome.
    pub status: VerifyStatus,
    /// Its rows in each database.
    pub rows: BTreeMap<&'static str, u64>,
    /// The differences between each database and the next.
    pub pairs: Vec<VerifyPair>,
    /// The time of its last proof, if that found it equal: a difference is younger.
    pub equal_at: Option<Timestamp>,
    /// The number of times that each row was read.
    pub looks: u32,
    /// The way in which the rows of source and replica were summed: `read` by us, `sql` by their servers.
    pub sums: SumBy,
    /// The proof of the last run that moved it, where the records were asked.
    pub last_proof: Option<LastProof>,
    /// The duration in milliseconds.
    pub duration_ms: u64,
    /// Remarks for a person on the table.
    pub notes: Vec<String>,
    /// The reason why it could not be compared, or was not started: an error and its causes, without row values.
    pub error: Option<String>,
    /// The rows that differ, with their keys, for those who mend them.
    #[serde(skip)]
    pub comparison: Option<TableComparison>,
    /// The mapping of the table to the target, if it was compared.
    #[serde(skip)]
    pub mapping: Option<Arc<TableMapping>>,
}

/// The record of a run's proof.
#[derive(Debug, Clone, Serialize)]
pub struct LastProof {
    /// The outcome: `equal`, `same_count` or `differs`.
    pub proof: String,
    /// The evidence that it rests on.
    pub by: Option<ProofBy>,
    /// The time of the proof, UTC.
    pub at: Option<Timestamp>,
}

/// The differences between two databases.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyPair {
    /// The database that has the truth.
    pub first: Side,
    /// The database that is to be equal to it.
    pub second: Side,
    /// Rows that are in the first only.
    pub missing: u64,
    /// Rows that are in both, with other values.
    pub stale: u64,
    /// Rows that are in the second only.
    pub phantom: u64,
    /// Rows that changed in the first while they were looked at.
    pub moving: u64,
    /// The number of listed stale rows in which a column differs, by column.
    pub columns: BTreeMap<ColumnName, u64>,
    /// True if every row that differs is listed.
    pub all_listed: bool,
    /// The rows that differ, by kind and key.
    pub rows: Vec<VerifyRow>,
}

/// A row that differs, as far as it may be shown.
#[derive(Debug, Clone, Serialize)]
pub struct VerifyRow {
    /// `missing`, `stale` or `phantom`.
    pub kind: &'static str,
    /// Its key, column by column: integers, UUIDs and dates as they are, of others `#` and the first
    /// 8 hex digits of their hash.
    pub key: Vec<String>,
    /// The columns whose values differ, of a stale row.
    pub columns: Vec<ColumnName>,
    /// The number of such rows, in a table without a key.
    pub rows: u64,
}

impl VerifyReport {
    /// Returns the number of rows compared: of each table as many as the database with the most has.
    pub fn rows_compared(&self) -> u64 {
        self.tables.iter().filter_map(|table| table.rows.values().max()).sum()
    }

    /// Returns the number of tables with this outcome.
    pub fn count(&self, status: VerifyStatus) -> usize {
        self.tables.iter().filter(|table| table.status == status).count()
    }
}

impl VerifyTable {
    pub(crate) fn of_status(table: TableName, status: VerifyStatus) -> VerifyTable {
        VerifyTable {
            table,
            status,
            rows: BTreeMap::new(),
            pairs: Vec::new(),
            equal_at: None,
            looks: 0,
            sums: SumBy::Read,
            last_proof: None,
            duration_ms: 0,
            notes: Vec::new(),
            error: None,
            comparison: None,
            mapping: None,
        }
    }

    /// Makes the report of the differences between each database and the next.
    pub(crate) fn of_pairs(table: TableName, pairs: Vec<VerifyPair>, retains: bool) -> VerifyTable {
        let mut done = VerifyTable::of_status(table, VerifyStatus::of(&pairs, retains));
        let retained: u64 = pairs.iter().map(|pair| pair.retained(retains)).sum();
        if retained > 0 {
            done.notes.push(format!(
                "{} rows that the source no longer has are retained (deletes = \"ignore\")",
                grouped(retained)
            ));
        }
        VerifyTable { pairs, ..done }
    }
}

/// The number of rows that a database was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedSide {
    pub(crate) side: Side,
    pub(crate) rows: u64,
}

impl VerifyPair {
    /// Returns the number of rows that stay in the second database and that the first has no more.
    fn retained(&self, retains: bool) -> u64 {
        if retains && self.first == Side::Source { self.phantom } else { 0 }
    }

    /// Returns the number of rows that differ, but for those that stay.
    fn differing(&self, retains: bool) -> u64 {
        self.missing + self.stale + self.phantom - self.retained(retains)
    }

    /// Makes the pair of two databases whose rows were only counted.
    pub(crate) fn counted(first: CountedSide, second: CountedSide) -> VerifyPair {
        VerifyPair {
            first: first.side,
            second: second.side,
            missing: first.rows.saturating_sub(second.rows),
            stale: 0,
            phantom: second.rows.saturating_sub(first.rows),
            moving: 0,
            columns: BTreeMap::new(),
            all_listed: first.rows == second.rows,
            rows: Vec::new(),
        }
    }

    pub(crate) fn of(
        found: &PairDifferences,
        mapping: &TableMapping,
        keys: ShowKeys,
    ) -> VerifyPair {
        let mut columns = BTreeMap::new();
        for column in found.rows.iter().flat_map(|row| &row.columns) {
            *columns.entry(column.clone()).or_default() += 1;
        }
        VerifyPair {
            first: found.first,
            second: found.second,
            missing: found.missing,
            stale: found.stale,
            phantom: found.phantom,
            moving: found.moving,
            columns,
            all_listed: found.all_listed(),
            rows: found.rows.iter().map(|row| VerifyRow::of(row, mapping, keys)).collect(),
        }
    }
}

impl VerifyRow {
    fn of(found: &RowDifference, mapping: &TableMapping, keys: ShowKeys) -> VerifyRow {
        VerifyRow {
            kind: found.kind.name(),
            key: found.key.show(mapping, keys),
            columns: found.columns.clone(),
            rows: found.rows,
        }
    }
}

#[cfg(test)]
mod tests;
