//! What arrives.

use super::{Bench, changes, strategies};
use handoff_loader::LoadMode;
use handoff_model::RowFilter;
use handoff_testbed::{NULL, Row, row};

const AWKWARD: &str = r#"
    CREATE TABLE note (
        id BIGINT UNSIGNED PRIMARY KEY, body TEXT, amount DECIMAL(20,4), seen DATETIME(6),
        ratio DOUBLE, doc JSON, raw BLOB, flags SET('a','b c')
    );
    INSERT INTO note VALUES
        (1, 'tab\t nl\n cr\r back\\slash, ''quote'' "double"', 0.0001,
         '2024-02-29 23:59:59.5', -0.1e0, '{"b": 1.0, "a": [1, "x"]}', x'00ff5c', 'a,b c'),
        (2, '', 0, '1000-01-01', 1e-300, 'null', '', ''),
        (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (4, '\\N', -9999999999999999.9999, '9999-12-31 23:59:59.999999', 0.1, '"\\\\N"', '\\N', 'a'),
        (18446744073709551615, '\\.', 1, '2038-01-19 03:14:08', 1, '1e2', '\\.', 'b c')"#;

fn awkward() -> Vec<Row> {
    vec![
        row![
            "1",
            "tab\t nl\n cr\r back\\slash, 'quote' \"double\"",
            "0.0001",
            "2024-02-29 23:59:59.5",
            "-0.1",
            r#"{"a": [1, "x"], "b": 1.0}"#,
            "\\x00ff5c",
            r#"{a,"b c"}"#,
        ],
        row![
            "18446744073709551615",
            "\\.",
            "1.0000",
            "2038-01-19 03:14:08",
            "1",
            "100",
            "\\x5c2e",
            r#"{"b c"}"#,
        ],
        row!["2", "", "0.0000", "1000-01-01 00:00:00", "1e-300", "null", "\\x", "{}"],
        row!["3", NULL, NULL, NULL, NULL, NULL, NULL, NULL],
        row![
            "4",
            "\\N",
            "-9999999999999999.9999",
            "9999-12-31 23:59:59.999999",
            "0.1",
            "\"\\\\N\"",
            "\\x5c4e",
            "{a}",
        ],
    ]
}

#[test]
fn awkward_values_survive_every_strategy_first_and_again() {
    for strategy in strategies() {
        let name = strategy.name();
        let bench = Bench::new(&format!("load awkward {name}"));
        bench.mysql(AWKWARD);
        let load = || bench.load_as("note", &*strategy, LoadMode::Full, &RowFilter::All).unwrap();

        let first = load();
        assert_eq!(bench.trio.rows("note"), awkward(), "{name}");
        assert_eq!((first.figures.rows, changes(&first)), (5, (5, 0, 0)), "{name}");
        assert_eq!(first.strategy, name);

        bench.pg(
            "UPDATE raw.note SET body = '-' WHERE id IN (1, 3); DELETE FROM raw.note WHERE id = 2; \
             INSERT INTO raw.note (id) VALUES (7)",
        );
        assert_eq!(changes(&load()), (1, 2, 1), "{name}");
        assert_eq!(bench.trio.rows("note"), awkward(), "{name}");
        assert_eq!(changes(&load()), (0, 0, 0), "{name}");
    }
}

#[test]
fn tables_larger_than_a_buffer_arrive_by_every_strategy() {
    for strategy in strategies() {
        let name = strategy.name();
        let bench = Bench::new(&format!("load large {name}"));
        bench.mysql(
            "CREATE TABLE t (id INT PRIMARY KEY, body LONGTEXT);
             INSERT INTO t SELECT seq, REPEAT(MD5(seq), 10) FROM seq_1_to_5000;
             INSERT INTO t VALUES (6000, REPEAT('x', 3000000))",
        );
        let load = || bench.load_as("t", &*strategy, LoadMode::Full, &RowFilter::All).unwrap();
        assert_eq!(changes(&load()), (5001, 0, 0), "{name}");

        // The second half of a compressed, out-of-line value is all that differs.
        bench.mysql(
            "UPDATE t SET body = CONCAT(LEFT(body, 2999999), 'y') WHERE id = 6000;
             UPDATE t SET body = NULL WHERE id = 5; DELETE FROM t WHERE id = 6;
             INSERT INTO t VALUES (6001, 'new')",
        );
        let again = load();
        assert_eq!((again.figures.rows, changes(&again)), (5001, (1, 2, 1)), "{name}");
        let sums = "SELECT concat_ws(' ', count(*), count(body), sum(length(body)), \
                    max(right(body, 1)) FILTER (WHERE id = 6000)) FROM raw.t";
        assert_eq!(bench.ask(sums), "5001 5000 4599363 y", "{name}");
        let seventeen = "SELECT (md5('17') = left(body, 32))::text FROM raw.t WHERE id = 17";
        assert_eq!(bench.ask(seventeen), "true", "{name}");
    }
}

/// MariaDB makes 0.0 of -0.0 before it stores it, so the target is what is changed here.
#[test]
fn what_is_equal_by_value_but_not_to_the_byte_is_carried() {
    let bench = Bench::new("load images");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, ratio DOUBLE, doc JSON, n INT);
         INSERT INTO t VALUES (1, 0, '1', 0), (2, 0, '1', 0), (3, 0, NULL, 0), (4, 0, '1', NULL)",
    );
    bench.load("t").unwrap();
    bench.mysql("UPDATE t SET doc = '1.0' WHERE id = 2; UPDATE t SET doc = 'null' WHERE id = 3");
    bench.pg("UPDATE raw.t SET ratio = '-0' WHERE id = 1; UPDATE raw.t SET n = 0 WHERE id = 4");
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 4, 0));
    assert_eq!(
        bench.trio.rows("t"),
        [
            row!["1", "0", "1", "0"],
            row!["2", "0", "1.0", "0"],
            row!["3", "0", "null", "0"],
            row!["4", "0", "1", NULL],
        ]
    );
}

