//! Ways in, and ways of becoming visible.

use super::{NoSeal, Pair, types};
use handoff_connect::{Fault, MyClient, PublishHook, PublishedRows, Side};
use handoff_model::{CancelToken, CopyId, NopObserver};
use handoff_replicator::{Error, LeftoverKind, PublishMode, Replicator};
use handoff_testbed::{Bed, MariaDb, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn a_small_innodb_table_is_refreshed_in_one_transaction() {
    let pair = Pair::new("replicator transaction");
    pair.trio.sql_source(
        "CREATE TABLE t (a INT PRIMARY KEY, b INT, UNIQUE KEY (b)) ENGINE=InnoDB;
         INSERT INTO t VALUES (1, 10), (2, 20)",
    );
    assert_eq!(pair.way("t"), PublishMode::Swap);
    pair.check("t");
    assert_eq!(pair.way("t"), PublishMode::InTransaction);
    pair.trio.sql_source("DELETE FROM t; INSERT INTO t VALUES (1, 20), (2, 10), (3, 30)");
    assert_eq!(pair.check("t").figures.rows, 3);

    pair.trio.sql_source("ALTER TABLE t ADD c INT");
    assert_eq!(pair.way("t"), PublishMode::Swap);
    pair.check("t");
}

#[test]
fn a_refused_seal_undoes_a_transaction_and_leaves_a_swap_to_be_finished() {
    let pair = Pair::new("replicator seal");
    for (engine, way, expected) in
        [("InnoDB", PublishMode::InTransaction, 1_u32), ("MyISAM", PublishMode::Swap, 2)]
    {
        pair.trio.sql_source(&format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (a INT PRIMARY KEY) ENGINE={engine}; INSERT INTO t VALUES (1)"
        ));
        pair.trio.sql_replica("DROP TABLE IF EXISTS t");
        pair.check("t");
        pair.trio.sql_source("INSERT INTO t VALUES (2)");
        let refusal = Refusal(AtomicU32::new(0));
        let error = pair
            .copy_with("t", |opened| {
                assert_eq!(opened.mode(), way);
                opened.finish(&refusal)
            })
            .unwrap_err();
        assert_eq!(error.to_string(), "cannot record the copy of `t` (after 2 rows)");
        assert_eq!(refusal.0.load(Ordering::Relaxed), 2, "the seal sees the new rows");
        let rows: Option<u32> = pair.trio.replica().query_first("SELECT COUNT(*) FROM t").unwrap();
        assert_eq!(rows, Some(expected), "{engine}");
        for leftover in pair.replicator.leftovers().unwrap() {
            assert_eq!(leftover.kind, LeftoverKind::Old);
            pair.replicator.drop_leftover(&leftover).unwrap();
        }
        pair.check("t");
    }
}

/// Counts the rows that it is shown, and refuses.
struct Refusal(AtomicU32);

impl PublishHook for Refusal {
    fn on_replica(&self, conn: &mut MyClient, _: &PublishedRows) -> handoff_connect::Result<()> {
        let rows: Option<u32> = conn.query_first("SELECT COUNT(*) FROM t").unwrap();
        self.0.store(rows.unwrap(), Ordering::Relaxed);
        Err(Fault::new(Side::Replica, "refused"))
    }

    fn on_target(
        &self,
        _: &mut postgres::Transaction<'_>,
        _: &PublishedRows,
    ) -> handoff_connect::Result<()> {
        Ok(())
    }
}

#[test]
fn an_opened_table_that_is_not_finished_leaves_nothing() {
    let pair = Pair::new("replicator unfinished");
    pair.trio.sql_source("CREATE TABLE t (a INT PRIMARY KEY) ENGINE=MyISAM");
    let copy_id = CopyId::new();
    pair.copy_as(copy_id, "t", |_opened| {
        let found = pair.replicator.leftovers()?;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].copy_id, found[0].kind), (copy_id, LeftoverKind::New));
        Ok(())
    })
    .unwrap();
    assert_eq!(pair.replicator.leftovers().unwrap(), []);
}

#[test]
fn where_local_is_refused_rows_are_inserted() {
    let bed = Bed::shared();
    let options = ServerOptions {
        arguments: vec!["--local-infile=0".to_owned()],
        ..ServerOptions::default()
    };
    let server = MariaDb::start(&options).unwrap();
    let trio = Trio::on("replicator no local", bed.source(), server.endpoint(), bed.target());
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
    for engine in ["MyISAM", "Aria", "InnoDB"] {
        types::make(&pair, engine);
        let outcome = pair.check("t");
        assert_eq!((outcome.figures.rows, outcome.strategy), (9, "prepared_inserts"), "{engine}");
    }
    pair.trio.sql_source(
        "CREATE TABLE `many (ü)` (a INT PRIMARY KEY, b VARCHAR(300)) ENGINE=InnoDB;
         INSERT INTO `many (ü)` SELECT seq, REPEAT('ü\\\\', seq MOD 150) FROM seq_1_to_5003",
    );
    assert_eq!(pair.check("many (ü)").figures.rows, 5003);
    pair.trio.sql_source("DELETE FROM `many (ü)` WHERE a > 100; UPDATE `many (ü)` SET b = 'x'");
    assert_eq!(pair.way("many (ü)"), PublishMode::InTransaction);
    assert_eq!(pair.check("many (ü)").figures.rows, 100);

    // Batches are of few sizes, whatever they take: powers of two up to 4096.
    let prepared = || -> u64 {
        let sql = "SELECT variable_value FROM information_schema.global_status \
                   WHERE variable_name = 'Com_stmt_prepare'";
        pair.trio.replica().query_first(sql).unwrap().unwrap()
    };
    pair.trio.sql_source(
        "CREATE TABLE lots (a INT PRIMARY KEY, b TEXT) ENGINE=InnoDB;
         INSERT INTO lots SELECT seq, REPEAT('x', 100 + seq DIV 50) FROM seq_1_to_30001",
    );
    let before = prepared();
    assert_eq!(pair.check("lots").figures.rows, 30_001);
    let prepared = prepared() - before;
    assert!((2..20).contains(&prepared), "{prepared}");
}

