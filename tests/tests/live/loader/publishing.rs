//! What a load changes, and what it leaves alone.

use super::embedder::InBatches;
use super::{Bench, chain, changes};
use handoff_connect::{PgPool, PoolOptions};
use handoff_loader::{
    DiscardLoad, Error, LoadJob, LoadMode, LoadStrategy, StreamingLoad, strategy,
};
use handoff_model::{KeyRange, KeyValue, RowFilter, Strategy};
use handoff_rows::Locking;
use handoff_schema::TargetCatalogue;
use handoff_settings::{PgServer, Secret};
use handoff_testbed::{NULL, row};
use std::time::{Duration, Instant};

#[test]
fn unchanged_rows_are_not_rewritten() {
    let bench = Bench::new("load unchanged");
    bench.mysql("CREATE TABLE t (a INT, b INT, c TEXT, PRIMARY KEY (b, a))");
    // More than a buffer, so that staging is filled and merged.
    bench.mysql("INSERT INTO t SELECT seq, seq % 7, REPEAT('x', 200) FROM seq_1_to_3000");
    bench.load("t").unwrap();
    let places = "SELECT string_agg(ctid::text || xmin::text, ' ' ORDER BY b, a) FROM raw.t \
                  WHERE a NOT IN (5, 6)";
    let before = bench.ask(places);

    bench.mysql("UPDATE t SET c = '' WHERE a = 5; UPDATE t SET a = 6000 WHERE a = 6");
    let outcome = bench.load("t").unwrap();
    assert_eq!((outcome.figures.rows, changes(&outcome)), (3000, (1, 1, 1)));
    assert_eq!(bench.ask(&places.replace("(5, 6)", "(5, 6, 6000)")), before);

    let outcome = bench.load("t").unwrap();
    assert_eq!((outcome.figures.rows, changes(&outcome)), (3000, (0, 0, 0)));
    assert_eq!(bench.seal.last().rows, 3000);
    assert_eq!(bench.seal.last().sum, Some(outcome.sum));
}

#[test]
fn rows_may_swap_the_value_of_a_second_unique_index() {
    for rows in [3, 3000] {
        let bench = Bench::new("load swap");
        bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, code INT NOT NULL, pad CHAR(200))");
        bench.mysql(&format!(
            "INSERT INTO t SELECT seq, seq, REPEAT('x', 200) FROM seq_1_to_{rows}"
        ));
        bench.load("t").unwrap();
        bench.pg("CREATE UNIQUE INDEX ON raw.t (code)");
        bench.mysql(
            "UPDATE t SET code = -1 WHERE id = 1; UPDATE t SET code = 1 WHERE id = 2;
             UPDATE t SET code = 2 WHERE id = 1; DELETE FROM t WHERE id = 3;
             INSERT INTO t VALUES (9000, 3, NULL)",
        );
        assert_eq!(changes(&bench.load("t").unwrap()), (1, 2, 1));
        let codes = "SELECT string_agg(code::text, ' ' ORDER BY id) FROM raw.t \
                     WHERE id < 3 OR id > 8999";
        assert_eq!(bench.ask(codes), "2 1 3");
    }
}

#[test]
fn a_table_without_a_key_is_replaced_and_keeps_its_twins() {
    let bench = Bench::new("load keyless");
    bench.mysql(
        "CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (1, 'x'), (NULL, '')",
    );
    assert_eq!(changes(&bench.load("t").unwrap()), (3, 0, 0));
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 0, 0));
    bench.mysql("INSERT INTO t VALUES (1, 'x')");
    assert_eq!(changes(&bench.load("t").unwrap()), (4, 0, 3));
    assert_eq!(
        bench.trio.rows("t"),
        [row![NULL, ""], row!["1", "x"], row!["1", "x"], row!["1", "x"]]
    );
    let error =
        bench.load_as("t", &StreamingLoad::default(), LoadMode::Incremental, &RowFilter::All);
    assert!(matches!(error, Err(Error::NoKey { .. })));
}

#[test]
fn an_empty_table_arrives_fills_and_empties() {
    let bench = Bench::new("load empty");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY)");
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 0, 0));
    assert_eq!(bench.trio.rows("t").len(), 0);
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 0, 0));
    bench.mysql("INSERT INTO t VALUES (1), (2)");
    assert_eq!(changes(&bench.load("t").unwrap()), (2, 0, 0));
    bench.mysql("DELETE FROM t");
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 0, 2));
    assert_eq!(bench.trio.rows("t").len(), 0);
    assert_eq!(bench.seal.entries.lock().unwrap().len(), 4);
}

