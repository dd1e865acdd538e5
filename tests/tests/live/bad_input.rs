//! Bad input: one clear error, the right exit code, and nothing changed in any database.

use crate::etl::{Done, Etl};
use handoff_testbed::{Trio, row};
use mysql::prelude::Queryable;
use std::collections::BTreeMap;
use std::net::{Shutdown, TcpListener, TcpStream};

const PATIENTS: &str = "CREATE TABLE patient (PatNum BIGINT PRIMARY KEY, LName VARCHAR(100)) ENGINE=MyISAM; \
     INSERT INTO patient VALUES (1, 'Abel'), (2, 'Brown')";

/// Everything that is in the three databases: names, definitions and contents.
pub fn contents(trio: &Trio) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (side, mut conn) in [("source", trio.source()), ("replica", trio.replica())] {
        let tables: Vec<String> = conn.query("SHOW TABLES").unwrap();
        for table in tables {
            let quoted = format!("`{}`", table.replace('`', "``"));
            let ddl: (String, String) =
                conn.query_first(format!("SHOW CREATE TABLE {quoted}")).unwrap().unwrap();
            let sum: (String, Option<u64>) =
                conn.query_first(format!("CHECKSUM TABLE {quoted}")).unwrap().unwrap();
            all.insert(format!("{side} {table}"), format!("{} {:?}", ddl.1, sum.1));
        }
    }
    let mut target = trio.target();
    let query = "SELECT n.nspname || '.' || c.relname, c.relfilenode::text \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' \
         UNION ALL SELECT nspname, '' FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'";
    for row in target.query(query, &[]).unwrap() {
        let name: String = row.get(0);
        let mut what: String = row.get(1);
        if name.contains('.') {
            let (schema, table) = name.split_once('.').unwrap();
            let rows = format!(
                "SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) \
                 FROM \"{schema}\".\"{table}\" t"
            );
            if let Ok(row) = target.query_one(&rows, &[]) {
                what += &row.get::<_, String>(0);
            }
        }
        all.insert(format!("target {name}"), what);
    }
    all
}

/// Runs `etl` and checks exit code and message, and that nothing was changed anywhere.
#[track_caller]
pub fn refused(trio: &Trio, etl: &Etl, arguments: &[&str], code: i32, says: &[&str]) -> Done {
    let before = contents(trio);
    let done = etl.exits(code, arguments);
    for part in says {
        assert!(done.stderr.contains(part), "no `{part}` in: {}", done.stderr);
    }
    assert_eq!(contents(trio), before, "something was changed");
    done
}

#[test]
fn no_configuration_file() {
    let trio = Trio::new("no_configuration_file");
    let etl = Etl::with("");
    std::fs::remove_file(etl.folder().join("handoff.toml")).unwrap();
    refused(&trio, &etl, &["run"], 2, &["handoff.toml"]);
}

#[test]
fn unknown_keys_and_bad_urls_are_all_named_at_once() {
    let trio = Trio::new("unknown_keys");
    let toml = trio.settings_toml().replace("mysql://reader", "mysq://reader") + "shema = \"x\"\n";
    let done = refused(
        &trio,
        &Etl::with(&toml),
        &["run"],
        2,
        &["handoff.toml", "handoff.toml:2", "shema"],
    );
    assert!(!done.stderr.contains("reader:"), "a password is shown: {}", done.stderr);
}

/// The settings with another account, password, host or database in the source's URL.
fn with_source(trio: &Trio, change: impl Fn(&str) -> String) -> Etl {
    let url = trio.source_url();
    Etl::with(&trio.settings_toml().replacen(&url, &change(&url), 1))
}

#[test]
fn a_wrong_password() {
    let trio = Trio::new("wrong_password");
    trio.sql_source(PATIENTS);
    let etl = with_source(&trio, |url| {
        let (scheme, rest) = url.split_once("://").unwrap();
        let host = rest.rsplit_once('@').unwrap().1;
        format!("{scheme}://reader:Wrong-One@{host}")
    });
    let done = refused(&trio, &etl, &["run"], 3, &["source", "password"]);
    assert!(!done.stderr.contains("Wrong-One"));
}

