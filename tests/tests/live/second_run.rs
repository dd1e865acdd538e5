//! The second run of a practice, after a hundredth of the rows changed in seventy incremental tables: what
//! it costs to find out that a table did not change, and how many rows are moved of one that did.
//!
//! `HANDOFF_TEST_SCALE=0.05` makes the practice larger, and prints figures that mean something. The share
//! of the time is printed and not asserted: it is the machine's.

use crate::etl::Etl;
use crate::statements::{Counter, Servers};
use handoff_testbed::Trio;
use handoff_testbed::practice::{self, Practice, TABLES};
use mysql::prelude::Queryable;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Tables that are incremental.
const INCREMENTAL: usize = 70;
/// The promise: statements a server and table that did not change.
const MOST: f64 = 3.0;

#[test]
fn a_second_run_moves_what_changed_and_asks_little_of_the_rest() {
    let servers = Servers::start();
    let trio = servers.trio("second run");
    let practice = Practice { scale: scale(), seed: 7 };
    practice::create(&mut trio.source(), &practice).unwrap();
    written_long_ago(&trio);
    let stamped = stamped(&trio, &practice);
    let etl = Etl::with(&settings(&trio, &stamped));

    let (first, _) = timed(&etl);
    let changed: BTreeMap<&str, u64> =
        stamped.iter().map(|(table, stamp)| (table.as_str(), touch(&trio, table, stamp))).collect();
    let (second, report) = timed(&etl);
    check_moves(&report, &changed);
    let share = second.as_secs_f64() / first.as_secs_f64() * 100.0;
    eprintln!("first run {first:.1?}, second run {second:.1?}: {share:.0} %");

    let rest: Vec<&str> = report.keys().map(String::as_str).collect();
    let rest: Vec<&str> = rest.into_iter().filter(|table| !changed.contains_key(table)).collect();
    assert_eq!(rest.len(), TABLES - INCREMENTAL);
    let mut counter = Counter::new(&trio);
    etl.ok(&[&["run"], &rest[..]].concat());
    counter.check("tables that did not change", rest.len(), MOST);
}

fn scale() -> f64 {
    std::env::var("HANDOFF_TEST_SCALE").map_or(0.001, |scale| scale.parse().unwrap())
}

/// Makes it look as if the practice was closed for two hours, as it is when a run begins at night.
#[track_caller]
fn written_long_ago(trio: &Trio) {
    let folder: String = trio.source().query_first("SELECT @@datadir").unwrap().unwrap();
    let then = SystemTime::now() - Duration::from_secs(7_200);
    for file in Path::new(&folder).join(trio.source_name()).read_dir().unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "MYD") {
            File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
        }
    }
}

/// The largest tables that have rows, a key and a time that can tell of changes: a stamp that follows each,
/// where there is one.
#[track_caller]
fn stamped(trio: &Trio, practice: &Practice) -> Vec<(String, String)> {
    let sql = "SELECT c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c \
         WHERE c.TABLE_SCHEMA = DATABASE() AND c.DATA_TYPE IN ('timestamp', 'datetime') AND EXISTS \
         (SELECT 1 FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = c.TABLE_SCHEMA \
         AND s.TABLE_NAME = c.TABLE_NAME AND s.INDEX_NAME = 'PRIMARY') \
         ORDER BY c.EXTRA LIKE '%on update%', c.IS_NULLABLE DESC";
    // The last of a table is the best.
    let found: BTreeMap<String, String> =
        trio.source().query::<(String, String), _>(sql).unwrap().into_iter().collect();
    let mut tables = practice.tables();
    tables.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let filled = tables.into_iter().filter(|(_, rows)| *rows > 0);
    let stamped = filled.filter_map(|(table, _)| Some((table.clone(), found.get(&table)?.clone())));
    let stamped: Vec<_> = stamped.take(INCREMENTAL).collect();
    assert_eq!(stamped.len(), INCREMENTAL);
    stamped
}

fn settings(trio: &Trio, stamped: &[(String, String)]) -> String {
    let table = |(table, stamp): &(String, String)| {
        format!("[tables.{table}]\nextraction = \"incremental\"\nwatermark = \"{stamp}\"\n")
    };
    stamped.iter().map(table).fold(trio.settings_toml(), |all, one| all + "\n" + &one)
}

/// Changes a hundredth of the rows of a table, one at least, and returns how many.
#[track_caller]
fn touch(trio: &Trio, table: &str, stamp: &str) -> u64 {
    let mut conn = trio.source();
    let rows: u64 = conn.query_first(format!("SELECT COUNT(*) FROM `{table}`")).unwrap().unwrap();
    let share = (rows / 100).max(1);
    conn.query_drop(format!("UPDATE `{table}` SET `{stamp}` = NOW() LIMIT {share}")).unwrap();
    conn.affected_rows()
}

/// Runs everything, and returns how long it took and what it says of each table.
#[track_caller]
fn timed(etl: &Etl) -> (Duration, BTreeMap<String, Value>) {
    let started = Instant::now();
    let done = etl.ok(&["run", "--json"]);
    let took = started.elapsed();
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let tables = report["tables"].as_array().unwrap().iter();
    let named = |table: &Value| (table["table"].as_str().unwrap().to_owned(), table.clone());
    (took, tables.map(named).collect())
}

#[track_caller]
#[expect(clippy::print_stderr, reason = "the figures are what the issue asks for")]
fn check_moves(report: &BTreeMap<String, Value>, changed: &BTreeMap<&str, u64>) {
    let moved = |hop: &str, rows: &str| -> u64 {
        let of = |table: &&str| {
            let table = &report[*table];
            assert_eq!(table["plan"]["extraction"], "incremental", "{table}");
            table[hop][rows].as_u64().unwrap_or(0)
        };
        changed.keys().map(of).sum()
    };
    let (copied, loaded) = (moved("copy", "rows_copied"), moved("load", "rows_loaded"));
    let changed: u64 = changed.values().sum();
    eprintln!("{changed} rows changed, {copied} copied, {loaded} loaded");
    for rows in [copied, loaded] {
        assert!(rows >= changed && rows * 2 <= changed * 3, "{rows} rows moved, {changed} changed");
    }
}
