//! Two servers of one kind, compared by the packets they send.

use super::{carry, counts, settings, verify, verify_copy};
use handoff_connect::Side;
use handoff_model::SumBy;
use handoff_settings::ZeroDates;
use handoff_testbed::{Bed, MariaDb, ServerOptions, Trio};
use handoff_verify::VerifyOptions;
use mysql::prelude::Queryable;

const READ: VerifyOptions = VerifyOptions {
    most_cells: 1 << 16,
    most_listed: 1_000,
    most_looks: 4,
    look_up_one_in: 20,
    sums: SumBy::Read,
};

/// A value that can't be carried, on both sides and for ever, is none of this comparison's business: it concerns the target.
#[test]
fn rows_that_are_equal_are_not_encoded() {
    let trio = Trio::new("verify packets");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, day DATE) ENGINE=InnoDB; \
         INSERT INTO t SELECT seq, '2024-02-29' FROM seq_1_to_5000",
    );
    let mut settings = settings(&trio);
    settings.values.zero_dates = ZeroDates::Fail;
    carry(&settings);
    let spoil = "SET sql_mode = ''; UPDATE t SET day = '0000-00-00' WHERE id = 2000";
    trio.sql_source(spoil);
    trio.sql_replica(spoil);
    let failed = |error: &Option<String>| error.as_ref().is_some_and(|e| e.contains("`day`"));
    assert!(failed(&verify(&settings, READ).tables[0].error));
    assert!(verify_copy(&settings, READ).ok);
    trio.sql_replica("UPDATE t SET day = '2024-03-01' WHERE id = 4999");
    assert_eq!(counts(&verify_copy(&settings, READ).tables[0], Side::Source), [0, 1, 0]);
    trio.sql_replica("UPDATE t SET day = '2024-03-01' WHERE id = 2001");
    assert_eq!(counts(&verify_copy(&settings, READ).tables[0], Side::Source), [0, 2, 0]);
}

/// A policy makes the same of both in the target; source and replica differ all the same, and are told apart.
#[test]
fn rows_that_a_policy_makes_the_same_differ() {
    let trio = Trio::new("verify packets lossy");
    trio.sql_source(
        "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, day DATE) ENGINE=InnoDB; \
         INSERT INTO t SELECT seq, '0000-00-00' FROM seq_1_to_3000",
    );
    let mut settings = settings(&trio);
    settings.values.zero_dates = ZeroDates::Null;
    carry(&settings);
    trio.sql_replica("UPDATE t SET day = NULL WHERE id IN (1, 7, 3000)");
    let report = verify_copy(&settings, READ);
    assert_eq!(counts(&report.tables[0], Side::Source), [0, 3, 0], "{report:#?}");
    trio.sql_replica("UPDATE t SET day = NULL");
    assert_eq!(counts(&verify_copy(&settings, READ).tables[0], Side::Source), [0, 3_000, 0]);
}

#[test]
fn only_the_ranges_that_differ_are_read_again() {
    const ROWS: u64 = 20_000;
    let server = || MariaDb::start(&ServerOptions::default()).unwrap();
    let (source, replica) = (server(), server());
    let target = Bed::shared().target();
    let trio = Trio::on("verify ranges", source.endpoint(), replica.endpoint(), target);
    trio.sql_source(&format!(
        "CREATE TABLE t (a VARCHAR(20) COLLATE utf8mb4_general_ci, b DATETIME(3), n INT, \
         PRIMARY KEY (b, a)) ENGINE=InnoDB; INSERT INTO t SELECT CONCAT('Ärger_', seq), \
         '2024-01-01' + INTERVAL seq DIV 5 SECOND, seq FROM seq_1_to_{ROWS}"
    ));
    let settings = settings(&trio);
    carry(&settings);
    trio.sql_replica(
        "SET NAMES utf8mb4; DELETE FROM t WHERE n IN (1, 20000); \
         UPDATE t SET n = -1 WHERE n IN (10000, 10001); \
         INSERT INTO t VALUES ('Z', '2023-01-01', 0), ('Z', '2025-01-01', 0)",
    );
    let sent = || -> u64 {
        let ask = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
                   WHERE VARIABLE_NAME = 'ROWS_SENT'";
        trio.source().query_first::<String, _>(ask).unwrap().unwrap().parse().unwrap()
    };
    let before = sent();
    let report = verify_copy(&settings, READ);
    assert_eq!(counts(&report.tables[0], Side::Source), [2, 2, 2]);
    let (read, table) = (sent() - before, &report.tables[0]);
    assert!((ROWS..ROWS * 5 / 4).contains(&read), "{read} rows");
    assert_eq!(table.rows["source"], ROWS);
    assert_eq!(table.rows["replica"], ROWS);
}

/// Tables whose rows do not lie in the order of their key.
#[test]
fn what_is_in_no_order_is_compared_all_the_same() {
    let trio = Trio::new("verify unordered");
    let fill = |table: &str| format!("INSERT INTO {table} SELECT seq, 'x' FROM seq_1_to_3000");
    trio.sql_source(&format!(
        "CREATE TABLE apart (id INT PRIMARY KEY, note TEXT) ENGINE=InnoDB \
         PARTITION BY HASH (id) PARTITIONS 7; {}; \
         CREATE TABLE second (id INT NOT NULL UNIQUE, note TEXT) ENGINE=InnoDB; {}; \
         CREATE TABLE plain (id INT PRIMARY KEY, note TEXT) ENGINE=InnoDB; {}",
        fill("apart"),
        fill("second"),
        fill("plain"),
    ));
    let settings = settings(&trio);
    carry(&settings);
    let change = |table| {
        trio.sql_replica(&format!(
            "UPDATE {table} SET note = 'y' WHERE id = 1500; DELETE FROM {table} WHERE id = 1"
        ));
    };
    ["apart", "second", "plain"].into_iter().for_each(change);
    for table in &verify_copy(&settings, READ).tables {
        assert_eq!(counts(table, Side::Source), [1, 1, 0], "{}", table.table);
    }
}
