//! The report of a run, as a value and as JSON.

use handoff_connect::paste_pg;
use handoff_model::{
    LossAudit, MoveFigures, MovePerformance, ProofBy, Reason, RunId, TableName, TableSum,
    human::{counted, grouped},
};
use handoff_objects::ObjectReport;
use handoff_plan::{OmissionReport, PlanReport};
use handoff_structure::StructureChange;
use jiff::Timestamp;
use serde::Serialize;

/// The report of a run. Fields are added in later versions, never renamed.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// The run.
    pub run_id: RunId,
    /// The start of the run, UTC.
    pub started_at: Timestamp,
    /// The end of the run, UTC.
    pub finished_at: Timestamp,
    /// True if every planned table arrived and no comparison found a difference.
    pub ok: bool,
    /// True if the run was asked to stop.
    pub cancelled: bool,
    /// The schema of the target that the tables are in.
    pub schema: String,
    /// One entry a planned table, by name.
    pub tables: Vec<TableReport>,
    /// The parts of the source that do not arrive in the target.
    pub omissions: OmissionReport,
    /// The objects around the columns that were made, and those that could not be.
    pub objects: ObjectReport,
    /// Remarks for a person on the whole run, one sentence each.
    pub notes: Vec<String>,
}

impl RunReport {
    /// Returns the tables that have `status`.
    pub fn with_status(&self, status: TableStatus) -> impl Iterator<Item = &TableReport> {
        self.tables.iter().filter(move |table| table.status == status)
    }

    /// Returns the databases that were found equal, such as `source = replica = raw`.
    fn compared(&self) -> String {
        let all = |rows: fn(&Proof) -> Option<u64>| {
            self.tables.iter().all(|table| table.proof.as_ref().and_then(rows).is_some())
        };
        let mut names = Vec::new();
        if all(|proof| proof.source_rows) {
            names.push("source");
        }
        if all(|proof| proof.replica_rows) {
            names.push("replica");
        }
        names.push(&self.schema);
        names.join(" = ")
    }

    /// Returns the sentence that ends a run.
    ///
    /// For a run that compared every table it names the databases that are equal; for any other run it counts
    /// the tables that arrived, and the rest by their outcome.
    pub fn conclusion(&self) -> String {
        if self.tables.is_empty() {
            return "nothing to do".to_owned();
        }
        let tables = counted(self.tables.len(), "table");
        if self.ok && self.tables.iter().all(TableReport::is_proved) {
            let rows: u64 = self.tables.iter().map(TableReport::rows).sum();
            let rows = counted(rows, "row");
            return format!("{tables}, {rows}: {}", self.compared());
        }
        let arrived = self.with_status(TableStatus::Ok).count();
        let mut text = format!("{} of {tables} arrived", shown(arrived));
        let equal = self.tables.iter().filter(|table| table.is_equal()).count();
        if self.ok && equal > 0 {
            text += &format!(", {} equal by the sums of the moved rows", shown(equal));
        }
        let unchanged = self.tables.iter().filter(|table| table.is_unchanged()).count();
        if self.ok && unchanged > 0 {
            text += &format!(", {} unchanged", shown(unchanged));
        }
        for status in [TableStatus::Failed, TableStatus::Cancelled, TableStatus::NotStarted] {
            let count = self.with_status(status).count();
            if count > 0 {
                text += &format!(", {} {}", shown(count), status.label());
            }
        }
        text
    }
}

fn shown(count: usize) -> String {
    grouped(u64::try_from(count).unwrap_or(u64::MAX))
}

/// The outcome of a run for one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableStatus {
    /// It arrived, and nothing that was compared differs.
    Ok,
    /// It did not arrive, or it differs; its last good data is in place.
    Failed,
    /// The run was stopped while it moved; its last good data is in place.
    Cancelled,
    /// The run was stopped or its time was over before its turn came.
    NotStarted,
}

impl TableStatus {
    /// Every outcome.
    pub const ALL: [TableStatus; 4] =
        [TableStatus::Ok, TableStatus::Failed, TableStatus::Cancelled, TableStatus::NotStarted];

    /// Returns the name used in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            TableStatus::NotStarted => "not_started",
            other => other.label(),
        }
    }

    /// Returns the words for people: `ok`, `failed`, `cancelled`, `not started`.
    pub fn label(self) -> &'static str {
        match self {
            TableStatus::Ok => "ok",
            TableStatus::Failed => "failed",
            TableStatus::Cancelled => "cancelled",
            TableStatus::NotStarted => "not started",
        }
    }
}

