//! When everything is moved all the same, and when nothing.

use super::{compared, is_equal, moved, run, run_t};
use crate::verify::{direct_settings, settings};
use handoff_pipeline::{Hops, Pipeline, Prove, RunOptions, Verdict};
use handoff_settings::Settings;
use handoff_testbed::{Trio, row};
use mysql::prelude::Queryable;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};

/// A table `t` of 1,000 rows that is compared, carried once.
fn start(test: &str, engine: &str) -> (Trio, Settings) {
    let trio = Trio::new(test);
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, u INT, a INT, UNIQUE KEY uni (u)) ENGINE={engine};
         INSERT INTO t SELECT seq, seq, 0 FROM seq_1_to_1000"
    ));
    let settings = compared(settings(&trio), &["t"]);
    moved(&run_t(&settings), "full_table", "first_run", (1_000, 0, 0));
    (trio, settings)
}

#[test]
fn unique_values_swap() {
    for engine in ["InnoDB", "MyISAM"] {
        let (trio, settings) = start("diff swap", engine);
        trio.sql_target("CREATE UNIQUE INDEX ON raw.t (u)");
        trio.sql_source(
            "UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2;
             UPDATE t SET u = 2 WHERE id = 1; DELETE FROM t WHERE id = 9;
             INSERT INTO t VALUES (2000, 9, 0)",
        );
        moved(&run_t(&settings), "diff", "compared", (1, 2, 1));
        is_equal(&settings);
    }
}

#[test]
fn no_more_is_deleted_than_is_allowed() {
    for direct in [false, true] {
        let (trio, mut settings) = start("diff guard", "InnoDB");
        if direct {
            settings.replica = None;
            settings = compared(direct_settings(&trio), &["t"]);
        }
        trio.sql_source("DELETE FROM t WHERE id > 790");
        let report = Pipeline::new(settings.clone()).run(&RunOptions::default()).unwrap();
        let side = if direct { "target" } else { "replica" };
        assert_eq!(
            report.tables[0].error.as_deref().unwrap(),
            format!(
                "210 of the 1000 rows of `t` in the {side} are not in the source, more than the 20 % \
                 that max_delete_percent allows to delete: if they are to go, run `etl run t \
                 --max-delete-percent 100`"
            )
        );
        assert_eq!(trio.rows("t").len(), 1_000);
        settings.run.max_delete_percent = 21;
        moved(&run_t(&settings), "full_table", "many_rows_differ", (0, 0, 210));
        is_equal(&settings);
    }
}

#[test]
fn where_much_differs_everything_is_moved() {
    let (trio, settings) = start("diff many", "MyISAM");
    trio.sql_source("UPDATE t SET a = 1 WHERE id <= 100");
    moved(&run_t(&settings), "diff", "compared", (0, 100, 0));
    trio.sql_source("UPDATE t SET a = 2 WHERE id <= 101");
    moved(&run_t(&settings), "full_table", "many_rows_differ", (0, 101, 0));
    is_equal(&settings);
}

#[test]
fn what_hop_2_is_behind_arrives_too() {
    let (trio, settings) = start("diff behind", "InnoDB");
    trio.sql_source("UPDATE t SET a = 1 WHERE id = 1; DELETE FROM t WHERE id = 2");
    let replicate = RunOptions { hops: Hops::Copy, ..RunOptions::default() };
    let report = Pipeline::new(settings.clone()).run(&replicate).unwrap();
    let copy = report.tables[0].copy.as_ref().unwrap();
    assert_eq!((copy.rows_copied, copy.rows_deleted), (1, 1));
    trio.sql_source("UPDATE t SET a = 1 WHERE id = 3");
    let table = run_t(&settings);
    moved(&table, "diff", "compared", (0, 2, 1));
    assert_eq!(table.load.as_ref().unwrap().rows_loaded, 999);
    is_equal(&settings);
    let load = RunOptions { hops: Hops::Load, ..RunOptions::default() };
    let report = Pipeline::new(settings).run(&load).unwrap();
    moved(&report.tables[0], "full_table", "nothing_to_compare_with", (0, 0, 0));
}

#[test]
fn a_row_that_only_the_target_lacks_is_proved_missing_and_brought() {
    let (trio, settings) = start("diff target", "InnoDB");
    trio.sql_target("DELETE FROM raw.t WHERE id = 5");
    trio.sql_source("UPDATE t SET a = 1 WHERE id = 1");
    // The row that was moved for itself is published with the others.
    moved(&run_t(&settings), "full_table", "rows_were_deleted", (1, 1, 0));
    trio.sql_target("UPDATE raw.t SET a = 7 WHERE id = 5");
    let options = RunOptions { prove: Prove::Rows, ..RunOptions::default() };
    let report = Pipeline::new(settings).run(&options).unwrap();
    moved(&report.tables[0], "full_table", "rows_differed", (0, 1, 0));
    assert!(report.ok && report.tables[0].is_proved(), "{report:#?}");
}

