//! Hops that failed, and trackings that disagree.

use super::{BY_S, Rig, check};
use handoff_testbed::row;
use mysql::prelude::Queryable;

const STAMPED: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT, s TIMESTAMP NOT NULL \
     DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (s)); \
     INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02'), (3, 3, '2024-01-03')";

fn watermark(rig: &Rig) -> String {
    let mut replica = rig.trio.replica();
    replica.query_first("SELECT watermark FROM etl_copy_status").unwrap().unwrap()
}

/// Rows that were changed between a copy and its load reach the target with the next run.
#[test]
fn rows_changed_between_copy_and_load_arrive() {
    let rig = Rig::new("inc between", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    check(&rig.run(&["replicate"]), "incremental", "watermark");
    rig.trio.sql_source("UPDATE t SET v = 20 WHERE id = 2");
    let loaded = rig.run(&["load"]);
    check(&loaded, "incremental", "watermark");
    assert_eq!(loaded["load"]["rows_updated"], 1, "{loaded}");
    let table = rig.run(&["run"]);
    check(&table, "incremental", "watermark");
    assert_eq!(rig.trio.rows("t")[1][1].as_deref(), Some("20"));
    rig.is_equal();
}

/// One row to MySQL, and two to PostgreSQL; and one that somebody deleted.
#[test]
fn a_load_alone_counts_what_is_in_the_target() {
    let rig = Rig::new(
        "inc load counts",
        "CREATE TABLE t (id VARCHAR(9) COLLATE utf8mb4_general_ci PRIMARY KEY, s TIMESTAMP NOT NULL, \
         KEY (s)); INSERT INTO t VALUES ('abc', '2024-01-01'), ('b', '2024-01-02')",
        BY_S,
    );
    rig.moves("full_table", "first_run", 2);
    rig.trio.sql_source("UPDATE t SET id = 'ABC', s = NOW() WHERE id = 'abc'");
    check(&rig.run(&["replicate"]), "incremental", "watermark");
    let loaded = rig.run(&["load"]);
    check(&loaded, "full_table", "rows_were_deleted");
    assert_eq!(loaded["load"]["rows_deleted"], 1, "{loaded}");
    rig.trio.sql_target("DELETE FROM raw.t WHERE id = 'b'");
    check(&rig.run(&["load"]), "full_table", "rows_were_deleted");
    assert_eq!(rig.trio.rows("t").len(), 2);
    rig.is_equal();
}

/// Two copies whose loads failed: the window begins where the load is.
#[test]
fn a_load_that_lags_behind_loses_nothing() {
    let rig = Rig::new("inc lag", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    // Stamps of the past, and watermarks as if the runs had been then.
    rewind(&rig, "2024-01-10 00:00:00");
    rig.trio.sql_source("UPDATE t SET v = 10, s = '2024-02-01' WHERE id = 1");
    rig.run(&["replicate"]);
    rewind_copy(&rig, "2024-02-10 00:00:00");
    rig.trio.sql_source("UPDATE t SET v = 20, s = '2024-03-01' WHERE id = 2");
    let table = rig.run(&["run"]);
    check(&table, "incremental", "watermark");
    assert_eq!(table["load"]["rows_updated"], 2, "{table}");
    rig.is_equal();
}

#[test]
fn where_a_full_copy_is_outstanding_everything_is_loaded() {
    let rig = Rig::new("inc outstanding", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    // No window finds these.
    rig.trio.sql_source("UPDATE t SET v = 10, s = s WHERE id = 1; DELETE FROM t WHERE id = 3");
    rig.run(&["replicate", "--full"]);
    let table = rig.run(&["run"]);
    check(&table, "incremental", "watermark");
    assert_eq!(table["load"]["rows_deleted"], 1, "{table}");
    assert_eq!(table["load"]["rows_updated"], 1, "{table}");
    rig.is_equal();
}

#[test]
fn a_failed_copy_keeps_the_last_good_watermark() {
    let rig = Rig::new("inc failed", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    let before = watermark(&rig);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    rig.trio.sql_replica("RENAME TABLE t TO hidden");
    rig.trio.sql_replica("CREATE VIEW t AS SELECT * FROM hidden");
    rig.etl.exits(1, &["run"]);
    assert_eq!(watermark(&rig), before);
    rig.trio.sql_replica("DROP VIEW t");
    rig.trio.sql_replica("RENAME TABLE hidden TO t");
    let table = rig.run(&["run"]);
    check(&table, "incremental", "watermark");
    rig.is_equal();
}

#[test]
fn full_is_one_thing_in_both_hops() {
    let rig = Rig::new("inc full", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET v = 10, s = s WHERE id = 1");
    let table = rig.run(&["run", "--full"]);
    check(&table, "full_table", "asked");
    assert_eq!(table["plan"]["force_full_applied"], true, "{table}");
    assert_eq!(table["copy"]["rows_copied"], 3, "{table}");
    assert_eq!(table["load"]["rows_loaded"], 3, "{table}");
    rig.is_equal();
}

#[test]
fn a_structure_that_changed_is_moved_in_full_and_a_value_that_changed_is_not() {
    let rig = Rig::new("inc schema", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("ALTER TABLE t MODIFY v BIGINT");
    rig.trio.sql_target("ALTER TABLE raw.t ALTER COLUMN v TYPE bigint");
    let table = rig.run(&["run"]);
    check(&table, "full_table", "schema_changed");
}

#[test]
fn a_target_table_that_is_gone_is_loaded_in_full() {
    let rig = Rig::new("inc gone", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_target("DROP TABLE raw.t");
    rig.moves("full_table", "no_usable_watermark", 3);
    assert_eq!(rig.trio.rows("t").len(), 3);
    rig.is_equal();
}

#[test]
fn rows_that_somebody_took_from_the_target_come_back() {
    let rig = Rig::new("inc tampered", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_target("DELETE FROM raw.t WHERE id = 1");
    rig.moves("full_table", "rows_were_deleted", 3);
    assert_eq!(rig.trio.rows("t")[0][..2], row!["1", "1"][..]);
}

fn rewind_copy(rig: &Rig, to: &str) {
    rig.trio.sql_replica(&format!(
        "UPDATE etl_copy_status SET watermark = \
         JSON_SET(watermark, '$[0].watermark.value', '{to}')"
    ));
}

fn rewind(rig: &Rig, to: &str) {
    rewind_copy(rig, to);
    rig.trio.sql_target(&format!(
        "UPDATE raw.etl_load_status SET watermark = \
         jsonb_set(watermark, '{{0,watermark,value}}', '\"{to}\"')"
    ));
}
