//! Roles, databases and servers that default to whatever could change a statement of ours.

use super::every_command;
use crate::etl::Etl;
use crate::types::{self, Edge};
use handoff_connect::{PgPool, PoolOptions};
use handoff_model::RunId;
use handoff_settings::Settings;
use handoff_testbed::{Bed, MariaDb, MySql9, MySqlEndpoint, Postgres, ServerOptions, Trio, row};
use mysql::prelude::Queryable;
use std::time::Duration;

/// What a MariaDB or MySQL server may default to, for the whole server.
const MY: &[&str] = &[
    "sql_select_limit = 1",
    "sql_auto_is_null = 1",
    "sql_safe_updates = 1",
    "sql_buffer_result = 1",
    "low_priority_updates = 1",
    "completion_type = 'RELEASE'",
    "autocommit = 0",
    "max_join_size = 1",
    "group_concat_max_len = 4",
    "div_precision_increment = 0",
    "max_sort_length = 64",
    "max_error_count = 0",
    "lc_time_names = 'de_DE'",
    "lc_messages = 'de_DE'",
    "time_zone = '+05:30'",
    "net_read_timeout = 2",
    "net_write_timeout = 2",
    "lock_wait_timeout = 7",
    "character_set_client = latin1",
    "character_set_results = latin1",
    "character_set_connection = latin1",
    "collation_connection = latin1_german2_ci",
    "default_week_format = 6",
    "big_tables = 1",
    "default_storage_engine = MyISAM",
    "foreign_key_checks = 1",
    "unique_checks = 0",
    "sql_notes = 0",
    "sql_warnings = 1",
    "eq_range_index_dive_limit = 1",
];

const MARIADB: &[&str] = &[
    "sql_mode = 'ANSI,ORACLE,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH,\
     EMPTY_STRING_IS_NULL,SIMULTANEOUS_ASSIGNMENT,TIME_ROUND_FRACTIONAL,NO_UNSIGNED_SUBTRACTION,\
     NO_ZERO_DATE,NO_ZERO_IN_DATE,TRADITIONAL,ONLY_FULL_GROUP_BY'",
    "tx_isolation = 'SERIALIZABLE'",
    "tx_read_only = 1",
    "old_mode = 'ZERO_DATE_TIME_CAST,NO_DUP_KEY_WARNINGS_WITH_IGNORE'",
    "system_versioning_asof = '2000-01-01 00:00:00'",
    "sql_if_exists = 1",
    "alter_algorithm = 'INSTANT'",
    "max_statement_time = 0.5",
    "idle_transaction_timeout = 1",
    "check_constraint_checks = 1",
];

const MYSQL9: &[&str] = &[
    "sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH,\
     TIME_TRUNCATE_FRACTIONAL,NO_UNSIGNED_SUBTRACTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,TRADITIONAL,\
     ONLY_FULL_GROUP_BY,REAL_AS_FLOAT'",
    "transaction_isolation = 'SERIALIZABLE'",
    "transaction_read_only = 1",
    "max_execution_time = 500",
    "sql_require_primary_key = 1",
    "sql_generate_invisible_primary_key = 1",
    "show_gipk_in_create_table_and_information_schema = 0",
    "explicit_defaults_for_timestamp = 0",
    "information_schema_stats_expiry = 86400",
    "show_create_table_verbosity = 1",
];

/// What a role of PostgreSQL may default to.
const PG: &[&str] = &[
    "search_path = public, pg_catalog",
    "quote_all_identifiers = on",
    "datestyle = 'SQL, DMY'",
    "intervalstyle = 'sql_standard'",
    "timezone = 'Asia/Kathmandu'",
    "extra_float_digits = -15",
    "bytea_output = 'escape'",
    "standard_conforming_strings = off",
    "escape_string_warning = on",
    "backslash_quote = off",
    "xmloption = 'document'",
    "transform_null_equals = on",
    "array_nulls = off",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_read_only = on",
    "default_transaction_deferrable = on",
    // More than the first statements take before the timeout is lifted, on a busy machine.
    "statement_timeout = '2s'",
    "idle_in_transaction_session_timeout = '400ms'",
    "idle_session_timeout = '400ms'",
    "lock_timeout = '10h'",
    "row_security = off",
    "exit_on_error = on",
    "gin_fuzzy_search_limit = 1",
    "check_function_bodies = off",
    "client_encoding = 'LATIN1'",
    "client_min_messages = 'debug5'",
    "plan_cache_mode = 'force_generic_plan'",
    "synchronize_seqscans = on",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "enable_hashagg = off",
    "enable_sort = off",
    "enable_seqscan = off",
    "enable_indexscan = off",
    "enable_indexonlyscan = off",
    "enable_bitmapscan = off",
    "jit = on",
    "jit_above_cost = 0",
    "default_toast_compression = 'pglz'",
    "work_mem = '64kB'",
    "log_statement = 'all'",
    "log_min_duration_statement = 0",
];