/// A change of a table's structure in the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StructureReport {
    /// Its kind: `column_added`, `made_nullable`, `widened`, `built_anew`, `key_changed`, `column_kept`,
    /// `column_dropped`.
    pub class: &'static str,
    /// The column, by its name in the target.
    pub column: String,
    /// The change in words.
    pub said: String,
    /// The statements, in their order.
    pub statements: Vec<String>,
    /// The views that are taken down for it and put up again.
    pub views: Vec<String>,
    /// True if every row is loaded again for it, in the same run.
    pub rows_filled: bool,
}

impl StructureReport {
    pub(crate) fn of(change: &StructureChange, views: &[String]) -> StructureReport {
        StructureReport {
            class: change.class.name(),
            column: change.column.clone(),
            said: change.to_string(),
            statements: change.statements().map(paste_pg).collect(),
            views: views.to_vec(),
            rows_filled: change.class.fills_rows(),
        }
    }
}

/// The report of a run on one table.
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: TableName,
    /// The outcome.
    pub status: TableStatus,
    /// The plan of the move, with its reason; [`None`] if the table could not be planned.
    pub plan: Option<PlanReport>,
    /// The changes of its structure in the target.
    pub structure: Vec<StructureReport>,
    /// Hop 1, if it succeeded.
    pub copy: Option<CopyReport>,
    /// Hop 2, if it succeeded.
    pub load: Option<LoadReport>,
    /// The comparison and its outcome.
    pub proof: Option<Proof>,
    /// Values that could not be carried unchanged.
    pub lossy: LossAudit,
    /// The number of times that a step was tried again after a passing fault.
    pub retries: u32,
    /// Remarks for a person on the table, such as a foreign key the replica does not carry.
    pub notes: Vec<String>,
    /// The reason why it failed: an error and its causes, without row values.
    pub error: Option<String>,
    /// The reason why its turn never came, if it did not.
    pub not_started_because: Option<String>,
}

impl TableReport {
    /// Makes the report of a table of which nothing can be said so far but that it is well.
    pub(crate) fn begun(table: TableName, plan: Option<PlanReport>) -> TableReport {
        TableReport {
            table,
            status: TableStatus::Ok,
            plan,
            structure: Vec::new(),
            copy: None,
            load: None,
            proof: None,
            lossy: LossAudit::default(),
            retries: 0,
            notes: Vec::new(),
            error: None,
            not_started_because: None,
        }
    }

    /// Makes it the report of a table whose turn never came.
    pub(crate) fn not_started(self, reason: String) -> TableReport {
        let status = TableStatus::NotStarted;
        TableReport { status, not_started_because: Some(reason), ..self }
    }

    /// Returns true if source and target were compared row by row and are equal.
    pub fn is_proved(&self) -> bool {
        self.is_equal() && self.proof.as_ref().is_some_and(|proof| proof.by == ProofBy::Rows)
    }

    /// Returns true if all that was compared is equal, the contents of rows among it.
    pub fn is_equal(&self) -> bool {
        self.proof.as_ref().is_some_and(|proof| proof.verdict == Verdict::Equal)
    }

    /// Returns true if nothing was moved, since nothing was written to the table.
    pub fn is_unchanged(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.reason == Reason::Unchanged)
    }

    /// Returns the rows the table has in the target, as far as the run knows.
    pub fn rows(&self) -> u64 {
        let proved = self.proof.as_ref().and_then(|proof| proof.target_rows);
        proved.or(self.load.as_ref().map(|load| load.rows_loaded)).unwrap_or(0)
    }
}

/// The sum of the publications that a hop made of a table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HopTotals {
    pub(crate) figures: MoveFigures,
    /// The strategy of the last.
    pub(crate) strategy: &'static str,
}

impl HopTotals {
    /// Adds a publication to the sum of those before, if there were any.
    pub(crate) fn add(
        totals: &mut Option<HopTotals>,
        figures: MoveFigures,
        strategy: &'static str,
    ) {
        let sum = totals.get_or_insert_default();
        sum.figures += figures;
        sum.strategy = strategy;
    }
}

/// The results of hop 1.
#[derive(Debug, Clone, Serialize)]
pub struct CopyReport {
    /// Rows written to the replica.
    pub rows_copied: u64,
    /// Rows the replica did not have; all of them for a full copy.
    pub rows_inserted: u64,
    /// Rows that changed.
    pub rows_updated: u64,
    /// Rows that are gone, of a table whose rows were compared.
    pub rows_deleted: u64,
    /// Bytes sent to the replica.
    pub bytes: u64,
    /// The strategy that sent them.
    pub strategy_used: &'static str,
    /// The duration in milliseconds.
    pub duration_ms: u64,
    /// The speed, and the time spent waiting and encoding.
    pub performance: MovePerformance,
    /// The new watermark, for an incremental table.
    pub watermark: Option<String>,
}

