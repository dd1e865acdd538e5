//! Every kind of key.

use super::{all_keys, is_equal, moved, run};
use crate::verify::planted::{KEYS, make, with};
use crate::verify::{carry, direct_settings, settings};
use handoff_settings::Settings;
use handoff_testbed::Trio;

/// Changes the first row, the last and some between, deletes some and inserts some; the same numbers
/// in each table.
fn work(trio: &Trio, rows: u32) {
    for key in KEYS {
        let table = key.name;
        for number in [1, 77, 500, 501, rows] {
            let row = with(key.replica, number);
            let sql = format!("UPDATE {table} SET note = 'other' WHERE {row}");
            trio.sql_source(&format!("SET NAMES utf8mb4; {sql}"));
        }
        for number in [2, 78, rows - 1] {
            let row = with(key.replica, number);
            trio.sql_source(&format!("SET NAMES utf8mb4; DELETE FROM {table} WHERE {row}"));
        }
        trio.sql_source(&format!(
            "SET NAMES utf8mb4; INSERT INTO {table} SELECT {}, NULL, 0 FROM seq_{}_to_{}",
            key.value,
            rows + 1,
            rows + 7
        ));
    }
}

#[track_caller]
fn only_what_differs(trio: &Trio, settings: &Settings, rows: u32) {
    carry(settings);
    work(trio, rows);
    let report = run(settings);
    for table in &report.tables {
        if table.table.as_str() == "k_none" {
            let replaced = u64::from(rows);
            moved(table, "full_table", "no_usable_key", (replaced + 4, 0, replaced));
            continue;
        }
        moved(table, "diff", "compared", (7, 5, 3));
        let copied = table.copy.as_ref().map(|copy| (copy.rows_copied, copy.rows_deleted));
        assert!(copied.is_none_or(|copied| copied == (12, 3)), "{table:#?}");
    }
    is_equal(settings);
    let again = run(settings);
    for table in again.tables.iter().filter(|table| table.table.as_str() != "k_none") {
        moved(table, "diff", "compared", (0, 0, 0));
    }
}

#[test]
fn every_kind_of_key_in_every_engine() {
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("diff keys");
        KEYS.iter().for_each(|key| make(&trio, key, engine, 1_200));
        only_what_differs(&trio, &all_keys(settings(&trio)), 1_200);
    }
}

#[test]
fn without_a_replica_the_target_is_compared() {
    let trio = Trio::new("diff direct");
    for (index, key) in KEYS.iter().enumerate() {
        make(&trio, key, ["InnoDB", "MyISAM"][index % 2], 1_200);
    }
    only_what_differs(&trio, &all_keys(direct_settings(&trio)), 1_200);
}
