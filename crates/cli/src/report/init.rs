//! The findings and proposals of `etl init` as text.

use super::columns::{ColumnAlign, TextColumns};
use crate::human::{bytes, count, counted};
use handoff_model::{ColumnName, visible};
use handoff_pipeline::{
    CertificateStanding, ExtractionProposal, InitReport, TableProposal, TableSize,
};
use std::collections::BTreeMap;
use std::path::Path;

/// The number of names or tables that a list shows.
const SHOWN: usize = 10;

/// The files that were written, and what is left to do.
pub struct WrittenFiles<'a> {
    /// The `handoff.toml`, if it was written.
    pub handoff: Option<&'a Path>,
    /// The `tables.toml`.
    pub tables: &'a Path,
    /// The configuration file, if commands need `--config` for it.
    pub config: Option<&'a Path>,
    /// Variables that hold a password and are not set.
    pub unset: Vec<&'a str>,
    /// True if the target is only an example.
    pub target_is_missing: bool,
}

/// Prints a summary to read in a minute: the source, the proposals, the next steps.
pub fn init_text(report: &InitReport, written: &WrittenFiles<'_>) -> String {
    let parts = [
        head(report),
        certificate(report),
        sizes(report),
        largest(report),
        proposals(report),
        left_out(report),
        next(written),
    ];
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn head(report: &InitReport) -> String {
    let rows: u64 = report.tables.iter().map(|table| table.rows).sum();
    let size = report.tables.iter().map(|table| table.bytes).sum();
    format!(
        "{} ({}): {}, {}, {}\n",
        report.source,
        report.server,
        counted(wide(report.tables.len()), "table"),
        counted(rows, "row"),
        bytes(size)
    )
}

/// The source's certificate, if a person has to check it.
fn certificate(report: &InitReport) -> String {
    let Some(seen) = &report.certificate else { return String::new() };
    let what = match seen.standing {
        CertificateStanding::Given => return String::new(),
        CertificateStanding::Seen => {
            "not verified; handoff.toml pins it: compare it with the output of openssl x509 -noout \
             -fingerprint -sha256 -in FILE on the server"
        }
        CertificateStanding::Passing => {
            "the server makes a new one at its next start: set ssl_cert and ssl_key there, and pin that \
             certificate"
        }
    };
    format!("certificate: {}\n  {what}\n", seen.fingerprint)
}

/// One line an engine.
fn sizes(report: &InitReport) -> String {
    let right = ColumnAlign::Right;
    let mut columns = TextColumns::new(&[
        ("engine", ColumnAlign::Left),
        ("tables", right),
        ("empty", right),
        ("small", right),
        ("large", right),
        ("rows", right),
        ("size", right),
    ]);
    let mut engines: BTreeMap<&str, Vec<&TableProposal>> = BTreeMap::new();
    for table in &report.tables {
        engines.entry(&table.engine).or_default().push(table);
    }
    for (engine, tables) in engines {
        let of = |size| wide(tables.iter().filter(|table| table.size == size).count());
        columns.row(vec![
            engine.to_owned(),
            count(wide(tables.len())),
            count(of(TableSize::Empty)),
            count(of(TableSize::Small)),
            count(of(TableSize::Large)),
            count(tables.iter().map(|table| table.rows).sum()),
            bytes(tables.iter().map(|table| table.bytes).sum()),
        ]);
    }
    if columns.is_empty() { String::new() } else { columns.print() }
}

/// The largest tables with what is proposed for them.
fn largest(report: &InitReport) -> String {
    let mut tables: Vec<&TableProposal> = report.of_size(TableSize::Large).collect();
    tables.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    let mut columns = TextColumns::new(&[
        ("largest", ColumnAlign::Left),
        ("rows", ColumnAlign::Right),
        ("size", ColumnAlign::Right),
        ("key", ColumnAlign::Left),
        ("proposed", ColumnAlign::Left),
    ]);
    for table in tables.into_iter().take(SHOWN) {
        columns.row(vec![
            table.table.to_string(),
            count(table.rows),
            bytes(table.bytes),
            names(&table.key),
            proposed(table),
        ]);
    }
    if columns.is_empty() { String::new() } else { columns.print() }
}

fn proposed(table: &TableProposal) -> String {
    match (table.in_force(), table.commented()) {
        (Some(proposal), _) => way(proposal),
        (None, Some(proposal)) => format!("in full; {}?", way(proposal)),
        (None, None) => "in full".to_owned(),
    }
}

/// `incremental by DateTStamp`, `diff`
fn way(proposal: &ExtractionProposal) -> String {
    if proposal.watermark.is_empty() {
        return proposal.extraction.to_string();
    }
    format!("{} by {}", proposal.extraction, names(&proposal.watermark))
}

fn proposals(report: &InitReport) -> String {
    let tables = |is: &dyn Fn(&TableProposal) -> bool| {
        wide(report.tables.iter().filter(|table| is(table)).count())
    };
    let in_force = tables(&|table| table.in_force().is_some());
    let full = wide(report.tables.len()) - in_force;
    let commented = tables(&|table| table.commented().is_some());
    let mut lines = format!(
        "proposed: {} incremental, {} compared or in full (auto)\n",
        counted(in_force, "table"),
        count(full)
    );
    if commented > 0 {
        lines += &format!(
            "for you to decide: {} of these could be incremental; tables.toml says on which condition\n",
            count(commented)
        );
    }
    let columns: u64 = report.tables.iter().map(|table| wide(table.columns.len())).sum();
    if columns > 0 {
        lines += &format!(
            "for you to decide: {} of {} could have narrower types\n",
            counted(columns, "column"),
            counted(tables(&|table| !table.columns.is_empty()), "table")
        );
    }
    if !report.exclude.is_empty() {
        let names: Vec<&str> = report.exclude.iter().map(|found| found.table.as_str()).collect();
        lines += &format!("for you to decide: leave out {}?\n", some(&names));
    }
    lines
}

/// The tables and objects that are not moved, and the tables that could not be inspected.
fn left_out(report: &InitReport) -> String {
    let mut lines = String::new();
    for unfit in report.unfit.iter().take(SHOWN) {
        lines += &format!("cannot be moved: {}: {}\n", unfit.table, unfit.why);
    }
    if report.unfit.len() > SHOWN {
        let more = report.unfit.len() - SHOWN;
        lines += &format!("cannot be moved: {more} more, see handoff.toml\n");
    }
    if !report.not_carried.is_empty() {
        let names: Vec<String> = report
            .not_carried
            .iter()
            .map(|other| format!("{} ({})", visible(&other.name), other.kind.to_lowercase()))
            .collect();
        lines += &format!("not moved: {}\n", some(&names));
    }
    if !report.omissions.items.is_empty() {
        lines += &format!("{}\n", report.omissions.line());
    }
    let blind = report.tables.iter().filter(|table| table.fault.is_some());
    let blind: Vec<&str> = blind.map(|table| table.table.as_str()).collect();
    if !blind.is_empty() {
        lines += &format!("could not be inspected: {} (tables.toml says why)\n", some(&blind));
    }
    lines
}

fn next(written: &WrittenFiles<'_>) -> String {
    let WrittenFiles { handoff, tables, config, unset, target_is_missing } = written;
    let files: Vec<String> =
        handoff.iter().chain([tables]).map(|path| path.display().to_string()).collect();
    let mut lines = format!("written: {}\n\nnext\n", files.join(", "));
    for variable in unset {
        lines += &format!("  export {variable}=…        (no password is written into a file)\n");
    }
    if *target_is_missing {
        lines += "  put the analytics database into [target]\n";
    }
    let option = config.map(|path| format!(" --config {}", path.display())).unwrap_or_default();
    lines
        + &format!(
            "  read both files and decide on the lines that begin with #\n  etl check{option}\n  \
         etl run --prove{option}\n"
        )
}

fn names(columns: &[ColumnName]) -> String {
    let names: Vec<&str> = columns.iter().map(ColumnName::as_str).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn some(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
