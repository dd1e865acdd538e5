//! The practice after a day on which no timestamp moved.

use super::is_equal;
use crate::verify::settings;
use handoff_model::{Extraction, TableName};
use handoff_pipeline::{Pipeline, RunOptions, RunReport};
use handoff_settings::Settings;
use handoff_testbed::Trio;
use handoff_testbed::practice::{self, Practice};
use mysql::prelude::Queryable;
use std::time::{Duration, Instant};

/// One row in so many changes, and as many go.
const ONE_IN: u32 = 1_000;

/// `HANDOFF_TEST_SCALE=0.05 cargo test --release … diff::practice -- --nocapture` prints what such a run
/// costs.
#[test]
fn what_no_timestamp_tells_arrives_and_little_else() {
    let scale = std::env::var("HANDOFF_TEST_SCALE").ok().and_then(|scale| scale.parse().ok());
    let practice = Practice::at_scale(scale.unwrap_or(0.002));
    let trio = Trio::new("diff practice");
    practice::create(&mut trio.source(), &practice).unwrap();
    let settings = all_compared(&trio, &practice);
    let (_, first) = timed(&settings, &RunOptions::default());
    if scale.is_some() {
        let (_, full) = timed(&settings, &RunOptions { full: true, ..RunOptions::default() });
        let (_, idle) = timed(&settings, &RunOptions::default());
        println!("full run {full:.1?}, a run with nothing changed {idle:.1?}");
    }
    let (changed, deleted) = work(&trio);

    let (report, compared) = timed(&settings, &RunOptions::default());
    let of = |extraction: Extraction| {
        let tables = report.tables.iter();
        tables.filter(move |table| table.plan.as_ref().unwrap().extraction == extraction)
    };
    let copied: u64 = of(Extraction::Diff).filter_map(|t| Some(t.copy.as_ref()?.rows_copied)).sum();
    let gone: u64 = of(Extraction::Diff).filter_map(|t| Some(t.copy.as_ref()?.rows_deleted)).sum();
    let loaded: u64 = of(Extraction::Diff).filter_map(|t| Some(t.load.as_ref()?.rows_loaded)).sum();
    let in_full: u64 =
        of(Extraction::FullTable).filter_map(|t| Some(t.copy.as_ref()?.rows_copied)).sum();
    println!(
        "{} rows, {changed} changed, {deleted} deleted; moved in hop 1: {copied} and {gone} deleted, in \
         hop 2: {loaded}; in tables that are moved in full: {in_full}",
        practice.rows()
    );
    let share = 100.0 * compared.as_secs_f64() / first.as_secs_f64();
    println!("first run {first:.1?}, this run {compared:.1?}: {share:.0} %");
    assert!(changed > 0 && deleted > 0);
    assert!(copied + gone <= 3 * (changed + deleted), "{copied} and {gone}");
    assert!(loaded <= 3 * (changed + deleted), "{loaded}");
    is_equal(&settings);
}

fn timed(settings: &Settings, options: &RunOptions) -> (RunReport, Duration) {
    let clock = Instant::now();
    let report = Pipeline::new(settings.clone()).run(options).unwrap();
    assert!(report.ok, "{report:#?}");
    (report, clock.elapsed())
}

/// Every table with a key is compared.
fn all_compared(trio: &Trio, practice: &Practice) -> Settings {
    let mut settings = settings(trio);
    let keyed: Vec<String> = trio
        .source()
        .query(
            "SELECT DISTINCT TABLE_NAME FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'PRIMARY'",
        )
        .unwrap();
    for (table, _) in practice.tables().into_iter().filter(|(table, _)| keyed.contains(table)) {
        let table = settings.tables.entry(TableName::new(&table).unwrap()).or_default();
        table.extraction = Some(Extraction::Diff);
    }
    settings
}

/// Changes a number in some rows of every table that has one, and deletes others; no timestamp moves.
fn work(trio: &Trio) -> (u64, u64) {
    let mut conn = trio.source();
    let numbers: Vec<(String, String)> = conn
        .query(
            "SELECT TABLE_NAME, MAX(COLUMN_NAME) FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_KEY = '' AND DATA_TYPE IN ('int', 'bigint') \
             GROUP BY TABLE_NAME",
        )
        .unwrap();
    let stamps: Vec<(String, String)> = conn
        .query(
            "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE() AND EXTRA LIKE '%on update%'",
        )
        .unwrap();
    let (mut changed, mut deleted) = (0, 0);
    for (table, column) in numbers {
        let stamps = stamps.iter().filter(|(of, _)| *of == table);
        let kept: String = stamps.map(|(_, stamp)| format!(", `{stamp}` = `{stamp}`")).collect();
        conn.query_drop(format!(
            "UPDATE `{table}` SET `{column}` = IF(`{column}` = 1, 2, 1){kept} \
             WHERE RAND(7) < 1 / {ONE_IN}"
        ))
        .unwrap();
        changed += conn.affected_rows();
        conn.query_drop(format!("DELETE FROM `{table}` WHERE RAND(8) < 1 / {ONE_IN}")).unwrap();
        deleted += conn.affected_rows();
    }
    (changed, deleted)
}