#[test]
fn warnings_within_one_server_are_compared_in_the_writing_transaction() {
    let bed = Bed::shared();
    let trio = Trio::on("replicator warned", bed.source(), bed.source(), bed.target());
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
    // The server warns at each row as it works out the column.
    pair.trio.sql_source(
        "SET sql_mode = ''; CREATE TABLE t (a INT PRIMARY KEY, \
             g TINYINT AS (a + 1000) VIRTUAL) ENGINE=InnoDB;
         INSERT INTO t (a) VALUES (1), (2)",
    );
    let outcome = pair.check("t");
    assert!(outcome.checked);
    assert_eq!(pair.way("t"), PublishMode::InTransaction);
    pair.trio.sql_source("SET sql_mode = ''; INSERT INTO t (a) VALUES (3)");
    // Another session sees the old rows until the commit.
    let outcome = pair.check("t");
    assert_eq!(
        (outcome.figures.rows, outcome.strategy, outcome.checked),
        (3, "insert_select", true)
    );
}

#[test]
fn warned_rows_that_are_not_the_source_s_are_sent_again_and_then_refused() {
    let bed = Bed::shared();
    let trio = Trio::on("replicator warned wrongly", bed.source(), bed.source(), bed.target());
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
    pair.trio.sql_source("CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'abcdef')");
    pair.check("t");
    pair.trio.sql_source("ALTER TABLE t ENGINE=InnoDB, ADD UNIQUE KEY (a)");
    let copy_id = CopyId::new();
    let error = pair
        .copy_as(copy_id, "t", |opened| {
            let shadow = format!("__handoff_new_{copy_id}");
            pair.trio.sql_replica(&format!("ALTER TABLE {shadow} MODIFY b VARCHAR(3)"));
            opened.finish(&NoSeal)
        })
        .unwrap_err();
    assert!(matches!(error, Error::ValuesChanged { .. }), "{error}");
    pair.trio.sql_replica("SELECT a FROM t");
    assert_eq!(pair.replicator.leftovers().unwrap(), []);
}

#[test]
fn within_one_server_the_server_copies() {
    let bed = Bed::shared();
    let trio = Trio::on("replicator one server", bed.source(), bed.source(), bed.target());
    let pair = Pair::of(trio, CancelToken::new(), Arc::new(NopObserver));
    types::make(&pair, "InnoDB");
    let outcome = pair.check("t");
    assert_eq!((outcome.figures.rows, outcome.strategy), (9, "insert_select"));
    types::make(&pair, "MyISAM");
    assert_eq!(pair.check("t").figures.rows, 9);
}

#[test]
fn a_database_is_not_its_own_replica() {
    let trio = Trio::new("replicator same");
    let source = super::pool(&trio, Side::Source);
    let made = Replicator::new(source.clone(), source, CancelToken::new(), Arc::new(NopObserver));
    assert!(matches!(made.err().unwrap(), Error::SameDatabase));
}

#[test]
fn the_seal_of_a_swap_is_called_once_both_tables_are_in_place() {
    let pair = Pair::new("replicator order");
    pair.trio.sql_source("CREATE TABLE t (a INT) ENGINE=Aria; INSERT INTO t VALUES (1)");
    pair.copy_with("t", |opened| opened.finish(&NoSeal)).unwrap();
    let seen = Seen(AtomicU32::new(0));
    pair.copy_with("t", |opened| opened.finish(&seen)).unwrap();
    assert_eq!(seen.0.load(Ordering::Relaxed), 1, "the old table, and no shadow");
    assert_eq!(pair.replicator.leftovers().unwrap(), []);
}

/// Counts the old tables, and minds shadows.
struct Seen(AtomicU32);

impl PublishHook for Seen {
    fn on_replica(&self, conn: &mut MyClient, _: &PublishedRows) -> handoff_connect::Result<()> {
        let names: Vec<String> = conn.query("SHOW TABLES LIKE '\\_\\_handoff%'").unwrap();
        assert!(names.iter().all(|name| name.starts_with("__handoff_old_")), "{names:?}");
        self.0.store(u32::try_from(names.len()).unwrap(), Ordering::Relaxed);
        Ok(())
    }

    fn on_target(
        &self,
        _: &mut postgres::Transaction<'_>,
        _: &PublishedRows,
    ) -> handoff_connect::Result<()> {
        Ok(())
    }
}
