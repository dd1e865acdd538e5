//! What PostgreSQL writes to its own log about our statements.

use crate::etl::Etl;
use handoff_testbed::{Bed, Postgres, ServerOptions, Trio};

const PLANTED: &str = "Zsigmondy-Szabolcsi";

/// A server that logs all that it can.
fn talkative() -> Postgres {
    let settings = [
        "log_min_duration_statement=0",
        "log_statement=all",
        "log_error_verbosity=verbose",
        "log_parameter_max_length=-1",
        "log_parameter_max_length_on_error=-1",
    ];
    let arguments = settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]);
    Postgres::start(&ServerOptions { arguments: arguments.collect(), ..ServerOptions::default() })
        .unwrap()
}

/// Loads rows as bound values and has one of them refused, with the row in the DETAIL of the message.
fn load_and_fail(trio: &Trio) {
    trio.sql_source(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(40)); INSERT INTO t VALUES (1, '{PLANTED}')"
    ));
    let etl = Etl::with(&(trio.direct_settings_toml() + "[tables.t]\nloader = \"standard\"\n"));
    etl.ok(&["run"]);
    trio.sql_target("ALTER TABLE raw.t ADD CHECK (id < 5)");
    trio.sql_source(&format!("INSERT INTO t VALUES (7, '{PLANTED}')"));
    etl.exits(1, &["run"]);
}

#[test]
fn no_value_enters_the_log_of_postgresql_where_the_role_may_say_so() {
    let (server, bed) = (talkative(), Bed::shared());
    let log = || std::fs::read_to_string(server.log_path()).unwrap();
    let trio = Trio::on("log plain", bed.source(), bed.replica(), server.endpoint());
    trio.sql_target("ALTER ROLE etl RESET ALL");
    load_and_fail(&trio);
    let before = log();
    assert!(before.contains(PLANTED), "without a right the server logs what it bound");

    for (round, allowed) in [
        "GRANT SET ON PARAMETER log_parameter_max_length, log_error_verbosity TO etl",
        "REVOKE SET ON PARAMETER log_parameter_max_length, log_error_verbosity FROM etl; \
         ALTER ROLE etl SET log_parameter_max_length = 0; ALTER ROLE etl SET log_error_verbosity = terse",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("log {round}");
        let trio = Trio::on(&name, bed.source(), bed.replica(), server.endpoint());
        trio.sql_target(allowed);
        let from = log().len();
        load_and_fail(&trio);
        let said = log().split_off(from);
        assert!(said.contains("violates check constraint"), "the failure itself is logged");
        assert!(!said.contains(PLANTED), "{said}");
    }
}
