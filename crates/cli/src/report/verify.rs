//! The report of `etl verify` as text.

use super::not_started;
use crate::human::{count, counted, duration};
use handoff_model::TableName;
use handoff_pipeline::{VerifyPair, VerifyReport, VerifyRow, VerifyStatus, VerifyTable};
use std::time::Duration;

/// Prints what differs, table by table with up to `limit` rows each, and a conclusion.
pub fn verify_text(report: &VerifyReport, limit: usize) -> String {
    let (waiting, begun): (Vec<_>, Vec<_>) =
        report.tables.iter().partition(|table| table.status == VerifyStatus::NotStarted);
    let tables: String = begun.into_iter().map(|table| of_table(table, limit)).collect();
    let waiting = not_started(waiting.into_iter().filter_map(|table| table.error.as_deref()));
    laid_out(tables + &waiting, &report.notes, &conclusion(report))
}

/// Puts the notes behind the tables, and the conclusion apart from both.
pub(super) fn laid_out(tables: String, notes: &[String], conclusion: &str) -> String {
    let mut text = tables;
    for note in notes {
        text.push_str(&format!("{note}\n"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text + conclusion
}

fn of_table(table: &VerifyTable, limit: usize) -> String {
    let name = &table.table;
    if let Some(error) = &table.error {
        return format!("{name}: {error}\n");
    }
    let mut text: String = table.notes.iter().map(|note| format!("{name}: {note}\n")).collect();
    text.push_str(&of_pairs(name, &table.pairs, limit));
    text
}

/// Says what differs between the databases, with up to `limit` rows each.
pub(super) fn of_pairs(table: &TableName, pairs: &[VerifyPair], limit: usize) -> String {
    let mut text = String::new();
    for pair in pairs.iter().filter(|pair| !is_equal(pair)) {
        text.push_str(&format!("{table}: {} → {}: {}\n", pair.first, pair.second, counts(pair)));
        for row in pair.rows.iter().take(limit) {
            text.push_str(&format!("  {}\n", of_row(row)));
        }
        let more = pair.rows.len().saturating_sub(limit) as u64;
        if limit > 0 && more > 0 {
            text.push_str(&format!("  … and {} more; --json lists them\n", counted(more, "row")));
        }
    }
    text
}

fn is_equal(pair: &VerifyPair) -> bool {
    pair.missing + pair.stale + pair.phantom + pair.moving == 0
}

/// `3 missing, 1 stale (LName 1), 2 phantom`
fn counts(pair: &VerifyPair) -> String {
    let mut parts = Vec::new();
    for (number, kind) in
        [(pair.missing, "missing"), (pair.stale, "stale"), (pair.phantom, "phantom")]
    {
        if number > 0 {
            parts.push(format!("{} {kind}", count(number)));
        }
    }
    if pair.moving > 0 {
        parts.push(format!(
            "{} moving: the {} is being written to",
            count(pair.moving),
            pair.first
        ));
    }
    parts.join(", ")
}

/// `stale    17  (LName, FName)`
fn of_row(row: &VerifyRow) -> String {
    let key = row.key.join(", ");
    let times = if row.rows > 1 { format!(" × {}", count(row.rows)) } else { String::new() };
    let names: Vec<&str> = row.columns.iter().map(|column| column.as_str()).collect();
    let columns =
        if names.is_empty() { String::new() } else { format!("  ({})", names.join(", ")) };
    format!("{:<7}  {key}{times}{columns}", row.kind)
}

fn conclusion(report: &VerifyReport) -> String {
    let mut parts =
        vec![format!("{} equal", counted(report.count(VerifyStatus::Equal) as u64, "table"))];
    for status in [
        VerifyStatus::Differs,
        VerifyStatus::Moving,
        VerifyStatus::Failed,
        VerifyStatus::Cancelled,
        VerifyStatus::NotStarted,
    ] {
        match report.count(status) {
            0 => {}
            number => parts.push(format!("{} {}", count(number as u64), status.label())),
        }
    }
    let rows = report.rows_compared();
    let took = report.finished_at.duration_since(report.started_at);
    let took = Duration::try_from(took).unwrap_or_default();
    let sides: Vec<String> = report.sides.iter().map(ToString::to_string).collect();
    let how = if report.quick { "counted" } else { "compared" };
    let verdict = if report.ok && !report.quick { sides.join(" = ") } else { sides.join(" → ") };
    format!(
        "{}: {} {how} in {}, {verdict}\n",
        parts.join(", "),
        counted(rows, "row"),
        duration(took)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_connect::Side;
    use handoff_model::{RunId, SumBy};
    use jiff::Timestamp;
    use std::collections::BTreeMap;

    fn table(name: &str, status: VerifyStatus, pairs: Vec<VerifyPair>) -> VerifyTable {
        VerifyTable {
            table: TableName::new(name).unwrap(),
            status,
            rows: [("replica", 1200), ("target", 1198)].into(),
            pairs,
            equal_at: None,
            looks: 2,
            sums: SumBy::Read,
            last_proof: None,
            duration_ms: 7,
            notes: Vec::new(),
            error: None,
            comparison: None,
            mapping: None,
        }
    }

    fn row(kind: &'static str, key: &str, columns: &[&str], rows: u64) -> VerifyRow {
        let columns = columns.iter().map(|name| handoff_model::ColumnName::new(name).unwrap());
        VerifyRow { kind, key: vec![key.to_owned()], columns: columns.collect(), rows }
    }

    #[test]
    fn rows_that_differ_are_named_and_counted() {
        let pair = VerifyPair {
            first: Side::Replica,
            second: Side::Target,
            missing: 3,
            stale: 1,
            phantom: 0,
            moving: 0,
            columns: BTreeMap::new(),
            all_listed: true,
            rows: vec![
                row("missing", "17", &[], 2),
                row("missing", "18", &[], 1),
                row("stale", "#12ab34cd", &["LName", "FName"], 1),
            ],
        };
        let mut broken = table("c", VerifyStatus::Failed, Vec::new());
        broken.error = Some("the target has no table `c`".to_owned());
        let mut report = VerifyReport {
            run_id: RunId::new(),
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::from_millisecond(40).unwrap(),
            ok: false,
            cancelled: false,
            quick: false,
            sides: vec![Side::Replica, Side::Target],
            tables: vec![
                table("a", VerifyStatus::Equal, Vec::new()),
                table("b", VerifyStatus::Differs, vec![pair]),
                broken,
            ],
            notes: Vec::new(),
        };
        assert_eq!(
            verify_text(&report, 2).lines().collect::<Vec<_>>(),
            [
                "b: replica → target: 3 missing, 1 stale",
                "  missing  17 × 2",
                "  missing  18",
                "  … and 1 row more; --json lists them",
                "c: the target has no table `c`",
                "",
                "1 table equal, 1 differs, 1 failed: 3,600 rows compared in 40 ms, replica → target",
            ]
        );
        assert!(verify_text(&report, 3).contains("\n  stale    #12ab34cd  (LName, FName)\n"));
        report.tables.truncate(1);
        report.ok = true;
        let text = verify_text(&report, 3);
        assert_eq!(text, "1 table equal: 1,200 rows compared in 40 ms, replica = target\n");
    }
}
