//! What stands around a table in the target: carried past unharmed, or refused by name with a remedy that works.

use crate::etl::Etl;
use handoff_testbed::{Trio, row};

/// The rows of a table that inherits from ours are somebody's own.
#[test]
fn rows_of_a_table_that_inherits_are_neither_counted_nor_deleted() {
    let trio = Trio::new("around children");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, s TIMESTAMP NOT NULL, KEY (s));
         INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02'), (3, 3, '2024-01-02');
         CREATE TABLE heap (a INT); INSERT INTO heap VALUES (1), (2)",
    );
    let settings = trio.settings_toml();
    let etl = Etl::with(&settings);
    etl.ok(&["run"]);
    trio.sql_target(
        "CREATE TABLE raw.t_arch () INHERITS (raw.t);
         INSERT INTO raw.t_arch SELECT n, 7, '2020-01-01' FROM generate_series(2, 90) n;
         CREATE TABLE raw.heap_arch () INHERITS (raw.heap); INSERT INTO raw.heap_arch VALUES (1), (9)",
    );
    let arch = (trio.rows("t_arch"), trio.rows("heap_arch"));
    let by_s = "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\ndeletes = \"sweep\"\n";
    let incremental = Etl::with(&format!("{settings}\n{by_s}"));
    for (etl, change) in [
        (&etl, "UPDATE t SET a = 9 WHERE id = 2; DELETE FROM heap WHERE a = 1"),
        (&etl, "DELETE FROM heap; DELETE FROM t WHERE id = 1"),
        (&incremental, "UPDATE t SET a = 8, s = NOW() WHERE id = 2; DELETE FROM t WHERE id = 3"),
    ] {
        trio.sql_source(change);
        etl.ok(&["run", "--prove"]);
        etl.ok(&["verify"]);
    }
    trio.sql_target("UPDATE ONLY raw.t SET a = 1");
    incremental.ok(&["repair", "t"]);
    assert_eq!((trio.rows("t_arch"), trio.rows("heap_arch")), arch);
    let own = "SELECT count(*) FROM ONLY raw.t WHERE (id, a) = (2, 8)";
    assert_eq!(trio.target().query_one(own, &[]).unwrap().get::<_, i64>(0), 1);
    assert_eq!(trio.rows("heap"), [row!["1"], row!["9"]]);
}