/// Gives the server and each of its sessions another meaning.
fn madden_my(server: &MySqlEndpoint, settings: &[&[&str]]) {
    let mut conn = server.admin().unwrap();
    for setting in settings.concat() {
        conn.query_drop(format!("SET GLOBAL {setting}"))
            .unwrap_or_else(|error| panic!("{setting}: {error}"));
    }
    let init = "SET sql_mode = 'ANSI_QUOTES', autocommit = 0, sql_auto_is_null = 1";
    conn.query_drop(format!("SET GLOBAL init_connect = \"{init}\"")).unwrap();
}

fn madden_pg(trio: &Trio, more: &[&str]) {
    let mut admin = trio.target();
    for setting in [PG, more].concat() {
        let set = format!("ALTER ROLE etl IN DATABASE {} SET {setting}", trio.target_name());
        admin.batch_execute(&set).unwrap_or_else(|error| panic!("{setting}: {error:?}"));
    }
}

/// Carries every type between mad servers by way of a replica and directly, changed rows and tables
/// without a key among them.
#[track_caller]
fn check(trio: &Trio, edges: &[&[Edge]], settings: &[&[&str]], pg: &[&str]) {
    let (sql, expected) = types::statements("InnoDB", edges);
    trio.sql_source(&sql);
    trio.sql_source(
        "CREATE TABLE moving (id INT AUTO_INCREMENT PRIMARY KEY, t TIMESTAMP NULL, v VARCHAR(900), KEY (t)); \
         CREATE TABLE text_key (k VARCHAR(300) PRIMARY KEY, v INT)",
    );
    for key in 0..400 {
        let long = "x".repeat(280);
        trio.sql_source(&format!("INSERT INTO text_key VALUES ('{long}{key:04}', {key})"));
    }
    trio.sql_source("INSERT INTO moving SELECT v + 1, NOW() - INTERVAL 1 DAY, 'a' FROM text_key");
    let mut admin = trio.source();
    admin.query_drop("SET @@SESSION.sql_mode = '', @@SESSION.time_zone = '+00:00'").unwrap();
    madden_my(trio.source_server(), settings);
    madden_pg(trio, pg);
    let tables = "[tables.moving]\nextraction = \"incremental\"\nwatermark = \"t\"\ndeletes = \"sweep\"\n\
                  [tables.text_key]\nloader = \"chunked\"\n[selection]\nchunk_rows = 100\n";
    let mut replica = Etl::with(&(trio.settings_toml() + tables));
    for round in 0..2 {
        let change = format!(
            "DELETE FROM moving WHERE id = 2; INSERT INTO moving VALUES (1000 + {round}, NOW(), 'c'); \
             UPDATE text_key SET v = -1 WHERE v = {round}"
        );
        every_command(&replica, || {
            for statement in change.split("; ") {
                admin.query_drop(statement).unwrap();
            }
        });
        assert_eq!(trio.rows("every"), expected);
        assert_eq!((trio.rows("moving").len(), trio.rows("text_key").len()), (400 + round, 400));
        if round == 0 {
            trio.sql_target("DROP SCHEMA raw CASCADE");
        }
        replica = Etl::with(&(trio.direct_settings_toml() + tables));
    }
}

#[test]
fn mad_servers_of_mariadb_and_postgresql_15_carry_every_type() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let target = Bed::shared().target();
    let trio = Trio::on("mad mariadb", server.endpoint(), server.endpoint(), target);
    trio.sql_source(
        "CREATE TABLE history (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; \
         INSERT INTO history VALUES (1), (2); DELETE FROM history WHERE id = 2",
    );
    check(&trio, &[types::COMMON, types::MARIADB], &[MY, MARIADB], &[]);
    assert_eq!(trio.rows("history"), [row!["1"]], "the rows that there are now");
}

