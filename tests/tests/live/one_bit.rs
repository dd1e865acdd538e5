//! A change of one bit in any column of any type, in the replica or in the target, is found by
//! `run --prove` and by `verify`, and so is what a server's own checksum passes by.

use crate::etl::Etl;
use handoff_testbed::{Bed, MySql9, ServerOptions, Trio};
use serde_json::Value;
use std::fmt::Write as _;

/// A column: its type, a value, and what differs from that by a bit, in MySQL and in PostgreSQL.
type Plant = (&'static str, &'static str, &'static str, &'static str);

const COMMON: &[Plant] = &[
    ("TINYINT", "6", "7", "7"),
    ("SMALLINT UNSIGNED", "65534", "65535", "65535"),
    ("MEDIUMINT", "-8", "-7", "-7"),
    ("INT UNSIGNED", "4294967294", "4294967295", "4294967295"),
    ("BIGINT", "9007199254740992", "9007199254740993", "9007199254740993"),
    ("BIGINT UNSIGNED", "18446744073709551614", "18446744073709551615", "18446744073709551615"),
    ("DECIMAL(30,10)", "1.0000000002", "1.0000000003", "1.0000000003"),
    ("FLOAT", "1.5", "1.5000001", "'1.5000001'"),
    ("DOUBLE", "1.5", "1.5000000000000002e0", "'1.5000000000000002'"),
    ("BIT(1)", "b'0'", "b'1'", "true"),
    ("BIT(64)", "0x8000000000000000", "0x8000000000000001", "(1::bit(64) | (1::bit(64) << 63))"),
    ("YEAR", "2020", "2021", "2021"),
    ("DATE", "'2020-01-02'", "'2020-01-03'", "'2020-01-03'"),
    (
        "DATETIME(6)",
        "'2020-01-02 00:00:00.000002'",
        "'2020-01-02 00:00:00.000003'",
        "'2020-01-02 00:00:00.000003'",
    ),
    (
        "TIMESTAMP(3) NULL",
        "'2020-01-02 00:00:00.002'",
        "'2020-01-02 00:00:00.003'",
        "'2020-01-02 00:00:00.003+00'",
    ),
    ("TIME(6)", "'-00:00:00.000002'", "'-00:00:00.000003'", "'-00:00:00.000003'"),
    ("CHAR(4) CHARACTER SET latin1", "'b'", "'c'", "'c'"),
    ("VARCHAR(40) CHARACTER SET utf8mb4", "'ab'", "'ac'", "'ac'"),
    ("TEXT CHARACTER SET utf16", "'ab'", "'ac'", "'ac'"),
    ("BINARY(3)", "0x010002", "0x010003", "'\\x010003'"),
    ("LONGBLOB", "0x5C000A", "0x5C000B", "'\\x5c000b'"),
    ("ENUM('a','b','c')", "'b'", "'c'", "'c'"),
    ("SET('a','b')", "''", "'a'", "'{a}'"),
    ("JSON", "'{\"a\": 2}'", "'{\"a\": 3}'", "'{\"a\": 3}'"),
    (
        "POINT",
        "ST_GeomFromText('POINT(1 2)')",
        "ST_GeomFromText('POINT(1 2.0000000000000004)')",
        "set_byte(§, 13, get_byte(§, 13) # 1)",
    ),
    ("INT AS (id * 2) STORED", "", "3", "3"),
    ("VARCHAR(9) AS (CONCAT('b', id)) VIRTUAL", "", "'c1'", "'c1'"),
];

const MARIADB: &[Plant] = &[
    (
        "UUID",
        "'123e4567-e89b-12d3-a456-426655440000'",
        "'123e4567-e89b-12d3-a456-426655440001'",
        "'123e4567-e89b-12d3-a456-426655440001'",
    ),
    ("INET6", "'2001:db8::2'", "'2001:db8::3'", "'2001:db8::3'"),
    ("INET4", "'255.0.0.2'", "'255.0.0.3'", "'255.0.0.3'"),
];

const MYSQL9: &[Plant] = &[(
    "VECTOR(1)",
    "STRING_TO_VECTOR('[1.5]')",
    "STRING_TO_VECTOR('[1.5000001]')",
    "'{1.5000001}'",
)];

/// The tables of a test, one for each column that a bit is to change in: of the first row, which no
/// window finds.
struct Planted<'a> {
    trio: &'a Trio,
    etl: Etl,
    plants: Vec<Plant>,
}

