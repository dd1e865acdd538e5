//! The testbed itself: servers come and go, databases are a test's own.

use handoff_testbed::{Bed, MariaDb, MySql9, NULL, Postgres, ServerOptions, Trio, row};
use mysql::prelude::Queryable;
use std::path::Path;

#[test]
fn a_mariadb_server_answers_and_is_gone_after_drop() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let one: Option<u8> = server.admin().unwrap().query_first("SELECT 1").unwrap();
    assert_eq!(one, Some(1));

    let (pid, folder) = (server.pid().unwrap(), server.folder().to_owned());
    drop(server);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}

#[test]
fn a_postgresql_server_answers_and_is_gone_after_drop() {
    let server = Postgres::start(&ServerOptions::default()).unwrap();
    let row = server.admin().unwrap().query_one("SHOW server_encoding", &[]).unwrap();
    assert_eq!(row.get::<_, &str>(0), "UTF8");

    let (pid, folder) = (server.pid().unwrap(), server.folder().to_owned());
    drop(server);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}

#[test]
fn a_killed_mariadb_server_comes_back_with_its_data() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    server.endpoint().create_database("kept").unwrap();
    server.kill9();
    assert!(server.admin().is_err());
    server.restart().unwrap();
    server.endpoint().admin_in("kept").unwrap();
    server.restart().unwrap();
    server.endpoint().admin_in("kept").unwrap();
}

#[test]
fn a_killed_postgresql_server_comes_back_with_its_data() {
    let server = Postgres::start(&ServerOptions::default()).unwrap();
    server.endpoint().create_database("kept").unwrap();
    server.kill9();
    assert!(server.admin().is_err());
    server.restart().unwrap();
    server.endpoint().admin_in("kept").unwrap();
}

#[test]
fn postgresql_18_answers_and_is_gone_after_drop() {
    let server = match Postgres::start_18(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let row = server.admin().unwrap().query_one("SHOW server_version_num", &[]).unwrap();
    assert!(row.get::<_, &str>(0).starts_with("18"));

    let (pid, folder) = (server.pid().unwrap(), server.folder().to_owned());
    drop(server);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}

#[test]
fn mysql_9_answers_takes_a_trio_and_is_gone_after_drop() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {error}");
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let version: Option<String> = server.admin().unwrap().query_first("SELECT VERSION()").unwrap();
    assert!(version.unwrap().starts_with("9."));

    let mysql = server.endpoint();
    let trio = Trio::on("testbed mysql 9", mysql, mysql, Bed::shared().target());
    trio.sql_source("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");
    let mut reader = connect(&trio.source_url());
    assert_eq!(reader.query_first("SELECT a FROM t").unwrap(), Some(1));
    reader.query_drop("INSERT INTO t VALUES (2)").unwrap_err();
    drop(trio);

    if let (Some(pid), Some(folder)) = (server.pid(), server.folder().map(Path::to_owned)) {
        drop(server);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        assert!(!folder.exists());
    }
}

#[test]
fn a_trio_has_three_empty_databases_and_accounts_that_fit() {
    let trio = Trio::new("testbed accounts");
    trio.sql_source("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)");

    let mut reader = connect(&trio.source_url());
    assert_eq!(reader.query_first("SELECT a FROM t").unwrap(), Some(1));
    reader.query_drop("INSERT INTO t VALUES (2)").unwrap_err();
    connect(&trio.replica_url()).query_drop("CREATE TABLE t (a INT)").unwrap();

    let mut etl = postgres::Client::connect(&trio.target_url(), postgres::NoTls).unwrap();
    etl.batch_execute("CREATE SCHEMA raw; CREATE TABLE raw.\"T t\" (a int, b text)").unwrap();
    etl.batch_execute("INSERT INTO raw.\"T t\" VALUES (2, NULL), (10, ''), (1, 'x')").unwrap();
    assert_eq!(trio.rows("T t"), [row!["1", "x"], row!["10", ""], row!["2", NULL]]);
}

#[test]
fn a_trio_is_dropped_with_its_value() {
    let trio = Trio::new("testbed drop");
    let (server, name) = (trio.target_server().clone(), trio.target_name());
    let _open = trio.target();
    drop(trio);
    server.admin_in(&name).map(drop).unwrap_err();
}

fn connect(url: &str) -> mysql::Conn {
    mysql::Conn::new(mysql::Opts::from_url(url).unwrap()).unwrap()
}
