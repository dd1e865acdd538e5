//! Whose data is it? Rows of one source never take the place of another's unasked.

use crate::etl::{Etl, arm};
use crate::faults::proxy::Proxy;
use handoff_testbed::{Bed, MariaDb, MySql9, ServerOptions, Trio};
use mysql::prelude::Queryable;
use std::process::Stdio;

const TABLES: &str = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=MyISAM; \
     CREATE TABLE stamped (id INT PRIMARY KEY, v INT, s TIMESTAMP(6) NOT NULL DEFAULT NOW(6))";

const SETTINGS: &str = "\n[tables.stamped]\nextraction = \"incremental\"\nwatermark = \"s\"\n";

/// A source with two tables whose rows say `whose` they are.
#[track_caller]
fn scene(whose: &str) -> Trio {
    let trio = Trio::new(&format!("identity {whose}"));
    trio.sql_source(&format!(
        "{TABLES}; INSERT INTO t VALUES (1, '{whose}'), (2, '{whose}'); \
         INSERT INTO stamped (id, v) VALUES (1, 1), (2, 2)"
    ));
    trio
}

/// Settings of `trio` that name the source of another one.
fn with_source(trio: &Trio, source: &str) -> Etl {
    Etl::with(&(trio.settings_toml().replace(&trio.source_url(), source) + SETTINGS))
}

/// The values of `t` in the target.
#[track_caller]
fn values(trio: &Trio) -> Vec<String> {
    trio.rows("t").into_iter().filter_map(|row| row[1].clone()).collect()
}

/// The lines of `etl_runs`, and what is recorded of the loads.
#[track_caller]
fn record(trio: &Trio) -> (i64, String) {
    let sql = "SELECT (SELECT count(*) FROM raw.etl_runs), string_agg(l::text, ',' ORDER BY table_name) \
               FROM raw.etl_load_status l";
    let row = trio.target().query_one(sql, &[]).unwrap();
    (row.get(0), row.get(1))
}

/// Every command refuses by name, and nothing is written anywhere.
#[track_caller]
fn check_refused(trio: &Trio, etl: &Etl, commands: &[&[&str]], what: &str) {
    let (before, values_before) = (record(trio), values(trio));
    for command in commands {
        let done = etl.exits(2, command);
        for part in [what, "--new-source", "--same-source", "nothing was written"] {
            assert!(done.stderr.contains(part), "{command:?}: {part}\n{}", done.stderr);
        }
    }
    assert_eq!(record(trio), before);
    assert_eq!(values(trio), values_before);
}

