//! The replica database and the target schema, made or asked for.

use super::{my_server, options, pg_server, target};
use handoff_connect::{MyPool, PgPool, SessionProfile, Side, grant_select};
use handoff_model::RunId;
use handoff_settings::{MySqlServer, PgServer, Secret};
use handoff_testbed::Trio;

#[test]
fn the_replica_database_is_made_where_it_is_missing() {
    let trio = Trio::new("create_db");
    let name = format!("{}x`y", trio.replica_name());
    let server = my_server(&trio.replica_server().url("mysql"));
    let server = MySqlServer { database: name.clone(), ..server };
    let options = options(RunId::new());
    for _ in 0..2 {
        let pool = MyPool::open_or_create(&server, Side::Replica, &options).unwrap();
        let mut conn = pool.get(SessionProfile::Read).unwrap();
        let row: Option<(String, String)> =
            conn.query_first("SELECT DATABASE(), @@character_set_database").unwrap();
        assert_eq!(row, Some((name.clone(), "utf8mb4".into())));
    }
    trio.replica_server().drop_database(&name).unwrap();
}

#[test]
fn an_account_that_may_not_create_the_database_is_told_the_statements() {
    let trio = Trio::new("create_db_denied");
    let server = MySqlServer { database: "elsewhere".into(), ..my_server(&trio.replica_url()) };
    let fault =
        MyPool::open_or_create(&server, Side::Replica, &options(RunId::new())).err().unwrap();
    let text = fault.to_string();
    assert!(
        text.contains("CREATE DATABASE IF NOT EXISTS `elsewhere` CHARACTER SET utf8mb4"),
        "{text}"
    );
    assert!(text.contains("GRANT ALL ON `elsewhere`.* TO `etl`@`%`"), "{text}");
}

#[test]
fn the_schema_is_made_and_readers_may_look_into_it() {
    let trio = Trio::new("create_schema");
    trio.sql_target("DROP ROLE IF EXISTS hot_reader; CREATE ROLE hot_reader");
    let pool = target(&trio, RunId::new());
    let readers = ["hot_reader".to_owned()];
    for _ in 0..2 {
        pool.ensure_schema("raw \"x\"", &readers).unwrap();
    }
    let mut conn = pool.get().unwrap();
    conn.batch_execute("CREATE TABLE \"raw \"\"x\"\"\".t (a int)").unwrap();
    conn.batch_execute(&grant_select("raw \"x\"", "t", &readers).unwrap()).unwrap();
    let mut admin = trio.target();
    admin
        .batch_execute("SET ROLE hot_reader; SELECT * FROM \"raw \"\"x\"\"\".t; RESET ROLE")
        .unwrap();

    let fault = pool.ensure_schema("raw", &["hot_nobody".to_owned()]).unwrap_err();
    assert!(
        fault.to_string().contains("the role \"hot_nobody\" of grant_select_to does not exist")
    );
    admin.batch_execute("DROP OWNED BY hot_reader; DROP ROLE hot_reader").unwrap();
}

#[test]
fn a_role_that_may_not_create_is_told_the_statement() {
    let trio = Trio::new("create_schema_denied");
    trio.sql_target(
        "DROP ROLE IF EXISTS hot_guest; CREATE ROLE hot_guest LOGIN PASSWORD 'g'; \
         CREATE SCHEMA taken; GRANT USAGE ON SCHEMA taken TO hot_guest",
    );
    let guest = PgServer {
        user: "hot_guest".into(),
        password: Secret::new("g"),
        ..pg_server(&trio.target_url())
    };
    let pool = PgPool::open(&guest, &options(RunId::new())).unwrap();
    let missing = pool.ensure_schema("raw", &[]).unwrap_err().to_string();
    assert!(missing.contains("CREATE SCHEMA \"raw\" AUTHORIZATION \"hot_guest\""), "{missing}");
    let denied = pool.ensure_schema("taken", &[]).unwrap_err().to_string();
    assert!(
        denied.contains("GRANT USAGE, CREATE ON SCHEMA \"taken\" TO \"hot_guest\""),
        "{denied}"
    );
    drop(pool);
    trio.sql_target("DROP OWNED BY hot_guest; DROP ROLE hot_guest");
}
