//! Ways of merging.

use super::super::pool;
use super::{ENGINES, Pair, counts, since, types};
use handoff_connect::{MyPool, PoolOptions, Side};
use handoff_model::{CancelToken, NopObserver, TableName};
use handoff_replicator::Replicator;
use handoff_settings::MySqlServer;
use handoff_testbed::{Account, Bed, MariaDb, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::sync::Arc;

/// A pair whose replica has a server of its own.
fn on(test: &str, arguments: &[&str]) -> (MariaDb, Pair) {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let server = MariaDb::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on(test, bed.source(), server.endpoint(), bed.target());
    (server, Pair::of(trio, CancelToken::new(), Arc::new(NopObserver)))
}

#[test]
fn within_one_server_the_server_gathers_the_changed_rows() {
    let bed = Bed::shared();
    let trio = Trio::on("replicator merge one server", bed.source(), bed.source(), bed.target());
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
    types::make(&pair, "InnoDB");
    pair.check("t");
    pair.trio.sql_replica("DELETE FROM t WHERE id < 4; UPDATE t SET i = 1 WHERE id > 5");
    let outcome = pair.try_merge("t", &since("id", 4)).unwrap();
    assert_eq!((counts(&outcome), outcome.strategy), ((0, 3, 2), "insert_select"));
    let outcome = pair.merge("t", &since("id", 0));
    assert_eq!((counts(&outcome), outcome.strategy), ((4, 0, 5), "insert_select"));
}

#[test]
fn where_local_is_refused_changed_rows_are_inserted() {
    let (_server, pair) = on("replicator merge no local", &["--local-infile=0"]);
    for engine in ENGINES {
        types::make(&pair, engine);
        pair.trio.sql_replica("DROP TABLE IF EXISTS t");
        pair.check("t");
        pair.trio.sql_replica("DELETE FROM t WHERE id < 4; UPDATE t SET i = 1 WHERE id > 5");
        let outcome = pair.merge("t", &since("id", 0));
        assert_eq!((counts(&outcome), outcome.strategy), ((4, 3, 2), "prepared_inserts"));
    }
}

#[test]
fn without_the_right_to_temporary_tables_an_ordinary_one_is_used() {
    let trio = Trio::new("replicator merge no temporary");
    let account = Account { user: "no_temporary".into(), password: "n1".into() };
    let rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX";
    trio.replica_server().create_account(&account, rights, &trio.replica_name()).unwrap();
    let url = trio.replica_server().url_as(&account, &trio.replica_name());
    let server = MySqlServer::from_url(&url).unwrap();
    let options = PoolOptions { size: 4, ..PoolOptions::default() };
    let (source, replica) =
        (pool(&trio, Side::Source), MyPool::open(&server, Side::Replica, &options).unwrap());
    let observer = Arc::new(NopObserver);
    let replicator = Replicator::new(source.clone(), replica.clone(), CancelToken::new(), observer);
    let pair = Pair { trio, source, replica, replicator: replicator.unwrap() };
    for engine in ENGINES {
        types::make(&pair, engine);
        pair.trio.sql_replica("DROP TABLE IF EXISTS t");
        pair.check("t");
        pair.trio.sql_replica("DELETE FROM t WHERE id < 4; UPDATE t SET i = 1 WHERE id > 5");
        // Nothing is left, or the comparison would say so.
        assert_eq!(counts(&pair.merge("t", &since("id", 0))), (4, 3, 2), "{engine}");
        pair.trio
            .sql_replica("DELETE FROM t; ALTER TABLE t MODIFY inv TINYINT INVISIBLE DEFAULT 7");
        let refused = pair.try_merge("t", &since("id", 0)).unwrap_err();
        assert!(refused.to_string().contains("another structure"), "{refused}");
    }
    let mut admin = pair.trio.replica_server().admin().unwrap();
    admin.query_drop("DROP USER 'no_temporary'@'%'").unwrap();
}

#[test]
fn nothing_in_the_window_and_nothing_in_the_table() {
    let pair = Pair::new("replicator merge nothing");
    for engine in ENGINES {
        pair.start(&format!("CREATE TABLE t (id INT PRIMARY KEY, at INT) ENGINE={engine}"));
        assert_eq!(counts(&pair.merge("t", &since("at", 0))), (0, 0, 0), "{engine}");
        pair.trio.sql_source("INSERT INTO t VALUES (1, 5), (2, NULL)");
        assert_eq!(counts(&pair.try_merge("t", &since("at", 6)).unwrap()), (0, 0, 0), "{engine}");
        let outcome = pair.try_merge("t", &since("at", 5)).unwrap();
        assert_eq!(counts(&outcome), (1, 0, 0), "{engine}");
        let name = TableName::new("t").unwrap();
        let there = pair.replicator.counts(&name).unwrap();
        assert_eq!((there.source, there.replica), (2, 1), "{engine}");
    }
}

#[test]
fn unchanged_rows_are_not_rewritten() {
    let (_server, pair) = on("replicator merge rewritten", &["--userstat=1"]);
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, at INT, b VARCHAR(99)) ENGINE={engine};
             INSERT INTO t SELECT seq, 1, REPEAT('x', seq MOD 99) FROM seq_1_to_3000"
        ));
        pair.trio.sql_source(
            "UPDATE t SET b = 'changed' WHERE id MOD 1000 = 7; INSERT INTO t VALUES (0, 1, '')",
        );
        // Rows inserted, updated and deleted, by table.
        let changed = || {
            let ask = "SELECT ROWS_CHANGED FROM information_schema.TABLE_STATISTICS \
                       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't'";
            pair.trio.replica().query_first::<u64, _>(ask).unwrap().unwrap_or_default()
        };
        let before = changed();
        assert_eq!(counts(&pair.merge("t", &since("at", 1))), (1, 3, 2997), "{engine}");
        assert_eq!(changed() - before, 3 + 4, "{engine}");
    }
}

#[test]
fn a_hundred_thousand_changed_rows_are_merged() {
    let pair = Pair::new("replicator merge large");
    for engine in ENGINES {
        pair.trio.sql_replica("DROP TABLE IF EXISTS t");
        pair.trio.sql_source(&format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY, u INT, at INT, b VARCHAR(99), UNIQUE KEY (u), KEY (b))
                 ENGINE={engine};
             INSERT INTO t SELECT seq, seq, 0, REPEAT('x', seq MOD 99) FROM seq_1_to_150000"
        ));
        pair.copy("t").unwrap();
        pair.trio.sql_source(
            "UPDATE t SET at = 1, u = -u, b = 'changed' WHERE id > 60000;
             INSERT INTO t SELECT seq, seq - 90000, 1, '' FROM seq_150001_to_160000",
        );
        let outcome = pair.try_merge("t", &since("at", 1)).unwrap();
        assert_eq!(counts(&outcome), (10_000, 90_000, 0), "{engine}");
        let sums = pair.row_sums("t");
        assert_eq!(sums.source, sums.replica, "{engine}");
    }
}