#[test]
fn another_database_of_the_same_server_is_refused_until_it_is_asked_for() {
    let (first, second) = (scene("first"), scene("second"));
    with_source(&first, &first.source_url()).ok(&["run"]);
    let other = with_source(&first, &second.source_url());
    let commands: [&[&str]; 4] = [&["run"], &["plan"], &["replicate"], &["repair"]];
    check_refused(&first, &other, &commands, "the source is another database");
    check_refused(&first, &other, &[&["run", "--full"]], "the source is another database");
    let check = other.exits(3, &["check"]);
    assert!(check.stdout.contains("identity"), "{}", check.stdout);
    assert!(check.stdout.contains("the source is another database"), "{}", check.stdout);
    let status = other.ok(&["status"]);
    assert!(status.stdout.contains("and source.url leads to"), "{}", status.stdout);
    let verify = other.exits(1, &["verify"]);
    assert!(verify.stdout.contains("the source is another database"), "{}", verify.stdout);

    // A run that dies on the way has asked for both, and the next one needs not ask again.
    let mut command = other.command(&["run", "--new-source", "-j1"]);
    arm(&mut command, "replicator.renamed:t");
    assert!(!command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    assert_eq!(values(&first), ["first", "first"]);
    let plan = other.ok(&["plan"]);
    assert!(plan.stdout.contains("it came from another source"), "{}", plan.stdout);
    other.ok(&["run"]);
    assert_eq!(values(&first), ["second", "second"]);
    let again = other.ok(&["run", "-v"]);
    assert!(!again.stdout.contains("another one"), "{}", again.stdout);
    other.ok(&["verify"]);
    // And back again.
    check_refused(
        &first,
        &with_source(&first, &first.source_url()),
        &[&["run"]],
        "another database",
    );
}

/// Who asks for another source's rows has asked for those that are there to go, however many they are.
#[test]
fn a_new_source_may_have_far_fewer_rows() {
    let (first, second) = (scene("many"), scene("few"));
    first.sql_source(
        "INSERT INTO t SELECT seq, 'many' FROM seq_3_to_200;
         INSERT INTO stamped (id, v) SELECT seq, seq FROM seq_3_to_200",
    );
    with_source(&first, &first.source_url()).ok(&["run"]);
    let other = with_source(&first, &second.source_url());
    other.ok(&["run", "--new-source", "--prove"]);
    assert_eq!((values(&first), first.rows("stamped").len()), (vec!["few".to_owned(); 2], 2));
    other.ok(&["run", "--prove"]);
    // The limit holds again for what the source itself loses.
    second.sql_source("INSERT INTO t SELECT seq, 'few' FROM seq_3_to_200");
    other.ok(&["run"]);
    second.sql_source("DELETE FROM t WHERE id > 2");
    let done = other.exits(1, &["run"]);
    assert!(done.stdout.contains("max_delete_percent"), "{}", done.stdout);
}

#[test]
fn without_a_replica_another_database_is_refused_too() {
    let (first, second) = (scene("direct"), scene("indirect"));
    Etl::direct(&first).ok(&["run"]);
    let toml = first.direct_settings_toml().replace(&first.source_url(), &second.source_url());
    let other = Etl::with(&(toml + SETTINGS));
    check_refused(&first, &other, &[&["run"], &["plan"]], "the source is another database");
    other.ok(&["run", "--new-source"]);
    assert_eq!(values(&first), ["indirect", "indirect"]);
    other.ok(&["run"]);
}

#[test]
fn a_source_that_moved_goes_on_with_a_note() {
    let trio = scene("moved");
    with_source(&trio, &trio.source_url()).ok(&["run"]);
    let proxy = Proxy::to(&trio.source_url());
    let moved = with_source(&trio, proxy.url());
    let plan = moved.ok(&["plan"]);
    assert!(plan.stdout.contains("the source moved"), "{}", plan.stdout);
    let done = moved.ok(&["run"]);
    assert!(done.stdout.contains("the source moved"), "{}", done.stdout);
    assert!(!moved.ok(&["run"]).stdout.contains("the source moved"));
}

/// The same rows on another server, and those of yesterday's backup.
#[test]
fn another_server_goes_on_by_itself_only_with_the_same_rows() {
    let trio = scene("server");
    trio.sql_source("CREATE TABLE void (id INT PRIMARY KEY)");
    with_source(&trio, &trio.source_url()).ok(&["run"]);
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let clone = Trio::on("clone", server.endpoint(), trio.replica_server(), trio.target_server());
    let stamps: Vec<(u32, String)> =
        trio.source().query("SELECT id, CAST(s AS CHAR) FROM stamped ORDER BY id").unwrap();
    let database = format!("CREATE DATABASE `{}`", trio.source_name());
    let name = trio.source_name();
    let mut admin = server.endpoint().admin().unwrap();
    admin.query_drop(database).unwrap();
    server.endpoint().allow(&name).unwrap();
    admin.query_drop(format!("USE `{name}`")).unwrap();
    for statement in TABLES.split("; ") {
        admin.query_drop(statement).unwrap();
    }
    admin.query_drop("CREATE TABLE void (id INT PRIMARY KEY)").unwrap();
    admin.query_drop("INSERT INTO t VALUES (1, 'server'), (2, 'server')").unwrap();
    // The second row was not there yet when the backup was made.
    let insert =
        |row: &(u32, String)| format!("INSERT INTO stamped VALUES ({0}, {0}, '{1}')", row.0, row.1);
    admin.query_drop(insert(&stamps[0])).unwrap();
    let elsewhere = clone.source_url().replace(&clone.source_name(), &name);
    let other = with_source(&trio, &elsewhere);
    check_refused(&trio, &other, &[&["run"], &["plan"]], "the source is another server");
    // As many rows, and one of them an older state.
    admin.query_drop(insert(&stamps[1])).unwrap();
    admin.query_drop("UPDATE t SET v = 'older' WHERE id = 2").unwrap();
    check_refused(&trio, &other, &[&["run"]], "the source is another server");
    admin.query_drop("UPDATE t SET v = 'server' WHERE id = 2").unwrap();
    let done = other.ok(&["run"]);
    assert!(done.stdout.contains("holds the same rows in 3 tables"), "{}", done.stdout);
    admin.query_drop("INSERT INTO t VALUES (3, 'later')").unwrap();
    other.ok(&["run"]);
    assert_eq!(values(&trio), ["server", "server", "later"]);
    // The caller knows better than the rows tell.
    let back = with_source(&trio, &trio.source_url());
    check_refused(&trio, &back, &[&["run"]], "the source is another server");
    back.ok(&["run", "--same-source"]);
    back.ok(&["run"]);
    assert_eq!(values(&trio), ["server", "server"]);
}

/// MySQL makes itself a new id where its file is gone, as behind a backup that was restored at the same address.
#[test]
fn a_mysql_server_that_got_another_id_is_another_server() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let bed = Bed::shared();
    let trio = Trio::on("identity uuid", server.endpoint(), bed.replica(), bed.target());
    trio.sql_source(&format!(
        "{TABLES}; INSERT INTO t VALUES (1, 'here'), (2, 'here'); INSERT INTO stamped (id, v) VALUES (1, 1), (2, 2)"
    ));
    let etl = Etl::with(&(trio.direct_settings_toml() + SETTINGS));
    etl.ok(&["run"]);
    server.restart().unwrap();
    etl.ok(&["run"]);
    let Some(folder) = server.folder() else { return };
    let gets_another_id = || {
        std::fs::remove_file(folder.join("data/auto.cnf")).unwrap();
        server.restart().unwrap();
    };
    gets_another_id();
    let done = etl.ok(&["run"]);
    assert!(done.stdout.contains("the source moved"), "{}", done.stdout);

    gets_another_id();
    let name = trio.source_name();
    let mut admin = server.endpoint().admin().unwrap();
    for statement in ["DROP DATABASE", "CREATE DATABASE"] {
        admin.query_drop(format!("{statement} `{name}`")).unwrap();
    }
    trio.sql_source(&format!("{TABLES}; INSERT INTO t VALUES (1, 'restored'), (2, 'restored')"));
    check_refused(&trio, &etl, &[&["run"], &["plan"]], "the source is another server");
    let check = etl.exits(3, &["check"]);
    assert!(check.stdout.contains("the source is another server"), "{}", check.stdout);
    etl.ok(&["run", "--new-source"]);
    assert_eq!(values(&trio), ["restored", "restored"]);
}

