//! Planted differences, random by a printed seed.

use super::{carry, counts, direct_settings, listed, settings, verify, verify_copy};
use handoff_connect::Side;
use handoff_model::SumBy;
use handoff_testbed::Trio;
use handoff_verify::{DifferenceKind, VerifyOptions};
use std::collections::BTreeSet;

/// Small sketches, so that small tables meet the edges of large ones.
const SMALL: VerifyOptions = VerifyOptions {
    most_cells: 3_000,
    most_listed: 25_000,
    most_looks: 3,
    look_up_one_in: u64::MAX,
    sums: SumBy::Read,
};

/// A kind of key: its columns, and the value of row `n` on each server.
pub struct Key {
    pub name: &'static str,
    pub columns: &'static str,
    pub key: &'static str,
    /// In MariaDB, of `seq`.
    pub value: &'static str,
    /// In PostgreSQL, the condition for the row `§`, where § is its number.
    pub target: &'static str,
    /// In MariaDB, the same.
    pub replica: &'static str,
    /// What PostgreSQL inserts as the key of the row `§`.
    pub insert: &'static str,
}

pub const KEYS: &[Key] = &[
    Key {
        name: "k_int",
        columns: "id INT",
        key: "id",
        value: "seq",
        target: "id = §",
        replica: "id = §",
        insert: "§",
    },
    Key {
        name: "k_big",
        columns: "id BIGINT UNSIGNED",
        key: "id",
        value: "18446744073700000000 + seq",
        target: "id = 18446744073700000000 + §",
        replica: "id = 18446744073700000000 + §",
        insert: "18446744073700000000 + §",
    },
    Key {
        name: "k_decimal",
        columns: "id DECIMAL(30,10)",
        key: "id",
        value: "seq * 0.0000000007 - 1",
        target: "id = § * 0.0000000007 - 1",
        replica: "id = § * 0.0000000007 - 1",
        insert: "§ * 0.0000000007 - 1",
    },
    Key {
        name: "k_date",
        columns: "id DATE",
        key: "id",
        value: "'1950-01-01' + INTERVAL seq DAY",
        target: "id = '1950-01-01'::date + §",
        replica: "id = '1950-01-01' + INTERVAL § DAY",
        insert: "'1950-01-01'::date + §",
    },
    Key {
        name: "k_uuid",
        columns: "id UUID",
        key: "id",
        value: "CONCAT('00000000-0000-4000-8000-', LPAD(HEX(seq * 7919), 12, '0'))",
        target: "id = ('00000000-0000-4000-8000-' || lpad(to_hex(§::int8 * 7919), 12, '0'))::uuid",
        replica: "id = CONCAT('00000000-0000-4000-8000-', LPAD(HEX(§ * 7919), 12, '0'))",
        insert: "('00000000-0000-4000-8000-' || lpad(to_hex(§::int8 * 7919), 12, '0'))::uuid",
    },
    Key {
        name: "k_binary",
        columns: "id BINARY(8)",
        key: "id",
        value: "UNHEX(LEFT(MD5(seq), 16))",
        target: "id = decode(left(md5('§'), 16), 'hex')",
        replica: "id = UNHEX(LEFT(MD5(§), 16))",
        insert: "decode(left(md5('§'), 16), 'hex')",
    },
    Key {
        name: "k_text",
        columns: "id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci",
        key: "id",
        value: "CONCAT('Ärger_', seq)",
        target: "id = 'Ärger_' || §",
        replica: "id = CONCAT('Ärger_', §)",
        insert: "'Ärger_' || §",
    },
    Key {
        name: "k_pair",
        columns: "a VARCHAR(20) CHARACTER SET latin1, b INT, c DATETIME(3)",
        key: "c, a, b",
        value: "CONCAT('ö', seq % 10), seq, '2024-01-01 00:00:00.5'",
        target: "c = '2024-01-01 00:00:00.5' AND a = 'ö' || (§ % 10) AND b = §",
        replica: "c = '2024-01-01 00:00:00.5' AND a = CONCAT('ö', § % 10) AND b = §",
        insert: "'ö' || (§ % 10), §, '2024-01-01 00:00:00.5'",
    },
    Key {
        name: "k_none",
        columns: "id INT",
        key: "",
        value: "seq",
        target: "id = §",
        replica: "id = §",
        insert: "§",
    },
];

/// Numbers that a seed repeats.
pub struct Random(pub u64);

