//! `--only-failed`.

use crate::etl::{Done, Etl};
use handoff_testbed::Trio;
use serde_json::Value;

/// The tables of a report, by name.
#[track_caller]
fn tables(done: &Done) -> Vec<String> {
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let name = |table: &Value| table["table"].as_str().unwrap().to_owned();
    report["tables"].as_array().unwrap().iter().map(name).collect()
}

const AGAIN: [&str; 3] = ["run", "--only-failed", "--json"];

#[test]
fn only_what_failed_or_is_new_is_moved() {
    let trio = Trio::new("only_failed");
    trio.sql_source(
        "CREATE TABLE well (id INT PRIMARY KEY); INSERT INTO well VALUES (1); \
         CREATE TABLE sick (id VARCHAR(9) CHARACTER SET utf8mb4 PRIMARY KEY); \
         INSERT INTO sick VALUES (CONCAT('a', CHAR(0)))",
    );
    let etl = Etl::new(&trio);
    etl.exits(1, &["run"]);
    assert_eq!(tables(&etl.exits(1, &AGAIN)), ["sick"]);

    trio.sql_source("UPDATE sick SET id = 'a'; CREATE TABLE young (id INT PRIMARY KEY)");
    assert_eq!(tables(&etl.ok(&AGAIN)), ["sick", "young"]);
    assert_eq!(trio.rows("sick").len(), 1);
    assert_eq!(tables(&etl.ok(&AGAIN)), [""; 0]);
    let done = etl.ok(&["run", "--only-failed"]);
    assert!(done.stdout.ends_with("nothing to do\n"), "{}", done.stdout);
    assert_eq!(tables(&etl.ok(&["run", "well", "--only-failed", "--json"])), [""; 0]);
}

#[test]
fn what_was_copied_and_not_loaded_is_left_over_for_hop_2_alone() {
    let trio = Trio::new("only_failed_hops");
    trio.sql_source(
        "CREATE TABLE a (id INT PRIMARY KEY); INSERT INTO a VALUES (1); \
         CREATE TABLE b (id INT PRIMARY KEY); INSERT INTO b VALUES (1)",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_source("INSERT INTO a VALUES (2)");
    etl.ok(&["replicate", "a"]);
    assert_eq!(tables(&etl.ok(&["replicate", "--only-failed", "--json"])), [""; 0]);
    assert_eq!(tables(&etl.ok(&["load", "--only-failed", "--json"])), ["a"]);
    assert_eq!(trio.rows("a").len(), 2);
    assert_eq!(tables(&etl.ok(&["load", "--only-failed", "--json"])), [""; 0]);
}
