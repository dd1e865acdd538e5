//! Random values of each family of types: into MySQL, read, encoded, into PostgreSQL, and back.

use super::{Rig, on_both};
use mysql::Value;
use mysql::prelude::Queryable;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;

/// Values in one table, and tables for each type.
const VALUES: usize = 120;
const CASES: u32 = 6;

/// What both servers print alike, to show that the value is the same and not only its bytes.
#[derive(Clone, Copy)]
struct Print {
    my: &'static str,
    pg: &'static str,
}

const PLAIN: Print = Print { my: "CAST(v AS CHAR)", pg: "v::text" };
const HEX: Print = Print { my: "LOWER(HEX(v))", pg: "encode(v, 'hex')" };

#[track_caller]
fn check(rig: &Rig, column_type: &str, print: Print, values: BoxedStrategy<Value>) -> usize {
    let create = format!("CREATE TABLE r (id INT PRIMARY KEY AUTO_INCREMENT, v {column_type})");
    rig.trio.sql_source(&format!("DROP TABLE IF EXISTS r; {create}"));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let count = Cell::new(0);
    let values = prop::collection::vec(values, 1..VALUES);
    let done = TestRunner::new(config).run(&values, |values| {
        count.set(count.get() + values.len());
        let mut conn = rig.trio.source();
        conn.query_drop("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'").unwrap();
        conn.query_drop("TRUNCATE r").unwrap();
        let marks = vec!["(?)"; values.len()].join(", ");
        conn.exec_drop(format!("INSERT INTO r (v) VALUES {marks}"), values).unwrap();
        rig.carry("r");
        let query = format!("SELECT {} FROM r ORDER BY id", print.my);
        let ours: Vec<Option<String>> = conn.query(query).unwrap();
        let query = format!("SELECT {} FROM raw.r ORDER BY id", print.pg);
        let theirs: Vec<Option<String>> =
            rig.trio.target().query(&query, &[]).unwrap().iter().map(|row| row.get(0)).collect();
        prop_assert_eq!(ours, theirs);
        Ok(())
    });
    if let Err(error) = done {
        panic!("{column_type}: {error}");
    }
    count.get()
}

fn integers(low: i64, high: i64) -> BoxedStrategy<Value> {
    prop_oneof![
        4 => (low..=high).prop_map(Value::Int),
        1 => prop::sample::select(vec![low, high, 0]).prop_map(Value::Int),
        1 => Just(Value::NULL),
    ]
    .boxed()
}

fn decimals(whole: usize, scale: usize) -> BoxedStrategy<Value> {
    let digits =
        |count: usize| prop::collection::vec(prop_oneof![2 => Just(0_u8), 3 => 0..10_u8], count);
    (any::<bool>(), digits(whole), digits(scale), 0..=whole)
        .prop_map(move |(negative, whole, scale, cut)| {
            let text =
                |digits: &[u8]| digits.iter().map(|d| char::from(b'0' + d)).collect::<String>();
            let sign = if negative { "-" } else { "" };
            let text = format!("{sign}0{}.{}", text(&whole[cut..]), text(&scale));
            Value::Bytes(text.into_bytes())
        })
        .boxed()
}

fn texts() -> BoxedStrategy<Value> {
    prop_oneof![
        4 => "[^\\x00]{0,40}".prop_map(Value::from),
        2 => "[ -~]{0,40}".prop_map(Value::from),
        1 => Just(Value::NULL),
    ]
    .boxed()
}

fn latin_texts() -> BoxedStrategy<Value> {
    "[ -~\u{a0}-ÿ€]{0,40}".prop_map(Value::from).boxed()
}

fn bytes(length: usize) -> BoxedStrategy<Value> {
    prop::collection::vec(any::<u8>(), 0..=length).prop_map(Value::Bytes).boxed()
}

fn dates(with_time: bool) -> BoxedStrategy<Value> {
    (1..=9999_u16, 1..=12_u8, 1..=28_u8, 0..24_u8, 0..60_u8, 0..60_u8, 0..1_000_000_u32)
        .prop_map(move |(y, m, d, hour, minute, second, micro)| {
            if with_time {
                Value::Date(y, m, d, hour, minute, second, micro)
            } else {
                Value::Date(y, m, d, 0, 0, 0, 0)
            }
        })
        .boxed()
}

fn times() -> BoxedStrategy<Value> {
    (any::<bool>(), 0..34_u32, 0..24_u8, 0..60_u8, 0..60_u8, 0..1_000_000_u32)
        .prop_map(|(negative, days, hours, minutes, seconds, micro)| {
            Value::Time(negative, days, hours, minutes, seconds, micro)
        })
        .boxed()
}

#[test]
fn numbers() {
    on_both("rows random numbers", |rig| {
        let mut count = 0;
        for (kind, low, high) in [
            ("TINYINT", -128, 127),
            ("SMALLINT UNSIGNED", 0, 65_535),
            ("MEDIUMINT", -8_388_608, 8_388_607),
            ("INT UNSIGNED", 0, 4_294_967_295),
            ("BIGINT", i64::MIN, i64::MAX),
        ] {
            count += check(rig, kind, PLAIN, integers(low, high));
        }
        count += check(rig, "BIGINT UNSIGNED", PLAIN, any::<u64>().prop_map(Value::UInt).boxed());
        for (whole, scale) in [(35, 30), (5, 0), (0, 5), (8, 2), (1, 1), (20, 9)] {
            let kind = format!("DECIMAL({},{scale})", whole + scale);
            count += check(rig, &kind, PLAIN, decimals(whole, scale));
        }
        println!("random numbers: {count}");
    });
}