impl Random {
    pub fn new() -> Random {
        let seed = std::env::var("HANDOFF_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()) * 0x9E37_79B9);
        Random(seed)
    }

    pub fn below(&mut self, most: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(most)).unwrap()
    }

    /// So many different numbers from 1 to `most`, the first and the last among them, in random order.
    pub fn different(&mut self, count: usize, most: u32) -> Vec<u32> {
        let mut found: BTreeSet<u32> = [1, most].into_iter().take(count).collect();
        while found.len() < count {
            found.insert(1 + self.below(most));
        }
        let mut found: Vec<u32> = found.into_iter().collect();
        for index in 0..found.len() {
            let other = self.below(u32::try_from(found.len()).unwrap()) as usize;
            found.swap(index, other);
        }
        found
    }
}

pub fn make(trio: &Trio, key: &Key, engine: &str, rows: u32) {
    let Key { name, columns, key, value, .. } = key;
    let primary = if key.is_empty() { String::new() } else { format!(", PRIMARY KEY ({key})") };
    trio.sql_source(&format!(
        "SET NAMES utf8mb4; CREATE TABLE {name} ({columns}, note VARCHAR(40), amount DOUBLE{primary}) \
         ENGINE={engine}; INSERT INTO {name} SELECT {value}, CONCAT('note ', seq), seq / 3 \
         FROM seq_1_to_{rows}"
    ));
}

/// Statements for the rows `numbers`, a few thousand rows at a time.
pub fn each(numbers: &[u32], statement: impl Fn(u32) -> String) -> Vec<String> {
    let statements: Vec<String> = numbers.iter().map(|&number| statement(number)).collect();
    statements.chunks(500).map(|some| some.join("; ")).collect()
}

/// Statements for the rows that a condition of the key finds. Without a key all go at once, for each
/// statement would read the whole table.
pub fn where_each(
    key: &Key,
    condition: &str,
    numbers: &[u32],
    statement: impl Fn(&str) -> String,
) -> Vec<String> {
    if key.key.is_empty() {
        let list: Vec<String> = numbers.iter().map(u32::to_string).collect();
        return vec![statement(&format!("id IN ({})", list.join(", ")))];
    }
    each(numbers, |number| statement(&with(condition, number)))
}

pub fn with(text: &str, number: u32) -> String {
    text.replace('§', &number.to_string())
}

