//! The report of `etl verify` as one page for a browser.
//!
//! It needs no network and no script, follows the reader's light or dark colours, prints, and holds
//! neither keys nor values: names, counts and times only.

use crate::human::{count, counted, duration};
use handoff_model::visible_lines;
use handoff_pipeline::{VerifyPair, VerifyReport, VerifyStatus, VerifyTable};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::time::Duration;

const STYLE: &str = include_str!("verify_page.css");

/// Differing columns beyond this number are named on hover only.
const COLUMNS_SHOWN: usize = 6;

/// Makes the page.
pub fn verify_page(report: &VerifyReport) -> String {
    let title = format!("Handoff: {}", verdict(report).0);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(report))
                (tiles(report))
                (drift(report))
                (all_tables(report))
                (foot(report))
            }
        }
    };
    visible_lines(&page.into_string()).into_owned()
}

/// The verdict as a title, and its class in the style sheet.
fn verdict(report: &VerifyReport) -> (String, &'static str) {
    let differs = report.count(VerifyStatus::Differs) as u64;
    let unknown = report.tables.len() - report.count(VerifyStatus::Equal);
    if report.ok {
        let how = if report.quick { "counts and records agree" } else { "equal" };
        (format!("{}, {how}", counted(report.tables.len() as u64, "table")), "good")
    } else if differs > 0 {
        let verb = if differs == 1 { "differs" } else { "differ" };
        (format!("{} {verb}", counted(differs, "table")), "bad")
    } else {
        (format!("{} not proved equal", counted(unknown as u64, "table")), "open")
    }
}

fn head(report: &VerifyReport) -> Markup {
    let (text, class) = verdict(report);
    let sides: Vec<String> = report.sides.iter().map(ToString::to_string).collect();
    let took = report.finished_at.duration_since(report.started_at);
    html! {
        header class=(class) {
            h1 { (text) }
            p {
                (sides.join(if report.ok && !report.quick { " = " } else { " → " }))
                " · " (moment(report.finished_at))
                " · " (duration(Duration::try_from(took).unwrap_or_default()))
                @if report.quick { " · row counts and records only; no row was read" }
                @if report.cancelled { " · stopped early" }
            }
        }
        @for note in &report.notes { p.note { (note) } }
    }
}

fn tiles(report: &VerifyReport) -> Markup {
    let pairs = || report.tables.iter().flat_map(|table| &table.pairs);
    let of_rows = |of: fn(&VerifyPair) -> u64| pairs().map(of).sum::<u64>();
    let rows = report.rows_compared();
    let not_compared = [VerifyStatus::Failed, VerifyStatus::Cancelled, VerifyStatus::NotStarted];
    let not_compared: usize = not_compared.into_iter().map(|status| report.count(status)).sum();
    html! {
        section.tiles {
            (tile("tables equal", report.count(VerifyStatus::Equal) as u64, "good"))
            (tile("tables differ", report.count(VerifyStatus::Differs) as u64, "bad"))
            (tile("tables moving", report.count(VerifyStatus::Moving) as u64, "open"))
            (tile("tables not compared", not_compared as u64, "open"))
            (tile("rows compared", rows, ""))
            (tile("rows missing", of_rows(|pair| pair.missing), "missing"))
            (tile("rows stale", of_rows(|pair| pair.stale), "stale"))
            (tile("rows phantom", of_rows(|pair| pair.phantom), "phantom"))
        }
    }
}

/// A tile with a number; zero has no colour.
fn tile(label: &str, number: u64, class: &str) -> Markup {
    let class = if number == 0 { "" } else { class };
    html! { div.tile.(class) { b { (count(number)) } span { (label) } } }
}

fn drift(report: &VerifyReport) -> Markup {
    let mut tables: Vec<&VerifyTable> =
        report.tables.iter().filter(|table| table.status != VerifyStatus::Equal).collect();
    tables.sort_by_key(|table| (std::cmp::Reverse(drifted(table)), &table.table));
    let most = tables.iter().flat_map(|table| &table.pairs).map(drift_of).max().unwrap_or(0);
    html! {
        @if !tables.is_empty() {
            h2 { "Tables that differ or were not compared" }
            div.wide { table {
                thead { tr {
                    th { "table" } th { "between" } th.n { "missing" } th.n { "stale" }
                    th.n { "phantom" } th.bars { "rows that differ" } th { "columns that differ" }
                    th { "last proved equal" }
                } }
                tbody { @for table in tables { (drift_rows(table, most)) } }
            } }
            p.legend {
                span.missing {} " missing: in the first, not in the second "
                span.stale {} " stale: in both, with other values "
                span.phantom {} " phantom: in the second only"
            }
        }
    }
}

fn drift_rows(table: &VerifyTable, most: u64) -> Markup {
    let pairs: Vec<&VerifyPair> =
        table.pairs.iter().filter(|pair| drift_of(pair) + pair.moving > 0).collect();
    let since = table.equal_at.map_or_else(|| "never, or not recorded".to_owned(), moment);
    html! {
        @if pairs.is_empty() {
            tr {
                td { (table.table) }
                td colspan="6" {
                    (table.status.label())
                    @if let Some(error) = &table.error { ": " (error) }
                    @for note in &table.notes { ": " (note) }
                }
                td { (since) }
            }
        }
        @for pair in pairs {
            tr {
                td { (table.table) }
                td { (pair.first) " → " (pair.second) }
                td.n { (count(pair.missing)) }
                td.n { (count(pair.stale)) }
                td.n { (count(pair.phantom)) }
                td { (stacked(pair, most)) @if pair.moving > 0 {
                    small { (counted(pair.moving, "row")) " moving: the " (pair.first)
                        " is being written to" }
                } }
                td { (columns(pair)) }
                td { (since) }
            }
        }
    }
}

