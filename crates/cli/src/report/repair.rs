//! The report of `etl repair` as text.

use super::not_started;
use super::verify::{laid_out, of_pairs};
use crate::human::{count, counted, duration};
use handoff_pipeline::{RepairReport, RepairStatus, RepairTable, RepairWay};
use std::time::Duration;

/// Prints what differed and what was done about it, table by table with up to `limit` rows each, and
/// a conclusion.
pub fn repair_text(report: &RepairReport, limit: usize) -> String {
    let (waiting, begun): (Vec<_>, Vec<_>) =
        report.tables.iter().partition(|table| table.status == RepairStatus::NotStarted);
    let tables: String = begun.into_iter().map(|table| of_table(table, limit)).collect();
    let waiting = not_started(waiting.into_iter().filter_map(|table| table.error.as_deref()));
    laid_out(tables + &waiting, &report.notes, &conclusion(report))
}

fn of_table(table: &RepairTable, limit: usize) -> String {
    let name = &table.table;
    let mut text = of_pairs(name, &table.before, limit);
    for note in &table.notes {
        text.push_str(&format!("{name}: {note}\n"));
    }
    if let Some(error) = &table.error {
        return text + &format!("{name}: {error}\n");
    }
    match (table.status, table.way) {
        (RepairStatus::Repaired, _) => text.push_str(&format!("{name}: {}\n", done(table))),
        (RepairStatus::ToRepair, Some(RepairWay::Rows)) => {
            text.push_str(&format!("{name}: these rows would be corrected\n"));
        }
        (RepairStatus::ToRepair, _) => {
            text.push_str(&format!("{name}: the table would be copied in full\n"));
        }
        _ => {}
    }
    text
}

/// `repaired, replica: 1 inserted; target: 3 inserted, 2 updated, 1 deleted`
fn done(table: &RepairTable) -> String {
    let copy = table.copy.as_ref().map(|copy| {
        let done = changes(copy.rows_inserted, copy.rows_updated, copy.rows_deleted);
        format!("replica: {done}")
    });
    let load = table.load.as_ref().map(|load| {
        let done = changes(load.rows_inserted, load.rows_updated, load.rows_deleted);
        format!("target: {done}")
    });
    let sides: Vec<String> = copy.into_iter().chain(load).collect();
    format!("repaired, {}", sides.join("; "))
}

fn changes(inserted: u64, updated: u64, deleted: u64) -> String {
    let named = [(inserted, "inserted"), (updated, "updated"), (deleted, "deleted")];
    let some = named.iter().filter(|(rows, _)| *rows > 0);
    let parts: Vec<String> = some.map(|(rows, what)| format!("{} {what}", count(*rows))).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
}

fn conclusion(report: &RepairReport) -> String {
    let number =
        |status| report.tables.iter().filter(|table| table.status == status).count() as u64;
    let mut parts = Vec::new();
    for status in [
        RepairStatus::Repaired,
        RepairStatus::ToRepair,
        RepairStatus::Equal,
        RepairStatus::Failed,
        RepairStatus::Cancelled,
        RepairStatus::NotStarted,
    ] {
        match number(status) {
            0 => {}
            tables if parts.is_empty() => {
                parts.push(format!("{} {}", counted(tables, "table"), status.label()));
            }
            tables => parts.push(format!("{} {}", count(tables), status.label())),
        }
    }
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    let took = report.finished_at.duration_since(report.started_at);
    let took = duration(Duration::try_from(took).unwrap_or_default());
    let written = if report.dry_run { "; nothing was written" } else { "" };
    format!("{} in {took}{written}\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_connect::Side;
    use handoff_model::{RunId, TableName};
    use handoff_pipeline::{VerifyPair, VerifyRow};
    use jiff::Timestamp;
    use std::collections::BTreeMap;

    fn table(name: &str, status: RepairStatus, way: Option<RepairWay>) -> RepairTable {
        let row =
            VerifyRow { kind: "missing", key: vec!["7".to_owned()], columns: Vec::new(), rows: 1 };
        let pair = VerifyPair {
            first: Side::Source,
            second: Side::Target,
            missing: 1,
            stale: 0,
            phantom: 0,
            moving: 0,
            columns: BTreeMap::new(),
            all_listed: true,
            rows: vec![row],
        };
        RepairTable {
            table: TableName::new(name).unwrap(),
            status,
            way,
            before: way.map(|_| pair).into_iter().collect(),
            after: Vec::new(),
            copy: None,
            load: None,
            notes: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn what_would_be_done_is_listed() {
        let mut refused = table("c", RepairStatus::Failed, None);
        refused.error = Some("too much".to_owned());
        let report = RepairReport {
            run_id: RunId::new(),
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::from_millisecond(40).unwrap(),
            ok: false,
            cancelled: false,
            dry_run: true,
            tables: vec![
                table("a", RepairStatus::ToRepair, Some(RepairWay::Rows)),
                table("b", RepairStatus::ToRepair, Some(RepairWay::FullCopy)),
                refused,
                table("d", RepairStatus::Equal, None),
            ],
            notes: Vec::new(),
        };
        assert_eq!(
            repair_text(&report, 0).lines().collect::<Vec<_>>(),
            [
                "a: source → target: 1 missing",
                "a: these rows would be corrected",
                "b: source → target: 1 missing",
                "b: the table would be copied in full",
                "c: too much",
                "",
                "2 tables to repair, 1 equal, 1 failed in 40 ms; nothing was written",
            ]
        );
    }
}
