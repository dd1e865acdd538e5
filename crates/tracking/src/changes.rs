//! The changes that each event makes, and nothing else: the rules of tracking as lists of columns.

use crate::change::{ColumnValue, RowChange, Set};
use crate::layout::{COPIES, LOADS, RUNS};
use crate::origin::{RunIdentities, to_json};
use crate::published_move::PublishedMove;
use crate::status::AttemptStatus;
use crate::watermark::WatermarkAt;
use crate::{moment, watermark};
use handoff_connect::{DatabaseIdentity, PublishedRows};
use handoff_model::{CopyId, MovePerformance, RunId, TableName, TablePhase, WaitTimes};
use jiff::Timestamp;
use std::fmt::Display;
use std::time::Duration;

/// The longest error that is kept, in characters; a chain of causes is far shorter.
const LONGEST_ERROR: usize = 4_000;

/// The run that records something, the table, and the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordEntry<'a> {
    pub(crate) run: RunId,
    pub(crate) table: &'a TableName,
    pub(crate) at: Timestamp,
}

impl RecordEntry<'_> {
    fn row(&self) -> Vec<String> {
        vec![self.table.as_str().to_owned()]
    }

    fn run_row(&self) -> Vec<String> {
        vec![self.run.to_string(), self.table.as_str().to_owned()]
    }
}

/// The figures of a copy, kept until its table's row of `etl_runs` is written.
#[derive(Debug, Clone)]
pub(crate) struct FinishedCopy {
    pub(crate) copy_id: CopyId,
    pub(crate) strategy: &'static str,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) waits: WaitTimes,
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
}

impl FinishedCopy {
    pub(crate) fn millis(&self) -> u64 {
        millis(self.started, self.finished)
    }

    pub(crate) fn performance(&self) -> MovePerformance {
        let took = Duration::from_millis(self.millis());
        MovePerformance::new(self.rows, self.bytes, took, &self.waits)
    }

    fn columns(&self) -> [Set; 6] {
        [
            ("copy_id", is(self.copy_id)),
            ("copy_strategy", is(self.strategy)),
            ("rows_copied", is(self.rows)),
            ("bytes_copied", is(self.bytes)),
            ("copy_ms", is(self.millis())),
            ("copy_performance", json(&self.performance())),
        ]
    }
}

/// An attempt that is about to touch the replica.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BegunCopy<'a> {
    pub(crate) copy_id: CopyId,
    pub(crate) watermark: Option<&'a [WatermarkAt]>,
    pub(crate) fingerprint: Option<&'a str>,
    pub(crate) in_place: bool,
    pub(crate) source: Option<&'a DatabaseIdentity>,
}

/// A copy has begun. The last good copy and watermark stay.
pub(crate) fn copy_begun(entry: RecordEntry<'_>, attempt: BegunCopy<'_>) -> RowChange {
    let intact = ("intact", is(u8::from(!attempt.in_place)));
    let set = vec![
        ("status", is(AttemptStatus::Running)),
        ("pending_copy_id", is(attempt.copy_id)),
        ("proposed_watermark", watermarks(attempt.watermark)),
        ("pending_fingerprint", option(attempt.fingerprint)),
        ("pending_source", option(attempt.source.map(to_json))),
        ("started_at", time(entry.at)),
        ("finished_at", ColumnValue::Null),
        ("run_id", is(entry.run)),
        ("error", ColumnValue::Null),
    ];
    // A shadow leaves the table as it is, whatever state that is.
    let (first, set) =
        if attempt.in_place { (vec![], [set, vec![intact]].concat()) } else { (vec![intact], set) };
    RowChange::upsert(&COPIES, entry.row(), first, set)
}

/// A copy has arrived.
pub(crate) fn copied(
    entry: RecordEntry<'_>,
    work: &PublishedMove<'_>,
    copied: &FinishedCopy,
    source: Option<&DatabaseIdentity>,
) -> RowChange {
    let set = vec![
        ("status", is(AttemptStatus::Success)),
        ("copy_id", is(copied.copy_id)),
        ("pending_copy_id", ColumnValue::Null),
        ("intact", is(u8::from(work.is_whole))),
        ("watermark", watermarks(work.watermark)),
        ("proposed_watermark", ColumnValue::Null),
        ("fingerprint", is(work.fingerprint)),
        ("pending_fingerprint", ColumnValue::Null),
        ("source_mark", option(work.source_mark)),
        ("source", option(source.map(to_json))),
        ("pending_source", ColumnValue::Null),
        ("next_source", ColumnValue::Null),
        ("rows_copied", is(copied.rows)),
        ("bytes", is(copied.bytes)),
        ("strategy", is(copied.strategy)),
        ("duration_ms", is(copied.millis())),
        ("started_at", time(copied.started)),
        ("finished_at", time(entry.at)),
        ("last_success_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", ColumnValue::Null),
    ];
    RowChange::upsert(&COPIES, entry.row(), vec![], set)
}