#[test]
fn floats() {
    on_both("rows random floats", |rig| {
        // Sent and fetched in the binary protocol, so that no digit is printed on the way.
        let bits = Print { my: "1", pg: "'1'" };
        let singles = prop_oneof![any::<f32>(), prop::num::f32::SUBNORMAL, Just(-0.0)];
        let doubles = prop_oneof![any::<f64>(), prop::num::f64::SUBNORMAL, Just(-0.0)];
        let count = check(
            rig,
            "FLOAT",
            bits,
            singles.prop_filter("finite", |f| f.is_finite()).prop_map(Value::Float).boxed(),
        ) + check(
            rig,
            "DOUBLE",
            bits,
            doubles.prop_filter("finite", |f| f.is_finite()).prop_map(Value::Double).boxed(),
        );
        println!("random floats: {count}");
    });
}

#[test]
fn texts_and_bytes() {
    on_both("rows random texts", |rig| {
        let mut count = 0;
        for kind in ["VARCHAR(200)", "TEXT", "LONGTEXT"] {
            count += check(rig, kind, PLAIN, texts());
        }
        let kind = "VARCHAR(200) CHARACTER SET utf8mb3";
        count += check(
            rig,
            kind,
            PLAIN,
            "[^\\x00\u{10000}-\u{10ffff}]{0,40}".prop_map(Value::from).boxed(),
        );
        count += check(rig, "VARCHAR(200) CHARACTER SET latin1", PLAIN, latin_texts());
        for charset in ["utf16", "utf32", "utf16le"] {
            let kind = format!("VARCHAR(200) CHARACTER SET {charset}");
            count += check(rig, &kind, PLAIN, texts());
        }
        let gbk = "[ -~一-俿]{0,40}".prop_map(Value::from).boxed();
        count += check(rig, "VARCHAR(200) CHARACTER SET gbk", PLAIN, gbk);
        count += check(rig, "VARBINARY(60)", HEX, bytes(60));
        count += check(rig, "LONGBLOB", HEX, bytes(60));
        count += check(rig, "BINARY(20)", HEX, bytes(20));
        println!("random texts and bytes: {count}");
    });
}

#[test]
fn dates_and_times() {
    on_both("rows random dates", |rig| {
        let mut count = check(rig, "DATE", PLAIN, dates(false));
        let print = Print { my: "CAST(v AS CHAR)", pg: "to_char(v, 'YYYY-MM-DD HH24:MI:SS.US')" };
        count += check(rig, "DATETIME(6)", print, dates(true));
        let print = Print { my: "CAST(v AS CHAR)", pg: "to_char(v, 'YYYY-MM-DD HH24:MI:SS.MS')" };
        count += check(rig, "DATETIME(3)", print, dates(true));
        let clock = Print {
            my: "CAST(v AS CHAR)",
            pg: "CASE WHEN v < '0' THEN '-' ELSE '' END || to_char(greatest(v, -v), 'HH24:MI:SS.US')",
        };
        count += check(rig, "TIME(6)", clock, times());
        // TIMESTAMP begins in 1970 and ends in 2038.
        let stamps = dates(true).prop_map(|date| match date {
            Value::Date(year, m, d, h, min, s, us) => {
                Value::Date(1971 + year % 67, m, d, h, min, s, us / 1000 * 1000)
            }
            other => other,
        });
        let print = Print {
            my: "CAST(v AS CHAR)",
            pg: "to_char(v AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')",
        };
        count += check(rig, "TIMESTAMP(3) NULL", print, stamps.boxed());
        println!("random dates and times: {count}");
    });
}

#[test]
fn bits_and_labels() {
    on_both("rows random bits", |rig| {
        let print = Print { my: "LPAD(BIN(v + 0), 13, '0')", pg: "v::text" };
        let mut count = check(rig, "BIT(13)", print, (0_u64..8192).prop_map(Value::UInt).boxed());
        let print = Print { my: "LPAD(BIN(v + 0), 64, '0')", pg: "v::text" };
        count += check(rig, "BIT(64)", print, any::<u64>().prop_map(Value::UInt).boxed());
        let indexes = (1_u64..=3).prop_map(Value::UInt).boxed();
        count += check(rig, "ENUM('a','b c','é')", PLAIN, indexes);
        let sets = (0_u64..16).prop_map(Value::UInt).boxed();
        let print = Print { my: "CAST(v AS CHAR)", pg: "array_to_string(v, ',')" };
        count += check(rig, "SET('a','b c','é','NULL')", print, sets);
        println!("random bits and labels: {count}");
    });
}

#[test]
fn types_of_mariadb() {
    let rig = Rig::new("rows random mariadb");
    let uuid = any::<[u8; 16]>()
        .prop_map(|b| {
            let hex: String = b.iter().map(|b| format!("{b:02x}")).collect();
            let (a, rest) = hex.split_at(8);
            Value::from(format!(
                "{a}-{}-{}-{}-{}",
                &rest[..4],
                &rest[4..8],
                &rest[8..12],
                &rest[12..]
            ))
        })
        .boxed();
    let mut count = check(&rig, "UUID", PLAIN, uuid);
    let v4 = any::<[u8; 4]>().prop_map(|b| Value::from(std::net::Ipv4Addr::from(b).to_string()));
    let host = Print { my: "CAST(v AS CHAR)", pg: "host(v)" };
    count += check(&rig, "INET4", host, v4.boxed());
    let part = prop_oneof![Just(0_u8), any::<u8>()];
    let v6 = prop::array::uniform16(part)
        .prop_map(|b| Value::from(std::net::Ipv6Addr::from(b).to_string()));
    let bytes = Print { my: "LOWER(HEX(v))", pg: "encode(substring(inet_send(v) from 5), 'hex')" };
    count += check(&rig, "INET6", bytes, v6.boxed());
    println!("random UUIDs and addresses: {count}");
}