#[test]
fn asked_for_or_altered_tables_are_moved_in_full() {
    let (trio, settings) = start("diff full", "InnoDB");
    let full = RunOptions { full: true, ..RunOptions::default() };
    let report = Pipeline::new(settings.clone()).run(&full).unwrap();
    moved(&report.tables[0], "full_table", "asked", (0, 0, 0));
    trio.sql_source("ALTER TABLE t ADD b INT");
    trio.sql_target("ALTER TABLE raw.t ADD b INTEGER");
    moved(&run_t(&settings), "full_table", "schema_changed", (0, 0, 0));
    trio.sql_replica("ALTER TABLE t DROP PRIMARY KEY, MODIFY u INT NOT NULL, ADD PRIMARY KEY (u)");
    moved(&run_t(&settings), "full_table", "schema_changed", (0, 0, 0));
    trio.sql_source("UPDATE t SET b = 1 WHERE id = 4");
    moved(&run_t(&settings), "diff", "compared", (0, 1, 0));
    is_equal(&settings);
}

#[test]
fn no_watermark_is_lost_to_a_comparison() {
    let trio = Trio::new("diff marks");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (s));
         INSERT INTO t SELECT seq, '2024-01-01' FROM seq_1_to_100",
    );
    let mut by_s = settings(&trio);
    let table = by_s.tables.entry(handoff_model::TableName::new("t").unwrap()).or_default();
    table.extraction = Some(handoff_model::Extraction::Incremental);
    table.watermark = vec![handoff_model::ColumnName::new("s").unwrap()];
    let mut by_rows = compared(by_s.clone(), &["t"]);
    by_rows.tables.values_mut().for_each(|table| table.watermark.clear());
    run(&by_s);
    trio.sql_source("INSERT INTO t VALUES (200, '2020-01-01')");
    moved(&run_t(&by_rows), "diff", "compared", (1, 0, 0));
    trio.sql_source("INSERT INTO t (id) VALUES (201)");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    moved(&run_t(&by_s), "incremental", "watermark", (1, 0, 0));
    is_equal(&by_s);
}

#[test]
fn what_was_moved_is_proved_by_its_sums() {
    let (trio, settings) = start("diff sums", "InnoDB");
    trio.sql_source("UPDATE t SET a = 1 WHERE id < 5; DELETE FROM t WHERE id = 9");
    let table = run_t(&settings);
    moved(&table, "diff", "compared", (0, 4, 1));
    let proof = table.proof.unwrap();
    assert_eq!((proof.verdict, proof.counted), (Verdict::Equal, true));
    assert_eq!((proof.replica_rows, proof.target_rows), (Some(999), Some(999)));
    assert!(proof.source_sum.is_some() && proof.source_sum == proof.read_sum);
    assert_eq!(proof.read_sum.unwrap().rows, 4);
}

/// A row that never rests is found to move in every look, and would never be called stale.
#[test]
fn a_row_that_changes_all_the_time_is_brought_all_the_same() {
    let (trio, settings) = start("diff moving", "InnoDB");
    trio.sql_source("UPDATE t SET a = 1 WHERE id = 2");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut conn = trio.source();
            while !stop.load(Ordering::Relaxed) {
                conn.query_drop("UPDATE t SET a = a + 1 WHERE id = 1").unwrap();
            }
        });
        let report = Pipeline::new(settings.clone()).run(&RunOptions::default());
        stop.store(true, Ordering::Relaxed);
        let report = report.unwrap();
        let table = &report.tables[0];
        let plan = table.plan.as_ref().unwrap();
        assert_eq!(plan.extraction.name(), "diff", "{report:#?}");
        assert_eq!(table.copy.as_ref().unwrap().rows_updated, 2, "{report:#?}");
    });
    assert_ne!(trio.rows("t")[0], row!["1", "1", "0"]);
    run(&settings);
    is_equal(&settings);
}

/// A change that comes while rows are compared may have been missed, so the data is as old as that.
#[test]
fn the_data_is_as_old_as_the_comparison() {
    for direct in [false, true] {
        let (trio, mut settings) = start("diff age", "InnoDB");
        if direct {
            settings = compared(direct_settings(&trio), &["t"]);
        }
        trio.sql_source("UPDATE t SET a = 1 WHERE id = 1");
        // 1,000 rows take two seconds to be read.
        settings.max_rows_per_second = NonZeroU32::new(500);
        let report = run(&settings);
        let ask = "SELECT extract(epoch FROM data_as_of)::float8 FROM raw.etl_load_status \
                   WHERE table_name = 't'";
        let as_of: f64 = trio.target().query_one(ask, &[]).unwrap().get(0);
        let ended = report.finished_at.as_second() as f64;
        assert!(as_of < ended - 1.0, "{as_of} {ended}");
    }
}
