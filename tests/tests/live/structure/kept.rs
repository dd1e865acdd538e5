//! Columns that the source does not have.

use super::{changes, columns, create, run};
use crate::etl::Etl;
use handoff_testbed::{Trio, row};

#[test]
fn a_column_that_somebody_added_keeps_its_values() {
    let trio = Trio::new("structure theirs");
    for table in ["whole", "some", "compared"] {
        create(&trio, table);
    }
    let toml = trio.settings_toml()
        + "\n[run]\nmax_delete_percent = 100\n[tables.some]\nextraction = \"incremental\"\nwatermark = \"stamp\"\ndeletes = \"sweep\"\n\
           [tables.compared]\nextraction = \"diff\"\n";
    let etl = Etl::with(&toml);
    etl.ok(&["run"]);
    for table in ["whole", "some", "compared"] {
        trio.sql_target(&format!(
            "ALTER TABLE raw.{table} ADD COLUMN mine text, ADD COLUMN seen int NOT NULL DEFAULT 7, \
             ADD COLUMN twice numeric GENERATED ALWAYS AS (a * 2) STORED, ADD COLUMN n int GENERATED ALWAYS AS IDENTITY; \
             UPDATE raw.{table} SET mine = 'kept ' || id, seen = id"
        ));
        trio.sql_source(&format!(
            "UPDATE {table} SET a = 99 WHERE id = 2; DELETE FROM {table} WHERE id = 3;
             INSERT INTO {table} (id, a, b) VALUES (4, 40, 'new')"
        ));
    }
    let report = run(&etl, 0, &["--prove"]);
    for table in ["whole", "some", "compared"] {
        assert_eq!(report[table]["proof"]["verdict"], "equal", "{table}");
        let sql = format!(
            "SELECT string_agg(concat_ws(' ', id, mine, seen, twice), '; ' ORDER BY id) FROM raw.{table}"
        );
        let rows: String = trio.target().query_one(&sql, &[]).unwrap().get(0);
        assert_eq!(rows, "1 kept 1 1 20; 2 kept 2 2 198; 4 7 80", "{table}");
        assert!(changes(&trio, table).is_empty(), "{table}");
    }
    etl.ok(&["verify"]);
    etl.ok(&["check"]);
}

#[test]
fn a_column_of_ours_is_dropped_where_that_is_asked_for() {
    let trio = Trio::new("structure dropped");
    create(&trio, "t");
    let toml =
        trio.settings_toml().replacen("[target]\n", "[target]\ndropped_columns = \"drop\"\n", 1);
    let etl = Etl::with(&toml);
    etl.ok(&["run"]);
    trio.sql_target("ALTER TABLE raw.t ADD COLUMN mine text");
    trio.sql_source("ALTER TABLE t DROP COLUMN b");
    run(&etl, 0, &["--prove"]);
    assert_eq!(changes(&trio, "t"), ["column_dropped b"]);
    assert!(columns(&trio, "t").contains("mine text"));
    assert!(!columns(&trio, "t").contains("b text"));
}

#[test]
fn a_column_that_came_back_is_written_again() {
    let trio = Trio::new("structure back");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, b INT NOT NULL); INSERT INTO t VALUES (1, 1), (2, 2)",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_source("ALTER TABLE t DROP COLUMN b; INSERT INTO t VALUES (3)");
    run(&etl, 0, &["--prove"]);
    assert_eq!(trio.rows("t"), [row!["1", "1"], row!["2", "2"], vec![Some("3".into()), None]]);
    trio.sql_source("ALTER TABLE t ADD COLUMN b INT; UPDATE t SET b = 10 * id");
    run(&etl, 0, &["--prove"]);
    assert_eq!(trio.rows("t"), [row!["1", "10"], row!["2", "20"], row!["3", "30"]]);
}
