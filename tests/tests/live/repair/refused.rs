//! What is not mended, and why.

use super::{of, repair};
use crate::diff::is_equal;
use crate::verify::{carry, settings};
use handoff_model::TableName;
use handoff_pipeline::{Error, Pipeline, RepairRequest, RepairStatus, RepairWay, SessionError};
use handoff_settings::Settings;
use handoff_testbed::Trio;

fn start(test: &str) -> (Trio, Settings) {
    let trio = Trio::new(test);
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT) ENGINE=MyISAM;
         INSERT INTO t SELECT seq, 0 FROM seq_1_to_100;
         CREATE TABLE heap (a INT); INSERT INTO heap SELECT seq FROM seq_1_to_10",
    );
    let settings = settings(&trio);
    carry(&settings);
    (trio, settings)
}

fn tables(names: &[&str]) -> RepairRequest {
    let tables = names.iter().map(|name| TableName::new(name).unwrap()).collect();
    RepairRequest { tables, ..RepairRequest::default() }
}

#[test]
fn no_more_is_deleted_than_is_allowed() {
    let (trio, settings) = start("repair guard");
    trio.sql_target("INSERT INTO raw.t SELECT -n, 0 FROM generate_series(1, 30) n");
    for dry_run in [true, false] {
        let report = repair(&settings, &RepairRequest { dry_run, ..tables(&["t"]) });
        let table = of(&report, "t");
        assert_eq!((report.ok, table.status), (false, RepairStatus::Failed));
        assert_eq!(
            table.error.as_deref().unwrap(),
            "30 of the 130 rows of `t` in the target are not in the source, more than the 20 % that \
             max_delete_percent allows to delete: if they are to go, run `etl repair t \
             --max-delete-percent 100`"
        );
        assert_eq!(trio.rows("t").len(), 130);
    }
    let more = RepairRequest { max_delete_percent: Some(24), ..tables(&["t"]) };
    assert!(repair(&settings, &more).ok);
    is_equal(&settings);
}

#[test]
fn only_what_a_copy_would_lose_is_counted() {
    let (trio, settings) = start("repair guard sides");
    let allows = |percent| RepairRequest { max_delete_percent: Some(percent), ..tables(&["t"]) };
    // The target has rows that the replica lost, and loses none of them.
    trio.sql_replica("DELETE FROM t WHERE id > 50");
    let report = repair(&settings, &allows(0));
    assert!(report.ok, "{report:#?}");
    // What both have too many, and what the target has beside that, goes from the target.
    trio.sql_replica("INSERT INTO t SELECT -seq, 0 FROM seq_1_to_25");
    trio.sql_target("INSERT INTO raw.t SELECT -n, 0 FROM generate_series(1, 50) n");
    for percent in [20, 33] {
        let report = repair(&settings, &allows(percent));
        let error = of(&report, "t").error.as_deref().unwrap();
        assert!(error.starts_with("50 of the 150 rows of `t` in the target"), "{error}");
    }
    assert!(repair(&settings, &allows(34)).ok);
    is_equal(&settings);
}

#[test]
fn a_dry_run_writes_nothing() {
    let (trio, settings) = start("repair dry");
    trio.sql_target("DELETE FROM raw.t WHERE id = 5; DELETE FROM raw.heap WHERE a = 1");
    trio.sql_replica("UPDATE t SET a = 1 WHERE id IN (5, 6)");
    trio.sql_source("CREATE TABLE extra (id INT PRIMARY KEY)");
    let before = state(&trio);
    let report = repair(&settings, &RepairRequest { dry_run: true, ..RepairRequest::default() });
    assert!(!report.ok && report.dry_run);
    assert_eq!(state(&trio), before);
    let t = of(&report, "t");
    assert_eq!((t.status, t.way), (RepairStatus::ToRepair, Some(RepairWay::Rows)));
    assert_eq!((t.before[0].stale, t.before[1].missing, t.before[1].stale), (2, 1, 1));
    assert_eq!(of(&report, "heap").way, Some(RepairWay::FullCopy));
    let extra = of(&report, "extra");
    let error = extra.error.as_deref().unwrap();
    assert_eq!(error, "the replica has no table `extra`: run `etl run extra`");
    assert!(t.copy.is_none() && t.load.is_none());
}

