//! The slowest tables and their longest waits.

use crate::human::{count, duration};
use crate::report::columns::{ColumnAlign, TextColumns};
use handoff_model::MovePerformance;
use handoff_pipeline::{RunReport, TableReport};
use std::cmp::Reverse;
use std::time::Duration;

/// The number of phases that are listed.
const SLOWEST: usize = 5;

/// One hop of one table.
struct SlowHop<'a> {
    table: &'a TableReport,
    phase: &'static str,
    millis: u64,
    performance: &'a MovePerformance,
}

/// Prints the hops that took longest, how fast they were and what took most of their time.
pub(super) fn slowest(report: &RunReport) -> String {
    let mut steps = report.tables.iter().flat_map(steps).collect::<Vec<_>>();
    steps.sort_by_key(|step| (Reverse(step.millis), &step.table.table, step.phase));
    steps.truncate(SLOWEST);
    if steps.is_empty() {
        return String::new();
    }
    let mut columns = TextColumns::new(&[
        ("slowest", ColumnAlign::Left),
        ("hop", ColumnAlign::Left),
        ("time", ColumnAlign::Right),
        ("rows/s", ColumnAlign::Right),
        ("MB/s", ColumnAlign::Right),
        ("most of it", ColumnAlign::Left),
    ]);
    steps.iter().for_each(|step| columns.row(step.cells()));
    columns.print()
}

fn steps(table: &TableReport) -> impl Iterator<Item = SlowHop<'_>> {
    let copy = table.copy.as_ref().map(|copy| ("copy", copy.duration_ms, &copy.performance));
    let load = table.load.as_ref().map(|load| ("load", load.duration_ms, &load.performance));
    let hops = copy.into_iter().chain(load);
    hops.map(move |(phase, millis, performance)| SlowHop { table, phase, millis, performance })
}

impl SlowHop<'_> {
    fn cells(&self) -> Vec<String> {
        let (longest, millis) = self.performance.longest_wait();
        let share = (millis * 100).checked_div(self.millis).unwrap_or(0).min(100);
        // The server that is written to is the target of a load and the replica of a copy.
        let longest = match (longest, self.phase) {
            ("target", "copy") => "replica",
            (other, _) => other,
        };
        vec![
            self.table.table.to_string(),
            self.phase.to_owned(),
            duration(Duration::from_millis(self.millis)),
            count(self.performance.rows_per_second),
            format!("{:.1}", self.performance.mb_per_second),
            format!("{longest} {share} %"),
        ]
    }
}
