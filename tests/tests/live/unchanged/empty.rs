//! Tables that were empty and are.

use super::is_left_alone;
use crate::incremental::Rig;

const EMPTY: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT)";

#[test]
fn what_was_empty_and_is_costs_no_copy_until_a_row_comes() {
    let rig = Rig::new("same empty", EMPTY, "");
    rig.moves("full_table", "first_run", 0);
    is_left_alone(&rig);
    let proof = rig.run(&["run"])["proof"].clone();
    assert_eq!(proof["source_rows"], 0, "{proof}");
    assert_eq!((&proof["replica_rows"], &proof["target_rows"]), (&0.into(), &0.into()), "{proof}");
    rig.trio.sql_source("INSERT INTO t VALUES (1, 1)");
    rig.moves("full_table", "configured", 1);
    rig.trio.sql_source("DELETE FROM t");
    rig.moves("full_table", "configured", 0);
    assert!(rig.trio.rows("t").is_empty());
    is_left_alone(&rig);
}

/// Tracking alone is not believed.
#[test]
fn rows_that_somebody_put_elsewhere_go() {
    let rig = Rig::new("same not empty", EMPTY, "");
    rig.moves("full_table", "first_run", 0);
    rig.trio.sql_target("INSERT INTO raw.t VALUES (1, 1)");
    rig.moves("full_table", "configured", 0);
    assert!(rig.trio.rows("t").is_empty());
    rig.trio.sql_replica("INSERT INTO t VALUES (1, 1)");
    rig.moves("full_table", "configured", 0);
    is_left_alone(&rig);
}

#[test]
fn without_a_replica_the_same_holds() {
    let rig = Rig::direct("same empty direct", EMPTY, "");
    rig.moves("full_table", "first_run", 0);
    is_left_alone(&rig);
    rig.trio.sql_source("INSERT INTO t VALUES (1, 1)");
    rig.moves("full_table", "configured", 1);
}
