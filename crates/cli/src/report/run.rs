//! The report of a run as text.

use super::not_started;
use super::slowest::slowest;
use crate::human::{bytes, count, counted, duration, per_second};
use crate::report::columns::{ColumnAlign, TextColumns};
use handoff_model::visible;
use handoff_pipeline::{
    ObjectReport, OmissionReport, RunReport, TableReport, TableStatus, Verdict,
};
use std::cmp::Reverse;
use std::time::Duration;

/// The selection of successful tables to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// The slowest twenty; the rest is counted.
    Slowest,
    /// All of them, and what the slowest waited for.
    All,
}

/// Prints the tables that did not go well, then the others by time, then why tables failed, what
/// policies changed, and at the end the totals and the sentence that matters.
pub fn text(report: &RunReport, listing: Listing) -> String {
    let slowest = if listing == Listing::All { slowest(report) } else { String::new() };
    let sections = [
        tables(report, listing),
        slowest,
        notes(report),
        lossy(report),
        objects(&report.objects, listing),
        omissions(&report.omissions, listing),
        errors(report),
        not_started(report.tables.iter().filter_map(|table| table.not_started_because.as_deref())),
    ];
    let end = format!("{}\n{}\n", totals(report), report.conclusion());
    let filled = sections.into_iter().filter(|text| !text.is_empty());
    filled.chain([end]).collect::<Vec<_>>().join("\n")
}

fn tables(report: &RunReport, listing: Listing) -> String {
    const SLOWEST: usize = 20;
    let mut tables = report.tables.iter().collect::<Vec<_>>();
    tables.sort_by_key(|table| (rank(table), Reverse(time(table)), &table.table));
    let bad = tables.iter().filter(|table| rank(table) < WELL).count();
    let listed = match listing {
        Listing::All => tables.len(),
        Listing::Slowest => tables.len().min(bad + SLOWEST),
    };
    let (listed, rest) = tables.split_at(listed);
    if listed.is_empty() {
        return String::new();
    }
    let mut columns = TextColumns::new(&[
        ("table", ColumnAlign::Left),
        ("status", ColumnAlign::Left),
        ("rows", ColumnAlign::Right),
        ("size", ColumnAlign::Right),
        ("strategy", ColumnAlign::Left),
        ("time", ColumnAlign::Right),
    ]);
    listed.iter().for_each(|table| columns.row(cells(table)));
    let more = match rest.len() {
        0 => String::new(),
        more => {
            let rows = counted(rest.iter().map(|table| moved(table).0).sum::<u64>(), "row");
            format!("and {} with {rows}\n", counted(more as u64, "more table"))
        }
    };
    format!("{}{more}", columns.print())
}

/// The place of tables that went well.
const WELL: u8 = 3;

/// Orders tables by how bad it is. Those whose turn never came are last: there may be hundreds, and
/// their number says enough.
fn rank(table: &TableReport) -> u8 {
    match table.status {
        TableStatus::Failed if differs(table) => 0,
        TableStatus::Failed => 1,
        TableStatus::Cancelled => 2,
        TableStatus::Ok => WELL,
        TableStatus::NotStarted => 4,
    }
}

fn differs(table: &TableReport) -> bool {
    table.proof.as_ref().is_some_and(|proof| proof.verdict == Verdict::Differs)
}

fn cells(table: &TableReport) -> Vec<String> {
    let status = match table.status {
        TableStatus::Failed if differs(table) => "differs",
        TableStatus::Ok if table.is_unchanged() => "unchanged",
        TableStatus::Ok if table.is_equal() => "equal",
        status => status.label(),
    };
    let strategy = match (&table.load, &table.copy) {
        (Some(load), _) => load.strategy_used,
        (None, Some(copy)) => copy.strategy_used,
        (None, None) => "",
    };
    let (rows, size) = moved(table);
    let name = table.table.to_string();
    vec![
        name,
        status.to_owned(),
        count(rows),
        bytes(size),
        strategy.to_owned(),
        duration(time(table)),
    ]
}

/// Returns the rows and bytes of the last hop that was gone.
fn moved(table: &TableReport) -> (u64, u64) {
    match (&table.load, &table.copy) {
        (Some(load), _) => (load.rows_loaded, load.bytes),
        (None, Some(copy)) => (copy.rows_copied, copy.bytes),
        (None, None) => (0, 0),
    }
}

