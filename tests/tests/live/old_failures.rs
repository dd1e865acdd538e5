//! What the system that Handoff replaces got wrong, from end to end, where no other test does it.
//! `docs/old-failures.md` names a test for each of its failures; the last test here keeps that list true.

use crate::incremental::{BY_S, Rig, check};
use handoff_testbed::{NULL, row};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// It decided by the data that the column was a boolean, and rebuilt 1,001,000 rows with 1,001.
#[test]
fn a_tinyint_that_goes_from_1_to_2_costs_one_row() {
    let rig = Rig::new(
        "old tinyint",
        "CREATE TABLE t (id INT PRIMARY KEY, flag TINYINT(1) NOT NULL, s DATETIME NOT NULL, KEY (s)); \
         INSERT INTO t SELECT seq, seq % 2, '2024-01-01' FROM seq_1_to_5000",
        BY_S,
    );
    rig.moves("full_table", "first_run", 5_000);
    rig.trio.sql_target("CREATE VIEW flags AS SELECT id, flag FROM raw.t");
    rig.trio.sql_source("UPDATE t SET flag = 2, s = '2024-01-02' WHERE id = 77");
    let table = rig.run(&["run"]);
    check(&table, "incremental", "watermark");
    let load = &table["load"];
    let counts = ["rows_inserted", "rows_updated", "rows_deleted"].map(|name| load[name].as_u64());
    assert_eq!(counts, [Some(0), Some(1), Some(0)], "{table}");
    let ask = "SELECT count(*), sum(flag), max(flag) FROM flags";
    let row = rig.trio.target().query_one(ask, &[]).unwrap();
    let found = (row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i16>(2));
    assert_eq!(found, (5_000, 2_501, 2));
    rig.is_equal();
}

/// It answered with DROP … CASCADE, and its tracking went on from the old watermark.
#[test]
fn views_survive_a_schema_change_and_the_table_is_moved_in_full() {
    let rig = Rig::new(
        "old schema",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s DATETIME NOT NULL, KEY (s)); \
         INSERT INTO t VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02')",
        BY_S,
    );
    rig.moves("full_table", "first_run", 2);
    rig.trio.sql_target("CREATE VIEW stands AS SELECT id, v FROM raw.t");
    rig.trio.sql_source("ALTER TABLE t ADD COLUMN note VARCHAR(9); UPDATE t SET note = 'x'");
    let count = "SELECT count(*) FROM stands";
    let count = || rig.trio.target().query_one(count, &[]).unwrap().get::<_, i64>(0);
    let table = rig.run(&["run"]);
    // No stamp moved, so that no window finds what changed.
    check(&table, "full_table", "schema_changed");
    assert_eq!(rig.trio.rows("t")[1][3].as_deref(), Some("x"));
    assert_eq!(count(), 2);
    rig.is_equal();
}

/// It kept the first column of the key, and the rows that have it in common became one.
#[test]
fn composite_keys_are_keys() {
    for direct in [false, true] {
        let source = "CREATE TABLE t (a INT, b VARCHAR(9), v INT, s DATETIME NOT NULL, \
                      PRIMARY KEY (a, b), KEY (s)); INSERT INTO t VALUES \
                      (1, 'x', 1, '2024-01-01'), (1, 'y', 2, '2024-01-01'), (2, 'x', 3, '2024-01-01')";
        let rig = if direct {
            Rig::direct("old key direct", source, BY_S)
        } else {
            Rig::new("old key", source, BY_S)
        };
        rig.moves("full_table", "first_run", 3);
        let key = "SELECT string_agg(attname, ',' ORDER BY array_position(indkey, attnum)) \
             FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey) \
             WHERE indrelid = 'raw.t'::regclass AND indisprimary";
        let key: String = rig.trio.target().query_one(key, &[]).unwrap().get(0);
        assert_eq!(key, "a,b");
        rig.trio.sql_source("UPDATE t SET v = 20, s = '2024-01-02' WHERE a = 1 AND b = 'y'");
        let table = rig.run(&["run"]);
        assert_eq!(table["load"]["rows_updated"], 1, "{table}");
        let time = "2024-01-01 00:00:00";
        assert_eq!(rig.trio.rows("t")[0], row!["1", "x", "1", time]);
        rig.is_equal();
    }
}

