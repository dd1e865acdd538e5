//! Which rows are moved.

use super::{BY_S, Rig, check};
use handoff_testbed::row;

const STAMPED: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT, s TIMESTAMP NOT NULL \
     DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (s)); \
     INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02'), (3, 3, '2024-01-03')";

#[test]
fn changed_and_new_rows_are_moved_and_no_others() {
    let rig = Rig::new("inc changed", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET v = 20 WHERE id = 2; INSERT INTO t (id, v) VALUES (4, 4)");
    let table = rig.moves("incremental", "watermark", 2);
    assert_eq!(table["load"]["rows_inserted"], 1, "{table}");
    assert_eq!(table["load"]["rows_updated"], 1, "{table}");
    assert_eq!(table["proof"]["target_rows"], 4, "{table}");
    rig.is_equal();
}

#[test]
fn without_a_replica_the_same_rows_are_moved() {
    let rig = Rig::direct("inc direct", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET v = 20 WHERE id = 2; INSERT INTO t (id, v) VALUES (4, 4)");
    rig.moves("incremental", "watermark", 2);
    rig.is_equal();
}

#[test]
fn a_table_without_changes_is_left_alone() {
    let rig = Rig::new("inc nothing", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    // Its counts are not known yet.
    rig.moves("incremental", "watermark", 0);
    let table = rig.moves("incremental", "unchanged", 0);
    assert!(table["load"].is_null() && table["copy"].is_null(), "{table}");
    rig.trio.sql_source("UPDATE t SET v = 20 WHERE id = 2");
    rig.moves("incremental", "watermark", 1);
    rig.is_equal();
}

/// Two batches and two runs meet in one second.
#[test]
fn rows_with_the_stamp_of_the_last_run_are_found() {
    let rig = Rig::new("inc tie", STAMPED, BY_S);
    rig.trio.sql_source("INSERT INTO t VALUES (10, 1, NOW()), (11, 1, NOW())");
    rig.moves("full_table", "first_run", 5);
    rig.trio.sql_source(
        "INSERT INTO t SELECT 12, 1, s FROM t WHERE id = 10; \
         UPDATE t SET v = 2, s = s WHERE id = 11",
    );
    rig.moves("incremental", "watermark", 3);
    rig.is_equal();
}

#[test]
fn a_row_that_is_committed_late_is_found() {
    let rig = Rig::new("inc late", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.moves("incremental", "watermark", 0);
    // Stamped four minutes before the last run, and seen only now.
    rig.trio.sql_source("INSERT INTO t VALUES (4, 4, NOW() - INTERVAL 4 MINUTE)");
    rig.moves("incremental", "watermark", 1);
    rig.is_equal();
}

#[test]
fn rows_of_the_future_are_moved_every_time_and_hide_no_other() {
    let rig = Rig::new(
        "inc future",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME NOT NULL, KEY (s)); \
         INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2199-01-01')",
        BY_S,
    );
    rig.moves("full_table", "first_run", 2);
    rig.trio.sql_source("UPDATE t SET v = 3 WHERE id = 2; INSERT INTO t VALUES (3, 1, NOW())");
    // The row of the last watermark comes along.
    rig.moves("incremental", "watermark", 3);
    assert_eq!(rig.trio.rows("t")[1], row!["2", "3", "2199-01-01 00:00:00"]);
    rig.is_equal();
}

#[test]
fn rows_without_a_stamp_are_moved_every_time() {
    let rig = Rig::new(
        "inc null",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME, KEY (s)); \
         INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, NULL), (3, 3, '2023-01-01')",
        BY_S,
    );
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET v = 20 WHERE id = 2; INSERT INTO t VALUES (4, 4, NULL)");
    rig.moves("incremental", "watermark", 3);
    rig.is_equal();
}

#[test]
fn several_columns_are_combined_with_or() {
    let rig = Rig::new(
        "inc or",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, made DATETIME NOT NULL, changed DATETIME, \
         KEY (made), KEY (changed)); INSERT INTO t VALUES (1, 1, '2024-01-01', NULL), \
         (2, 2, '2024-01-05', '2024-02-01'), (3, 3, '2024-01-03', NULL)",
        "[tables.t]\nextraction = \"incremental\"\nwatermark = [\"made\", \"changed\"]\n",
    );
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source(
        "UPDATE t SET v = 10, changed = NOW() WHERE id = 1; INSERT INTO t VALUES (4, 4, NOW(), NULL)",
    );
    // With the row that both watermarks come from.
    rig.moves("incremental", "watermark", 3);
    rig.is_equal();
}

#[test]
fn young_rows_are_moved_whatever_their_watermark() {
    let rig = Rig::new(
        "inc lookback",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s TIMESTAMP NOT NULL, d DATE, KEY (s)); \
         INSERT INTO t VALUES (1, 1, '2024-01-01', CURDATE() - INTERVAL 3 DAY), \
         (2, 2, '2024-01-01', CURDATE() - INTERVAL 40 DAY), (3, 3, '2024-01-01', NULL)",
        "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\n\
         lookback = { days = 30, columns = [\"d\"] }\n",
    );
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET v = 10, s = s WHERE id = 1");
    rig.moves("incremental", "watermark", 1);
    rig.is_equal();
}

/// The integer key of the old system was compared with a date, and found no row at all.
#[test]
fn an_integer_key_named_for_a_timestamp_finds_new_rows_and_says_so() {
    let rig = Rig::new(
        "inc integer",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2)",
        "[tables.t]\nextraction = \"incremental\"\nwatermark = \"id\"\n",
    );
    let first = rig.moves("full_table", "first_run", 2);
    let notes = first["notes"].to_string();
    assert!(notes.contains("`id` is a number: new rows are found by it"), "{notes}");
    rig.trio.sql_source("INSERT INTO t VALUES (3, 3)");
    let table = rig.run(&["run"]);
    check(&table, "incremental", "watermark");
    assert_eq!(table["load"]["rows_inserted"], 1, "{table}");
    rig.is_equal();
}

#[test]
fn columns_that_tell_nothing_are_refused_with_the_remedy() {
    let source = "CREATE TABLE t (id INT PRIMARY KEY, name TEXT, s TIMESTAMP NOT NULL); \
                  INSERT INTO t VALUES (1, 'a', '2024-01-01')";
    let refused = |test: &str, source: &str, column: &str| -> String {
        let tables =
            format!("[tables.t]\nextraction = \"incremental\"\nwatermark = \"{column}\"\n");
        let rig = Rig::new(test, source, &tables);
        let done = rig.etl.exits(1, &["run", "--json"]);
        super::table(&done)["error"].as_str().unwrap().to_owned()
    };
    let error = refused("inc unknown", source, "stamp");
    assert!(
        error.contains("`stamp`, which the table has not; columns that would do: `s`"),
        "{error}"
    );
    let error = refused("inc text", source, "name");
    assert!(error.contains("`name`, which is text and does not grow"), "{error}");
    let keyless = "CREATE TABLE t (id INT, s TIMESTAMP NOT NULL)";
    let error = refused("inc keyless", keyless, "s");
    assert!(error.contains("it has no key"), "{error}");
}
