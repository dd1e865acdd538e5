//! SumBy that source and replica compute themselves: the same answers as reading gives.

use super::planted::Random;
use super::{carry, counts, settings, verify, verify_copy};
use handoff_connect::Side;
use handoff_model::SumBy;
use handoff_pipeline::VerifyTable;
use handoff_settings::TlsMode;
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};
use handoff_verify::VerifyOptions;
use mysql::prelude::Queryable;
use std::collections::BTreeSet;

/// A type, a value, and one that differs from it as little as can be.
type Least = (&'static str, &'static str, &'static str);

const COMMON: &[Least] = &[
    ("TINYINT", "-128", "-127"),
    ("BIGINT", "9007199254740993", "9007199254740992"),
    ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551614"),
    ("DECIMAL(65,30)", "0.000000000000000000000000000001", "0"),
    ("FLOAT", "16777216", "16777215"),
    ("FLOAT", "0.1", "0.10000001"),
    ("DOUBLE", "0.1", "0.10000000000000002"),
    ("DOUBLE", "5e-324", "0"),
    ("BIT(1)", "b'1'", "b'0'"),
    ("BIT(64)", "0x8000000000000001", "0x8000000000000000"),
    ("YEAR", "0", "2000"),
    ("DATE", "'2024-02-29'", "'2024-02-28'"),
    ("DATETIME(6)", "'2024-02-29 23:59:59.999999'", "'2024-02-29 23:59:59.999998'"),
    ("TIMESTAMP(3)", "'2024-02-29 23:59:59.999'", "'2024-02-29 23:59:59.998'"),
    ("TIME(6)", "'-838:59:59'", "'-838:59:58.999999'"),
    ("TEXT", "'a'", "'a '"),
    ("TEXT", "''", "NULL"),
    ("VARCHAR(9) CHARACTER SET utf8mb4", "'a'", "'A'"),
    ("VARCHAR(9) CHARACTER SET utf8mb4", "'é'", "'e'"),
    ("VARCHAR(9) CHARACTER SET latin1", "0xE9", "0xE8"),
    ("CHAR(9) CHARACTER SET utf8mb4", "'ss'", "'ß'"),
    ("ENUM('a', 'A ', '1')", "1", "2"),
    ("ENUM('a', '', '1')", "2", "3"),
    ("SET('a', 'b', 'c')", "3", "5"),
    ("BINARY(4)", "0x00000001", "0x00000000"),
    ("VARBINARY(4)", "0x00", "''"),
    ("BLOB", "0x61", "0x41"),
    ("JSON", "'{\"a\": [1, 2]}'", "'{\"a\": [1, 3]}'"),
    ("JSON", "'\"a\"'", "'\"A\"'"),
    ("POINT", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(2 1)')"),
    ("POINT", "ST_GeomFromText('POINT(1 2)', 0)", "ST_GeomFromText('POINT(1 2)', 4326)"),
];

const MARIADB: &[Least] = &[
    ("UUID", "'00000000-0000-4000-8000-000000000001'", "'00000000-0000-4000-8000-000000000000'"),
    ("INET6", "'2001:db8::1'", "'2001:db8::'"),
    ("INET4", "'255.0.0.1'", "'255.0.0.0'"),
];

/// MariaDB loses the sign of a zero on its way in.
const MYSQL9: &[Least] = &[("FLOAT", "0e0", "-0e0"), ("DOUBLE", "0e0", "-0e0")];

fn with(sums: SumBy) -> VerifyOptions {
    VerifyOptions { sums, ..VerifyOptions::default() }
}

/// Makes a table with a column for each case, and a row for each in which the replica alone has the
/// other value.
#[track_caller]
fn the_least_is_found(trio: &Trio, cases: &[Least], engine: &str) {
    let names = |n: usize| format!("c{n}");
    let columns: Vec<_> =
        cases.iter().enumerate().map(|(n, (kind, ..))| format!("{} {kind}", names(n))).collect();
    let values: Vec<&str> = cases.iter().map(|(_, value, _)| *value).collect();
    let lenient =
        "SET sql_mode = 'ALLOW_INVALID_DATES'; SET NAMES utf8mb4; SET time_zone = '+00:00'";
    let mut rows = String::new();
    for id in 0..cases.len() {
        rows += &format!("INSERT INTO t VALUES ({id}, {}); ", values.join(", "));
    }
    trio.sql_source(&format!(
        "{lenient}; CREATE TABLE t (id INT PRIMARY KEY, {}) ENGINE={engine}; {rows}",
        columns.join(", ")
    ));
    let settings = settings(trio);
    // MySQL offers TLS, under which rows come another way.
    let mut plain = settings.clone();
    plain.source.tls.mode = TlsMode::Disable;
    plain.replica.as_mut().unwrap().tls.mode = TlsMode::Disable;
    carry(&settings);
    for sums in [SumBy::Read, SumBy::Sql] {
        assert!(verify(&settings, with(sums)).ok, "{engine} {sums}");
        for settings in [&settings, &plain] {
            assert!(verify_copy(settings, with(sums)).ok, "{engine} {sums}");
        }
    }
    // By way of NULL, since a server does not write what it calls equal, such as -0 for 0.
    let changes: String = cases
        .iter()
        .enumerate()
        .map(|(n, (.., other))| {
            let set = |value| format!("UPDATE t SET {} = {value} WHERE id = {n}; ", names(n));
            set("NULL") + &set(other)
        })
        .collect();
    trio.sql_replica(&format!("{lenient}; {changes}"));
    for sums in [SumBy::Read, SumBy::Sql] {
        let report = verify(&settings, with(sums));
        let table = &report.tables[0];
        assert_eq!(table.sums, sums);
        let all = cases.len() as u64;
        for side in [Side::Source, Side::Replica] {
            let pair = table.pairs.iter().find(|pair| pair.first == side).unwrap();
            for (n, case) in cases.iter().enumerate() {
                let found = pair.rows.iter().any(|row| row.key == [n.to_string()]);
                assert!(found, "{engine} {sums}: {case:?} between {side:?} and the next");
            }
            assert_eq!(counts(table, side), [0, all, 0], "{engine} {sums}");
        }
        for settings in [&settings, &plain] {
            let copy = &verify_copy(settings, with(sums)).tables[0];
            assert_eq!(counts(copy, Side::Source), [0, all, 0], "{engine} {sums}");
            let keys = |table: &VerifyTable| -> BTreeSet<_> {
                table.pairs[0].rows.iter().map(|row| row.key.clone()).collect()
            };
            assert_eq!(keys(copy), keys(table), "{engine} {sums}");
        }
    }
}

#[test]
fn the_least_change_of_every_type_is_found_by_both() {
    for engine in ["InnoDB", "MyISAM"] {
        let trio = Trio::new("verify least");
        the_least_is_found(&trio, &[COMMON, MARIADB].concat(), engine);
    }
}

#[test]
fn the_least_change_of_every_type_is_found_by_both_in_mysql_9() {
    let start = || MySql9::start(&ServerOptions::default());
    let (Ok(one), Ok(two)) = (start(), start()) else { return };
    let trio = Trio::on("verify least 9", one.endpoint(), two.endpoint(), Bed::shared().target());
    the_least_is_found(&trio, &[COMMON, MYSQL9].concat(), "InnoDB");
}

#[test]
fn what_travels_is_what_differs() {
    let trio = Trio::new("verify travels");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, note TEXT) ENGINE=InnoDB; \
         INSERT INTO t SELECT seq * 3, REPEAT('x', 400) FROM seq_1_to_20000",
    );
    let settings = settings(&trio);
    carry(&settings);
    trio.sql_replica(
        "UPDATE t SET note = 'y' WHERE id = 30000; DELETE FROM t WHERE id IN (3, 60000); \
         INSERT INTO t VALUES (-5, 'z'), (60001, 'z')",
    );
    let sent = |options| {
        let mut source = trio.source();
        let mut bytes = || -> u64 {
            let ask = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
                       WHERE VARIABLE_NAME = 'ROWS_SENT'";
            source.query_first::<String, _>(ask).unwrap().unwrap().parse().unwrap()
        };
        let before = bytes();
        let report = verify(&settings, options);
        assert_eq!(counts(&report.tables[0], Side::Source), [2, 1, 2]);
        assert_eq!(report.tables[0].rows["source"], 20_000);
        bytes() - before
    };
    let read = sent(with(SumBy::Read));
    // Other tests use the server too and only add to it, so the least of a few counts, and less than a third tells.
    let summed = (0..4).map(|_| sent(with(SumBy::Sql))).min().unwrap();
    assert!(read >= 20_000 && summed < read / 3, "{read} rows read, {summed} where summed");
}