fn time(table: &TableReport) -> Duration {
    let copy = table.copy.as_ref().map_or(0, |copy| copy.duration_ms);
    let load = table.load.as_ref().map_or(0, |load| load.duration_ms);
    let proof = table.proof.as_ref().map_or(0, |proof| proof.duration_ms);
    Duration::from_millis(copy + load + proof)
}

fn notes(report: &RunReport) -> String {
    let of_tables = report.tables.iter().map(notes_of);
    report.notes.iter().map(|note| format!("{note}\n")).chain(of_tables).collect()
}

fn notes_of(table: &TableReport) -> String {
    table.notes.iter().map(|note| format!("{}: {note}\n", table.table)).collect()
}

/// Prints the objects around the columns that were made: one line with counts, or all of them and their departures.
fn objects(report: &ObjectReport, listing: Listing) -> String {
    let line = match report.line() {
        line if line.is_empty() => String::new(),
        line => format!("around the columns: {line}\n"),
    };
    if listing == Listing::Slowest {
        return line;
    }
    let made = report.made.iter().map(|made| {
        let (kind, table, name) = (made.kind.noun(), &made.table, visible(&made.name));
        format!("{}: {kind} \"{name}\" of `{table}`\n", made.action)
    });
    let remarks = report.remarks.iter().map(|remark| format!("{remark}\n"));
    line + &made.chain(remarks).collect::<String>()
}

