//! Planted differences in tables as large as is wanted, random by a printed seed.

use super::planted::plant;
use super::{changes, repair};
use crate::verify::planted::{KEYS, Key, Random, make};
use crate::verify::{carry, counts, settings, verify};
use handoff_connect::Side;
use handoff_pipeline::{RepairRequest, RepairStatus};
use handoff_testbed::Trio;
use handoff_verify::VerifyOptions;
use std::time::Instant;

/// What is planted of each kind, at most; of a small table a tenth of its rows.
const MOST: [u32; 3] = [1, 100, 10_000];

/// A key of days has no more: a year has four digits.
const MOST_DAYS: u32 = 2_900_000;

/// `HANDOFF_VERIFY_ROWS=5000000 cargo test --release … repair::large -- --nocapture` makes each table as large
/// as the largest of a practice, and prints what was planted and how long it took to find and mend.
/// `HANDOFF_VERIFY_KEYS=k_pair,k_none` is for these kinds of key alone.
#[test]
fn planted_rows_are_found_and_mended_however_large_the_table_is() {
    let rows = std::env::var("HANDOFF_VERIFY_ROWS").ok().and_then(|rows| rows.parse().ok());
    let rows: u32 = rows.unwrap_or(3_000);
    let mut random = Random::new();
    println!("HANDOFF_SEED={} repeats this", random.0);
    let keys = std::env::var("HANDOFF_VERIFY_KEYS").unwrap_or_default();
    let wanted = |key: &Key| keys.is_empty() || keys.split(',').any(|name| name == key.name);
    for (index, key) in KEYS.iter().enumerate().filter(|(_, key)| wanted(key)) {
        let engine = ["InnoDB", "MyISAM"][index % 2];
        let rows = if key.name == "k_date" { rows.min(MOST_DAYS) } else { rows };
        in_a_table_of(key, engine, rows, &mut random, |line| println!("{line}"));
    }
}

fn in_a_table_of(key: &Key, engine: &str, rows: u32, random: &mut Random, say: impl Fn(&str)) {
    let trio = Trio::new("repair large");
    make(&trio, key, engine, rows);
    let settings = settings(&trio);
    carry(&settings);
    for most in MOST.map(|most| most.min(rows / 10)) {
        let planted = plant(&trio, key, random, (rows, most), true);
        let [[missing, stale, phantom], [lost, old, late]] = planted;
        let clock = Instant::now();
        let report = verify(&settings, VerifyOptions::default());
        let found = clock.elapsed();
        let table = &report.tables[0];
        let (source, replica) = if key.key.is_empty() {
            // Without a key a row that changed is one that is gone and one that came.
            let in_target = [missing + stale + old + late, 0, stale + lost + old + phantom];
            ([lost + old, 0, old + late], in_target)
        } else {
            ([lost, old, late], [missing + late, stale + old, lost + phantom])
        };
        assert_eq!(counts(table, Side::Source), source, "{}", key.name);
        assert_eq!(counts(table, Side::Replica), replica, "{}", key.name);

        let clock = Instant::now();
        let report = repair(&settings, &RepairRequest::default());
        let mended = clock.elapsed();
        assert!(report.ok, "{report:#?}");
        assert_eq!(report.tables[0].status, RepairStatus::Repaired, "{}", key.name);
        if !key.key.is_empty() {
            let done = [(lost, old, late), (missing, stale, phantom)];
            assert_eq!(changes(&report.tables[0]), done, "{}", key.name);
        }
        say(&format!(
            "{} {engine}, {rows} rows: missing, stale and phantom in the replica {lost}, {old}, {late}, in \
             the target {missing}, {stale}, {phantom}: found in {found:.1?}, mended in {mended:.1?}",
            key.name
        ));
        assert!(verify(&settings, VerifyOptions::default()).ok, "{}", key.name);
    }
}
