//! Merges that stop on their way, and merges done twice.

use super::super::NoSeal;
use super::{ENGINES, Pair, chain, counts, since};
use handoff_connect::{Fault, MyClient, PublishHook, PublishedRows, Side};
use handoff_model::{CancelToken, CopyId, NopObserver};
use handoff_replicator::Error;
use mysql::prelude::Queryable;
use std::sync::{Arc, Mutex};

/// Notes what it is told, and may refuse.
struct Told {
    published: Mutex<Vec<(u64, u64, u64)>>,
    refuses: bool,
}

impl Told {
    fn new(refuses: bool) -> Told {
        Told { published: Mutex::new(Vec::new()), refuses }
    }
}

impl PublishHook for Told {
    fn on_replica(
        &self,
        conn: &mut MyClient,
        published: &PublishedRows,
    ) -> handoff_connect::Result<()> {
        let &PublishedRows { rows, inserted, updated, .. } = published;
        self.published.lock().unwrap().push((rows, inserted, updated));
        let there: Option<u64> = conn.query_first("SELECT COUNT(*) FROM t WHERE at = 1").unwrap();
        assert_eq!(there, Some(3), "the rows are there before the seal");
        if self.refuses { Err(Fault::new(Side::Replica, "refused")) } else { Ok(()) }
    }

    fn on_target(
        &self,
        _: &mut postgres::Transaction<'_>,
        _: &PublishedRows,
    ) -> handoff_connect::Result<()> {
        Ok(())
    }
}

fn change(pair: &Pair, engine: &str) {
    pair.start(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, u INT, at INT, UNIQUE KEY (u)) ENGINE={engine};
         INSERT INTO t VALUES (1, 10, 0), (2, 20, 0), (3, 30, 0)"
    ));
    pair.trio.sql_source(
        "UPDATE t SET u = NULL, at = 1 WHERE id IN (1, 2);
         UPDATE t SET u = IF(id = 1, 20, 10) WHERE id < 3; INSERT INTO t VALUES (4, 40, 1)",
    );
}

#[test]
fn a_window_is_merged_twice_and_after_every_stop() {
    let pair = Pair::new("replicator merge twice");
    for engine in ENGINES {
        change(&pair, engine);
        let refusal = Told::new(true);
        let error = pair
            .copy_some(CopyId::new(), "t", &since("at", 1), |opened| opened.finish(&refusal))
            .unwrap_err();
        assert!(chain(&error).ends_with("refused"), "{}", chain(&error));
        assert_eq!(*refusal.published.lock().unwrap(), [(3, 1, 2)]);
        let rows: Vec<(u8, u8)> =
            pair.trio.replica().query("SELECT id, u FROM t ORDER BY id").unwrap();
        if engine == "InnoDB" {
            assert_eq!(rows, [(1, 10), (2, 20), (3, 30)], "the transaction is undone");
        } else {
            assert_eq!(rows, [(1, 20), (2, 10), (3, 30), (4, 40)], "only the seal is missing");
        }

        // The states in which a crash between two statements leaves a table without transactions.
        for (left, expected) in [
            ("DELETE FROM t WHERE id IN (1, 2, 4)", (3, 0, 0)),
            ("DELETE FROM t WHERE id IN (2, 4)", (2, 0, 1)),
            ("DO 0", (0, 0, 3)),
        ] {
            if engine == "InnoDB" && left == "DELETE FROM t WHERE id IN (2, 4)" {
                continue;
            }
            pair.trio.sql_replica(left);
            let seal = Told::new(false);
            let outcome = pair
                .copy_some(CopyId::new(), "t", &since("at", 1), |opened| opened.finish(&seal))
                .unwrap();
            assert_eq!(counts(&outcome), expected, "{engine}, {left}");
            assert_eq!(*seal.published.lock().unwrap(), [(3, expected.0, expected.1)]);
            pair.check_sums("t");
        }
    }
}

#[test]
fn a_value_that_the_table_cannot_hold_fails_the_merge() {
    let pair = Pair::new("replicator merge changed value");
    for engine in ENGINES {
        pair.start(&format!(
            "CREATE TABLE t (id INT PRIMARY KEY, b VARCHAR(20)) ENGINE={engine}; INSERT INTO t VALUES (1, 'a')"
        ));
        pair.trio.sql_source("UPDATE t SET b = 'abcdef'");
        let error = pair
            .copy_some(CopyId::new(), "t", &since("id", 0), |opened| {
                pair.trio.sql_replica("ALTER TABLE t MODIFY b VARCHAR(3)");
                opened.finish(&NoSeal)
            })
            .unwrap_err();
        assert!(matches!(error, Error::ValuesChanged { warnings: 1, .. }), "{error}");
        if engine == "InnoDB" {
            let there: Option<String> = pair.trio.replica().query_first("SELECT b FROM t").unwrap();
            assert_eq!(there.as_deref(), Some("a"));
        }
        pair.check("t");
    }
}

#[test]
fn a_structure_that_changes_under_a_merge_is_refused() {
    let pair = Pair::new("replicator merge altered");
    pair.start(
        "CREATE TABLE t (id INT PRIMARY KEY, b TEXT) ENGINE=InnoDB; INSERT INTO t VALUES (1, 'a')",
    );
    pair.trio.sql_source("UPDATE t SET b = 'b'");
    let error = pair
        .copy_some(CopyId::new(), "t", &since("id", 0), |opened| {
            pair.trio.sql_source("ALTER TABLE t MODIFY b TEXT CHARACTER SET latin1");
            opened.finish(&NoSeal)
        })
        .unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    let there: Option<String> = pair.trio.replica().query_first("SELECT b FROM t").unwrap();
    assert_eq!(there.as_deref(), Some("a"));
}

#[test]
fn a_cancelled_merge_leaves_the_table_and_no_other() {
    for engine in ENGINES {
        let trio = handoff_testbed::Trio::new("replicator merge cancelled");
        let cancel = CancelToken::new();
        let pair = Pair::of(trio, cancel.clone(), Arc::new(NopObserver));
        change(&pair, engine);
        let error = pair
            .copy_some(CopyId::new(), "t", &since("at", 1), |opened| {
                cancel.cancel();
                opened.finish(&NoSeal)
            })
            .unwrap_err();
        assert!(error.is_cancelled(), "{}", chain(&error));
        let rows: Vec<u8> = pair.trio.replica().query("SELECT u FROM t ORDER BY id").unwrap();
        assert_eq!(rows, [10, 20, 30]);
        let again = Pair::of(pair.trio, CancelToken::new(), Arc::new(NopObserver));
        assert_eq!(counts(&again.merge("t", &since("at", 1))), (1, 2, 0));
    }
}
