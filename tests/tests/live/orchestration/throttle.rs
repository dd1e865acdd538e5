//! `max_rows_per_second`. A lower bound of the time is asserted, never an upper one.

use super::{Call, cancelled_by, run, settings, table, watched, with_status};
use handoff_model::{CancelToken, RunEvent};
use handoff_pipeline::{Pipeline, TableStatus};
use handoff_testbed::Trio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

fn throttled(toml: &str, rows: u32) -> String {
    toml.replacen("[source]\n", &format!("[source]\nmax_rows_per_second = {rows}\n"), 1)
}

/// Two tables of 1,500 rows at 2,000 rows a second, side by side.
#[track_caller]
fn check(trio: &Trio, toml: &str, engine: &str) {
    table(trio, "left_hand", engine, 1_500);
    table(trio, "right_hand", engine, 1_500);
    let began = Instant::now();
    let report = run(&Pipeline::new(settings(&throttled(toml, 2_000))));
    let took = began.elapsed();
    assert!(report.ok, "{}", report.conclusion());
    assert_eq!(trio.rows("left_hand").len(), 1_500);
    // A quarter of a second may have been saved up before the first row.
    assert!(took >= Duration::from_millis(1_250), "{took:?}");
    let slept: u64 = report
        .tables
        .iter()
        .map(|table| match (&table.copy, &table.load) {
            (Some(copy), _) => copy.performance.throttle_ms,
            (None, load) => load.as_ref().unwrap().performance.throttle_ms,
        })
        .sum();
    assert!(slept > 0);
    if let Some(copy) = &report.tables[0].copy {
        assert_ne!(copy.strategy_used, "insert_select");
        assert_eq!(report.tables[0].load.as_ref().unwrap().performance.throttle_ms, 0);
    }
}

#[test]
fn hop_1_of_innodb() {
    let trio = Trio::new("throttle_innodb");
    check(&trio, &trio.settings_toml(), "InnoDB");
}

#[test]
fn hop_1_of_myisam() {
    let trio = Trio::new("throttle_myisam");
    check(&trio, &trio.settings_toml(), "MyISAM");
}

#[test]
fn a_direct_load_of_innodb() {
    let trio = Trio::new("throttle_direct");
    check(&trio, &trio.direct_settings_toml(), "InnoDB");
}

#[test]
fn a_direct_load_of_myisam() {
    let trio = Trio::new("throttle_direct_myisam");
    check(&trio, &trio.direct_settings_toml(), "MyISAM");
}

/// Without an end to the waiting either run would take more than an hour.
#[test]
fn writers_of_a_throttled_myisam_table_do_not_wait_and_a_stop_is_heeded_at_once() {
    let trio = Trio::new("throttle_lock");
    for (name, engine) in [("clerks", "MyISAM"), ("doctors", "InnoDB")] {
        table(&trio, name, engine, 40_000);
    }
    for toml in [trio.settings_toml(), trio.direct_settings_toml()] {
        let toml = throttled(&toml, 10) + "[run]\njobs = 2\n";
        let (tell, told) = mpsc::channel();
        let begun = Call(move |event: &RunEvent| {
            if matches!(event, RunEvent::PhaseStarted { .. }) {
                let _ = tell.send(());
            }
        });
        let (pipeline, cancel): (Pipeline, CancelToken) = cancelled_by(watched(&toml, begun));
        let report = std::thread::scope(|scope| {
            let running = scope.spawn(|| run(&pipeline));
            told.recv().unwrap();
            told.recv().unwrap();
            std::thread::sleep(Duration::from_millis(300));
            trio.sql_source("UPDATE clerks SET note = 'x' WHERE id = 1");
            cancel.cancel();
            running.join().unwrap()
        });
        assert_eq!(with_status(&report, TableStatus::Cancelled), ["clerks", "doctors"]);
        assert!(report.cancelled);
    }
}
