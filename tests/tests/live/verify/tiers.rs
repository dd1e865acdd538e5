//! How often a large table is read: by how much of it differs.

use super::planted::{KEYS, Key, make};
use super::{carry, counts, direct_settings, verify};
use handoff_connect::Side;
use handoff_settings::Settings;
use handoff_testbed::Trio;
use handoff_verify::VerifyOptions;

/// So many that not every row can be named by the most cells.
const ROWS: u32 = 30_000;

/// What is to be found: in how many looks, and the counts with a key.
struct Expected {
    looks: u32,
    missing: u64,
    stale: u64,
    phantom: u64,
}

#[track_caller]
fn check(settings: &Settings, most_cells: usize, expected: &Expected) {
    let Expected { looks, missing, stale, phantom } = *expected;
    let report = verify(settings, VerifyOptions { most_cells, ..VerifyOptions::default() });
    for key in tables() {
        let table = report.tables.iter().find(|table| table.table.as_str() == key.name).unwrap();
        let counted = if key.key.is_empty() {
            [missing + stale, 0, phantom + stale]
        } else {
            [missing, stale, phantom]
        };
        assert_eq!(counts(table, Side::Source), counted, "{}", key.name);
        assert_eq!(table.looks, looks, "{}", key.name);
    }
}

/// Tables with and without a key.
fn tables() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| ["k_int", "k_none"].contains(&key.name))
}

#[test]
fn a_large_table_is_read_as_often_as_its_differences_need() {
    const MOST: usize = 1 << 16;
    let trio = Trio::new("verify tiers");
    tables().for_each(|key| make(&trio, key, "MyISAM", ROWS));
    let settings = direct_settings(&trio);
    carry(&settings);
    check(&settings, MOST, &Expected { looks: 1, missing: 0, stale: 0, phantom: 0 });

    // The small sketch names them; they are looked at again.
    let plant = |from: u32, rows: u32| {
        for key in tables().map(|key| key.name) {
            let to = from + rows;
            trio.sql_target(&format!("DELETE FROM raw.{key} WHERE id BETWEEN {from} + 1 AND {to}"));
            let (from, to) = (from + ROWS / 2, to + ROWS / 2);
            trio.sql_target(&format!(
                "UPDATE raw.{key} SET note = NULL WHERE id BETWEEN {from} + 1 AND {to}; \
                 INSERT INTO raw.{key} SELECT -n, 'x', 0 FROM generate_series({from} + 1, {to}) n"
            ));
        }
    };
    plant(0, 600);
    check(&settings, MOST, &Expected { looks: 2, missing: 600, stale: 600, phantom: 600 });

    // 16,000 elements: the large sketch names them.
    plant(600, 3_400);
    let many = Expected { looks: 3, missing: 4_000, stale: 4_000, phantom: 4_000 };
    check(&settings, MOST, &many);
    // So many more than there may be cells that the file is next.
    check(&settings, 9_000, &many);
    // As many as there may be cells, which turns out to be too many for them.
    check(&settings, 18_000, &Expected { looks: 4, ..many });
}
