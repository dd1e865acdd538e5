//! The tables are made once, and never taken from anybody.

use super::{Pipeline, T, Way, chain};
use handoff_connect::{MyPool, PgPool, PoolOptions, Side};
use handoff_model::TablePhase;
use handoff_settings::{MySqlServer, PgServer};
use handoff_testbed::{Account, Trio};
use handoff_tracking::{AttemptStatus, Tracker, TrackingError};
use mysql::prelude::Queryable;
use std::thread;

#[test]
fn tables_are_made_once_and_then_need_no_right_to_make_any() {
    let trio = Trio::new("tracking made once");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    tracker.failed(&T, TablePhase::Copy, AttemptStatus::Failed, "kept").unwrap();

    let clerk = Account { user: "clerk".into(), password: "c1e7c".into() };
    let rights = "SELECT, INSERT, UPDATE, DELETE";
    trio.replica_server().create_account(&clerk, rights, &trio.replica_name()).unwrap();
    trio.sql_target("ALTER SCHEMA raw OWNER TO CURRENT_USER; GRANT USAGE ON SCHEMA raw TO etl");
    let options = PoolOptions { size: 2, ..PoolOptions::default() };
    let url = trio.replica_server().url_as(&clerk, &trio.replica_name());
    let replica = MySqlServer::from_url(&url).unwrap();
    let replica = MyPool::open(&replica, Side::Replica, &options).unwrap();
    let target = PgServer::from_url(&trio.target_url()).unwrap();
    let target = PgPool::open(&target, &options).unwrap();
    let again = Tracker::open(options.run, Some(replica), target, "raw").unwrap();
    assert_eq!(super::copy(&again).error.as_deref(), Some("kept"));
    again.failed(&T, TablePhase::Load, AttemptStatus::Failed, "written").unwrap();
    assert_eq!(super::load(&tracker).error.as_deref(), Some("written"));
}

#[test]
fn runs_that_start_at_the_same_moment_make_one_set_of_tables() {
    let trio = Trio::new("tracking at once");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let pipelines: Vec<_> = (0..4).map(|_| pipeline.again()).collect();
    thread::scope(|scope| {
        let opening: Vec<_> =
            pipelines.iter().map(|pipeline| scope.spawn(|| pipeline.open())).collect();
        for opened in opening {
            opened.join().unwrap();
        }
    });
}

#[test]
fn a_table_without_transactions_is_refused() {
    let trio = Trio::new("tracking engine");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    pipeline.open();
    let engine: Option<String> = trio
        .replica()
        .query_first(
            "SELECT ENGINE FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'etl_copy_status'",
        )
        .unwrap();
    assert_eq!(engine.as_deref(), Some("InnoDB"));

    trio.sql_replica("ALTER TABLE etl_copy_status ENGINE=MyISAM");
    check_refused(
        &pipeline,
        &format!(
            "`etl_copy_status` in the replica ({}) is a table of MyISAM, which has no \
             transactions: run ALTER TABLE etl_copy_status ENGINE=InnoDB",
            trio.replica_name()
        ),
    );
}

#[test]
fn tables_of_our_name_that_are_not_ours_are_refused_and_nothing_is_made() {
    let trio = Trio::new("tracking not ours");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    trio.sql_replica("CREATE TABLE etl_copy_status (id INT)");
    check_refused(
        &pipeline,
        &format!(
            "`etl_copy_status` in the replica ({}) is not Handoff's tracking table (it has no \
             column layout_version): rename it, or give the replica a database or schema of its \
             own",
            trio.replica_name()
        ),
    );
    trio.sql_replica("DROP TABLE etl_copy_status");
    trio.sql_target("CREATE VIEW raw.etl_runs AS SELECT 1 AS layout_version");
    check_refused(
        &pipeline,
        "`etl_runs` in the target (raw) is not Handoff's tracking table (it is no table): rename \
         it, or give the target a database or schema of its own",
    );
    let made: Option<String> = trio.replica().query_first("SHOW TABLES").unwrap();
    assert_eq!(made, None);
    assert_eq!(pipeline.ask("to_regclass('raw.etl_load_status')"), None);
}

#[test]
fn another_layout_is_refused_on_both_sides() {
    let trio = Trio::new("tracking layout");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    pipeline.open();
    let expected = |table: &str, place: &str| {
        format!(
            "`{table}` in the {place} has layout 7, and this version of Handoff knows layout 1: \
             use the version that made it, or drop the table, after which every table has to be \
             adopted (`etl run TABLE --adopt`)"
        )
    };
    trio.sql_target("ALTER TABLE raw.etl_load_status ALTER layout_version SET DEFAULT 7");
    check_refused(&pipeline, &expected("etl_load_status", "target (raw)"));
    trio.sql_target("ALTER TABLE raw.etl_load_status ALTER layout_version SET DEFAULT 1");
    trio.sql_replica("ALTER TABLE etl_copy_status ALTER layout_version SET DEFAULT 7");
    let place = format!("replica ({})", trio.replica_name());
    check_refused(&pipeline, &expected("etl_copy_status", &place));
}

#[test]
fn reading_only_makes_nothing_and_finds_nothing() {
    let trio = Trio::new("tracking read only");
    for way in [Way::ThroughReplica, Way::Direct] {
        let pipeline = Pipeline::new(&trio, way);
        let tracker = pipeline.open_read_only();
        assert!(tracker.states().unwrap().is_empty());
        let error = tracker.failed(&T, TablePhase::Load, AttemptStatus::Failed, "no").unwrap_err();
        assert!(matches!(error, TrackingError::ReadOnly), "{error}");
        let made: Option<String> = trio.replica().query_first("SHOW TABLES").unwrap();
        assert_eq!(made, None);
        assert_eq!(pipeline.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'raw'"), zero());
    }
    // What is there is read.
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    pipeline.open().failed(&T, TablePhase::Copy, AttemptStatus::Failed, "seen").unwrap();
    assert_eq!(super::copy(&pipeline.open_read_only()).error.as_deref(), Some("seen"));
}

#[test]
fn a_row_that_means_nothing_is_named() {
    let trio = Trio::new("tracking bad row");
    let pipeline = Pipeline::new(&trio, Way::ThroughReplica);
    let tracker = pipeline.open();
    tracker.failed(&T, TablePhase::Load, AttemptStatus::Failed, "x").unwrap();
    trio.sql_target("UPDATE raw.etl_load_status SET status = 'fine'");
    assert_eq!(
        chain(&tracker.states().unwrap_err()),
        "`etl_load_status`, row `Procedure `log` \"ü\"`: the column status cannot be read"
    );
}

fn zero() -> Option<String> {
    Some("0".to_owned())
}

#[track_caller]
fn check_refused(pipeline: &Pipeline<'_>, expected: &str) {
    match pipeline.try_open() {
        Ok(_) => panic!("the tables were taken"),
        Err(error) => assert_eq!(chain(&error), expected),
    }
}