impl Planted<'_> {
    fn new<'a>(trio: &'a Trio, engines: &[&str], plants: Vec<Plant>) -> Planted<'a> {
        trio.sql_target(&format!("ALTER DATABASE {} SET timezone = 'UTC'", trio.target_name()));
        let columns: Vec<String> =
            plants.iter().enumerate().map(|(n, (kind, ..))| format!("c{n} {kind}")).collect();
        let given = plants.iter().enumerate().filter(|(_, plant)| !plant.1.is_empty());
        let (names, values): (Vec<_>, Vec<_>) =
            given.map(|(n, plant)| (format!("c{n}"), plant.1)).unzip();
        let (mut sql, mut toml) = ("SET time_zone = '+00:00';".to_owned(), trio.settings_toml());
        for n in 0..=plants.len() {
            let engine = engines[n % engines.len()];
            write!(
                sql,
                "CREATE TABLE t{n} (id INT PRIMARY KEY, at INT, {}, KEY (at)) ENGINE={engine};
                 INSERT INTO t{n} (id, at, {}) VALUES (1, 1, {}); INSERT INTO t{n} (id, at) VALUES (2, 5000);",
                columns.join(", "),
                names.join(", "),
                values.join(", ")
            )
            .unwrap();
            let entry = "extraction = \"incremental\"\nwatermark = [\"at\"]";
            write!(toml, "\n[tables.t{n}]\n{entry}\n").unwrap();
        }
        trio.sql_source(&sql);
        let etl = Etl::with(&toml);
        etl.ok(&["run"]);
        Planted { trio, etl, plants }
    }

    fn in_replica(&self) {
        let plant = |(n, plant): (usize, &Plant)| {
            format!("UPDATE t{n} SET c{n} = {} WHERE id = 1", plant.2)
        };
        let all: Vec<String> = self.plants.iter().enumerate().map(plant).collect();
        self.trio.sql_replica(&format!("SET time_zone = '+00:00'; {}", all.join(";")));
    }

    fn in_target(&self) {
        let plant = |(n, plant): (usize, &Plant)| {
            let value = plant.3.replace('§', &format!("c{n}"));
            format!("UPDATE raw.t{n} SET c{n} = {value} WHERE id = 1")
        };
        let all: Vec<String> = self.plants.iter().enumerate().map(plant).collect();
        self.trio.sql_target(&format!("SET timezone = 'UTC'; {}", all.join(";")));
    }

    /// Fails unless `verify` names the column that was changed in each table, and no other.
    #[track_caller]
    fn check_verify(&self, pair: usize) {
        let report = json(&self.etl.exits(1, &["verify", "--json"]).stdout);
        for (n, (kind, ..)) in self.plants.iter().enumerate() {
            let table = of(&report, n);
            let rows = &table["pairs"][pair]["rows"];
            assert_eq!(rows[0]["columns"], serde_json::json!([format!("c{n}")]), "{kind}: {table}");
        }
        assert_eq!(of(&report, self.plants.len())["status"], "equal");
    }

    /// Fails unless `run --prove` finds every table to differ but the last, and mends it.
    #[track_caller]
    fn check_prove(&self) {
        let report = json(&self.etl.ok(&["run", "--prove", "--json"]).stdout);
        for (n, (kind, ..)) in self.plants.iter().enumerate() {
            let table = of(&report, n);
            assert_eq!(table["plan"]["reason"], "rows_differed", "{kind}: {table}");
            assert_eq!(table["proof"]["verdict"], "equal", "{kind}: {table}");
        }
        assert_eq!(of(&report, self.plants.len())["plan"]["reason"], "watermark");
        self.etl.ok(&["verify"]);
    }

    #[track_caller]
    fn check(&self) {
        self.in_replica();
        self.check_verify(0);
        self.check_prove();
        self.in_target();
        self.check_verify(1);
        self.check_prove();
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[track_caller]
fn of(report: &Value, n: usize) -> &Value {
    let name = format!("t{n}");
    let tables = report["tables"].as_array().unwrap();
    tables.iter().find(|table| table["table"] == name.as_str()).unwrap()
}

#[track_caller]
fn reason<'a>(report: &'a Value, table: &str) -> &'a str {
    let tables = report["tables"].as_array().unwrap();
    let table = tables.iter().find(|found| found["table"] == table).unwrap();
    table["plan"]["reason"].as_str().unwrap()
}

#[test]
fn a_bit_in_any_column_is_found_in_mariadb() {
    let trio = Trio::new("one bit");
    Planted::new(&trio, &["InnoDB", "MyISAM", "Aria"], [COMMON, MARIADB].concat()).check();
}

