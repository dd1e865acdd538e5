//! `etl status`: how old the data is, how the last run went, and what disagrees.

use super::table;
use crate::etl::{Done, Etl};
use handoff_testbed::Trio;
use serde_json::Value;
use std::time::{Duration, Instant};

#[track_caller]
fn json(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap()
}

fn time(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn data_is_as_old_as_the_reading_of_the_source() {
    for direct in [false, true] {
        let trio = Trio::new("status_age");
        table(&trio, "visits", "InnoDB", 10);
        let etl = if direct { Etl::direct(&trio) } else { Etl::new(&trio) };
        let before = jiff::Timestamp::now();
        etl.ok(&["run"]);
        let status = json(&etl.ok(&["status", "--json", "--stale", "1h"]));
        let visits = &status["tables"][0];
        let as_of = time(&visits["data_as_of"]);
        assert!(before <= as_of && as_of < time(&visits["loaded_at"]), "{visits}");
        assert_eq!(status["disagreements"], Value::Array(Vec::new()));
        assert_eq!(status["in_progress"], Value::Null);
        assert_eq!(status["last_run"]["status"], "success");
        assert_eq!(status["last_run"]["tables_ok"], 1);

        trio.sql_target("UPDATE raw.etl_load_status SET data_as_of = now() - interval '30 hours'");
        let done = etl.exits(1, &["status", "--stale", "26h"]);
        assert!(done.stdout.contains("ok, stale  30 h ago"), "{}", done.stdout);
        etl.ok(&["status", "--stale", "31h"]);
        etl.ok(&["status"]);
    }
}

/// A load that comes later than its copy does not make the data younger.
#[test]
fn a_later_load_does_not_make_the_copy_younger() {
    let trio = Trio::new("status_later");
    table(&trio, "visits", "InnoDB", 10);
    let etl = Etl::new(&trio);
    etl.ok(&["replicate"]);
    let copied = jiff::Timestamp::now();
    etl.ok(&["load"]);
    let status = json(&etl.ok(&["status", "--json"]));
    assert!(time(&status["tables"][0]["data_as_of"]) < copied);
}

#[test]
fn a_failed_table_is_not_well_but_its_data_may_be_young_enough() {
    let trio = Trio::new("status_failed");
    table(&trio, "visits", "InnoDB", 10);
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target("ALTER TABLE raw.visits SET UNLOGGED");
    etl.exits(1, &["run"]);
    let done = etl.exits(1, &["status"]);
    assert!(done.stdout.contains("s ago: failed; 0 ok, 1 failed"), "{}", done.stdout);
    etl.ok(&["status", "--stale", "1h"]);
    etl.exits(1, &["status", "visits", "unheard_of", "--stale", "1h"]);
}

#[test]
fn disagreements_are_said_with_what_the_next_run_does() {
    let trio = Trio::new("status_disagreement");
    for name in ["gone", "newer"] {
        table(&trio, name, "InnoDB", 10);
    }
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target("DROP TABLE raw.gone; CREATE TABLE raw.of_somebody_else (id int)");
    etl.ok(&["replicate", "newer"]);
    let status = json(&etl.exits(1, &["status", "--json"]));
    let found = status["disagreements"].as_array().unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0], "`gone` is gone from the target: it is loaded in full");
    assert!(found[1].as_str().unwrap().starts_with("`newer` was loaded from the copy "));
    let only = json(&etl.exits(1, &["status", "newer", "--json"]));
    assert_eq!(only["disagreements"].as_array().unwrap().len(), 1);
    etl.ok(&["run"]);
    let done = etl.ok(&["status"]);
    assert!(!done.stdout.contains("disagree"), "{}", done.stdout);
}

/// What a run has under way is no disagreement while it lives, and is one when it was killed.
#[test]
fn a_run_in_progress_is_told_from_one_that_died() {
    let trio = Trio::new("status_progress");
    table(&trio, "visits", "MyISAM", 20_000);
    let slow = "[source]\nmax_rows_per_second = 10\n";
    let etl = Etl::with(&trio.settings_toml().replacen("[source]\n", slow, 1));
    let mut child = etl.start(&["run"]);
    let patience = Instant::now() + Duration::from_secs(30);
    let status = loop {
        let done = etl.run(&["status", "--json"]);
        if done.code == Some(1) && done.stdout.contains("\"unfinished\"") {
            let status = json(&done);
            // It may have met the run while that made its tables.
            if !status["last_run"].is_null() {
                break status;
            }
        }
        assert!(Instant::now() < patience, "{}{}", done.stdout, done.stderr);
    };
    assert!(status["in_progress"].as_str().unwrap().starts_with("run "), "{status}");
    assert_eq!(status["disagreements"], Value::Array(Vec::new()));
    assert_eq!(status["last_run"]["status"], "running");
    child.kill().unwrap();
    child.wait().unwrap();
    loop {
        let status = json(&etl.exits(1, &["status", "--json"]));
        // The server may take a moment to find its client gone.
        if status["in_progress"].is_null() {
            let sentence = status["disagreements"][0].as_str().unwrap();
            assert!(sentence.contains("was interrupted before its swap"), "{sentence}");
            break;
        }
        assert!(Instant::now() < patience, "{status}");
    }
}
