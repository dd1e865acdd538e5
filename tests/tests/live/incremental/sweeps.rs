//! Rows that are gone from the source: swept away, or kept.

use super::{Rig, check, table};

const SWEEP: &str =
    "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\ndeletes = \"sweep\"\n";
const IGNORE: &str =
    "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\ndeletes = \"ignore\"\n";

/// A table of 200 rows with a key of these columns, made of `seq`.
fn stamped(columns: &str, key: &str, values: &str, engine: &str) -> String {
    format!(
        "CREATE TABLE t ({columns}, n INT UNIQUE, s TIMESTAMP NOT NULL, KEY (s), PRIMARY KEY ({key})) \
         ENGINE={engine}; \
         INSERT INTO t SELECT {values}, seq, '2024-01-01' + INTERVAL seq SECOND FROM seq_1_to_200"
    )
}

/// Deletes rows, the first and the last among them, and hides it by others with an old stamp.
fn goes_and_comes(rig: &Rig, values: &str) {
    let values = values.replace("seq", "(seq + 200)");
    rig.trio.sql_source(&format!(
        "DELETE FROM t WHERE n IN (1, 2, 50, 117, 200); \
         INSERT INTO t SELECT {values}, seq + 200, '2020-01-01' FROM seq_1_to_5; \
         UPDATE t SET n = 1, s = NOW() WHERE n = 3"
    ));
}

#[test]
fn exactly_the_rows_that_are_gone_are_deleted_on_both_sides() {
    let text = "CONCAT(IF(seq % 2, 'Ä', 'a'), CHAR(97 + seq % 26), seq)";
    for (columns, key, values, engine) in [
        ("id INT", "id", "CAST(seq AS SIGNED) - 100", "InnoDB"),
        ("id BIGINT UNSIGNED", "id", "18446744073709551000 + seq", "MyISAM"),
        ("id VARCHAR(30) COLLATE utf8mb4_swedish_ci", "id", text, "InnoDB"),
        (
            "a VARCHAR(9) CHARACTER SET latin1, b DATE",
            "b, a",
            "'ö', '1999-12-01' + INTERVAL seq DAY",
            "MyISAM",
        ),
        ("id BINARY(8)", "id", "UNHEX(LEFT(MD5(seq), 16))", "Aria"),
    ] {
        let rig = Rig::new("inc sweep", &stamped(columns, key, values, engine), SWEEP);
        rig.moves("full_table", "first_run", 200);
        goes_and_comes(&rig, values);
        let table = rig.run(&["run"]);
        check(&table, "incremental", "watermark");
        assert_eq!(table["load"]["rows_deleted"], 5, "{table}");
        assert_eq!(table["load"]["rows_inserted"], 5, "{table}");
        assert_eq!(table["proof"]["target_rows"], 200, "{table}");
        let notes = table["notes"].to_string();
        assert!(notes.contains("5 rows gone from the source: deleted from the replica"), "{notes}");
        assert!(notes.contains("deleted from the target"), "{notes}");
        rig.is_equal();
        // Nothing is left to sweep, and what somebody put into the target is.
        rig.trio.sql_target("DELETE FROM raw.t WHERE n = 70");
        let table = rig.moves("incremental", "watermark", 1);
        assert_eq!(table["load"]["rows_inserted"], 1, "{table}");
        rig.is_equal();
    }
}

#[test]
fn a_sweep_needs_no_replica() {
    let source = stamped("id INT", "id", "seq", "MyISAM");
    let rig = Rig::direct("inc sweep direct", &source, SWEEP);
    rig.moves("full_table", "first_run", 200);
    goes_and_comes(&rig, "seq");
    let table = rig.run(&["run"]);
    check(&table, "incremental", "watermark");
    assert_eq!(table["load"]["rows_deleted"], 5, "{table}");
    rig.is_equal();
}

#[test]
fn a_sweep_that_would_empty_a_table_stops() {
    let source = stamped("id INT", "id", "seq", "InnoDB");
    let rig = Rig::new("inc sweep guard", &source, SWEEP);
    rig.moves("full_table", "first_run", 200);
    rig.trio.sql_source("DELETE FROM t WHERE id > 100");
    let failed = table(&rig.etl.exits(1, &["run", "--json"]));
    let error = failed["error"].as_str().unwrap();
    assert!(error.starts_with("100 of the 200 rows of `t` in the replica"), "{error}");
    assert!(error.ends_with("run `etl run t --max-delete-percent 100`"), "{error}");
    assert_eq!(rig.trio.rows("t").len(), 200);
    rig.etl.ok(&["run", "t", "--max-delete-percent", "100"]);
    assert_eq!(rig.trio.rows("t").len(), 100);
    // Between a tenth and the limit everything is moved: that takes less.
    rig.trio.sql_source("DELETE FROM t WHERE id > 85");
    check(&rig.run(&["run"]), "full_table", "many_rows_differ");
    rig.is_equal();
}

