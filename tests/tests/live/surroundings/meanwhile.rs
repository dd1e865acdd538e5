//! What appears while a run is under way.

use crate::etl::{Etl, arm};
use crate::fault_points::wait_until_stopped;
use handoff_testbed::{Trio, row};
use std::process::{Command, Stdio};

/// Stops a run before it moves `t`, does `meanwhile` in the target, and returns what the run says then.
#[track_caller]
fn interrupted(trio: &Trio, etl: &Etl, meanwhile: &str) -> String {
    let mut run = etl.command(&["run", "t"]);
    arm(&mut run, "stop loader.opened:t").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = run.spawn().unwrap();
    wait_until_stopped(&mut run, "loader.opened");
    trio.sql_target(&format!("SET lock_timeout = '10s'; {meanwhile}"));
    assert!(
        Command::new("kill").args(["-CONT", &run.id().to_string()]).status().unwrap().success()
    );
    let done = run.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap()
}

#[test]
fn what_appears_before_the_rows_are_published_is_refused() {
    let trio = Trio::new("around race");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1), (2, 2)",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target("CREATE FUNCTION raw.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a = 0; RETURN NEW; END'");
    trio.sql_source("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3, 3)");
    for (meanwhile, said, remedy) in [
        (
            "CREATE TRIGGER less BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.f()",
            "it has triggers",
            "ALTER TABLE \"raw\".\"t\" DISABLE TRIGGER USER",
        ),
        (
            "CREATE TABLE raw.visit (id int REFERENCES raw.t ON DELETE CASCADE); INSERT INTO raw.visit VALUES (1)",
            "foreign keys from or to it",
            "ALTER TABLE \"raw\".\"visit\" DROP CONSTRAINT \"visit_id_fkey\"",
        ),
    ] {
        let shown = interrupted(&trio, &etl, meanwhile);
        assert!(shown.contains(said) && shown.contains(remedy), "{shown}");
        assert_eq!(trio.rows("t"), [row!["1", "1"], row!["2", "2"]]);
        trio.sql_target(remedy);
    }
    etl.ok(&["run", "--prove"]);
    assert_eq!(trio.rows("visit"), [row!["1"]]);
}

/// An event trigger makes something else of what is created; one that refuses is named by the server's code alone.
#[test]
fn a_table_that_an_event_trigger_changes_is_not_published() {
    let trio = Trio::new("around events");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1), (2, 2)",
    );
    trio.sql_target(
        "CREATE FUNCTION public.zero() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a = 0; RETURN NEW; END';
         CREATE FUNCTION public.audit() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
             IF to_regclass('raw.t') IS NOT NULL THEN
                 CREATE TRIGGER zero BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION public.zero();
             END IF; END $$;
         CREATE EVENT TRIGGER audit ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.audit()",
    );
    let etl = Etl::new(&trio);
    let check = etl.ok(&["check"]).stdout;
    assert!(
        check.contains("event triggers run on the tables that Handoff makes: `audit`"),
        "{check}"
    );
    let done = etl.exits(1, &["run"]);
    let shown = done.stdout + &done.stderr;
    assert!(
        shown.contains("it has triggers, which may change the rows written to it (\"zero\")"),
        "{shown}"
    );
    let there = "SELECT to_regclass('raw.t') IS NULL";
    assert!(trio.target().query_one(there, &[]).unwrap().get::<_, bool>(0));
    trio.sql_target("DROP EVENT TRIGGER audit");
    etl.ok(&["run", "--prove"]);
}

/// Even our own checkpoint would be refused its changes.
#[test]
fn a_publication_of_all_tables_takes_every_first_load() {
    let trio = Trio::new("around published");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t SELECT seq FROM seq_1_to_5000;
         CREATE TABLE heap (a INT); INSERT INTO heap VALUES (1), (2)",
    );
    trio.sql_target("CREATE PUBLICATION everything FOR ALL TABLES");
    let etl = Etl::with(&format!(
        "{}\n[selection]\nchunk_rows = 500\n[tables.t]\nloader = \"chunked\"\n",
        trio.settings_toml()
    ));
    let check = etl.ok(&["check"]).stdout;
    assert!(
        check.contains(
            "the publication `everything` takes every table, and `heap` will have no key"
        ),
        "{check}"
    );
    etl.ok(&["run", "--prove"]);
    trio.sql_source("DELETE FROM t WHERE id < 9; DELETE FROM heap WHERE a = 1");
    let done = etl.exits(1, &["run"]);
    let shown = done.stdout + &done.stderr;
    let remedy = "ALTER TABLE \"raw\".\"heap\" REPLICA IDENTITY FULL";
    assert!(shown.contains(remedy), "{shown}");
    trio.sql_target(remedy);
    etl.ok(&["run", "--prove"]);
}