/// Everything that a repair could write: the rows, and what is tracked.
fn state(trio: &Trio) -> Vec<String> {
    let mut state: Vec<String> = Vec::new();
    for table in ["t", "heap", "etl_load_status", "etl_runs"] {
        state.push(format!("{:?}", trio.rows(table)));
    }
    for table in ["t", "heap", "etl_copy_status"] {
        let ask = format!("CHECKSUM TABLE {table} EXTENDED");
        let sum: Vec<mysql::Row> =
            mysql::prelude::Queryable::query(&mut trio.replica(), ask).unwrap();
        state.push(format!("{sum:?}"));
    }
    state
}

#[test]
fn a_table_that_never_arrived_or_was_altered_is_refused_with_the_remedy() {
    let (trio, settings) = start("repair refused");
    trio.sql_source("CREATE TABLE extra (id INT PRIMARY KEY); ALTER TABLE t ADD b INT");
    let report = repair(&settings, &RepairRequest::default());
    assert!(!report.ok);
    let error = |table| of(&report, table).error.as_deref().unwrap();
    assert_eq!(
        error("extra"),
        "`extra` never arrived in full, so there is nothing to repair: run `etl run extra`"
    );
    assert_eq!(
        error("t"),
        "the target table \"raw\".\"t\" cannot be loaded: the column \"b\" is missing: run ALTER TABLE \
         \"raw\".\"t\" ADD COLUMN \"b\" integer and then `etl run t --full`, or put it aside and it is \
         loaded afresh: ALTER TABLE \"raw\".\"t\" RENAME TO \"t_before_handoff\""
    );
    assert_eq!(of(&report, "heap").status, RepairStatus::Equal);
    trio.sql_replica("ALTER TABLE heap ADD UNIQUE KEY (a), MODIFY a INT NOT NULL");
    let report = repair(&settings, &tables(&["heap"]));
    assert_eq!(
        of(&report, "heap").error.as_deref().unwrap(),
        "`heap` cannot be compared with the replica: the key is (`a`), not none; run `etl run heap \
         --full`"
    );
    let unknown = Pipeline::new(settings).repair(&tables(&["nobody"])).unwrap_err();
    assert!(matches!(unknown, Error::Session(SessionError::UnknownTables { .. })), "{unknown}");
}

#[test]
fn unique_values_that_wandered_find_back() {
    let trio = Trio::new("repair collides");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, u INT, UNIQUE KEY (u)) ENGINE=MyISAM;
         INSERT INTO t SELECT seq, seq FROM seq_1_to_100",
    );
    let settings = settings(&trio);
    carry(&settings);
    trio.sql_target("CREATE UNIQUE INDEX ON raw.t (u)");
    // Every value has wandered to another row, here and there in different ways.
    trio.sql_replica("UPDATE t SET u = -u; UPDATE t SET u = -u % 5 + 1 WHERE id <= 5");
    trio.sql_target(
        "UPDATE raw.t SET u = -u WHERE id IN (1, 2); UPDATE raw.t SET u = 3 - id WHERE id < 3",
    );
    let report = repair(&settings, &RepairRequest::default());
    assert!(report.ok, "{report:#?}");
    assert_eq!(of(&report, "t").way, Some(RepairWay::Rows));
    is_equal(&settings);
}

#[test]
fn no_watermark_is_moved_by_a_repair() {
    let trio = Trio::new("repair marks");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (s));
         INSERT INTO t SELECT seq, '2024-01-01' FROM seq_1_to_100",
    );
    let mut settings = settings(&trio);
    let table = settings.tables.entry(TableName::new("t").unwrap()).or_default();
    table.extraction = Some(handoff_model::Extraction::Incremental);
    table.watermark = vec![handoff_model::ColumnName::new("s").unwrap()];
    carry(&settings);
    let marks = || {
        let ask = "SELECT (watermark->0->'watermark')::text FROM raw.etl_load_status \
                   WHERE table_name = 't'";
        let load: Option<String> = trio.target().query_one(ask, &[]).unwrap().get(0);
        let ask = "SELECT JSON_EXTRACT(watermark, '$[0].watermark') FROM etl_copy_status \
                   WHERE table_name = 't'";
        let copy: Option<String> =
            mysql::prelude::Queryable::query_first(&mut trio.replica(), ask).unwrap().unwrap();
        (copy.unwrap(), load.unwrap())
    };
    let before = marks();
    trio.sql_source("INSERT INTO t (id) VALUES (200)");
    trio.sql_replica("DELETE FROM t WHERE id = 7");
    let report = repair(&settings, &RepairRequest::default());
    assert!(report.ok, "{report:#?}");
    assert_eq!(marks(), before);
    trio.sql_source("INSERT INTO t (id) VALUES (201)");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    crate::diff::moved(&crate::diff::run_t(&settings), "incremental", "watermark", (1, 0, 0));
    is_equal(&settings);
}