#[test]
fn what_is_to_stay_stays_and_is_counted() {
    for direct in [false, true] {
        let source = stamped("id INT", "id", "seq", "InnoDB");
        let new = if direct { Rig::direct } else { Rig::new };
        let rig = new("inc ignore", &source, IGNORE);
        rig.moves("full_table", "first_run", 200);
        rig.trio
            .sql_source("DELETE FROM t WHERE id < 8; UPDATE t SET n = -9, s = NOW() WHERE id = 9");
        let moved = rig.moves("incremental", "watermark", 1);
        assert_eq!(moved["proof"]["kept_rows"], 7, "{moved}");
        assert!(
            moved["notes"].to_string().contains("holds 7 rows more than the source"),
            "{moved}"
        );
        assert_eq!(rig.trio.rows("t").len(), 200);
        let status = rig.etl.ok(&["status"]).stdout;
        assert!(status.contains("t: the target holds 7 rows more than the source"), "{status}");
        for arguments in [&["verify"][..], &["verify", "--quick"]] {
            let said = rig.etl.ok(arguments).stdout;
            assert!(said.contains("7 rows that the source no longer has are retained"), "{said}");
        }
        let proved = rig.run(&["run", "--prove"]);
        assert_eq!(
            (&proved["proof"]["verdict"], &proved["proof"]["kept_rows"]),
            (&"equal".into(), &7.into())
        );
        assert_eq!(rig.trio.rows("t").len(), 200);
        // Rows that the target lacks are no rows that stay.
        rig.trio.sql_source("INSERT INTO t SELECT seq, seq, '2020-01-01' FROM seq_300_to_310");
        let failed = table(&rig.etl.exits(1, &["run", "--json"]));
        assert!(failed["notes"].to_string().contains("etl repair t"), "{failed}");
        assert_eq!(rig.trio.rows("t").len(), 200);
        // A repair brings them, and keeps those.
        let rehearsed = rig.etl.exits(1, &["repair", "--dry-run"]).stdout;
        assert!(rehearsed.contains("11 missing"), "{rehearsed}");
        let repaired = rig.etl.ok(&["repair"]).stdout;
        assert!(repaired.contains("holds 7 rows more than the source"), "{repaired}");
        assert_eq!(rig.trio.rows("t").len(), 211);
        assert_eq!(table(&rig.etl.ok(&["repair", "--json"]))["status"], "equal");
        rig.etl.ok(&["verify"]);
        rig.etl.ok(&["run"]);
        assert_eq!(rig.trio.rows("t").len(), 211);
        rig.etl.ok(&["run", "--full"]);
        assert_eq!(rig.trio.rows("t").len(), 204);
    }
}

/// Whatever a repair would delete of such a table is deleted nowhere.
#[test]
fn a_repair_deletes_nothing_that_is_to_stay() {
    for direct in [false, true] {
        let source = stamped("id INT", "id", "seq", "MyISAM");
        let new = if direct { Rig::direct } else { Rig::new };
        let rig = new("inc ignore repair", &source, IGNORE);
        rig.moves("full_table", "first_run", 200);
        // More than any guard allows.
        rig.trio.sql_source("DELETE FROM t WHERE id > 100");
        let said = rig.etl.ok(&["repair", "--dry-run"]).stdout;
        assert!(said.contains("100 rows that the source no longer has are retained"), "{said}");
        rig.etl.ok(&["repair"]);
        assert_eq!(rig.trio.rows("t").len(), 200);
        rig.trio.sql_target("UPDATE raw.t SET n = -n WHERE id IN (5, 150)");
        if direct {
            // What stays is compared with nothing.
            rig.etl.ok(&["repair"]);
            rig.etl.ok(&["repair"]);
            continue;
        }
        rig.trio.sql_replica("ALTER TABLE t ADD KEY (n)");
        rig.etl.ok(&["repair"]);
        rig.trio.sql_replica("UPDATE t SET s = '2001-01-01' WHERE id = 7");
        let failed = rig.etl.exits(1, &["repair"]).stdout;
        assert!(
            failed.contains("a full copy only, since the replica's table is of another"),
            "{failed}"
        );
        assert_eq!(rig.trio.rows("t").len(), 200);
        rig.etl.exits(1, &["run", "--full"]);
        assert_eq!(rig.trio.rows("t").len(), 200);
        rig.etl.ok(&["run", "--full", "--max-delete-percent", "100"]);
        assert_eq!(rig.trio.rows("t").len(), 100);
    }
}
