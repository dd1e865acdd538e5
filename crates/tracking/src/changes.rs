//! What each event changes, and nothing else: the rules of tracking as lists of columns.

use crate::change::{Change, Set, Value};
use crate::layout::{COPIES, LOADS, RUNS};
use crate::origin::to_json;
use crate::{RunIdentities, SealWork, Status, WatermarkAt, moment, watermark};
use handoff_connect::{DatabaseIdentity, Published};
use handoff_model::{CopyId, Performance, Phase, RunId, TableName, Waits};
use jiff::Timestamp;
use std::fmt::Display;
use std::time::Duration;

/// The longest error that is kept, in characters; a chain of causes is far shorter.
const LONGEST_ERROR: usize = 4_000;

/// Who records something about which table, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) run: RunId,
    pub(crate) table: &'a TableName,
    pub(crate) at: Timestamp,
}

impl Entry<'_> {
    fn row(&self) -> Vec<String> {
        vec![self.table.as_str().to_owned()]
    }

    fn run_row(&self) -> Vec<String> {
        vec![self.run.to_string(), self.table.as_str().to_owned()]
    }
}

/// What a copy made, kept until its table's row of `etl_runs` is written.
#[derive(Debug, Clone)]
pub(crate) struct Copied {
    pub(crate) copy_id: CopyId,
    pub(crate) strategy: &'static str,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) waits: Waits,
    pub(crate) started: Timestamp,
    pub(crate) finished: Timestamp,
}

impl Copied {
    pub(crate) fn millis(&self) -> u64 {
        millis(self.started, self.finished)
    }