/// `HANDOFF_VERIFY_ROWS=5000000` makes it as large as the largest table of a practice.
#[test]
fn planted_rows_are_found_however_large_the_table_is() {
    let rows = std::env::var("HANDOFF_VERIFY_ROWS").ok().and_then(|rows| rows.parse().ok());
    let rows: u64 = rows.unwrap_or(30_000);
    let mut random = Random::new();
    println!("HANDOFF_SEED={} repeats this", random.0);
    let trio = Trio::new("verify large");
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, n INT, note VARCHAR(40)) ENGINE=MyISAM; \
         INSERT INTO t SELECT seq, seq % 977, CONCAT('note ', seq) FROM seq_1_to_{rows}"
    ));
    let settings = settings(&trio);
    carry(&settings);
    for most in [1, 100, 10_000] {
        // Rows of the replica and of the target, the first and the last of the table among them.
        let most = most.min(u32::try_from(rows / 10).unwrap());
        let count = 1 + random.below(most) as usize;
        let numbers = random.different(count + 1, u32::try_from(rows).unwrap());
        let list: Vec<String> = numbers.iter().map(u32::to_string).collect();
        let list = list.join(", ");
        trio.sql_replica(&format!("UPDATE t SET n = n + 1 WHERE id IN ({list})"));
        trio.sql_target(&format!("DELETE FROM raw.t WHERE id IN ({list})"));
        let planted = numbers.len() as u64;
        println!("{planted} of {rows} rows planted");
        for sums in [SumBy::Read, SumBy::Sql] {
            let started = std::time::Instant::now();
            let report = verify(&settings, with(sums));
            println!("{sums}: {:.1} s", started.elapsed().as_secs_f64());
            let table = &report.tables[0];
            assert_eq!(counts(table, Side::Source), [0, planted, 0], "{sums}");
            assert_eq!(counts(table, Side::Replica), [planted, 0, 0], "{sums}");
            let listed: BTreeSet<u32> =
                table.pairs[0].rows.iter().map(|row| row.key[0].parse().unwrap()).collect();
            assert_eq!(listed, numbers.iter().copied().collect(), "{sums}");
        }
        trio.sql_replica(&format!("UPDATE t SET n = n - 1 WHERE id IN ({list})"));
        trio.sql_target(&format!(
            "INSERT INTO raw.t SELECT id, id % 977, 'note ' || id FROM unnest(ARRAY[{list}]) id"
        ));
        assert!(verify(&settings, with(SumBy::Sql)).ok);
    }
}