#[test]
fn two_configurations_never_share_a_target() {
    let (first, second) = (scene("one"), scene("two"));
    with_source(&first, &first.source_url()).ok(&["run"]);
    let toml = second.settings_toml().replace(&second.target_url(), &first.target_url());
    let other = Etl::with(&(toml + SETTINGS));
    check_refused(&first, &other, &[&["run"], &["plan"]], "the source is another database");
    // Its own replica is its own affair.
    other.ok(&["replicate"]);
    let what = "another configuration loads into this target";
    check_refused(&first, &other, &[&["run"], &["plan"]], what);
    check_refused(&first, &other, &[&["load"]], "the replica was filled from another source");
    let status = other.exits(1, &["status"]);
    assert!(
        status.stdout.contains("the replica was filled from another source"),
        "{}",
        status.stdout
    );
    other.ok(&["load", "--new-source"]);
    assert_eq!(values(&first), ["two", "two"]);
    // Tables that no other configuration carries are nobody else's.
    second.sql_source("CREATE TABLE own (id INT PRIMARY KEY)");
    other.ok(&["run"]);
    let back = with_source(&first, &first.source_url());
    check_refused(&first, &back, &[&["run"]], what);
    first.sql_source("CREATE TABLE apart (id INT PRIMARY KEY)");
    back.ok(&["run", "apart"]);
}

/// What an earlier version recorded has no source, and gets one.
#[test]
fn tables_of_an_earlier_version_get_the_source_they_are_carried_from() {
    let trio = scene("earlier");
    let etl = with_source(&trio, &trio.source_url());
    etl.ok(&["run"]);
    trio.sql_replica(
        "ALTER TABLE etl_copy_status DROP COLUMN source, DROP COLUMN pending_source, \
         DROP COLUMN next_source",
    );
    trio.sql_target(
        "ALTER TABLE raw.etl_load_status DROP COLUMN source, DROP COLUMN next_source, \
         DROP COLUMN replica, DROP COLUMN target",
    );
    let note = "an earlier version recorded 2 tables without their source";
    let plan = etl.ok(&["plan"]);
    assert!(plan.stdout.contains(note), "{}", plan.stdout);
    let done = etl.ok(&["run"]);
    assert!(done.stdout.contains(note), "{}", done.stdout);
    assert!(!etl.ok(&["run"]).stdout.contains(note));
    let other = scene("later");
    let other = with_source(&trio, &other.source_url());
    check_refused(&trio, &other, &[&["run"]], "the source is another database");
}

/// The record of a target is in it: a copy of it is as good as the original.
#[test]
fn a_target_that_was_copied_goes_on_with_a_note() {
    let trio = scene("copied");
    let etl = with_source(&trio, &trio.source_url());
    etl.ok(&["run"]);
    let copy = Trio::new("copy");
    let (from, to) = (trio.target_name(), copy.target_name());
    let mut admin = trio.target_server().admin().unwrap();
    admin.batch_execute(&format!("DROP DATABASE {to}")).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE {to} TEMPLATE {from}")).unwrap();
    // The servers tell who they are to whoever asks, unless somebody takes that away.
    let revoke = "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC";
    copy.sql_target(revoke);
    let toml = trio.settings_toml().replace(&trio.target_url(), &copy.target_url());
    let etl = Etl::with(&(toml + SETTINGS));
    trio.sql_source("INSERT INTO stamped (id, v) VALUES (3, 3)");
    let done = etl.ok(&["run", "-v"]);
    assert!(done.stdout.contains("the target is another one or moved"), "{}", done.stdout);
    assert_eq!(copy.rows("stamped").len(), 3);
    assert!(!etl.ok(&["run"]).stdout.contains("the target is another one"));
}
