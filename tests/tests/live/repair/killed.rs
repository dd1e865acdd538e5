//! Whatever dies in the middle, the next repair and the next run end equal.

use crate::etl::{Etl, arm};
use handoff_testbed::Trio;
use std::os::unix::process::ExitStatusExt;

const POINTS: &[&str] = &[
    "replicator.keys_staged",
    "replicator.merge_staged",
    "replicator.merge_deleted",
    "replicator.merge_inserted",
    "replicator.merge_sealed",
    "loader.opened",
    "loader.published",
    "loader.sealed",
    "loader.committed",
];

#[test]
fn killed_at_every_point_the_next_repair_ends_equal() {
    for engine in ["InnoDB", "MyISAM"] {
        let (trio, etl) = start("repair killed", engine, "");
        for point in POINTS {
            trio.sql_replica(
                "UPDATE t SET a = a + 1 WHERE id % 90 = 1; DELETE FROM t WHERE id % 200 = 3",
            );
            trio.sql_target("UPDATE raw.t SET a = a - 1 WHERE id % 90 = 5; DELETE FROM raw.t WHERE id % 200 = 7");
            dies(&etl, "repair", point);
            etl.ok(&["repair"]);
            etl.ok(&["verify"]);
        }
        etl.ok(&["run", "--prove"]);
        nothing_is_left(&trio);
    }
}

#[test]
fn killed_at_every_point_the_next_compared_run_ends_equal() {
    for engine in ["InnoDB", "MyISAM"] {
        let (trio, etl) = start("diff killed", engine, "[tables.t]\nextraction = \"diff\"\n");
        for point in POINTS {
            trio.sql_source(
                "UPDATE t SET a = a + 1 WHERE id % 90 = 1; DELETE FROM t ORDER BY RAND() LIMIT 1;
                 INSERT INTO t SELECT MAX(id) + 1, 0 FROM t",
            );
            dies(&etl, "run", point);
            // What the dead run moved in hop 1 differs no more, and has not arrived.
            etl.ok(&["run"]);
            etl.ok(&["verify"]);
        }
        nothing_is_left(&trio);
    }
}

/// What was brought into line in the replica, and no window finds, reaches the target.
#[test]
fn a_run_goes_on_where_a_repair_broke_off() {
    const STAMPED: &str = "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\n";
    for engine in ["InnoDB", "MyISAM"] {
        let (trio, etl) = start("repair broken off", engine, "");
        trio.sql_source("ALTER TABLE t ADD s TIMESTAMP NOT NULL DEFAULT '2024-01-01', ADD KEY (s)");
        trio.sql_target("DROP TABLE raw.t");
        drop(etl);
        let etl = Etl::with(&format!("{}\n{STAMPED}", trio.settings_toml()));
        etl.ok(&["run"]);
        // Before these a replica without transactions was not touched, and one with them is as it was.
        let first =
            if engine == "MyISAM" { "replicator.merge_deleted" } else { "replicator.merge_sealed" };
        for point in POINTS.iter().skip_while(|point| **point != first) {
            trio.sql_replica("UPDATE t SET a = a + 1 WHERE id % 90 = 1");
            trio.sql_target("UPDATE raw.t SET a = a - 1 WHERE id % 90 = 1");
            dies(&etl, "repair", point);
            etl.ok(&["run"]);
            etl.ok(&["verify"]);
        }
        // And no more than changed is loaded afterwards.
        trio.sql_source("UPDATE t SET a = 7, s = NOW() WHERE id = 9");
        let done = etl.ok(&["run", "--json"]).stdout;
        assert!(done.contains("\"rows_loaded\": 1,"), "{done}");
        etl.ok(&["verify"]);
    }
}

fn start(test: &str, engine: &str, settings: &str) -> (Trio, Etl) {
    let trio = Trio::new(test);
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT) ENGINE={engine};
         INSERT INTO t SELECT seq, 0 FROM seq_1_to_2000"
    ));
    let etl = Etl::with(&format!("{}\n{settings}", trio.settings_toml()));
    etl.ok(&["run"]);
    (trio, etl)
}

#[track_caller]
fn dies(etl: &Etl, command: &str, point: &str) {
    let done = arm(&mut etl.command(&[command]), point).output().unwrap();
    assert_eq!(done.status.signal(), Some(libc::SIGABRT), "{point}: {}", done.status);
}

#[track_caller]
fn nothing_is_left(trio: &Trio) {
    let ask = "SELECT COUNT(*) FROM information_schema.tables \
               WHERE table_schema = DATABASE() AND table_name LIKE '\\_\\_handoff%'";
    let left: Option<u64> =
        mysql::prelude::Queryable::query_first(&mut trio.replica(), ask).unwrap();
    assert_eq!(left, Some(0));
    let ask = "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_\\_handoff%'";
    let left: i64 = trio.target().query_one(ask, &[]).unwrap().get(0);
    assert_eq!(left, 0);
}
