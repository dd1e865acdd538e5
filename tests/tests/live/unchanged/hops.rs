//! What is left to do where one hop was made and the other was not.

use super::{ISAM, TWO_HOURS, arrived, carried, is_left_alone, written};
use crate::incremental::Rig;

#[test]
fn what_was_copied_and_not_loaded_is_loaded() {
    let rig = Rig::new("same copied", ISAM, "");
    written(&rig.trio, "MYD", TWO_HOURS);
    rig.run(&["replicate"]);
    let table = rig.moves("full_table", "copied_not_loaded", 2);
    assert!(table["copy"].is_null(), "{table}");
    assert_eq!(table["load"]["rows_inserted"], 2, "{table}");
    is_left_alone(&rig);
    assert_eq!(rig.run(&["replicate"])["plan"]["reason"], "unchanged");
}

#[test]
fn a_later_copy_than_the_one_that_was_loaded_is_loaded() {
    let rig = carried("same later");
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    written(&rig.trio, "MYD", TWO_HOURS / 3 * 2);
    rig.run(&["replicate"]);
    let table = rig.moves("full_table", "copied_not_loaded", 2);
    assert!(table["copy"].is_null(), "{table}");
    assert_eq!(arrived(&rig), "10");
    is_left_alone(&rig);
}

#[test]
fn what_changed_since_it_was_copied_is_copied_again() {
    let rig = Rig::new("same stale copy", ISAM, "");
    written(&rig.trio, "MYD", TWO_HOURS);
    rig.run(&["replicate"]);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    let table = rig.moves("full_table", "first_run", 2);
    assert_eq!(table["copy"]["rows_copied"], 2, "{table}");
    assert_eq!(arrived(&rig), "10");
}

#[test]
fn a_target_table_that_is_gone_is_loaded_from_the_copy() {
    let rig = carried("same gone");
    rig.trio.sql_target("DROP TABLE raw.t");
    let table = rig.moves("full_table", "copied_not_loaded", 2);
    assert!(table["copy"].is_null(), "{table}");
    assert_eq!(rig.trio.rows("t").len(), 2);
    is_left_alone(&rig);
}

#[test]
fn a_replica_table_that_is_gone_is_copied() {
    let rig = carried("same gone replica");
    rig.trio.sql_replica("DROP TABLE t");
    let table = rig.moves("full_table", "configured", 2);
    assert_eq!(table["copy"]["rows_copied"], 2, "{table}");
    is_left_alone(&rig);
}

#[test]
fn changed_rows_that_were_moved_and_counted_are_not_looked_for_again() {
    let source = "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME NOT NULL, KEY (s)) \
                  ENGINE=MyISAM; INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02')";
    let rig = Rig::new("same counted", source, crate::incremental::BY_S);
    rig.moves("full_table", "first_run", 2);
    rig.trio.sql_source("INSERT INTO t VALUES (3, 3, '2024-01-03')");
    written(&rig.trio, "MYD", TWO_HOURS);
    rig.moves("incremental", "watermark", 2);
    let table = rig.moves("incremental", "unchanged", 0);
    assert!(table["proof"].is_null(), "the source was asked: {table}");
    rig.trio.sql_target("UPDATE raw.etl_load_status SET source_rows = NULL, target_rows = NULL");
    rig.moves("incremental", "watermark", 1);
    rig.trio.sql_source("INSERT INTO t VALUES (4, 4, '2024-01-04')");
    rig.moves("incremental", "watermark", 2);
    rig.is_equal();
}

/// It begins as a full copy, and is one again where the target lacks it.
#[test]
fn an_incremental_table_that_was_copied_and_not_loaded_is_loaded_whole() {
    let source = "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME NOT NULL, KEY (s)) \
                  ENGINE=MyISAM; INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02')";
    let rig = Rig::new("same incremental", source, crate::incremental::BY_S);
    written(&rig.trio, "MYD", TWO_HOURS);
    rig.run(&["replicate"]);
    let table = rig.moves("full_table", "copied_not_loaded", 2);
    assert!(table["copy"].is_null(), "{table}");
    rig.moves("incremental", "unchanged", 0);
    rig.trio.sql_source("INSERT INTO t VALUES (3, 3, '2024-01-03')");
    rig.moves("incremental", "watermark", 2);
    rig.is_equal();
}
