//! What PostgreSQL cannot hold: each policy, its count, and never in a key.

use super::Rig;
use handoff_model::LossPolicy;
use handoff_settings::{BadText, NulBytes, ValuePolicies, ZeroDates};
use handoff_testbed::{Row, row};
use mysql::prelude::Queryable;

const STRICT: ValuePolicies = ValuePolicies {
    zero_dates: ZeroDates::Fail,
    nul_bytes: NulBytes::Fail,
    bad_text: BadText::Fail,
    bad_json: handoff_settings::BadJson::Fail,
};

#[track_caller]
fn check(rig: &Rig, values: &ValuePolicies, policy: LossPolicy, count: u64, expected: &[Row]) {
    let audit = rig.carry_with("t", &[], values).unwrap();
    let entries = audit.entries();
    let uses: Vec<_> = entries.iter().map(|e| (e.column.as_str(), e.policy, e.count)).collect();
    assert_eq!(uses, [("v", policy, count)]);
    assert_eq!(rig.trio.rows("t"), expected);
}

#[track_caller]
fn refused(rig: &Rig, values: &ValuePolicies, expected: &str) {
    let error = rig.carry_with("t", &[], values).err().unwrap();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn zero_dates() {
    let rig = Rig::new("rows zero dates");
    rig.trio.sql_source(
        "SET sql_mode = 'ALLOW_INVALID_DATES';
         CREATE TABLE t (id INT PRIMARY KEY, v DATETIME NOT NULL);
         INSERT INTO t VALUES (1, '0000-00-00'), (2, '2023-02-31 10:00:00'), (3, '2020-01-01 10:00:00')",
    );
    let policy = LossPolicy::ZeroDates;
    let kept = row!["3", "2020-01-01 10:00:00"];
    check(
        &rig,
        &ValuePolicies::default(),
        policy,
        2,
        &[vec![Some("1".into()), None], vec![Some("2".into()), None], kept.clone()],
    );
    let dated = ValuePolicies { zero_dates: ZeroDates::Date(1, 1, 1), ..STRICT };
    check(
        &rig,
        &dated,
        policy,
        2,
        &[row!["1", "0001-01-01 00:00:00"], row!["2", "0001-01-01 00:00:00"], kept],
    );
    refused(
        &rig,
        &STRICT,
        "`t`.`v`, row 1: a zero date; set `zero_dates` under [values] to \"null\" or a date, \
         or correct the source",
    );
}

#[test]
fn nul_bytes() {
    let rig = Rig::new("rows nul bytes");
    rig.trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, v TEXT);
         INSERT INTO t VALUES (1, 'a\\0b\\0'), (2, 'ab')",
    );
    let policy = LossPolicy::NulBytes;
    check(&rig, &ValuePolicies::default(), policy, 1, &[row!["1", "ab"], row!["2", "ab"]]);
    let replaced = ValuePolicies { nul_bytes: NulBytes::Replace, ..STRICT };
    check(&rig, &replaced, policy, 1, &[row!["1", "a\u{fffd}b\u{fffd}"], row!["2", "ab"]]);
    refused(
        &rig,
        &STRICT,
        "`t`.`v`, row 1: a text with a NUL byte; set `nul_bytes` under [values] to \"strip\" or \
         \"replace\", or correct the source",
    );
}

#[test]
fn bad_text() {
    let rig = Rig::new("rows bad text");
    rig.trio.sql_source(
        "CREATE TABLE u (id INT PRIMARY KEY, v BLOB) ENGINE=MyISAM;
         INSERT INTO u VALUES (1, x'41ff42'), (2, x'4142')",
    );
    for charset in ["utf8mb4", "utf8mb3", "ascii", "gbk"] {
        bytes_as_text(&rig, charset);
        let replaced = ValuePolicies { bad_text: BadText::Replace, ..STRICT };
        let stand_in = if charset == "gbk" { "A?" } else { "A\u{fffd}B" };
        let audit = rig.carry_with("t", &[], &replaced).unwrap();
        let policies: Vec<_> = audit.entries().iter().map(|entry| entry.policy).collect();
        assert_eq!(policies, [LossPolicy::BadText], "{charset}: {:?}", rig.trio.rows("t"));
        let first = rig.trio.rows("t")[0][1].clone().unwrap();
        assert!(first.starts_with(stand_in), "{charset}: {first}");
        refused(
            &rig,
            &ValuePolicies::default(),
            "`t`.`v`, row 1: a text that is not valid in its character set; set `bad_text` under \
             [values] to \"replace\", or correct the source",
        );
    }
}

/// Gives `t` a text column that holds the bytes of `u`, as they are.
///
/// The server checks texts on their way in, so the files of a table with a BLOB are put under one
/// with a TEXT, which has the same form.
fn bytes_as_text(rig: &Rig, charset: &str) {
    let mut conn = rig.trio.source();
    let folder: Option<String> = conn.query_first("SELECT @@datadir").unwrap();
    let place = format!("{}/{}", folder.unwrap(), rig.trio.source_name());
    let swapped = ["MYD", "MYI"];
    let text = format!("TEXT CHARACTER SET {charset}");
    conn.query_drop("DROP TABLE IF EXISTS t").unwrap();
    conn.query_drop(format!("CREATE TABLE t (id INT PRIMARY KEY, v {text}) ENGINE=MyISAM"))
        .unwrap();
    conn.query_drop("FLUSH TABLES t, u").unwrap();
    for ending in swapped {
        std::fs::copy(format!("{place}/u.{ending}"), format!("{place}/t.{ending}")).unwrap();
    }
    conn.query_drop("FLUSH TABLES t").unwrap();
}

#[test]
fn keys_are_never_changed() {
    let rig = Rig::new("rows keys");
    rig.trio.sql_source(
        "SET sql_mode = '';
         CREATE TABLE t (v DATE NOT NULL PRIMARY KEY);
         INSERT INTO t VALUES ('0000-00-00')",
    );
    refused(
        &rig,
        &ValuePolicies::default(),
        "`t`.`v`, row 1: a zero date; a key is never changed: carry it as text with `columns = { v = \
         \"text\" }` under [tables.t], or correct the value in the source",
    );
    rig.trio.sql_source(
        "DROP TABLE t; CREATE TABLE t (v VARCHAR(9) NOT NULL PRIMARY KEY); INSERT INTO t VALUES ('a\\0')",
    );
    refused(
        &rig,
        &ValuePolicies::default(),
        "`t`.`v`, row 1: a text with a NUL byte; a key is never changed: carry it as bytea with \
         `columns = { v = \"bytea\" }` under [tables.t], or correct the value in the source",
    );
}

#[test]
fn what_an_override_cannot_hold_fails_the_table() {
    let rig = Rig::new("rows override fails");
    rig.trio
        .sql_source("CREATE TABLE t (id INT PRIMARY KEY, v TINYINT); INSERT INTO t VALUES (1, 2)");
    let error = rig.carry_with("t", &[("v", "boolean")], &ValuePolicies::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "`t`.`v`, row 1: a number other than 0 and 1 in a boolean; give `v` a wider type, or none, \
         under `columns` of its table"
    );
}
