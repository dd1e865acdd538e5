//! The command: what it prints and how it ends.

use super::settings;
use crate::etl::Etl;
use handoff_connect::{PgPool, PoolOptions};
use handoff_testbed::{Trio, practice};

fn trio(name: &str) -> Trio {
    let trio = Trio::new(name);
    trio.sql_source(
        "CREATE TABLE patient (id INT PRIMARY KEY, LName TEXT); \
         INSERT INTO patient VALUES (1, 'a'), (2, 'b'), (3, 'c'); \
         CREATE TABLE code (code VARCHAR(20) PRIMARY KEY, note TEXT); \
         INSERT INTO code VALUES ('D0120', 'x'), ('D0140', 'y')",
    );
    trio
}

#[test]
fn what_differs_is_named_and_ends_with_1() {
    let trio = trio("verify command");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    let done = etl.ok(&["verify"]);
    assert!(done.stdout.starts_with("2 tables equal: 5 rows compared in "), "{}", done.stdout);
    assert!(done.stdout.ends_with(", source = replica = target\n"), "{}", done.stdout);

    trio.sql_target(
        "DELETE FROM raw.patient WHERE id = 3; UPDATE raw.patient SET \"LName\" = 'z' WHERE id = 1; \
         INSERT INTO raw.patient VALUES (7, NULL); UPDATE raw.code SET note = NULL WHERE code = 'D0120'",
    );
    let done = etl.exits(1, &["verify"]);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert_eq!(
        lines[2..6],
        [
            "patient: replica → target: 1 missing, 1 stale, 1 phantom",
            "  missing  3",
            "  stale    1  (LName)",
            "  phantom  7",
        ],
        "{}",
        done.stdout
    );
    assert_eq!(lines[0], "code: replica → target: 1 stale");
    assert!(lines[1].starts_with("  stale    #") && lines[1].ends_with("  (note)"), "{}", lines[1]);
    assert!(!done.stdout.contains("D0120"));
    let done = etl.exits(1, &["verify", "code", "--show-keys", "--from", "replica"]);
    assert!(done.stdout.contains("  stale    D0120  (note)\n"), "{}", done.stdout);
    assert!(done.stdout.contains(", replica → target\n"), "{}", done.stdout);
    etl.ok(&["verify", "--to", "replica"]);

    let done = etl.exits(1, &["verify", "--json"]);
    for part in [
        "\"ok\": false",
        "\"missing\": 1",
        "\"first\": \"replica\"",
        "\"LName\": 1",
        "\"kind\": \"phantom\"",
    ] {
        assert!(done.stdout.contains(part), "{part} is missing in {}", done.stdout);
    }
}

#[test]
fn quick_counts_and_reads_the_records() {
    let trio = trio("verify quick");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    let done = etl.ok(&["verify", "--quick", "--json"]);
    assert!(done.stdout.contains("\"by\": \"sums\""), "{}", done.stdout);
    trio.sql_target("UPDATE raw.patient SET \"LName\" = 'z'");
    etl.ok(&["verify", "--quick"]);
    trio.sql_target("DELETE FROM raw.patient WHERE id = 3");
    let done = etl.exits(1, &["verify", "--quick"]);
    assert!(done.stdout.contains("patient: replica → target: 1 missing\n"), "{}", done.stdout);
    etl.ok(&["run", "patient"]);
    trio.sql_source("UPDATE patient SET LName = 'q'");
    etl.ok(&["replicate", "patient"]);
    let done = etl.exits(1, &["verify", "--quick"]);
    assert!(done.stdout.contains("earlier copy"), "{}", done.stdout);
}

#[test]
fn tables_that_cannot_be_compared_say_why_and_the_others_are() {
    let trio = trio("verify refused");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_source("CREATE TABLE later (id INT PRIMARY KEY); ALTER TABLE code ADD more INT");
    let done = etl.exits(1, &["verify"]);
    assert!(done.stdout.contains("later: the replica has no table `later`: run `etl run later`\n"));
    assert!(
        done.stdout.contains("ADD COLUMN \"more\" integer and then `etl run code --full`"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("1 table equal, 2 failed"), "{}", done.stdout);
    etl.exits(2, &["verify", "absent"]);
    let done = etl.exits(2, &["verify", "--from", "replica", "--to", "replica"]);
    assert!(done.stderr.contains("leave one of them out"), "{}", done.stderr);
    etl.ok(&["run", "later"]);
    trio.sql_target("DROP TABLE raw.later");
    let done = etl.exits(1, &["verify", "later"]);
    assert!(done.stdout.contains("the target has no table `later`"), "{}", done.stdout);
}

#[test]
fn nothing_is_written_and_a_run_in_progress_is_told() {
    let trio = trio("verify reads");
    let etl = Etl::new(&trio);
    // Nothing was ever run: no replica database, no schema, and none is made.
    let done = etl.exits(1, &["verify"]);
    assert!(done.stdout.contains("0 tables equal, 2 failed"), "{}", done.stdout);
    let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'raw'";
    assert_eq!(trio.target().query_one(made, &[]).unwrap().get::<_, i64>(0), 0);
    etl.ok(&["run"]);
    let runs = "SELECT count(*) FROM raw.etl_runs";
    let before: i64 = trio.target().query_one(runs, &[]).unwrap().get(0);
    etl.ok(&["verify"]);
    assert_eq!(trio.target().query_one(runs, &[]).unwrap().get::<_, i64>(0), before);

    let options = PoolOptions { size: 1, ..PoolOptions::default() };
    let pool = PgPool::open(&settings(&trio).target.server, &options).unwrap();
    let _held = pool.hold_lock(&format!("handoff:{}:raw", trio.target_name())).unwrap().unwrap();
    let done = etl.exits(3, &["verify"]);
    assert!(done.stderr.contains("another run is in progress"), "{}", done.stderr);
}

#[test]
fn no_value_is_said() {
    let trio = Trio::new("verify secrecy");
    let planted = practice::PLANTED;
    trio.sql_source(&format!(
        "CREATE TABLE t (id VARCHAR(200) CHARACTER SET utf8mb4 PRIMARY KEY, note TEXT CHARACTER SET utf8mb4); \
         INSERT INTO t VALUES ('{planted}', '{planted}'), ('other', '{planted}')"
    ));
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target("UPDATE raw.t SET note = note || 'x'");
    let mut said = String::new();
    for arguments in [&["verify", "-vv"][..], &["verify", "--json"]] {
        let mut command = etl.command(arguments);
        let output = command.env("RUST_LOG", "trace").output().unwrap();
        said += &String::from_utf8_lossy(&output.stdout);
        said += &String::from_utf8_lossy(&output.stderr);
    }
    assert!(said.contains("2 stale"), "{said}");
    assert!(!said.contains(planted));
}
