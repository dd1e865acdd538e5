//! One deliberately bad world: whatever can be wrong with engines, tables, definitions, poolers and lines at
//! once is named in one output of `etl check`.

use crate::etl::{Done, Etl};
use crate::rogue_auth::remote::forward;
use handoff_testbed::{
    Bed, MariaDb, MySql9, MySqlEndpoint, PgBouncer, ServerOptions, TestbedError, Trio,
};
use mysql::prelude::Queryable;
use std::fmt::Write as _;

/// Tables that are carried before the world turns bad.
const CARRIED: &[&str] = &[
    "t_trigger",
    "t_rule",
    "t_rls",
    "t_parent",
    "t_child",
    "t_view",
    "t_generated",
    "t_partition",
    "t_heir",
    "t_default",
];

/// Engines, definitions and names, on the source.
const BAD_SOURCE: &str = "
    CREATE TABLE fed (id INT PRIMARY KEY) ENGINE=FEDERATED CONNECTION='URL/carried';
    CREATE TABLE part (id INT, KEY (id)) ENGINE=MyISAM;
    CREATE TABLE merged (id INT, KEY (id)) ENGINE=MERGE UNION=(part) INSERT_METHOD=LAST;
    CREATE TABLE hole (id INT PRIMARY KEY) ENGINE=BLACKHOLE;
    CREATE TABLE csv (id INT NOT NULL) ENGINE=CSV;
    CREATE TABLE mem (id INT PRIMARY KEY) ENGINE=MEMORY;
    CREATE TABLE arch (id INT) ENGINE=ARCHIVE;
    CREATE SEQUENCE sq;
    CREATE TABLE sqd (id BIGINT DEFAULT NEXTVAL(sq) PRIMARY KEY);
    CREATE TABLE ver (id INT PRIMARY KEY, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START,
        e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
    CREATE TABLE Patient (id INT PRIMARY KEY); CREATE TABLE patient (id INT PRIMARY KEY);
    CREATE TABLE x (id INT PRIMARY KEY); CREATE TABLE x_pkey (id INT PRIMARY KEY);
    CREATE TABLE a_sequence (id INT PRIMARY KEY); CREATE TABLE a_type (id INT PRIMARY KEY);
    CREATE TABLE a_domain (id INT PRIMARY KEY); CREATE TABLE an_index (id INT PRIMARY KEY);
    CREATE TABLE keyless (a INT);
    SET sql_mode = ''; CREATE TABLE dated (k DATETIME PRIMARY KEY); INSERT INTO dated VALUES ('0000-00-00')";

/// Everything that acts on tables of the target, and names that are taken.
const BAD_TARGET: &str = "
    CREATE FUNCTION raw.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER tr AFTER INSERT ON raw.t_trigger EXECUTE FUNCTION raw.f();
    CREATE RULE ru AS ON DELETE TO raw.t_rule DO INSTEAD NOTHING;
    ALTER TABLE raw.t_rls ENABLE ROW LEVEL SECURITY; ALTER TABLE raw.t_rls FORCE ROW LEVEL SECURITY;
    CREATE SCHEMA theirs; CREATE TABLE theirs.visit (id int REFERENCES raw.t_parent ON DELETE CASCADE);
    CREATE TABLE theirs.top (id int PRIMARY KEY); INSERT INTO theirs.top VALUES (1);
    ALTER TABLE raw.t_child ADD CONSTRAINT up FOREIGN KEY (id) REFERENCES theirs.top ON DELETE CASCADE;
    DROP TABLE raw.t_view; CREATE VIEW raw.t_view AS SELECT 1 AS id, 1 AS a;
    ALTER TABLE raw.t_generated DROP COLUMN a, ADD COLUMN a int GENERATED ALWAYS AS (id + 1) STORED;
    CREATE TABLE theirs.whole (id int, a int) PARTITION BY RANGE (id);
    ALTER TABLE theirs.whole ATTACH PARTITION raw.t_partition FOR VALUES FROM (0) TO (100);
    CREATE TABLE theirs.arch () INHERITS (raw.t_heir); INSERT INTO theirs.arch VALUES (1, 9), (7, 7);
    ALTER TABLE raw.t_default ALTER COLUMN a SET DEFAULT 77;
    CREATE PUBLICATION everything FOR ALL TABLES;
    CREATE FUNCTION theirs.seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION theirs.seen();
    CREATE SEQUENCE raw.a_sequence; CREATE TYPE raw.a_type AS (a int); CREATE DOMAIN raw.a_domain AS int;
    CREATE INDEX an_index ON raw.heap (a)";

/// Findings by the number in docs/soundness.md: parts of one line of the output.
const NAMED: &[(u8, &[&str])] = &[
    (3, &["`fed`", "FEDERATED", "which the settings do not name"]),
    (3, &["`hole`", "BLACKHOLE", "keeps no rows"]),
    (
        3,
        &[
            "moved as rows",
            "`merged` (MRG_MyISAM)",
            "`csv` (CSV)",
            "`mem` (MEMORY)",
            "`arch` (ARCHIVE)",
        ],
    ),
    (4, &["fault", "`t_trigger`: ", "\"tr\""]),
    (4, &["fault", "`t_rule`: ", "\"ru\""]),
    (4, &["fault", "`t_rls`: ", "row security"]),
    (4, &["fault", "`t_parent`: ", "\"visit_id_fkey\" of \"theirs\".\"visit\""]),
    (4, &["fault", "`t_child`: ", "\"up\" of \"raw\".\"t_child\""]),
    (4, &["fault", "`t_generated`: ", "\"a\" is generated"]),
    (4, &["fault", "`t_partition`: ", "\"theirs\".\"whole\""]),
    (4, &["fault", "`heap`: ", "\"everything\""]),
    (4, &["inherit from `t_heir`", "theirs.arch"]),
    (4, &["`t_default`", "defaults", "`a`"]),
    (4, &["warning", "everything", "keyless", "REPLICA IDENTITY FULL"]),
    (4, &["warning", "event triggers", "watcher"]),
    (8, &["left out of `sq`: sequence"]),
    (8, &["left out of `sqd`: ", "DEFAULT `id`"]),
    (8, &["left out of `ver`: ", "history of the rows"]),
    (8, &["fault", "patient", "are one table to the replica's server (lower_case_table_names)"]),
    (8, &["replica", "lower_case_table_names is 1"]),
    (8, &["source", "sql_safe_updates is ON"]),
    (8, &["replica", "sql_safe_updates is ON"]),
    (8, &["the key's index of `x` gets another name", "`x_pkey`"]),
    (8, &["fault", "`a_sequence`: ", "a sequence"]),
    (8, &["fault", "`a_type`: ", "a type"]),
    (8, &["fault", "`a_domain`: ", "a domain"]),
    (8, &["fault", "`an_index`: ", "an index"]),
    (8, &["fault", "`t_view`: ", "a view"]),
    (8, &["quote_all_identifiers = on"]),
    (8, &["fault", "`dated`: ", "zero date"]),
    (8, &["columns = { k = \"text\" }"]),
    (9, &["fault", "target", "is a pooler that lends", "own port", "pool_mode=session"]),
    (13, &["warning", "source", "tls", "plain text to"]),
    (13, &["warning", "target", "tls", "plain text to"]),
    (13, &["warning", "replica", "tls"]),
    (21, &["warning", "source", "others than its owner may use", "run chmod 600"]),
];

/// Named where the replica is MySQL 9.
const NAMED_OF_MYSQL9: &[(u8, &[&str])] = &[
    (8, &["replica", "sql_require_primary_key is ON"]),
    (8, &["fault", "replica", "cannot hold a byte-exact copy"]),
    (13, &["tls_fingerprint = \"sha256:"]),
];

/// A server that folds the case of names: MySQL 9 where that can be had, which demands keys as well.
enum Replica {
    MySql9(MySql9),
    MariaDb(MariaDb),
}

impl Replica {
    fn start() -> Replica {
        let arguments = vec!["--lower-case-table-names=1".to_owned()];
        let options = ServerOptions { arguments, ..ServerOptions::default() };
        let replica = match MySql9::start(&options) {
            Ok(server) => Replica::MySql9(server),
            Err(TestbedError::NotAvailable(_)) => {
                Replica::MariaDb(MariaDb::start(&options).unwrap())
            }
            Err(error) => panic!("{error}"),
        };
        let mut admin = replica.endpoint().admin().unwrap();
        admin.query_drop("SET GLOBAL sql_safe_updates = ON").unwrap();
        if matches!(replica, Replica::MySql9(_)) {
            admin.query_drop("SET GLOBAL sql_require_primary_key = ON").unwrap();
        }
        replica
    }

    fn endpoint(&self) -> &MySqlEndpoint {
        match self {
            Replica::MySql9(server) => server.endpoint(),
            Replica::MariaDb(server) => server.endpoint(),
        }
    }
}

/// Returns the URL under which a server is met as if it stood far away.
fn far(url: &str) -> String {
    let server = url.rsplit_once('@').unwrap().1.split('/').next().unwrap();
    let port = server.rsplit_once(':').unwrap().1.parse().unwrap();
    url.replacen(server, &forward(port).to_string(), 1)
}

/// Fails unless every finding is in a line of the output.
#[track_caller]
fn names_each(done: &Done, findings: &[(u8, &[&str])]) {
    let mut missing = String::new();
    for (number, parts) in findings {
        let mut lines = done.stdout.lines();
        if !lines.any(|line| parts.iter().all(|part| line.contains(part))) {
            writeln!(missing, "number {number}: {parts:?}").unwrap();
        }
    }
    assert!(missing.is_empty(), "not named:\n{missing}\n{}\n{}", done.stdout, done.stderr);
}

#[test]
fn a_bad_world_is_named_in_one_output() {
    let engines = "--plugin-load-add=ha_federatedx;ha_archive;ha_blackhole".to_owned();
    let arguments = vec![engines, "--sql-safe-updates=1".to_owned()];
    let source = MariaDb::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap();
    let replica = Replica::start();
    let trio = Trio::on("bad world", source.endpoint(), replica.endpoint(), Bed::shared().target());
    for table in CARRIED {
        trio.sql_source(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, a INT); INSERT INTO {table} VALUES (1, 1)"
        ));
    }
    trio.sql_source("CREATE TABLE heap (a INT); INSERT INTO heap VALUES (1); CREATE TABLE carried (id INT PRIMARY KEY)");
    Etl::direct(&trio).ok(&["run"]);
    let itself = trio.source_server().url(&trio.source_name());
    trio.sql_source(&BAD_SOURCE.replace("URL", &itself));
    trio.sql_target(BAD_TARGET);
    let database = trio.target_name();
    trio.sql_target(&format!(
        "ALTER ROLE etl IN DATABASE \"{database}\" SET quote_all_identifiers = on"
    ));

    // A server that has met the account asks no password of it.
    drop(mysql::Conn::new(mysql::Opts::from_url(&trio.replica_url()).unwrap()).unwrap());
    let lending = ["pool_mode = transaction", "default_pool_size = 5"];
    let pooler = PgBouncer::before(&trio.target_url(), &lending).unwrap();
    let asking = [&lending[..], &["auth_type = plain"]].concat();
    let asking = PgBouncer::before(&trio.target_url(), &asking).unwrap();
    let done = check(&trio, &pooler);
    names_each(&done, NAMED);
    if matches!(replica, Replica::MySql9(_)) {
        names_each(&done, NAMED_OF_MYSQL9);
    }

    // Nobody behind the pooler met what a check has set.
    let mut client = postgres::Client::connect(pooler.url(), postgres::NoTls).unwrap();
    let query = "SELECT count(*) FROM pg_settings WHERE source = 'session' \
                 AND name NOT IN ('application_name', 'client_encoding')";
    for _ in 0..5 {
        assert_eq!(client.query_one(query, &[]).unwrap().get::<_, i64>(0), 0);
    }

    // A server that is not let in for its asking for the password keeps nothing of the others from being named.
    let done = check(&trio, &asking);
    names_each(&done, &[(13, &["fault", "target", "connection", "password"])]);
    let of_others: Vec<_> = NAMED.iter().filter(|(number, _)| *number == 3).copied().collect();
    names_each(&done, &of_others);
}

/// Checks the world whose servers are far away, and whose configuration others can read.
fn check(trio: &Trio, pooler: &PgBouncer) -> Done {
    let urls = [far(&trio.source_url()), far(&trio.replica_url()), far(pooler.url())];
    let [source, replica, target] = urls;
    let etl = Etl::with(&format!(
        "[source]\nurl = \"{source}\"\n[replica]\nurl = \"{replica}\"\n[target]\nurl = \"{target}\"\nschema = \"raw\"\n"
    ));
    etl.readable_by_others();
    etl.exits(3, &["check", "-v"])
}