#[test]
fn a_key_that_is_equal_by_value_but_not_to_the_byte_is_changed_in_place() {
    let bench = Bench::new("load key images");
    bench.mysql("CREATE TABLE t (id DOUBLE PRIMARY KEY); INSERT INTO t VALUES (0), (1)");
    bench.load("t").unwrap();
    bench.pg("UPDATE raw.t SET id = '-0' WHERE id = 0");
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 1, 0));
    assert_eq!(bench.trio.rows("t"), [row!["0"], row!["1"]]);
}

#[test]
fn names_are_quoted() {
    let mut bench = Bench::new("load names");
    bench.options.schema = "the \"raw\" 100%".to_owned();
    bench.pg("CREATE SCHEMA \"the \"\"raw\"\" 100%\"");
    bench.mysql(
        "CREATE TABLE `or\"der.s ``%$1` (`select` INT, `a\"b` INT, `t` INT, `s` INT, `ü` INT,
            PRIMARY KEY (`a\"b`, `select`));
         INSERT INTO `or\"der.s ``%$1` VALUES (1, 2, 3, 4, 5), (2, 2, 3, 4, 5)",
    );
    let load = |strategy: &dyn handoff_loader::LoadStrategy| {
        let done =
            bench.load_as("or\"der.s `%$1", strategy, LoadMode::Full, &RowFilter::All).unwrap();
        changes(&done)
    };
    let strategies = strategies();
    assert_eq!(load(&*strategies[0]), (2, 0, 0));
    bench.mysql("UPDATE `or\"der.s ``%$1` SET t = 9 WHERE `select` = 2");
    assert_eq!(load(&*strategies[0]), (0, 1, 0));
    bench.mysql("UPDATE `or\"der.s ``%$1` SET s = 8 WHERE `select` = 2");
    assert_eq!(load(&*strategies[1]), (0, 1, 0));
    let rows = "SELECT string_agg(x::text, ' ' ORDER BY x) \
                FROM \"the \"\"raw\"\" 100%\".\"or\"\"der.s `%$1\" x";
    assert_eq!(bench.ask(rows), "(1,2,3,4,5) (2,2,9,8,5)");
}