#[test]
fn mad_servers_of_mysql_9_and_postgresql_18_carry_every_type() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {}", error.chain());
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let newest = Postgres::start_18(&ServerOptions::default()).ok();
    let (target, more): (_, &[&str]) = match &newest {
        Some(newest) => (newest.endpoint(), &["transaction_timeout = '400ms'"]),
        None => (Bed::shared().target(), &[]),
    };
    let trio = Trio::on("mad mysql", server.endpoint(), server.endpoint(), target);
    check(&trio, &[types::COMMON, types::MYSQL9], &[MY, MYSQL9], more);
}

/// A table without a key is carried where the account may turn the server's wish off, and else refused
/// with the grant that helps.
#[test]
fn mysql_that_wants_keys_gets_them_only_where_it_must() {
    let server = match MySql9::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(error) if error.is_missing() => {
            eprintln!("not run: {}", error.chain());
            return;
        }
        Err(error) => panic!("{}", error.chain()),
    };
    let trio = Trio::on("keyless", server.endpoint(), server.endpoint(), Bed::shared().target());
    trio.sql_source("CREATE TABLE t (a INT, b TEXT); INSERT INTO t VALUES (1, 'x'), (1, 'x')");
    trio.sql_source("SET GLOBAL sql_require_primary_key = 1");
    for grant in ["DO 0", "GRANT SESSION_VARIABLES_ADMIN ON *.* TO etl"] {
        trio.sql_source(grant);
        Etl::new(&trio).ok(&["run", "--full", "--prove"]);
        assert_eq!(trio.rows("t"), [row!["1", "x"], row!["1", "x"]]);
    }
    // A key that the server adds is no column of the source's.
    trio.sql_source(
        "REVOKE SESSION_VARIABLES_ADMIN ON *.* FROM etl; SET GLOBAL sql_require_primary_key = 0; \
         SET GLOBAL sql_generate_invisible_primary_key = 1; INSERT INTO t VALUES (2, 'y')",
    );
    for _ in 0..2 {
        Etl::new(&trio).ok(&["run", "--prove"]);
        assert_eq!(trio.rows("t"), [row!["1", "x"], row!["1", "x"], row!["2", "y"]]);
        Etl::new(&trio).ok(&["verify"]);
    }
}

#[test]
fn a_session_that_is_led_elsewhere_is_refused() {
    let server = MariaDb::start(&ServerOptions::default()).unwrap();
    let trio = Trio::on("led", server.endpoint(), server.endpoint(), Bed::shared().target());
    trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    trio.sql_source("SET GLOBAL init_connect = 'USE information_schema'");
    let etl = Etl::new(&trio);
    for command in ["check", "plan", "run"] {
        let refused = etl.exits(3, &[command]);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains("is led into information_schema"), "{said}");
    }
    trio.sql_source("SET GLOBAL init_connect = ''");
    etl.ok(&["run"]);

    let role = format!("ALTER ROLE etl IN DATABASE {}", trio.target_name());
    trio.sql_target(&format!("{role} SET session_replication_role = replica"));
    for command in ["check", "plan", "run"] {
        let refused = etl.exits(3, &[command]);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains("session_replication_role = replica"), "{said}");
    }
    trio.sql_target(&format!("{role} RESET session_replication_role"));
    etl.ok(&["run"]);
}

/// A role may become another at its login, the owner of the tables.
#[test]
fn a_role_that_becomes_another_at_its_login_ends_its_dead_sessions() {
    let trio = Trio::new("set role");
    let owner = format!("{}_owner", trio.target_name());
    trio.sql_target(&format!(
        "CREATE ROLE {owner}; GRANT {owner} TO etl; GRANT ALL ON DATABASE {0} TO {owner}; \
         ALTER ROLE etl IN DATABASE {0} SET role = {owner}",
        trio.target_name()
    ));
    trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_source("INSERT INTO t VALUES (2)");
    etl.ok(&["run", "--prove"]);
    let owned = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'raw.t'::regclass";
    let owned: String = trio.target().query_one(owned, &[]).unwrap().get(0);
    assert_eq!(owned, owner);

    let run = RunId::new();
    let options = PoolOptions { run, ..PoolOptions::default() };
    let settings = Settings::new(&trio.source_url(), None, &trio.target_url()).unwrap();
    let server = settings.target.server;
    let dead = PgPool::open(&server, &options).unwrap();
    let conn = dead.get().unwrap();
    let other = PgPool::open(&server, &PoolOptions::default()).unwrap();
    assert_eq!(other.end_orphans(run, Duration::from_secs(10)).unwrap(), 1);
    drop(conn);
    trio.sql_target(&format!(
        "REASSIGN OWNED BY {owner} TO etl; DROP OWNED BY {owner}; DROP ROLE {owner}"
    ));
}
