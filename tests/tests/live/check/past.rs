//! Other runs, and what earlier ones left.

use super::{State, expect, fine, odd, settings};
use handoff_connect::{MyPool, PgPool, PoolOptions, Side};
use handoff_model::CopyId;
use handoff_pipeline::{CheckSubject as S, CheckVerdict, Pipeline, RunOptions, check};
use handoff_testbed::Trio;
use handoff_tracking::{LockWait, Tracker};

#[test]
fn a_run_in_progress_is_named() {
    let trio = Trio::new("check lock");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    trio.sql_target("CREATE SCHEMA raw AUTHORIZATION etl");
    let settings = settings(&trio);
    let options = PoolOptions { size: 3, ..PoolOptions::default() };
    let replica =
        MyPool::open(settings.replica.as_ref().unwrap(), Side::Replica, &options).unwrap();
    let target = PgPool::open(&settings.target.server, &options).unwrap();
    let tracker = Tracker::open(options.run, Some(replica), target, "raw").unwrap();
    let lock = tracker.lock(LockWait::No).unwrap();
    let report = check(&settings);
    assert!(!report.ok);
    for side in [Side::Replica, Side::Target] {
        let finding = odd(&report, side, S::Lock);
        expect(
            finding,
            CheckVerdict::Fault,
            "another run holds the lock on the ",
            &["etl run --wait"],
        );
    }
    let target = odd(&report, Side::Target, S::Lock);
    assert!(target.what.contains(&options.run.to_string()), "{target:?}");
    drop(lock);
    fine(&check(&settings), Side::Target, S::Lock);
}

#[test]
fn tables_that_are_not_ours_stand_in_the_way() {
    let trio = Trio::new("check adopt");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY); CREATE TABLE `pay plan` (id INT)");
    trio.sql_replica("CREATE TABLE patient (id INT PRIMARY KEY); CREATE TABLE other (id INT)");
    trio.sql_target(
        "CREATE SCHEMA raw AUTHORIZATION etl; CREATE TABLE raw.patient (id int); \
         CREATE TABLE raw.\"pay plan\" (id int); ALTER TABLE raw.patient OWNER TO etl; \
         ALTER TABLE raw.\"pay plan\" OWNER TO etl",
    );
    let before = State::of(&trio);
    let report = check(&settings(&trio));
    assert_eq!(State::of(&trio), before);
    let replica = odd(&report, Side::Replica, S::Tracking);
    expect(replica, CheckVerdict::Fault, "`patient`", &["etl run patient --adopt"]);
    let target = odd(&report, Side::Target, S::Tracking);
    expect(target, CheckVerdict::Fault, "`pay plan`", &["etl run 'pay plan' --adopt"]);
    // It has no key, so that taking it over would fail.
    let aside = "ALTER TABLE \"raw\".\"patient\" RENAME TO \"patient_before_handoff\"";
    let unfit = odd(&report, Side::Target, S::Tables);
    expect(
        unfit,
        CheckVerdict::Fault,
        "nor can it be taken over: the primary key is none",
        &[aside],
    );
}

#[test]
fn a_tracking_table_of_somebody_else_is_refused() {
    let trio = Trio::new("check layout");
    trio.sql_target(
        "CREATE SCHEMA raw AUTHORIZATION etl; CREATE TABLE raw.etl_load_status (a int); \
         ALTER TABLE raw.etl_load_status OWNER TO etl",
    );
    let report = check(&settings(&trio));
    let finding = odd(&report, Side::Target, S::Tracking);
    expect(finding, CheckVerdict::Fault, "is not Handoff's tracking table", &[]);
}

#[test]
fn leftovers_are_counted_and_left_where_they_are() {
    let trio = Trio::new("check left");
    let copy = CopyId::new();
    trio.sql_replica(&format!(
        "CREATE TABLE __handoff_new_{copy} (a INT); CREATE TABLE __handoff_old_{copy} (a INT); \
         CREATE TABLE __handoff_keys_{copy} (a INT)"
    ));
    trio.sql_target(&format!(
        "CREATE SCHEMA raw AUTHORIZATION etl; CREATE TABLE raw.__handoff_{copy} (a int)"
    ));
    let before = State::of(&trio);
    let report = check(&settings(&trio));
    assert_eq!(State::of(&trio), before);
    assert!(report.ok);
    let replica = odd(&report, Side::Replica, S::Leftovers);
    expect(replica, CheckVerdict::Warning, "an interrupted run left 3 tables", &[]);
    let target = odd(&report, Side::Target, S::Leftovers);
    expect(target, CheckVerdict::Warning, "an interrupted run left 1 table", &[]);
}

#[test]
fn what_a_run_has_carried_is_known() {
    let trio = Trio::new("check carried");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY); INSERT INTO patient VALUES (1)");
    // Longer than PostgreSQL's names, with letters of two bytes.
    let long = "ä".repeat(40);
    trio.sql_source(&format!("CREATE TABLE `{long}` (id INT PRIMARY KEY)"));
    let settings = settings(&trio);
    let run = Pipeline::new(settings.clone()).run(&RunOptions::default()).unwrap();
    assert!(run.ok, "{run:?}");
    let report = check(&settings);
    let odd: Vec<_> =
        report.findings.iter().filter(|found| found.verdict != CheckVerdict::Ok).collect();
    assert!(odd.is_empty(), "{odd:#?}");
    let known = |found: &&handoff_pipeline::CheckFinding| found.subject == S::Tracking;
    let tracking = report.findings.iter().find(known).unwrap();
    assert_eq!(tracking.what, "2 tables known from earlier runs");
}