impl CopyReport {
    pub(crate) fn new(totals: &HopTotals, watermark: Option<String>) -> CopyReport {
        let figures = &totals.figures;
        CopyReport {
            rows_copied: figures.rows,
            rows_inserted: figures.inserted,
            rows_updated: figures.updated,
            rows_deleted: figures.deleted,
            bytes: figures.bytes,
            strategy_used: totals.strategy,
            duration_ms: figures.millis(),
            performance: figures.performance(),
            watermark,
        }
    }
}

/// The results of hop 2.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// Rows read and sent.
    pub rows_loaded: u64,
    /// Rows the target did not have.
    pub rows_inserted: u64,
    /// Rows that changed.
    pub rows_updated: u64,
    /// Rows that are gone.
    pub rows_deleted: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// The strategy that sent them.
    pub strategy_used: &'static str,
    /// The duration in milliseconds.
    pub duration_ms: u64,
    /// The speed, and the time spent waiting and encoding.
    pub performance: MovePerformance,
}

impl LoadReport {
    pub(crate) fn new(totals: &HopTotals) -> LoadReport {
        let figures = &totals.figures;
        LoadReport {
            rows_loaded: figures.rows,
            rows_inserted: figures.inserted,
            rows_updated: figures.updated,
            rows_deleted: figures.deleted,
            bytes: figures.bytes,
            strategy_used: totals.strategy,
            duration_ms: figures.millis(),
            performance: figures.performance(),
        }
    }
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All that was compared is equal, the contents of rows among it. Proved by rows: every row of
    /// the source is in the target, unchanged, and nothing else is.
    Equal,
    /// The number of rows is the same everywhere; contents were not compared.
    SameCount,
    /// They differ.
    Differs,
}

impl Verdict {
    /// Returns the name used in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Equal => "equal",
            Verdict::SameCount => "same_count",
            Verdict::Differs => "differs",
        }
    }
}

/// The part of a table that a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// All of it.
    Table,
    /// The rows that were moved; of the others the number alone.
    MovedRows,
}

/// A comparison and its outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// The outcome.
    pub verdict: Verdict,
    /// The evidence that the outcome rests on.
    pub by: ProofBy,
    /// The part of the table that it is about.
    pub covers: Covers,
    /// The time of the comparison, UTC.
    pub at: Timestamp,
    /// True if the rows were counted in the databases. Otherwise their numbers are those that each server
    /// confirmed when it took them.
    pub counted: bool,
    /// Rows in the source.
    pub source_rows: Option<u64>,
    /// Rows in the replica.
    pub replica_rows: Option<u64>,
    /// Rows in the target.
    pub target_rows: Option<u64>,
    /// Rows that the target has and the source has no more, where they stay by `deletes = "ignore"`.
    pub kept_rows: Option<u64>,
    /// The sum of the source's rows as their bytes there, read again once they had arrived.
    pub source_checksum: Option<TableSum>,
    /// The same of the replica's rows.
    pub replica_checksum: Option<TableSum>,
    /// The sum of the canonical rows, taken while hop 1 read them in the source.
    pub source_sum: Option<TableSum>,
    /// The sum of the canonical rows, taken while hop 2 read them.
    pub read_sum: Option<TableSum>,
    /// The sum of the canonical rows, read back from the target.
    pub target_sum: Option<TableSum>,
    /// The duration of the comparison, in milliseconds.
    pub duration_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn figures(rows: u64) -> MoveFigures {
        let duration = Duration::from_micros(5_500);
        let bytes = 10 * rows;
        MoveFigures {
            rows,
            inserted: 1,
            updated: 2,
            deleted: 3,
            bytes,
            duration,
            ..Default::default()
        }
    }

    #[test]
    fn publications_of_a_table_add_up() {
        let mut totals = None;
        HopTotals::add(&mut totals, figures(3), "streaming");
        HopTotals::add(&mut totals, figures(4), "parallel");
        let totals = totals.unwrap();
        let copy = CopyReport::new(&totals, Some("w 1".to_owned()));
        assert_eq!((copy.rows_copied, copy.bytes, copy.duration_ms), (7, 70, 11));
        assert_eq!((copy.rows_inserted, copy.rows_updated, copy.rows_deleted), (2, 4, 6));
        assert_eq!((copy.strategy_used, copy.watermark.as_deref()), ("parallel", Some("w 1")));
        let load = LoadReport::new(&totals);
        assert_eq!((load.rows_loaded, load.bytes, load.duration_ms), (7, 70, 11));
        assert_eq!((load.rows_inserted, load.rows_updated, load.rows_deleted), (2, 4, 6));
        assert_eq!((load.strategy_used, load.performance.rows_per_second), ("parallel", 636));
    }
}