#[test]
fn an_unknown_database() {
    let trio = Trio::new("unknown_database");
    let name = trio.source_name();
    let etl = with_source(&trio, |url| url.replace(&name, "hot_nowhere"));
    refused(&trio, &etl, &["run"], 3, &["source", "hot_nowhere"]);

    let url = trio.target_url();
    let toml = trio.settings_toml();
    let etl = Etl::with(&toml.replace(&url, &url.replace(&trio.target_name(), "hot_nowhere")));
    refused(&trio, &etl, &["run"], 3, &["target", "hot_nowhere"]);
}

#[test]
fn an_unreachable_host() {
    let trio = Trio::new("unreachable_host");
    let etl = with_source(&trio, |url| {
        let (front, database) = url.rsplit_once('/').unwrap();
        format!("{}:1/{database}", front.rsplit_once(':').unwrap().0)
    });
    refused(&trio, &etl, &["run"], 3, &["source", "127.0.0.1:1"]);
}

#[test]
fn a_named_table_that_is_not_there() {
    let trio = Trio::new("named_table");
    trio.sql_source(PATIENTS);
    refused(&trio, &Etl::new(&trio), &["run", "Patient"], 2, &["`Patient`", "`patient`"]);
    refused(&trio, &Etl::new(&trio), &["run", "nobody", "patient"], 2, &["`nobody`"]);
}

#[test]
fn a_table_that_cannot_be_carried_fails_alone() {
    let trio = Trio::new("cannot_be_carried");
    trio.sql_source(PATIENTS);
    let columns: Vec<String> = (0..1601).map(|n| format!("c{n} TINYINT")).collect();
    trio.sql_source(&format!("CREATE TABLE wide ({}) ENGINE=MyISAM", columns.join(", ")));
    let done = Etl::new(&trio).exits(1, &["run"]);
    let shown = done.stdout + &done.stderr;
    assert!(shown.contains("wide") && shown.contains("1600"), "{shown}");
    assert_eq!(trio.rows("patient"), [row!["1", "Abel"], row!["2", "Brown"]]);
}

#[test]
fn no_right_to_create() {
    let trio = Trio::new("no_right_to_create");
    trio.sql_source(PATIENTS);
    let role = format!("poor_{}", std::process::id());
    trio.sql_target(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'"));
    let url = trio.target_url();
    let host = url.rsplit_once('@').unwrap().1;
    let poor = format!("postgres://{role}:x@{host}");
    let etl = Etl::with(&trio.settings_toml().replace(&url, &poor));
    refused(&trio, &etl, &["run"], 3, &["target", "CREATE", &role]);
    trio.sql_target(&format!("DROP ROLE {role}"));

    let mut admin = trio.replica_server().admin().unwrap();
    admin.query_drop(format!("CREATE OR REPLACE USER {role} IDENTIFIED BY 'x'")).unwrap();
    admin.query_drop(format!("GRANT SELECT ON {}.* TO {role}", trio.replica_name())).unwrap();
    let url = trio.replica_url();
    let host = url.rsplit_once('@').unwrap().1;
    let etl = Etl::with(&trio.settings_toml().replace(&url, &format!("mysql://{role}:x@{host}")));
    let done = etl.exits(3, &["run"]);
    assert!(done.stderr.contains("replica") && done.stderr.contains("GRANT"), "{}", done.stderr);
    admin.query_drop(format!("DROP USER {role}")).unwrap();
}

/// Forwards connections to `server` from a port of its own, and returns that address.
fn forwarder(server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let to = TcpStream::connect(&server).unwrap();
            for (mut from, mut into) in [
                (client.try_clone().unwrap(), to.try_clone().unwrap()),
                (to.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut into);
                    let _ = into.shutdown(Shutdown::Both);
                });
            }
        }
    });
    address
}