#[test]
fn every_planted_row_is_found_and_none_invented() {
    const ROWS: u32 = 4_000;
    let mut random = Random::new();
    println!("HANDOFF_SEED={} repeats this", random.0);
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("verify planted");
        for key in KEYS {
            make(&trio, key, engine, ROWS);
        }
        let settings = settings(&trio);
        carry(&settings);
        let report = verify(&settings, SMALL);
        assert!(report.ok, "{report:#?}");
        assert!(report.tables.iter().all(|table| table.looks == 1));
        let report = verify_copy(&settings, SMALL);
        assert!(report.ok && report.tables.iter().all(|table| table.looks == 1), "{report:#?}");

        let mut expected = Vec::new();
        for key in KEYS {
            // Missing, stale and phantom rows in the target, and others in the replica.
            let planted = [(); 4].map(|()| 1 + random.below(120) as usize);
            let numbers = random.different(planted.iter().sum(), ROWS);
            let mut rest = &numbers[..];
            let mut next = |count| {
                let (now, later) = rest.split_at(count);
                rest = later;
                now
            };
            let (missing, stale) = (next(planted[0]), next(planted[1]));
            let (replica_missing, replica_stale) = (next(planted[2]), next(planted[3]));
            let phantom: Vec<u32> = (1..=1 + random.below(120)).map(|n| ROWS + n).collect();
            let table = key.name;
            let target = [
                where_each(key, key.target, missing, |row| {
                    format!("DELETE FROM raw.{table} WHERE {row}")
                }),
                where_each(key, key.target, stale, |row| {
                    format!("UPDATE raw.{table} SET amount = -amount WHERE {row}")
                }),
                each(&phantom, |n| {
                    format!(
                        "INSERT INTO raw.{table} VALUES ({}, 'phantom', {n})",
                        with(key.insert, n)
                    )
                }),
            ];
            for statements in target.concat() {
                trio.sql_target(&statements);
            }
            let replica = [
                where_each(key, key.replica, replica_missing, |row| {
                    format!("DELETE FROM {table} WHERE {row}")
                }),
                where_each(key, key.replica, replica_stale, |row| {
                    format!("UPDATE {table} SET note = 'other' WHERE {row}")
                }),
            ];
            for statements in replica.concat() {
                trio.sql_replica(&format!("SET NAMES utf8mb4; {statements}"));
            }
            expected.push((key, planted.map(|count| count as u64), phantom.len() as u64));
        }

        let summed = VerifyOptions { sums: SumBy::Sql, ..SMALL };
        let tiny = VerifyOptions { most_cells: 64, ..SMALL };
        let both = [summed, VerifyOptions { sums: SumBy::Sql, ..tiny }];
        for options in [SMALL, tiny, VerifyOptions::default()].into_iter().chain(both) {
            let report = verify(&settings, options);
            assert!(!report.ok);
            let copies = verify_copy(&settings, options);
            for (key, [_, _, lost, old], _) in &expected {
                let found = copies.tables.iter().find(|t| t.table.as_str() == key.name).unwrap();
                let (lost, old) = (*lost, *old);
                let keyless = [lost + old, 0, old];
                let of_key = if key.key.is_empty() { keyless } else { [lost, old, 0] };
                assert_eq!(counts(found, Side::Source), of_key, "{}", key.name);
            }
            for (key, [missing, stale, lost, old], phantom) in &expected {
                let found = report.tables.iter().find(|t| t.table.as_str() == key.name).unwrap();
                let (missing, stale, lost, old) = (*missing, *stale, *lost, *old);
                if key.key.is_empty() {
                    // Without a key a row that changed is one that is gone and one that came.
                    assert_eq!(counts(found, Side::Source), [lost + old, 0, old], "{}", key.name);
                    assert_eq!(
                        counts(found, Side::Replica),
                        [missing + stale + old, 0, stale + lost + old + phantom],
                        "{}",
                        key.name
                    );
                    continue;
                }
                assert_eq!(counts(found, Side::Source), [lost, old, 0], "{}", key.name);
                assert_eq!(
                    counts(found, Side::Replica),
                    [missing, stale + old, lost + phantom],
                    "{}",
                    key.name
                );
                assert_eq!(listed(found, Side::Source, DifferenceKind::Stale).len() as u64, old);
                assert_eq!(
                    listed(found, Side::Replica, DifferenceKind::Phantom).len() as u64,
                    lost + phantom
                );
                for row in listed(found, Side::Source, DifferenceKind::Stale) {
                    let columns: Vec<&str> = row.columns.iter().map(|c| c.as_str()).collect();
                    assert_eq!(columns, ["note"], "{}", key.name);
                }
            }
        }
    }
}

#[test]
fn ten_thousand_differences_are_all_listed_with_their_keys() {
    const ROWS: u32 = 60_000;
    let mut random = Random::new();
    println!("HANDOFF_SEED={} repeats this", random.0);
    let trio = Trio::new("verify many");
    make(&trio, &KEYS[0], "InnoDB", ROWS);
    let settings = direct_settings(&trio);
    carry(&settings);
    let numbers = random.different(10_000, ROWS);
    let (missing, stale) = numbers.split_at(4_000);
    let list = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    trio.sql_target(&format!("DELETE FROM raw.k_int WHERE id IN ({})", list(missing)));
    trio.sql_target(&format!("UPDATE raw.k_int SET note = NULL WHERE id IN ({})", list(stale)));
    trio.sql_target("INSERT INTO raw.k_int SELECT -n, 'x', 0 FROM generate_series(1, 10000) n");
    for options in [VerifyOptions::default(), SMALL] {
        let report = verify(&settings, options);
        let table = &report.tables[0];
        assert_eq!(counts(table, Side::Source), [4_000, 6_000, 10_000]);
        let keys = |kind| -> BTreeSet<i64> {
            let rows = table.pairs[0].rows.iter().filter(|row| row.kind == kind);
            rows.map(|row| row.key[0].parse().unwrap()).collect()
        };
        let set = |numbers: &[u32]| -> BTreeSet<i64> {
            numbers.iter().map(|&number| number.into()).collect()
        };
        assert_eq!(keys("missing"), set(missing));
        assert_eq!(keys("stale"), set(stale));
        assert_eq!(keys("phantom"), (1..=10_000).map(|number| -number).collect());
        assert!(table.pairs[0].all_listed);
    }
    // More than are listed are counted all the same.
    let few = VerifyOptions { most_listed: 100, ..SMALL };
    let report = verify(&settings, few);
    assert_eq!(counts(&report.tables[0], Side::Source), [4_000, 6_000, 10_000]);
    assert!(!report.tables[0].pairs[0].all_listed);
    assert_eq!(report.tables[0].pairs[0].rows.len(), 100);
}