/// A copy whose run died after the swap has arrived all the same; its figures are not known.
pub(crate) fn copy_finished(entry: RecordEntry<'_>, copy_id: CopyId) -> RowChange {
    // MySQL assigns from left to right: what is read comes before what it is read from.
    let set = vec![
        ("status", is(AttemptStatus::Success)),
        ("copy_id", ColumnValue::Of("pending_copy_id")),
        ("pending_copy_id", ColumnValue::Null),
        ("intact", is(1)),
        ("watermark", ColumnValue::Of("proposed_watermark")),
        ("proposed_watermark", ColumnValue::Null),
        ("fingerprint", ColumnValue::Of("pending_fingerprint")),
        ("pending_fingerprint", ColumnValue::Null),
        ("source_mark", ColumnValue::Null),
        ("source", ColumnValue::Of("pending_source")),
        ("pending_source", ColumnValue::Null),
        ("next_source", ColumnValue::Null),
        ("rows_copied", ColumnValue::Null),
        ("bytes", ColumnValue::Null),
        ("strategy", ColumnValue::Null),
        ("duration_ms", ColumnValue::Null),
        ("finished_at", time(entry.at)),
        ("last_success_at", time(entry.at)),
        ("error", ColumnValue::Null),
    ];
    RowChange::guarded(&COPIES, entry.row(), "pending_copy_id", copy_id.to_string(), set)
}

/// A copy whose run died before the swap is as if it had never been.
pub(crate) fn copy_undone(entry: RecordEntry<'_>, copy_id: CopyId) -> RowChange {
    let set = vec![
        ("status", is(AttemptStatus::Interrupted)),
        ("pending_copy_id", ColumnValue::Null),
        ("proposed_watermark", ColumnValue::Null),
        ("pending_fingerprint", ColumnValue::Null),
        ("pending_source", ColumnValue::Null),
        ("finished_at", time(entry.at)),
        ("error", is("the run ended before the copy was done")),
    ];
    RowChange::guarded(&COPIES, entry.row(), "pending_copy_id", copy_id.to_string(), set)
}

/// A copy has failed or was stopped.
///
/// Its pending id stays: if the swap had happened after all, the next run finds the old table
/// under that id and finishes.
pub(crate) fn copy_ended(entry: RecordEntry<'_>, status: AttemptStatus, error: &str) -> RowChange {
    let first = vec![("intact", is(1)), ("started_at", time(entry.at))];
    RowChange::upsert(&COPIES, entry.row(), first, ended(entry, status, error))
}

/// A replica table that was not ours is ours now; what it holds is not known.
pub(crate) fn copy_adopted(entry: RecordEntry<'_>) -> RowChange {
    let set = [adopted(entry), vec![("intact", is(0))]].concat();
    RowChange::upsert(&COPIES, entry.row(), vec![], set)
}

/// A load has arrived. What was proved of the one before says nothing about it.
pub(crate) fn loaded(
    entry: RecordEntry<'_>,
    work: &PublishedMove<'_>,
    published: &PublishedRows,
    started: Timestamp,
    data_as_of: Option<Timestamp>,
    origin: &RunIdentities,
) -> RowChange {
    let mut set = vec![
        ("status", is(AttemptStatus::Success)),
        ("data_as_of", data_as_of.map_or(ColumnValue::Null, time)),
        ("source", option(origin.source.as_ref().map(to_json))),
        ("next_source", ColumnValue::Null),
        ("replica", option(origin.replica.as_ref().map(to_json))),
        ("target", option(origin.target.as_ref().map(to_json))),
        ("loaded_copy_id", option(work.copy_id)),
        ("watermark", watermarks(work.watermark)),
        ("fingerprint", is(work.fingerprint)),
        ("columns", is(work.columns)),
        ("gone_at", ColumnValue::Null),
        ("strategy", is(published.strategy)),
        ("bytes", is(published.bytes)),
        ("duration_ms", is(millis(started, entry.at))),
        ("started_at", time(started)),
        ("finished_at", time(entry.at)),
        ("last_success_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", ColumnValue::Null),
    ];
    set.extend(figures(published));
    let proof = ["proof", "proof_by", "proof_detail", "proved_at"];
    let counts = ["source_rows", "replica_rows", "target_rows"];
    set.extend(proof.into_iter().chain(counts).map(|name| (name, ColumnValue::Null)));
    RowChange::upsert(&LOADS, entry.row(), vec![], set)
}