/// One bar of three colours, as long as its share of the longest.
fn stacked(pair: &VerifyPair, most: u64) -> Markup {
    let parts = [("missing", pair.missing), ("stale", pair.stale), ("phantom", pair.phantom)];
    html! {
        div.bar { @for (class, rows) in parts {
            @if rows > 0 { i class=(class) style=(width(rows, most)) {} }
        } }
    }
}

fn columns(pair: &VerifyPair) -> Markup {
    let mut columns: Vec<_> = pair.columns.iter().collect();
    columns.sort_by_key(|(name, rows)| (std::cmp::Reverse(**rows), *name));
    let more = columns.len().saturating_sub(COLUMNS_SHOWN);
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    html! {
        span title=(names.join(", ")) {
            (names[..names.len() - more].join(", "))
            @if more > 0 { " and " (count(more as u64)) " more" }
        }
    }
}

fn all_tables(report: &VerifyReport) -> Markup {
    let mut tables: Vec<&VerifyTable> = report.tables.iter().collect();
    tables.sort_by_key(|table| (std::cmp::Reverse(table.duration_ms), &table.table));
    let longest = tables.first().map_or(0, |table| table.duration_ms);
    let sides: Vec<String> = report.sides.iter().map(|side| side.to_string()).collect();
    html! {
        h2 { "All tables, slowest first" }
        div.wide { table {
            thead { tr {
                th { "table" } th { "result" }
                @for side in &sides { th.n { "rows, " (side) } }
                th.n { "time" } th.bars { }
            } }
            tbody { @for table in tables {
                tr {
                    td { (table.table) }
                    td class=(class_of(table.status)) { (table.status.label()) }
                    @for side in &sides { td.n {
                        @match table.rows.get(side.as_str()) {
                            Some(rows) => (count(*rows)), None => "–",
                        }
                    } }
                    td.n { (duration(Duration::from_millis(table.duration_ms))) }
                    td { div.bar { i.time style=(width(table.duration_ms, longest)) {} } }
                }
            } }
        } }
    }
}

fn foot(report: &VerifyReport) -> Markup {
    html! {
        footer {
            "Handoff " (env!("CARGO_PKG_VERSION")) ", etl verify " (report.run_id)
            ". This page holds names, counts and times, but no key and no value of any row."
        }
    }
}

fn drift_of(pair: &VerifyPair) -> u64 {
    pair.missing + pair.stale + pair.phantom
}

fn drifted(table: &VerifyTable) -> u64 {
    table.pairs.iter().map(drift_of).sum()
}

fn class_of(status: VerifyStatus) -> &'static str {
    match status {
        VerifyStatus::Equal => "good",
        VerifyStatus::Differs | VerifyStatus::Failed => "bad",
        VerifyStatus::Moving | VerifyStatus::Cancelled | VerifyStatus::NotStarted => "open",
    }
}

/// The width of a part of a bar; anything above zero stays visible.
fn width(part: u64, whole: u64) -> String {
    let percent = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    let least = if part > 0 { 1.0 } else { 0.0 };
    format!("width:{:.1}%", percent.max(least))
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_connect::Side;
    use handoff_model::{ColumnName, RunId, SumBy, TableName};
    use handoff_pipeline::VerifyRow;

    fn report() -> VerifyReport {
        let pair = VerifyPair {
            first: Side::Replica,
            second: Side::Target,
            missing: 12,
            stale: 3,
            phantom: 0,
            moving: 0,
            columns: [(ColumnName::new("<LName>").unwrap(), 3)].into(),
            all_listed: true,
            rows: vec![VerifyRow {
                kind: "stale",
                key: vec!["4711".to_owned()],
                columns: Vec::new(),
                rows: 1,
            }],
        };
        let table = |name: &str, status, pairs| VerifyTable {
            table: TableName::new(name).unwrap(),
            status,
            rows: [("replica", 1200), ("target", 1191)].into(),
            pairs,
            equal_at: Some(Timestamp::UNIX_EPOCH),
            looks: 1,
            sums: SumBy::Read,
            last_proof: None,
            duration_ms: 40,
            notes: Vec::new(),
            error: None,
            comparison: None,
            mapping: None,
        };
        VerifyReport {
            run_id: RunId::new(),
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::from_millisecond(1500).unwrap(),
            ok: false,
            cancelled: false,
            quick: false,
            sides: vec![Side::Replica, Side::Target],
            tables: vec![
                table("a & b", VerifyStatus::Differs, vec![pair]),
                table("calm", VerifyStatus::Equal, Vec::new()),
            ],
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_page_has_counts_names_and_times_and_needs_nothing_else() {
        let page = verify_page(&report());
        for text in [
            "1 table differs",
            "a &amp; b",
            "&lt;LName&gt;",
            "1970-01-01 00:00 UTC",
            "width:80.0%",
            "replica → target",
            "1,191",
        ] {
            assert!(page.contains(text), "{text} is not in {page}");
        }
        for text in ["http", "<script", "<link", "url(", "4711"] {
            assert!(!page.contains(text), "{text} is in {page}");
        }
    }

    #[test]
    fn what_is_equal_says_so() {
        let mut report = report();
        report.tables.remove(0);
        report.ok = true;
        let page = verify_page(&report);
        assert!(page.contains("1 table, equal") && page.contains("replica = target"), "{page}");
        assert!(!page.contains("Tables that differ or were not compared"), "{page}");
    }
}