#[test]
fn equal_rows_of_a_table_without_a_key_are_counted() {
    let trio = Trio::new("verify multiset");
    trio.sql_source(
        "CREATE TABLE log (a INT, b TEXT) ENGINE=MyISAM; \
         INSERT INTO log SELECT seq % 10, NULL FROM seq_1_to_1000",
    );
    let settings = settings(&trio);
    carry(&settings);
    assert!(verify(&settings, SMALL).ok);
    trio.sql_target(
        "DELETE FROM raw.log WHERE ctid IN (SELECT ctid FROM raw.log WHERE a = 3 LIMIT 7); \
         INSERT INTO raw.log SELECT 4, NULL FROM generate_series(1, 12); \
         INSERT INTO raw.log VALUES (4, '')",
    );
    for options in [SMALL, VerifyOptions { most_cells: 1, ..SMALL }] {
        let report = verify(&settings, options);
        let table = &report.tables[0];
        assert_eq!(counts(table, Side::Source), [0; 3]);
        assert_eq!(counts(table, Side::Replica), [7, 0, 13]);
        let mut rows: Vec<u64> =
            listed(table, Side::Replica, DifferenceKind::Phantom).iter().map(|r| r.rows).collect();
        rows.sort_unstable();
        assert_eq!(rows, [1, 12]);
    }
}

#[test]
fn an_empty_table_and_one_that_lost_all_rows() {
    let trio = Trio::new("verify empty");
    trio.sql_source(
        "CREATE TABLE nothing (id INT PRIMARY KEY); CREATE TABLE all_gone (id INT PRIMARY KEY); \
         INSERT INTO all_gone SELECT seq FROM seq_1_to_5000",
    );
    let settings = settings(&trio);
    carry(&settings);
    trio.sql_target("DELETE FROM raw.all_gone");
    trio.sql_replica("INSERT INTO nothing VALUES (5)");
    let report = verify(&settings, SMALL);
    assert_eq!(counts(&report.tables[0], Side::Replica), [5_000, 0, 0]);
    assert_eq!(counts(&report.tables[1], Side::Source), [0, 0, 1]);
    assert_eq!(counts(&report.tables[1], Side::Replica), [1, 0, 0]);
}

#[test]
fn names_that_need_care() {
    let trio = Trio::new("verify names");
    let long = "a".repeat(64);
    trio.sql_source(&format!(
        "CREATE TABLE `Sel\"ect``x` (`from\"` INT PRIMARY KEY, `{long}` INT, ctid INT); \
         INSERT INTO `Sel\"ect``x` VALUES (1, 2, 3), (2, 3, 4); \
         CREATE TABLE `{long}` (id INT PRIMARY KEY); INSERT INTO `{long}` VALUES (1), (2)"
    ));
    let settings = settings(&trio);
    carry(&settings);
    assert!(verify(&settings, SMALL).ok);
    let rename: String = trio
        .target()
        .query_one(
            "SELECT format('UPDATE raw.%I SET %I = 9 WHERE \"from\"\"\" = 2', relname, attname) \
             FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum = 2 \
             WHERE relname LIKE 'Sel%x'",
            &[],
        )
        .unwrap()
        .get(0);
    trio.sql_target(&rename);
    let report = verify(&settings, SMALL);
    let table = report.tables.iter().find(|table| table.table.as_str().starts_with("Sel")).unwrap();
    assert_eq!(counts(table, Side::Replica), [0, 1, 0]);
    assert_eq!(table.pairs[1].rows[0].columns[0].as_str(), long);
}

#[test]
fn keys_that_are_one_to_the_server_are_each_counted_once() {
    let trio = Trio::new("verify spellings");
    trio.sql_source(
        "CREATE TABLE t (id VARCHAR(9) COLLATE utf8mb4_swedish_ci PRIMARY KEY, n INT) ENGINE=MyISAM; \
         INSERT INTO t SELECT CONCAT('k', seq), seq FROM seq_1_to_40000",
    );
    let settings = settings(&trio);
    carry(&settings);
    trio.sql_source("UPDATE t SET id = UPPER(id) WHERE n <= 900");
    let report = verify(&settings, VerifyOptions::default());
    assert_eq!(counts(&report.tables[0], Side::Source), [900, 0, 900]);
    assert_eq!(counts(&report.tables[0], Side::Replica), [0, 0, 0]);
    assert_eq!(report.tables[0].looks, 2);
}