#[test]
fn an_incremental_load_leaves_the_other_rows() {
    let bench = Bench::new("load incremental");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1,1), (2,2), (3,3)",
    );
    bench.load("t").unwrap();
    bench.mysql("DELETE FROM t WHERE id = 1; UPDATE t SET n = 9; INSERT INTO t VALUES (4, 4)");
    let above =
        |id| RowFilter::Range(KeyRange { after: Some(vec![KeyValue::Int(id)]), upto: None });
    let load = |filter: &RowFilter| {
        bench.load_as("t", &StreamingLoad::default(), LoadMode::Incremental, filter).unwrap()
    };
    let outcome = load(&above(2));
    assert_eq!((outcome.figures.rows, changes(&outcome)), (2, (1, 1, 0)));
    assert_eq!(changes(&load(&above(100))), (0, 0, 0));
    assert_eq!(
        bench.trio.rows("t"),
        [row!["1", "1"], row!["2", "2"], row!["3", "9"], row!["4", "4"]]
    );
}

#[test]
fn a_role_without_temporary_tables_stages_in_the_schema() {
    let bench = Bench::new("load no temp");
    let name = bench.trio.target_name();
    bench.trio.sql_target(&format!("REVOKE TEMPORARY ON DATABASE \"{name}\" FROM PUBLIC, etl"));
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1,1), (2,2)");
    bench.load("t").unwrap();
    bench.mysql("UPDATE t SET n = 3 WHERE id = 1");
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 1, 0));
    assert_eq!(bench.trio.rows("t"), [row!["1", "3"], row!["2", "2"]]);
    assert_eq!(tables(&bench), "t");
}

#[test]
fn what_is_created_has_its_key_and_its_readers() {
    let mut bench = Bench::new("load grants");
    bench.options.grant_select_to = vec!["pg_monitor".to_owned()];
    bench.mysql("CREATE TABLE t (b INT, a INT, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, 2)");
    bench.load("t").unwrap();
    let key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint \
               WHERE conrelid = 'raw.t'::regclass AND contype = 'p'";
    assert_eq!(bench.ask(key), "PRIMARY KEY (a, b)");
    let may = "SELECT has_table_privilege('pg_monitor', 'raw.t', 'SELECT')::text";
    assert_eq!(bench.ask(may), "true");
    assert_eq!(
        bench.ask("SELECT reltuples::text FROM pg_class WHERE oid = 'raw.t'::regclass"),
        "1"
    );
}

#[test]
fn discard_reads_everything_and_touches_nothing() {
    let bench = Bench::new("load discard");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    let discard = strategy(Strategy::Discard);
    assert_eq!(discard.connections(), DiscardLoad.connections());
    let outcome = bench.load_as("t", &*discard, LoadMode::Full, &RowFilter::All).unwrap();
    assert_eq!((outcome.figures.rows, outcome.sum.rows, changes(&outcome)), (2, 2, (0, 0, 0)));
    let loaded = bench.load("t").unwrap();
    assert_eq!(loaded.sum, outcome.sum);
    bench.load_as("t", &*discard, LoadMode::Full, &RowFilter::All).unwrap();
    assert_eq!(bench.trio.rows("t").len(), 2);
    assert_eq!(bench.seal.entries.lock().unwrap().len(), 1);
}

