//! What a server tells of the last write, and when it is not believed.

use super::{
    ISAM, TWO_HOURS, arrived, carried, is_left_alone, set_time, time, until_believed, written,
};
use crate::etl::Etl;
use crate::incremental::Rig;
use handoff_testbed::{MariaDb, MySql9, Postgres, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::time::Duration;

#[test]
fn a_table_that_was_not_written_is_left_alone_until_it_is() {
    let rig = carried("same until");
    is_left_alone(&rig);
    is_left_alone(&rig);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    rig.moves("full_table", "configured", 2);
    assert_eq!(arrived(&rig), "10");
    // It was written too short a time ago for the next change to show for sure.
    rig.moves("full_table", "configured", 2);
    written(&rig.trio, "MYD", TWO_HOURS);
    rig.moves("full_table", "configured", 2);
    is_left_alone(&rig);
}

/// The times of files come in whole seconds.
#[test]
fn a_change_in_the_second_of_the_last_one_is_found() {
    let rig = Rig::new("same second", ISAM, "");
    rig.moves("full_table", "first_run", 2);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    let second = time(&rig.trio, "MYD");
    rig.moves("full_table", "configured", 2);
    rig.trio.sql_source("UPDATE t SET v = 20 WHERE id = 1");
    set_time(&rig.trio, "MYD", second);
    rig.moves("full_table", "configured", 2);
    assert_eq!(arrived(&rig), "20");
}

#[test]
fn a_table_that_was_made_anew_with_as_many_rows_is_moved() {
    let rig = carried("same anew");
    let as_it_was = time(&rig.trio, "MYD");
    // Times come in whole seconds.
    std::thread::sleep(Duration::from_millis(1_100));
    rig.trio.sql_source(&format!("DROP TABLE t; {}", ISAM.replace("(1, 1,", "(1, 7,")));
    set_time(&rig.trio, "MYD", as_it_was);
    rig.moves("full_table", "configured", 2);
    assert_eq!(arrived(&rig), "7");
}

/// A row that a slow statement wrote long ago is seen when the statement ends, without another write to
/// the file.
#[test]
fn rows_that_appear_without_a_write_are_counted() {
    let rig = carried("same count");
    let as_it_was = time(&rig.trio, "MYD");
    rig.trio.sql_source("INSERT INTO t VALUES (3, 3, 'c')");
    set_time(&rig.trio, "MYD", as_it_was);
    rig.moves("full_table", "configured", 3);
    is_left_alone(&rig);
}

/// Its pages are written when it suits the server, half a minute later or at its end.
#[test]
fn aria_is_not_believed() {
    let rig = Rig::new("same aria", &ISAM.replace("MyISAM", "Aria"), "");
    written(&rig.trio, "MAD", TWO_HOURS);
    rig.moves("full_table", "first_run", 2);
    rig.moves("full_table", "configured", 2);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    let age = time(&rig.trio, "MAD").elapsed().unwrap();
    assert!(age > TWO_HOURS, "the server wrote at once: it could be believed");
    rig.moves("full_table", "configured", 2);
    assert_eq!(arrived(&rig), "10");
}

#[test]
fn aria_in_the_format_of_myisam_is_believed() {
    let aria = ISAM.replace("MyISAM", "Aria TRANSACTIONAL=0 ROW_FORMAT=DYNAMIC");
    let rig = Rig::new("same aria dynamic", &aria, "");
    written(&rig.trio, "MAD", TWO_HOURS);
    rig.moves("full_table", "first_run", 2);
    is_left_alone(&rig);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    rig.moves("full_table", "configured", 2);
    assert_eq!(arrived(&rig), "10");
}

/// What it tells is lost when the server ends.
#[test]
fn innodb_is_not_believed() {
    let rig = Rig::new("same innodb", &ISAM.replace("MyISAM", "InnoDB"), "");
    rig.moves("full_table", "first_run", 2);
    rig.moves("full_table", "configured", 2);
}

#[test]
fn what_would_be_carried_otherwise_today_is_moved() {
    let rig = carried("same settings");
    is_left_alone(&rig);
    let settings = rig.trio.settings_toml();
    let etl = Etl::with(&format!("{settings}\n[values]\nzero_dates = \"0001-01-01\"\n"));
    let rig = Rig { etl, ..rig };
    rig.moves("full_table", "configured", 2);
    is_left_alone(&rig);
    rig.trio.sql_target("DROP TABLE raw.t");
    let widened = format!("{settings}\n[tables.t]\ncolumns = {{ v = \"bigint\" }}\n");
    let rig = Rig { etl: Etl::with(&widened), ..rig };
    rig.moves("full_table", "configured", 2);
    is_left_alone(&rig);
}

#[test]
fn who_asks_for_everything_or_a_proof_gets_it() {
    let rig = carried("same asked");
    let full = rig.run(&["run", "--full"]);
    assert_eq!(
        (&full["plan"]["reason"], &full["copy"]["rows_copied"]),
        (&"asked".into(), &2.into())
    );
    let proved = rig.run(&["run", "--prove"]);
    assert_eq!(proved["proof"]["verdict"], "equal", "{proved}");
    is_left_alone(&rig);
}

#[test]
fn what_is_left_alone_is_as_fresh_as_the_run() {
    let rig = carried("same fresh");
    rig.trio.sql_target("UPDATE raw.etl_load_status SET data_as_of = now() - interval '40 days'");
    rig.etl.exits(1, &["status", "--stale", "26h"]);
    is_left_alone(&rig);
    rig.etl.ok(&["status", "--stale", "26h"]);
    let line = "SELECT string_agg(concat_ws(' ', status, extraction, reason), ', ' \
                ORDER BY started_at) FROM raw.etl_runs WHERE table_name = 't'";
    let lines: String = rig.trio.target().query_one(line, &[]).unwrap().get(0);
    assert_eq!(lines, "success full_table first_run, success full_table unchanged");
}

/// Files may have been exchanged while the server was down, and after a crash of the machine they may
/// be older than their times.
#[test]
fn after_a_restart_nothing_is_believed() {
    let own = Own::start("same restart");
    is_left_alone(&own.rig);
    own.source.kill9();
    own.restart();
    own.rig.moves("full_table", "configured", 2);
    is_left_alone(&own.rig);
    own.restart();
    own.rig.moves("full_table", "configured", 2);
}

/// A write to a page that is mapped into memory moves the file's time once in a while only.
#[test]
fn a_server_that_maps_files_into_memory_is_not_believed() {
    let own = Own::start("same mapped");
    let mut admin = own.source.admin().unwrap();
    admin.query_drop("SET GLOBAL myisam_use_mmap = 1").unwrap();
    admin.query_drop("FLUSH TABLES").unwrap();
    own.rig.moves("full_table", "configured", 2);
    own.rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    own.rig.moves("full_table", "configured", 2);
    assert_eq!(arrived(&own.rig), "10");
}

#[test]
fn mysql_9_is_believed_as_well() {
    let source = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let target = Postgres::start(&ServerOptions::default()).unwrap();
    let trio = Trio::on("same mysql9", source.endpoint(), source.endpoint(), target.endpoint());
    trio.sql_source(ISAM);
    let etl = Etl::direct(&trio);
    let rig = Rig { trio, etl };
    written(&rig.trio, "MYD", TWO_HOURS);
    rig.moves("full_table", "first_run", 2);
    is_left_alone(&rig);
    rig.trio.sql_source("UPDATE t SET v = 10 WHERE id = 1");
    rig.moves("full_table", "configured", 2);
    assert_eq!(arrived(&rig), "10");
    written(&rig.trio, "MYD", Duration::from_secs(60));
    rig.moves("full_table", "configured", 2);
    rig.moves("full_table", "configured", 2);
}

/// A rig on servers of its own, carried once.
struct Own {
    rig: Rig,
    source: MariaDb,
    _others: (MariaDb, Postgres),
}

impl Own {
    #[track_caller]
    fn start(test: &str) -> Own {
        let source = MariaDb::start(&ServerOptions::default()).unwrap();
        let replica = MariaDb::start(&ServerOptions::default()).unwrap();
        let target = Postgres::start(&ServerOptions::default()).unwrap();
        let trio = Trio::on(test, source.endpoint(), replica.endpoint(), target.endpoint());
        trio.sql_source(ISAM);
        written(&trio, "MYD", TWO_HOURS);
        let etl = Etl::new(&trio);
        let rig = Rig { trio, etl };
        rig.moves("full_table", "first_run", 2);
        Own { rig, source, _others: (replica, target) }
    }

    #[track_caller]
    fn restart(&self) {
        self.source.restart().unwrap();
        until_believed(&self.rig.trio);
    }
}