    pub(crate) fn performance(&self) -> Performance {
        let took = Duration::from_millis(self.millis());
        Performance::new(self.rows, self.bytes, took, &self.waits)
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
pub(crate) struct Attempt<'a> {
    pub(crate) copy_id: CopyId,
    pub(crate) watermark: Option<&'a [WatermarkAt]>,
    pub(crate) fingerprint: Option<&'a str>,
    pub(crate) in_place: bool,
    pub(crate) source: Option<&'a DatabaseIdentity>,
}

/// A copy has begun. The last good copy and watermark stay.
pub(crate) fn copy_begun(entry: Entry<'_>, attempt: Attempt<'_>) -> Change {
    let intact = ("intact", is(u8::from(!attempt.in_place)));
    let set = vec![
        ("status", is(Status::Running)),
        ("pending_copy_id", is(attempt.copy_id)),
        ("proposed_watermark", watermarks(attempt.watermark)),
        ("pending_fingerprint", option(attempt.fingerprint)),
        ("pending_source", option(attempt.source.map(to_json))),
        ("started_at", time(entry.at)),
        ("finished_at", Value::Null),
        ("run_id", is(entry.run)),
        ("error", Value::Null),
    ];
    // A shadow leaves the table as it is, whatever state that is.
    let (first, set) =
        if attempt.in_place { (vec![], [set, vec![intact]].concat()) } else { (vec![intact], set) };
    Change::upsert(&COPIES, entry.row(), first, set)
}

/// A copy has arrived.
pub(crate) fn copied(
    entry: Entry<'_>,
    work: &SealWork<'_>,
    copied: &Copied,
    source: Option<&DatabaseIdentity>,
) -> Change {
    let set = vec![
        ("status", is(Status::Success)),
        ("copy_id", is(copied.copy_id)),
        ("pending_copy_id", Value::Null),
        ("intact", is(u8::from(work.is_whole))),
        ("watermark", watermarks(work.watermark)),
        ("proposed_watermark", Value::Null),
        ("fingerprint", is(work.fingerprint)),
        ("pending_fingerprint", Value::Null),
        ("source_mark", option(work.source_mark)),
        ("source", option(source.map(to_json))),
        ("pending_source", Value::Null),
        ("next_source", Value::Null),
        ("rows_copied", is(copied.rows)),
        ("bytes", is(copied.bytes)),
        ("strategy", is(copied.strategy)),
        ("duration_ms", is(copied.millis())),
        ("started_at", time(copied.started)),
        ("finished_at", time(entry.at)),
        ("last_success_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", Value::Null),
    ];
    Change::upsert(&COPIES, entry.row(), vec![], set)
}

/// A copy whose run died after the swap has arrived all the same; its figures are not known.
pub(crate) fn copy_finished(entry: Entry<'_>, copy_id: CopyId) -> Change {
    // MySQL assigns from left to right: what is read comes before what it is read from.
    let set = vec![
        ("status", is(Status::Success)),
        ("copy_id", Value::Of("pending_copy_id")),
        ("pending_copy_id", Value::Null),
        ("intact", is(1)),
        ("watermark", Value::Of("proposed_watermark")),
        ("proposed_watermark", Value::Null),
        ("fingerprint", Value::Of("pending_fingerprint")),
        ("pending_fingerprint", Value::Null),
        ("source_mark", Value::Null),
        ("source", Value::Of("pending_source")),
        ("pending_source", Value::Null),
        ("next_source", Value::Null),
        ("rows_copied", Value::Null),
        ("bytes", Value::Null),
        ("strategy", Value::Null),
        ("duration_ms", Value::Null),
        ("finished_at", time(entry.at)),
        ("last_success_at", time(entry.at)),
        ("error", Value::Null),
    ];
    Change::guarded(&COPIES, entry.row(), ("pending_copy_id", copy_id.to_string()), set)
}

/// A copy whose run died before the swap is as if it had never been.
pub(crate) fn copy_undone(entry: Entry<'_>, copy_id: CopyId) -> Change {
    let set = vec![
        ("status", is(Status::Interrupted)),
        ("pending_copy_id", Value::Null),
        ("proposed_watermark", Value::Null),
        ("pending_fingerprint", Value::Null),
        ("pending_source", Value::Null),
        ("finished_at", time(entry.at)),
        ("error", is("the run ended before the copy was done")),
    ];
    Change::guarded(&COPIES, entry.row(), ("pending_copy_id", copy_id.to_string()), set)
}

/// A copy has failed or was stopped.
///
/// Its pending id stays: if the swap had happened after all, the next run finds the old table
/// under that id and finishes.
pub(crate) fn copy_ended(entry: Entry<'_>, status: Status, error: &str) -> Change {
    let first = vec![("intact", is(1)), ("started_at", time(entry.at))];
    Change::upsert(&COPIES, entry.row(), first, ended(entry, status, error))
}

/// A replica table that was not ours is ours now; what it holds is not known.
pub(crate) fn copy_adopted(entry: Entry<'_>) -> Change {
    let set = [adopted(entry), vec![("intact", is(0))]].concat();
    Change::upsert(&COPIES, entry.row(), vec![], set)
}

/// A load has arrived. What was proved of the one before says nothing about it.
pub(crate) fn loaded(
    entry: Entry<'_>,
    work: &SealWork<'_>,
    published: &Published,
    (started, data_as_of): (Timestamp, Option<Timestamp>),
    origin: &RunIdentities,
) -> Change {
    let mut set = vec![
        ("status", is(Status::Success)),
        ("data_as_of", data_as_of.map_or(Value::Null, time)),
        ("source", option(origin.source.as_ref().map(to_json))),
        ("next_source", Value::Null),
        ("replica", option(origin.replica.as_ref().map(to_json))),
        ("target", option(origin.target.as_ref().map(to_json))),
        ("loaded_copy_id", option(work.copy_id)),
        ("watermark", watermarks(work.watermark)),
        ("fingerprint", is(work.fingerprint)),
        ("strategy", is(published.strategy)),
        ("bytes", is(published.bytes)),
        ("duration_ms", is(millis(started, entry.at))),
        ("started_at", time(started)),
        ("finished_at", time(entry.at)),
        ("last_success_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", Value::Null),
    ];
    set.extend(figures(published));
    let proof = ["proof", "proof_by", "proof_detail", "proved_at"];
    let counts = ["source_rows", "replica_rows", "target_rows"];
    set.extend(proof.into_iter().chain(counts).map(|name| (name, Value::Null)));
    Change::upsert(&LOADS, entry.row(), vec![], set)
}

/// A load or a proof has failed or was stopped.
pub(crate) fn load_ended(entry: Entry<'_>, status: Status, error: &str) -> Change {
    let first = vec![("started_at", time(entry.at))];
    Change::upsert(&LOADS, entry.row(), first, ended(entry, status, error))
}

/// A target table that was not ours is ours now.
pub(crate) fn load_adopted(entry: Entry<'_>) -> Change {
    Change::upsert(&LOADS, entry.row(), vec![], adopted(entry))
}

/// A table's line in the history: it has arrived.
pub(crate) fn run_loaded(
    entry: Entry<'_>,
    work: &SealWork<'_>,
    published: &Published,
    started: Timestamp,
) -> Change {
    let millis = millis(started, entry.at);
    let took = Duration::from_millis(millis);
    let Published { rows, bytes, audit, waits, .. } = published;
    let mut set = vec![
        ("status", is(Status::Success)),
        ("phase", is(Phase::Load.name())),
        ("extraction", is(work.extraction)),
        ("reason", is(work.reason)),
        ("copy_id", option(work.copy_id)),
        ("load_strategy", is(published.strategy)),
        ("bytes_loaded", is(published.bytes)),
        ("load_ms", is(millis)),
        ("load_performance", json(&Performance::new(*rows, *bytes, took, waits))),
        ("watermark", watermarks(work.watermark)),
        ("lossy", if audit.is_empty() { Value::Null } else { json(audit) }),
        ("finished_at", time(entry.at)),
        ("error", Value::Null),
    ];
    set.extend(figures(published));
    Change::upsert(&RUNS, entry.run_row(), vec![("started_at", time(started))], set)
}

/// A table's line in the history: it has not arrived.
pub(crate) fn run_ended(entry: Entry<'_>, phase: Phase, status: Status, error: &str) -> Change {
    let set = vec![
        ("status", is(status)),
        ("phase", is(phase.name())),
        ("finished_at", time(entry.at)),
        ("error", is(shortened(error))),
    ];
    Change::upsert(&RUNS, entry.run_row(), vec![("started_at", time(entry.at))], set)
}

/// Adds what hop 1 did to a table's line in the history.
pub(crate) fn with_copy(line: Change, copied: Option<&Copied>) -> Change {
    line.with(copied.into_iter().flat_map(Copied::columns))
}

fn ended(entry: Entry<'_>, status: Status, error: &str) -> Vec<Set> {
    vec![
        ("status", is(status)),
        ("finished_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", is(shortened(error))),
    ]
}

fn adopted(entry: Entry<'_>) -> Vec<Set> {
    vec![
        ("status", is(Status::Interrupted)),
        ("adopted_at", time(entry.at)),
        ("run_id", is(entry.run)),
        ("error", is("adopted: not moved by Handoff yet")),
    ]
}

fn figures(published: &Published) -> [Set; 5] {
    [
        ("rows_loaded", is(published.rows)),
        ("rows_inserted", is(published.inserted)),
        ("rows_updated", is(published.updated)),
        ("rows_deleted", is(published.deleted)),
        ("checksum", option(published.sum)),
    ]
}

fn is(value: impl Display) -> Value {
    Value::Is(value.to_string())
}

fn json(value: &impl serde::Serialize) -> Value {
    Value::Is(serde_json::to_string(value).expect("names and numbers are JSON"))
}

fn option(value: Option<impl Display>) -> Value {
    value.map_or(Value::Null, is)
}

fn time(moment: Timestamp) -> Value {
    Value::Is(moment::print(moment))
}

fn watermarks(watermarks: Option<&[WatermarkAt]>) -> Value {
    watermarks.map_or(Value::Null, |watermarks| Value::Is(watermark::to_json(watermarks)))
}

fn shortened(error: &str) -> String {
    // Neither server takes a NUL in a text.
    error.chars().filter(|&c| c != '\0').take(LONGEST_ERROR).collect()
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}