/// Blanks became NULL, integers went through a float, blobs were written as `b'…'`, and control
/// characters were stripped.
#[test]
fn values_arrive_as_they_are() {
    for direct in [false, true] {
        let source = "CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, n BIGINT, w VARCHAR(40), \
                      x TEXT, b BLOB); INSERT INTO t VALUES \
                      (18446744073709551615, 9007199254740993, '', ' ', 0x00FF27625C), \
                      (9007199254740993, -9223372036854775808, 'NULL', '\\\\N', ''), \
                      (1, NULL, NULL, NULL, NULL), \
                      (2, 9223372036854775807, 'a\\tb\\nc\\rd', CONCAT(CHAR(1), CHAR(8), CHAR(11), \
                      CHAR(27), CHAR(127)), 'b\\'text\\'')";
        let rig = if direct {
            Rig::direct("old values direct", source, "")
        } else {
            Rig::new("old values", source, "")
        };
        rig.run(&["run", "--prove"]);
        let expected = [
            row!["1", NULL, NULL, NULL, NULL],
            row!["18446744073709551615", "9007199254740993", "", " ", "\\x00ff27625c"],
            row![
                "2",
                "9223372036854775807",
                "a\tb\nc\rd",
                "\u{1}\u{8}\u{b}\u{1b}\u{7f}",
                "\\x62277465787427"
            ],
            row!["9007199254740993", "-9223372036854775808", "NULL", "\\N", "\\x"],
        ];
        assert_eq!(rig.trio.rows("t"), expected);
    }
}

/// A run that found no row set the watermark to its own time, or to NULL, and the next one missed rows.
#[test]
fn runs_that_find_no_row_lose_none() {
    let rig = Rig::new(
        "old zero",
        "CREATE TABLE t (id INT PRIMARY KEY, v INT, s TIMESTAMP NOT NULL, KEY (s)); \
         CREATE TABLE u LIKE t",
        BY_S,
    );
    rig.moves("full_table", "first_run", 0);
    for _ in 0..2 {
        rig.run(&["run"]);
    }
    rig.trio.sql_source("INSERT INTO t VALUES (1, 1, NOW() - INTERVAL 3 MINUTE), (2, 2, NOW())");
    rig.run(&["run"]);
    assert_eq!(rig.trio.rows("t").len(), 2);
    for _ in 0..2 {
        rig.run(&["run"]);
    }
    rig.trio.sql_source("UPDATE t SET v = 9, s = NOW() - INTERVAL 3 MINUTE WHERE id = 2");
    rig.run(&["run"]);
    assert_eq!(rig.trio.rows("t")[1][1].as_deref(), Some("9"));
    rig.is_equal();
}

/// What did not arrive was a line in a log, and the run exited with 0.
#[test]
fn a_difference_after_the_load_fails_the_run() {
    let source = "CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2)";
    let rig = Rig::new("old warned", source, "");
    rig.run(&["run"]);
    rig.trio.sql_target(
        "CREATE FUNCTION raw.spoil() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN NEW.v := NEW.v + 1; RETURN NEW; END'; \
         CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON raw.t \
         FOR EACH ROW EXECUTE FUNCTION raw.spoil()",
    );
    rig.trio.sql_source("UPDATE t SET v = 5 WHERE id = 1");
    let done = rig.etl.exits(1, &["run", "--prove", "--json"]);
    let table = crate::incremental::table(&done);
    assert_eq!(table["status"], "failed", "{table}");
    assert!(table["error"].is_string(), "{table}");
}

/// Every test that the list names is one, and every failure has one.
#[test]
fn the_list_names_tests_that_are_there() {
    let list = page("old-failures.md");
    let lines: Vec<&str> = list.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(lines.len() >= 30, "{} failures", lines.len());
    let tests = all_tests();
    for line in lines {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        names_tests(cells[1], cells[2], &tests);
    }
}

/// Every test that `docs/soundness.md` names is one: those on its lines that begin with "Tests: ".
#[test]
fn the_page_of_soundness_names_tests_that_are_there() {
    let tests = all_tests();
    for section in page("soundness.md").split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        for line in section.lines().filter_map(|line| line.strip_prefix("Tests: ")) {
            names_tests(title, line, &tests);
        }
    }
}

/// Fails unless `text` names tests, in backticks, and all of them are there.
#[track_caller]
fn names_tests(title: &str, text: &str, tests: &BTreeSet<String>) {
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    assert!(!named.is_empty(), "no test for: {title}");
    for name in named {
        let name = name.rsplit("::").next().unwrap();
        assert!(tests.contains(name), "`{name}` is no test: {title}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns a page of `docs/`.
fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

fn all_tests() -> BTreeSet<String> {
    tests_in(&[root().join("tests/tests"), root().join("crates")])
}

/// The names of all functions that follow `#[test]`.
fn tests_in(folders: &[PathBuf]) -> BTreeSet<String> {
    let mut open = folders.to_vec();
    let mut tests = BTreeSet::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let after = text.split("#[test]").skip(1);
            let names = after.filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
            tests.extend(names.map(|(name, _)| name.trim().to_owned()));
        }
    }
    tests
}
