//! Locks that somebody else holds.

use super::{Before, NEWS, TWO, hasty, mended};
use crate::etl::Etl;
use handoff_testbed::{Bed, MariaDb, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::time::Duration;

/// Waits for locks no longer than a second.
fn hurry(trio: &Trio) {
    trio.sql_target(&format!(
        "ALTER ROLE etl IN DATABASE \"{}\" SET lock_timeout = '1s'",
        trio.target_name()
    ));
}

#[test]
fn a_lock_on_the_targets_table_that_does_not_come_free() {
    let trio = Trio::new("lock_target");
    trio.sql_source(TWO);
    hurry(&trio);
    let etl = hasty(&trio.settings_toml());
    etl.ok(&["run"]);
    trio.sql_source(NEWS);
    let before = Before::of(&trio);
    let mut holder = trio.target();
    holder.batch_execute("BEGIN; LOCK TABLE raw.sick IN ACCESS EXCLUSIVE MODE").unwrap();
    let done = etl.run(&["run"]);
    holder.batch_execute("ROLLBACK").unwrap();
    before.fails_alone(&done, &["another session held a lock", "lock_timeout", "55P03"]);
    mended(&etl);
}

#[test]
fn a_lock_on_the_targets_table_that_comes_free_is_waited_for() {
    let trio = Trio::new("lock_passes");
    trio.sql_source(TWO);
    hurry(&trio);
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_source(NEWS);
    let mut holder = trio.target();
    holder.batch_execute("BEGIN; LOCK TABLE raw.sick IN ACCESS EXCLUSIVE MODE").unwrap();
    let mut run = etl.start(&["run"]);
    std::thread::sleep(Duration::from_millis(1800));
    assert_eq!(run.try_wait().unwrap(), None, "it did not wait for the lock");
    holder.batch_execute("ROLLBACK").unwrap();
    assert!(run.wait().unwrap().success());
    mended(&etl);
}

#[test]
fn a_reader_of_the_replica_who_keeps_a_transaction_open() {
    let arguments = vec!["--lock-wait-timeout=2".to_owned()];
    let server = MariaDb::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on("lock_replica", bed.source(), server.endpoint(), bed.target());
    // A MyISAM table is swapped in, which its readers have to end for.
    trio.sql_source(&TWO.replace("InnoDB", "MyISAM"));
    let etl = hasty(&trio.settings_toml());
    etl.ok(&["run"]);
    trio.sql_source(NEWS);
    let before = Before::of(&trio);
    let mut reader = trio.replica();
    reader.query_drop("START TRANSACTION").unwrap();
    reader.query_drop("SELECT * FROM sick").unwrap();
    let done = etl.run(&["run"]);
    reader.query_drop("ROLLBACK").unwrap();
    before.fails_alone(
        &done,
        &["swap in the copy of `sick`", "another session held a lock", "lock_wait_timeout", "1205"],
    );
    before.replica_is_kept();
    mended(&etl);
}
