//! No table is started after `until`.

use super::{Call, run, settings, table, watched, with_status};
use crate::etl::Etl;
use handoff_model::RunEvent;
use handoff_pipeline::{Pipeline, RunOptions, TableStatus};
use handoff_testbed::Trio;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use std::sync::{Arc, Mutex};

fn at(time: &str) -> Zoned {
    time.parse::<DateTime>().unwrap().to_zoned(TimeZone::fixed(jiff::tz::offset(1))).unwrap()
}

#[test]
fn tables_under_way_finish_and_the_rest_is_for_the_next_run() {
    let trio = Trio::new("until");
    for (name, rows) in [("first", 3_000), ("second", 100), ("third", 10)] {
        table(&trio, name, "MyISAM", rows);
    }
    let toml = trio.settings_toml() + "[run]\njobs = 1\nuntil = \"05:30\"\n";
    // The night ends while the first table is copied.
    let clock = Arc::new(Mutex::new(at("2026-01-10T22:00")));
    let (hand, dial) = (Arc::clone(&clock), clock);
    let night_ends = Call(move |event: &RunEvent| {
        if matches!(event, RunEvent::PhaseStarted { .. }) {
            *hand.lock().unwrap() = at("2026-01-11T05:30");
        }
    });
    let report = run(&watched(&toml, night_ends).clock(move || dial.lock().unwrap().clone()));
    assert!(!report.ok && !report.cancelled);
    assert_eq!(with_status(&report, TableStatus::Ok), ["first"]);
    assert_eq!(with_status(&report, TableStatus::NotStarted), ["second", "third"]);
    let reason = "no table is started after 05:30 (until)";
    assert_eq!(report.tables[2].not_started_because.as_deref(), Some(reason));
    assert_eq!(report.conclusion(), "1 of 3 tables arrived, 2 not started");

    let lines = "SELECT table_name, status, error FROM raw.etl_runs ORDER BY table_name";
    let lines = trio.target().query(lines, &[]).unwrap();
    let text = |line: usize, column: usize| lines[line].get::<_, Option<String>>(column);
    assert_eq!(text(0, 1).as_deref(), Some("not_started"), "the run's own line");
    assert_eq!(text(1, 1).as_deref(), Some("success"));
    assert_eq!(text(2, 1).as_deref(), Some("not_started"));
    assert_eq!(text(3, 2).as_deref(), Some(reason));

    let options = RunOptions { only_failed: true, ..RunOptions::default() };
    let rest = Pipeline::new(settings(&toml)).clock(|| at("2026-01-11T22:00")).run(&options);
    let rest = rest.unwrap();
    assert!(rest.ok);
    assert_eq!(with_status(&rest, TableStatus::Ok), ["second", "third"]);
}

/// A table that arrived in an earlier run is left over all the same if its turn did not come.
#[test]
fn a_known_table_that_was_not_started_is_left_over() {
    let trio = Trio::new("until_known");
    table(&trio, "known", "InnoDB", 10);
    let toml = trio.settings_toml() + "[run]\nuntil = \"05:30\"\n";
    let started = |time: &'static str| Pipeline::new(settings(&toml)).clock(move || at(time));
    let only_failed = RunOptions { only_failed: true, ..RunOptions::default() };
    assert!(run(&started("2026-01-10T22:00")).ok);
    assert!(started("2026-01-10T22:00").run(&only_failed).unwrap().tables.is_empty());

    let late = run(&started("2026-01-11T05:31"));
    assert_eq!(with_status(&late, TableStatus::NotStarted), ["known"]);
    let reason = late.tables[0].not_started_because.as_deref().unwrap();
    assert!(reason.starts_with("the run began at 05:31, after 05:30 (until)"), "{reason}");
    let again = started("2026-01-11T22:00").run(&only_failed).unwrap();
    assert_eq!(with_status(&again, TableStatus::Ok), ["known"]);
    assert!(started("2026-01-11T22:00").run(&only_failed).unwrap().tables.is_empty());
}

#[test]
fn a_run_that_comes_too_late_exits_1_and_says_so() {
    let trio = Trio::new("until_etl");
    table(&trio, "patient", "InnoDB", 10);
    let etl = Etl::new(&trio);
    let hour_ago = Zoned::now().checked_sub(1.hour()).unwrap().strftime("%H:%M").to_string();
    let done = etl.exits(1, &["run", "--until", &hour_ago]);
    let expected = "1 table not started: the run began at ";
    assert!(done.stdout.contains(expected), "{}", done.stdout);
    assert!(done.stdout.contains("0 of 1 table arrived, 1 not started"), "{}", done.stdout);
    let hour_on = Zoned::now().checked_add(1.hour()).unwrap().strftime("%H:%M").to_string();
    etl.ok(&["run", "--until", &hour_on]);
}