#[test]
fn the_replica_being_the_source() {
    let trio = Trio::new("replica_is_source");
    trio.sql_source(PATIENTS);
    let toml = trio.settings_toml();
    let etl_at_source = trio.source_server().etl_url(&trio.source_name());
    let same = toml.replace(&trio.replica_url(), &etl_at_source);
    refused(&trio, &Etl::with(&same), &["run"], 2, &["replica", "source"]);
    // Behind another address only the server itself can tell.
    let server = etl_at_source.rsplit_once('@').unwrap().1.split_once('/').unwrap().0;
    let named =
        toml.replace(&trio.replica_url(), &etl_at_source.replace(server, &forwarder(server)));
    refused(&trio, &Etl::with(&named), &["run"], 3, &["replica", "source"]);
}

/// A session that is none of ours holds it; `faults::strangers` has the rest of the kind.
#[test]
fn a_stranger_holding_the_lock() {
    let trio = Trio::new("lock_held");
    trio.sql_source(PATIENTS);
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    let mut holder = trio.replica();
    let lock = format!("SELECT GET_LOCK('handoff:{}', 0)", trio.replica_name());
    assert_eq!(holder.query_first::<i64, _>(lock).unwrap(), Some(1));
    refused(&trio, &etl, &["run"], 3, &["not a run of yours", "KILL "]);
}

#[test]
fn a_table_in_the_target_that_is_not_ours() {
    let trio = Trio::new("not_ours");
    trio.sql_source(PATIENTS);
    trio.sql_target(
        "CREATE SCHEMA raw; GRANT ALL ON SCHEMA raw TO PUBLIC; \
         CREATE TABLE raw.patient (\"PatNum\" bigint PRIMARY KEY, \"LName\" text); \
         INSERT INTO raw.patient VALUES (7, 'theirs'); ALTER TABLE raw.patient OWNER TO etl",
    );
    let etl = Etl::new(&trio);
    let done = etl.exits(1, &["run"]);
    let shown = done.stdout + &done.stderr;
    assert!(shown.contains("etl run patient --adopt"), "{shown}");
    assert_eq!(trio.rows("patient"), [row!["7", "theirs"]]);
    etl.ok(&["run", "patient", "--adopt", "--prove"]);
    assert_eq!(trio.rows("patient"), [row!["1", "Abel"], row!["2", "Brown"]]);
    etl.ok(&["run", "--prove"]);
}

#[test]
fn a_table_in_the_replica_that_is_not_ours() {
    let trio = Trio::new("replica_not_ours");
    trio.sql_source(PATIENTS);
    trio.sql_replica("CREATE TABLE patient (a INT); INSERT INTO patient VALUES (7)");
    let etl = Etl::new(&trio);
    let done = etl.exits(1, &["run"]);
    let shown = done.stdout + &done.stderr;
    assert!(shown.contains("etl run patient --adopt"), "{shown}");
    let kept: Option<i64> = trio.replica().query_first("SELECT a FROM patient").unwrap();
    assert_eq!(kept, Some(7));
    etl.ok(&["run", "patient", "--adopt", "--prove"]);
}

#[test]
fn a_target_table_with_other_columns() {
    let trio = Trio::new("other_columns");
    trio.sql_source(PATIENTS);
    let toml = trio.settings_toml();
    let etl = Etl::with(&toml.replacen("[target]\n", "[target]\nstructure = \"fail\"\n", 1));
    etl.ok(&["run"]);
    trio.sql_source("UPDATE patient SET LName = '5'");
    trio.sql_source("ALTER TABLE patient ADD COLUMN Birthdate DATE, MODIFY LName INT NULL");
    let done = etl.exits(1, &["run"]);
    let shown = done.stdout + &done.stderr;
    for part in ["Birthdate", "LName", "integer", "text"] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    assert_eq!(trio.rows("patient"), [row!["1", "Abel"], row!["2", "Brown"]]);
}
