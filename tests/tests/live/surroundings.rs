//! What stands around a table in the target: carried past unharmed, or refused by name with a remedy that works.

mod meanwhile;
mod names;
mod obstacles;
mod tracking;

use crate::etl::Etl;
use handoff_testbed::{Trio, row};
use serde_json::Value;
use std::collections::BTreeMap;

/// Fails unless `etl check`, `etl plan` and `etl run` refuse exactly these tables, `plan` and `run` with the same words and
/// `check` with the same reason, and nothing in the target changes.
#[track_caller]
fn refused_alike(trio: &Trio, etl: &Etl, expected: &[(&str, &str)]) -> Value {
    let before = rows(trio);
    let check: Value = serde_json::from_str(&etl.exits(3, &["check", "--json"]).stdout).unwrap();
    let plan: Value = serde_json::from_str(&etl.exits(1, &["plan", "--json"]).stdout).unwrap();
    let run: Value = serde_json::from_str(&etl.exits(1, &["run", "--json"]).stdout).unwrap();
    let planned = errors(&plan["refused"]);
    let failed = errors(&run["tables"]);
    assert_eq!(planned, failed);
    let names: Vec<&str> = failed.keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = expected.iter().map(|(table, _)| *table).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "{failed:#?}");
    for (table, part) in expected {
        let error = &failed[*table];
        assert!(error.contains(part), "{part:?} is missing: {error}");
        let found = finding(&check, table);
        assert!(found["what"].as_str().unwrap().contains(error.as_str()), "{found} {error}");
    }
    assert_eq!(rows(trio), before, "the run wrote into the target");
    check
}

/// Returns what a check says of a table in the target.
#[track_caller]
fn finding<'c>(check: &'c Value, table: &str) -> &'c Value {
    let begins = format!("`{table}`: ");
    let findings = check["findings"].as_array().unwrap();
    let of_table = |found: &&Value| found["what"].as_str().unwrap().starts_with(&begins);
    findings.iter().find(of_table).unwrap_or_else(|| panic!("{table}: {check:#}"))
}

/// Does what a check says of these tables, as an administrator would.
#[track_caller]
fn paste(trio: &Trio, etl: &Etl, check: &Value, tables: &[(&str, &str)]) {
    for (table, _) in tables {
        let mend = finding(check, table)["mend"].as_array().unwrap();
        assert!(!mend.is_empty(), "{table}");
        for line in mend {
            let text = line["text"].as_str().unwrap();
            if line["kind"] == "statement" {
                trio.sql_target(text);
            } else {
                let words: Vec<&str> = text.split(' ').skip(1).collect();
                etl.ok(&words);
            }
        }
    }
}

/// The errors of the tables that have one.
fn errors(tables: &Value) -> BTreeMap<String, String> {
    let error = |table: &Value| {
        Some((table["table"].as_str()?.to_owned(), table["error"].as_str()?.to_owned()))
    };
    tables.as_array().unwrap().iter().filter_map(error).collect()
}

/// The rows of every table of the target but those of tracking, and of every schema of the test.
fn rows(trio: &Trio) -> Vec<String> {
    let mut target = trio.target();
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename NOT LIKE 'etl%' ORDER BY 1";
    let mut all = Vec::new();
    for row in target.query(tables, &[]).unwrap() {
        let table: String = row.get(0);
        if table == "raw.t_foreign" {
            continue;
        }
        let sql = format!("SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM {table} t");
        let rows: Option<String> = target.query_one(&sql, &[]).unwrap().get(0);
        all.push(format!("{table}: {rows:?}"));
    }
    all
}

/// The rows of a table that inherits from ours are somebody's own.
#[test]
fn rows_of_a_table_that_inherits_are_neither_counted_nor_deleted() {
    let trio = Trio::new("around children");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, s TIMESTAMP NOT NULL, KEY (s));
         INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02'), (3, 3, '2024-01-02');
         CREATE TABLE heap (a INT); INSERT INTO heap VALUES (1), (2)",
    );
    let settings = trio.settings_toml();
    let etl = Etl::with(&settings);
    etl.ok(&["run"]);
    trio.sql_target(
        "CREATE TABLE raw.t_arch () INHERITS (raw.t);
         INSERT INTO raw.t_arch SELECT n, 7, '2020-01-01' FROM generate_series(2, 90) n;
         CREATE TABLE raw.heap_arch () INHERITS (raw.heap); INSERT INTO raw.heap_arch VALUES (1), (9)",
    );
    let arch = (trio.rows("t_arch"), trio.rows("heap_arch"));
    let by_s = "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\ndeletes = \"sweep\"\n";
    let incremental = Etl::with(&format!("{settings}\n{by_s}"));
    for (etl, change) in [
        (&etl, "UPDATE t SET a = 9 WHERE id = 2; DELETE FROM heap WHERE a = 1"),
        (&etl, "DELETE FROM heap; DELETE FROM t WHERE id = 1"),
        (&incremental, "UPDATE t SET a = 8, s = NOW() WHERE id = 2; DELETE FROM t WHERE id = 3"),
    ] {
        trio.sql_source(change);
        etl.ok(&["run", "--prove"]);
        etl.ok(&["verify"]);
    }
    trio.sql_target("UPDATE ONLY raw.t SET a = 1");
    incremental.ok(&["repair", "t"]);
    assert_eq!((trio.rows("t_arch"), trio.rows("heap_arch")), arch);
    let own = "SELECT count(*) FROM ONLY raw.t WHERE (id, a) = (2, 8)";
    assert_eq!(trio.target().query_one(own, &[]).unwrap().get::<_, i64>(0), 1);
    assert_eq!(trio.rows("heap"), [row!["1"], row!["9"]]);
}