#[test]
fn a_bit_in_any_column_is_found_in_mysql_9() {
    let start = || MySql9::start(&ServerOptions::default());
    let (Ok(one), Ok(two)) = (start(), start()) else { return };
    let trio = Trio::on("one bit 9", one.endpoint(), two.endpoint(), Bed::shared().target());
    Planted::new(&trio, &["InnoDB", "MyISAM"], [COMMON, MYSQL9].concat()).check();

    // What CHECKSUM TABLE of this server takes for another table at each call.
    trio.sql_source(
        "CREATE TABLE multi (id INT PRIMARY KEY, j JSON, KEY m ((CAST(j->'$' AS UNSIGNED ARRAY))),
             KEY f ((id + 1)));
         INSERT INTO multi VALUES (1, '[1, 2]'), (2, '[3]');
         SET lc_time_names = 'de_DE', time_zone = '+05:30', sql_mode = 'PAD_CHAR_TO_FULL_LENGTH';
         CREATE TABLE computed (id INT PRIMARY KEY, s TIMESTAMP NULL, c CHAR(5), d DATE AS (DATE(s)) STORED,
             n VARCHAR(20) AS (DAYNAME(s)) STORED, l INT AS (CHAR_LENGTH(c)) STORED, KEY (n));
         INSERT INTO computed (id, s, c) VALUES (1, '2020-01-01 01:00:00', 'a')",
    );
    let etl = Etl::new(&trio);
    for _ in 0..2 {
        let done = etl.ok(&["run", "multi", "computed", "--prove"]);
        let note = "the index `m` is not in the replica";
        assert!(done.stdout.contains(note), "{}", done.stdout);
    }
    let computed = trio.rows("computed");
    assert_eq!(computed[0][3].as_deref(), Some("2020-01-01"));
    assert_eq!(computed[0][4].as_deref(), Some("Mittwoch"));
    assert_eq!(computed[0][5].as_deref(), Some("5"));
    etl.ok(&["verify", "multi", "computed"]);
}

#[test]
fn what_a_servers_own_checksum_passes_by_is_found() {
    let trio = Trio::new("one bit computed");
    let mut toml = trio.settings_toml();
    for table in ["g5", "two", "doc"] {
        let entry = "extraction = \"incremental\"\nwatermark = [\"id\"]";
        write!(toml, "\n[tables.{table}]\n{entry}\n").unwrap();
    }
    trio.sql_source(
        "SET time_zone = '+05:30';
         CREATE TABLE g5 (id INT PRIMARY KEY, ts TIMESTAMP NULL, d DATE AS (DATE(ts)) STORED,
             t VARCHAR(20) CHARACTER SET latin1 AS (HEX('ä')) STORED, KEY (d));
         INSERT INTO g5 (id, ts) VALUES (1, '2020-01-01 01:00:00'), (5000, NULL);
         CREATE TABLE two (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9));
         INSERT INTO two VALUES (1, 'ab', 'c'), (5000, NULL, NULL);
         CREATE TABLE doc (id INT PRIMARY KEY, j JSON, d DATE NOT NULL);
         SET sql_mode = ''; INSERT INTO doc VALUES (1, '{\"a\": 2}', '0000-00-00'), (5000, NULL, '2020-01-01')",
    );
    let etl = Etl::with(&format!("{toml}\n[values]\nzero_dates = \"0001-01-01\"\n"));
    etl.ok(&["run", "--prove"]);
    assert_eq!(trio.rows("g5")[0][2].as_deref(), Some("2020-01-01"));
    let plant = |sql: &str, table: &str| {
        trio.sql_replica(&format!("SET sql_mode = ''; {sql}"));
        etl.exits(1, &["verify", table]);
        etl.exits(1, &["verify", table, "--sums", "sql"]);
        let report = json(&etl.ok(&["run", "--prove", "--json"]).stdout);
        assert_eq!(reason(&report, table), "rows_differed", "{sql}");
        etl.ok(&["verify", table]);
    };
    plant("UPDATE g5 SET d = '2019-12-31' WHERE id = 1", "g5");
    plant("UPDATE two SET a = 'a', b = 'bc' WHERE id = 1", "two");
    plant("UPDATE two SET a = NULL, b = '' WHERE id = 1", "two");
    // What the target can't tell apart, and what a policy makes one.
    plant("UPDATE doc SET j = '{\"a\":  2}' WHERE id = 1", "doc");
    plant("UPDATE doc SET d = '0001-01-01' WHERE id = 1", "doc");
}