/// Prints what does not arrive: one line with counts, or all of it.
pub(super) fn omissions(omissions: &OmissionReport, listing: Listing) -> String {
    let lines = match listing {
        Listing::Slowest => vec![omissions.line()],
        Listing::All => omissions.lines(),
    };
    lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

fn lossy(report: &RunReport) -> String {
    let heads = [
        ("changed by a policy", ColumnAlign::Left),
        ("policy", ColumnAlign::Left),
        ("values", ColumnAlign::Right),
    ];
    let mut columns = TextColumns::new(&heads);
    for table in &report.tables {
        for lossy in table.lossy.entries() {
            let place = format!("{}.{}", table.table, lossy.column);
            columns.row(vec![place, lossy.policy.name().to_owned(), count(lossy.count)]);
        }
    }
    if columns.is_empty() { String::new() } else { columns.print() }
}

fn errors(report: &RunReport) -> String {
    let failed = report.tables.iter();
    let lines =
        failed.filter_map(|table| Some(format!("{}: {}\n", table.table, table.error.as_ref()?)));
    lines.collect()
}

fn totals(report: &RunReport) -> String {
    let (rows, size) = report
        .tables
        .iter()
        .map(moved)
        .fold((0, 0), |(rows, size), (more, larger)| (rows + more, size + larger));
    let took = report.finished_at.duration_since(report.started_at);
    let took = Duration::try_from(took).unwrap_or_default();
    let rate = count(per_second(rows, took));
    format!("{}, {} in {}, {rate} rows/s", counted(rows, "row"), bytes(size), duration(took))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_model::{
        ColumnName, LossAudit, LossPolicy, MovePerformance, ProofBy, RunId, TableName,
    };
    use handoff_pipeline::{Covers, LoadReport, Proof};
    use jiff::{SignedDuration, Timestamp};

    fn table(name: &str, status: TableStatus, rows: u64) -> TableReport {
        let load = LoadReport {
            rows_loaded: rows,
            rows_inserted: rows,
            rows_updated: 0,
            rows_deleted: 0,
            bytes: rows * 100,
            strategy_used: "streaming",
            duration_ms: rows,
            performance: MovePerformance {
                rows_per_second: 1_000,
                mb_per_second: 0.1,
                source_ms: rows * 2 / 3,
                ..MovePerformance::default()
            },
        };
        TableReport {
            table: TableName::new(name).unwrap(),
            status,
            plan: None,
            structure: Vec::new(),
            copy: None,
            load: (rows > 0).then_some(load),
            proof: None,
            lossy: LossAudit::default(),
            retries: 0,
            notes: Vec::new(),
            error: None,
            not_started_because: None,
        }
    }

    fn proof(verdict: Verdict) -> Option<Proof> {
        Some(Proof {
            verdict,
            by: ProofBy::Rows,
            covers: Covers::Table,
            counted: true,
            at: Timestamp::UNIX_EPOCH,
            source_rows: Some(3_000),
            replica_rows: None,
            target_rows: None,
            kept_rows: None,
            source_checksum: None,
            replica_checksum: None,
            source_sum: None,
            read_sum: None,
            target_sum: None,
            duration_ms: 0,
        })
    }

    fn report(tables: Vec<TableReport>) -> RunReport {
        RunReport {
            run_id: RunId::new(),
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(41),
            ok: tables.iter().all(|table| table.status == TableStatus::Ok),
            cancelled: false,
            schema: "raw".to_owned(),
            tables,
            omissions: OmissionReport::default(),
            objects: ObjectReport::default(),
            notes: Vec::new(),
        }
    }

    #[track_caller]
    fn check(report: &RunReport, expected: &[&str]) {
        let text = text(report, Listing::Slowest);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(text.lines().last(), Some(&*report.conclusion()));
    }

    #[test]
    fn a_proved_run_ends_with_its_proof() {
        let mut patient = table("patient", TableStatus::Ok, 3_000);
        patient.lossy.add(&ColumnName::new("Birthdate").unwrap(), LossPolicy::ZeroDates, 1_200);
        patient.notes.push("the replica does not carry its foreign key".to_owned());
        patient.proof = proof(Verdict::Equal);
        let mut log = table("procedurelog", TableStatus::Ok, 1_001_000);
        log.proof = proof(Verdict::Equal);
        check(
            &report(vec![patient, log]),
            &[
                "table         status       rows    size  strategy          time",
                "procedurelog  equal   1,001,000  100 MB  streaming  16 min 41 s",
                "patient       equal       3,000  300 kB  streaming        3.0 s",
                "",
                "patient: the replica does not carry its foreign key",
                "",
                "changed by a policy  policy      values",
                "patient.Birthdate    zero_dates   1,200",
                "",
                "1,004,000 rows, 100 MB in 41 s, 24,487 rows/s",
                "2 tables, 1,004,000 rows: source = raw",
            ],
        );
    }

    #[test]
    fn what_went_wrong_comes_first_and_the_long_tail_is_counted() {
        let well = |n: u64| table(&format!("t{n}"), TableStatus::Ok, n);
        let mut tables = (1..=30).map(well).collect::<Vec<_>>();
        let mut claim = table("claim", TableStatus::Failed, 0);
        claim.error = Some("failed while loading: disk full".to_owned());
        let mut patient = table("patient", TableStatus::Failed, 7);
        patient.proof = proof(Verdict::Differs);
        let mut statement = table("statement", TableStatus::NotStarted, 0);
        statement.not_started_because = Some("the run was stopped".to_owned());
        tables.extend([claim, patient, statement]);
        let report = report(tables);
        let text = text(&report, Listing::Slowest);
        let lines = text.lines().collect::<Vec<_>>();
        assert_eq!(
            lines[1..4],
            [
                "patient  differs     7   700 B  streaming   7 ms",
                "claim    failed      0     0 B              0 ms",
                "t30      ok         30  3.0 kB  streaming  30 ms",
            ]
        );
        assert_eq!(
            lines[23..],
            [
                "and 11 more tables with 55 rows",
                "",
                "claim: failed while loading: disk full",
                "",
                "1 table not started: the run was stopped",
                "",
                "472 rows, 47.2 kB in 41 s, 11 rows/s",
                "30 of 33 tables arrived, 2 failed, 1 not started",
            ]
        );
        let all = super::text(&report, Listing::All);
        let lines = all.lines().collect::<Vec<_>>();
        assert_eq!(
            lines[34..37],
            [
                "",
                "slowest  hop    time  rows/s  MB/s  most of it",
                "t30      load  30 ms   1,000   0.1  source 66 %",
            ]
        );
        assert_eq!(lines.len(), 34 + 7 + 7);
    }

    #[test]
    fn a_run_without_proof_claims_none() {
        check(
            &report(vec![table("patient", TableStatus::Ok, 1)]),
            &[
                "table    status  rows   size  strategy   time",
                "patient  ok         1  100 B  streaming  1 ms",
                "",
                "1 row, 100 B in 41 s, 0 rows/s",
                "1 of 1 table arrived",
            ],
        );
        check(&report(Vec::new()), &["0 rows, 0 B in 41 s, 0 rows/s", "nothing to do"]);
    }
}