/// A load or a proof has failed or was stopped.
pub(crate) fn load_ended(entry: RecordEntry<'_>, status: AttemptStatus, error: &str) -> RowChange {
    let first = vec![("started_at", time(entry.at))];
    RowChange::upsert(&LOADS, entry.row(), first, ended(entry, status, error))
}

/// A target table that was not ours is ours now.
pub(crate) fn load_adopted(entry: RecordEntry<'_>) -> RowChange {
    RowChange::upsert(&LOADS, entry.row(), vec![], adopted(entry))
}

/// A table's line in the history: it has arrived.
pub(crate) fn run_loaded(
    entry: RecordEntry<'_>,
    work: &PublishedMove<'_>,
    published: &PublishedRows,
    started: Timestamp,
) -> RowChange {
    let load_ms = millis(started, entry.at);
    let took = Duration::from_millis(load_ms);
    let PublishedRows { rows, bytes, audit, waits, .. } = published;
    let mut set = vec![
        ("status", is(AttemptStatus::Success)),
        ("phase", is(TablePhase::Load.name())),
        ("extraction", is(work.extraction)),
        ("reason", is(work.reason)),
        ("copy_id", option(work.copy_id)),
        ("load_strategy", is(published.strategy)),
        ("bytes_loaded", is(published.bytes)),
        ("load_ms", is(load_ms)),
        ("load_performance", json(&MovePerformance::new(*rows, *bytes, took, waits))),
        ("watermark", watermarks(work.watermark)),
        ("lossy", if audit.is_empty() { ColumnValue::Null } else { json(audit) }),
        ("finished_at", time(entry.at)),
        ("error", ColumnValue::Null),
    ];
    set.extend(figures(published));
    RowChange::upsert(&RUNS, entry.run_row(), vec![("started_at", time(started))], set)
}

/// A table's line in the history: it has not arrived.
pub(crate) fn run_ended(
    entry: RecordEntry<'_>,
    phase: TablePhase,
    status: AttemptStatus,
    error: &str,
) -> RowChange {
    let set = vec![
        ("status", is(status)),
        ("phase", is(phase.name())),
        ("finished_at", time(entry.at)),
        ("error", is(shortened(error))),
    ];
    RowChange::upsert(&RUNS, entry.run_row(), vec![("started_at", time(entry.at))], set)
}

/// Adds what hop 1 did to a table's line in the history.
pub(crate) fn with_copy(line: RowChange, copied: Option<&FinishedCopy>) -> RowChange {
    line.with(copied.into_iter().flat_map(FinishedCopy::columns))
}

fn ended(entry: RecordEntry<'_>, status: AttemptStatus, error: &str) -> Vec<Set> {
    vec![
        ("status", is(status)),
        ("finished_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", is(shortened(error))),
    ]
}

fn adopted(entry: RecordEntry<'_>) -> Vec<Set> {
    vec![
        ("status", is(AttemptStatus::Interrupted)),
        ("adopted_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", is("adopted: not moved by Handoff yet")),
    ]
}

fn figures(published: &PublishedRows) -> [Set; 5] {
    [
        ("rows_loaded", is(published.rows)),
        ("rows_inserted", is(published.inserted)),
        ("rows_updated", is(published.updated)),
        ("rows_deleted", is(published.deleted)),
        ("checksum", option(published.sum)),
    ]
}

fn is(value: impl Display) -> ColumnValue {
    ColumnValue::Is(value.to_string())
}

fn json(value: &impl serde::Serialize) -> ColumnValue {
    ColumnValue::Is(serde_json::to_string(value).expect("names and numbers are JSON"))
}

fn option(value: Option<impl Display>) -> ColumnValue {
    value.map_or(ColumnValue::Null, is)
}

fn time(moment: Timestamp) -> ColumnValue {
    ColumnValue::Is(moment::print(moment))
}

fn watermarks(watermarks: Option<&[WatermarkAt]>) -> ColumnValue {
    watermarks
        .map_or(ColumnValue::Null, |watermarks| ColumnValue::Is(watermark::to_json(watermarks)))
}

fn shortened(error: &str) -> String {
    // Neither server takes a NUL in a text.
    error.chars().filter(|&c| c != '\0').take(LONGEST_ERROR).collect()
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}