#[test]
fn tables_that_dead_runs_left_are_dropped_and_others_not() {
    let bench = Bench::new("load leftovers");
    bench.pg("CREATE TABLE raw.__handoff_0123456789abcdef (a int);
         CREATE UNLOGGED TABLE raw.__handoff_fedcba9876543210 (a int);
         CREATE TABLE raw.__handoff_0000000000000000 (a int);
         CREATE VIEW raw.v AS SELECT * FROM raw.__handoff_0000000000000000;
         CREATE TABLE raw.__handoff_mine (a int); CREATE TABLE raw.patient (a int)");
    let mut conn = bench.to.get().unwrap();
    let names = TargetCatalogue::read(&mut conn, "raw").unwrap().leftovers;
    drop(conn);
    assert_eq!(names.len(), 4);
    let loader = bench.loader();

    let mut holder = bench.trio.target();
    let mut tx = holder.transaction().unwrap();
    tx.batch_execute("LOCK TABLE raw.__handoff_fedcba9876543210 IN ACCESS SHARE MODE").unwrap();
    let begun = Instant::now();
    assert_eq!(loader.drop_leftovers(&names, &[]).unwrap(), 1);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    tx.rollback().unwrap();

    assert_eq!(loader.drop_leftovers(&names, &[]).unwrap(), 2, "one of them was gone already");
    assert_eq!(loader.leftovers().unwrap(), ["__handoff_0000000000000000"]);
    assert_eq!(tables(&bench), "__handoff_0000000000000000 __handoff_mine patient");
    assert_eq!(bench.ask("SHOW lock_timeout"), "1min");
}

#[test]
fn a_table_that_hides_or_changes_rows_is_refused_with_the_remedy() {
    let bench = Bench::new("load obstructed");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    bench.load("t").unwrap();
    bench.pg("CREATE FUNCTION raw.less() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN IF NEW.id = 3 THEN NEW.id = 4; END IF; RETURN NEW; END'");
    bench.mysql("INSERT INTO t VALUES (3)");
    for (make, refusal, remedy) in [
        (
            "CREATE TRIGGER less BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.less()",
            "the target table \"raw\".\"t\" cannot be loaded: it has triggers, which may change the \
             rows written to it (\"less\"): run ALTER TABLE \"raw\".\"t\" DISABLE TRIGGER USER",
            "ALTER TABLE raw.t DISABLE TRIGGER USER",
        ),
        (
            "CREATE RULE less AS ON INSERT TO raw.t WHERE NEW.id = 3 DO INSTEAD NOTHING",
            "the target table \"raw\".\"t\" cannot be loaded: it has rules, which rewrite the rows \
             written to it (\"less\"): run ALTER TABLE \"raw\".\"t\" DISABLE RULE \"less\"",
            "ALTER TABLE raw.t DISABLE RULE less",
        ),
    ] {
        bench.pg(make);
        assert_eq!(bench.load("t").unwrap_err().to_string(), refusal);
        assert_eq!(bench.trio.rows("t"), [row!["1"], row!["2"]]);
        bench.pg(remedy);
    }
    assert_eq!(changes(&bench.load("t").unwrap()), (1, 0, 0));
}

#[test]
fn rows_that_row_security_hides_are_not_taken_for_missing() {
    let mut bench = Bench::new("load hidden");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let limited = PgServer {
        user: "limited".into(),
        password: Secret::new("l"),
        ..PgServer::from_url(&bench.trio.target_url()).unwrap()
    };
    bench.trio.sql_target(
        "DO $$ BEGIN CREATE ROLE limited LOGIN PASSWORD 'l'; EXCEPTION WHEN duplicate_object THEN END $$;
         GRANT ALL ON SCHEMA raw TO limited",
    );
    bench.load("t").unwrap();
    bench.pg("INSERT INTO raw.t VALUES (666); ALTER TABLE raw.t ENABLE ROW LEVEL SECURITY;
         CREATE POLICY mine ON raw.t USING (id < 100); GRANT ALL ON raw.t TO limited");
    // The phantom is hidden, so that what can be seen looks equal.
    bench.to = PgPool::open(&limited, &PoolOptions { size: 4, ..PoolOptions::default() }).unwrap();
    let error = bench.load("t").unwrap_err();
    assert!(matches!(error, Error::Unfit(_)));
    assert!(error.to_string().contains("DISABLE ROW LEVEL SECURITY"), "{error}");
    bench.trio.sql_target("ALTER TABLE raw.t DISABLE ROW LEVEL SECURITY");
    assert_eq!(changes(&bench.load("t").unwrap()), (0, 0, 1));
}

#[test]
fn a_table_that_came_since_the_target_was_read_is_told_from_other_failures() {
    let bench = Bench::new("load appeared");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let strategies: [&dyn LoadStrategy; 2] =
        [&StreamingLoad::default(), &InBatches { fail_above: u64::MAX }];
    bench.load("t").unwrap();
    let (table, mapping) = bench.describe("t");
    for strategy in strategies {
        // As a retry has it after a commit whose answer was lost.
        let job = LoadJob {
            table: &table,
            mapping: &mapping,
            filter: &RowFilter::All,
            mode: LoadMode::Full,
            copy_id: None,
            locking: Locking::Free,
            target: None,
        };
        let error = bench.loader().load(&job, strategy, &bench.seal).unwrap_err();
        assert!(error.is_target_appeared() && !error.is_transient(), "{}", chain(&error));
        let target = bench.target("t");
        let job = LoadJob { target: target.as_ref(), ..job };
        let outcome = bench.loader().load(&job, strategy, &bench.seal).unwrap();
        assert_eq!((outcome.figures.rows, changes(&outcome)), (1, (0, 0, 0)));
    }
}

/// As the message of a table that differs says, and its key keeps its name.
#[test]
fn a_table_that_is_renamed_is_loaded_afresh() {
    let strategies: [&dyn LoadStrategy; 2] =
        [&StreamingLoad::default(), &InBatches { fail_above: u64::MAX }];
    for strategy in strategies {
        let bench = Bench::new("load renamed");
        bench.mysql(
            "CREATE TABLE t (id INT PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1), (2, 2)",
        );
        let load = || bench.load_as("t", strategy, LoadMode::Full, &RowFilter::All).unwrap();
        load();
        bench.pg("ALTER TABLE raw.t RENAME TO t_before");
        load();
        let keys = "SELECT string_agg(conrelid::regclass || ' ' || conname, ', ' ORDER BY conname) \
             FROM pg_constraint WHERE contype = 'p' AND connamespace = 'raw'::regnamespace";
        assert_eq!(bench.ask(keys), "raw.t_before t_pkey, raw.t t_pkey1");
        assert_eq!(bench.trio.rows("t"), bench.trio.rows("t_before"));
    }
}

/// The tables of the schema `raw`.
fn tables(bench: &Bench) -> String {
    bench.ask(
        "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables \
               WHERE schemaname = 'raw'",
    )
}
