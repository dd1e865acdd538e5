//! Rows that no window finds.

use super::{BY_S, Rig, check};

const STAMPED: &str = "CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, s TIMESTAMP NOT NULL \
     DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (s)); \
     INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02'), (3, 3, '2024-01-03')";

#[test]
fn deleted_rows_are_counted_and_go_in_the_same_run() {
    let rig = Rig::new("inc deletes", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("DELETE FROM t WHERE id = 1; INSERT INTO t (id, u) VALUES (4, 4)");
    let table = rig.run(&["run"]);
    check(&table, "full_table", "rows_were_deleted");
    assert_eq!(table["plan"]["force_full_applied"], true, "{table}");
    assert_eq!(table["load"]["rows_deleted"], 1, "{table}");
    assert_eq!(table["proof"]["target_rows"], 3, "{table}");
    rig.is_equal();
}

#[test]
fn deleted_rows_go_without_a_replica_too() {
    let rig = Rig::direct("inc deletes direct", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("DELETE FROM t WHERE id = 1");
    rig.moves("full_table", "rows_were_deleted", 2);
    rig.is_equal();
}

#[test]
fn rows_that_came_with_an_old_stamp_are_counted() {
    let rig = Rig::new("inc old", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("INSERT INTO t VALUES (4, 4, '2020-01-01')");
    rig.moves("full_table", "rows_were_deleted", 4);
    rig.is_equal();
}

/// The watermark of these is the column's highest value, which a row has that arrived long ago.
#[test]
fn rows_that_came_below_the_highest_value_are_counted() {
    for (kind, values) in [
        ("DATETIME", ["'2024-01-01'", "'2024-01-02'", "'2024-01-03'", "'2020-01-01'"]),
        ("DATE", ["'2024-01-01'", "'2024-01-03'", "'2024-01-03'", "'2020-01-01'"]),
        ("BIGINT", ["100000", "100000", "100000", "7"]),
        ("DECIMAL(20,3)", ["1.5", "1.25", "1.5", "0"]),
    ] {
        for direct in [false, true] {
            let rows: Vec<String> =
                (1..).zip(&values[..3]).map(|(id, s)| format!("({id}, {s})")).collect();
            let source = format!(
                "CREATE TABLE t (id INT PRIMARY KEY, s {kind} NOT NULL, KEY (s)); \
                 INSERT INTO t VALUES {}",
                rows.join(", ")
            );
            let new = if direct { Rig::direct } else { Rig::new };
            let rig = new("inc below", &source, BY_S);
            rig.moves("full_table", "first_run", 3);
            rig.trio.sql_source(&format!("INSERT INTO t VALUES (4, {})", values[3]));
            rig.moves("full_table", "rows_were_deleted", 4);
            rig.is_equal();
        }
    }
}

#[test]
fn what_no_count_tells_is_found_by_a_proof_and_put_right() {
    let rig = Rig::new("inc silent", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET u = 10, s = s WHERE id = 1");
    rig.moves("incremental", "watermark", 0);
    let table = rig.run(&["run", "--prove"]);
    check(&table, "full_table", "rows_differed");
    assert_eq!(table["proof"]["verdict"], "equal", "{table}");
    rig.is_equal();
}

#[test]
fn two_rows_may_swap_a_unique_value() {
    let rig = Rig::new("inc swap", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_target("CREATE UNIQUE INDEX ON raw.t (u)");
    rig.trio.sql_source(
        "UPDATE t SET u = 99 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; \
         UPDATE t SET u = 2 WHERE id = 1",
    );
    rig.moves("incremental", "watermark", 2);
    rig.is_equal();
}

/// The row that has the unique value in the replica is gone from the source.
#[test]
fn a_value_that_a_deleted_row_had_goes_to_another() {
    let rig = Rig::new("inc reuse", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_target("CREATE UNIQUE INDEX ON raw.t (u)");
    rig.trio.sql_source("DELETE FROM t WHERE id = 1; INSERT INTO t (id, u) VALUES (4, 1)");
    rig.moves("full_table", "rows_collided", 3);
    rig.is_equal();
}

#[test]
fn the_same_without_transactions_in_the_replica() {
    let source = STAMPED.replace(", KEY (s))", ", KEY (s)) ENGINE=MyISAM");
    let rig = Rig::new("inc reuse isam", &source, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("DELETE FROM t WHERE id = 1; INSERT INTO t (id, u) VALUES (4, 1)");
    rig.moves("full_table", "rows_collided", 3);
    rig.is_equal();
}

#[test]
fn a_key_that_changed_is_a_row_that_went_and_one_that_came() {
    let rig = Rig::new("inc key", STAMPED, BY_S);
    rig.moves("full_table", "first_run", 3);
    rig.trio.sql_source("UPDATE t SET id = 9 WHERE id = 1");
    let table = rig.run(&["run"]);
    assert_eq!(table["plan"]["extraction"], "full_table", "{table}");
    rig.is_equal();
}
