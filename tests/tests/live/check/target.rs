//! What the target's role may do.

use super::{State, expect, fine, mend_pg, odd, settings};
use handoff_connect::Side;
use handoff_pipeline::{CheckSubject as S, CheckVerdict, check};
use handoff_settings::PgServer;
use handoff_testbed::{Account, Trio};

/// A role of one test, dropped with this value after what it owns.
struct Role<'a>(&'a Trio, &'static str);

impl<'a> Role<'a> {
    fn new(trio: &'a Trio, name: &'static str) -> Role<'a> {
        trio.sql_target(&format!("DROP ROLE IF EXISTS {name}"));
        trio.sql_target(&format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'"));
        Role(trio, name)
    }

    fn server(&self) -> PgServer {
        let account = Account { user: self.1.into(), password: self.1.into() };
        let url = self.0.target_server().url_as(&account, &self.0.target_name());
        PgServer::from_url(&url).unwrap()
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        let Role(trio, name) = self;
        trio.sql_target(&format!("DROP OWNED BY {name} CASCADE; DROP ROLE {name}"));
    }
}

#[test]
fn a_database_in_another_encoding_is_one_fault_among_others() {
    let trio = Trio::new("check latin1");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let name = format!("{}_l1", trio.target_name());
    trio.sql_target(&format!(
        "CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' \
         LC_CTYPE 'C'"
    ));
    let mut settings = settings(&trio);
    settings.target.server = PgServer::from_url(&trio.target_server().url(&name)).unwrap();
    settings.target.grant_select_to = vec!["check_nobody".to_owned()];
    let report = check(&settings);
    trio.sql_target(&format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
    let user = &settings.target.server.user;
    let create = format!(
        "CREATE DATABASE \"{name}_utf8\" OWNER \"{user}\" ENCODING 'UTF8' TEMPLATE template0"
    );
    let finding = odd(&report, Side::Target, S::Encoding);
    expect(finding, CheckVerdict::Fault, "is encoded in LATIN1", &[&create]);
    fine(&report, Side::Target, S::Schema);
    let finding = odd(&report, Side::Target, S::Grants);
    expect(finding, CheckVerdict::Fault, "does not exist", &["CREATE ROLE \"check_nobody\""]);
}

#[test]
fn a_missing_database_is_given_its_statement() {
    let trio = Trio::new("check no database");
    let mut settings = settings(&trio);
    settings.target.server.database = "not_there".to_owned();
    let user = &settings.target.server.user;
    let create = format!(
        "CREATE DATABASE \"not_there\" OWNER \"{user}\" ENCODING 'UTF8' TEMPLATE template0"
    );
    let report = check(&settings);
    let finding = odd(&report, Side::Target, S::Connection);
    expect(finding, CheckVerdict::Fault, "there is no database not_there", &[&create]);
}

#[test]
fn a_role_that_may_not_work_in_the_schema_is_given_its_statements() {
    let trio = Trio::new("check schema");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let role = Role::new(&trio, "check_loader");
    let reader = Role::new(&trio, "check_reader");
    let mut settings = settings(&trio);
    settings.target.server = role.server();
    settings.target.grant_select_to = vec![reader.1.to_owned()];

    let before = State::of(&trio);
    let report = check(&settings);
    assert_eq!(State::of(&trio), before);
    let create = "CREATE SCHEMA \"raw\" AUTHORIZATION \"check_loader\"";
    let finding = odd(&report, Side::Target, S::Schema);
    expect(finding, CheckVerdict::Fault, "may not create it", &[create]);

    trio.sql_target("CREATE SCHEMA raw");
    let report = check(&settings);
    let schema = odd(&report, Side::Target, S::Schema);
    let grant = "GRANT USAGE, CREATE ON SCHEMA \"raw\" TO \"check_loader\"";
    expect(schema, CheckVerdict::Fault, "may not make tables", &[grant]);
    let usage = odd(&report, Side::Target, S::Grants);
    let grant = "GRANT USAGE ON SCHEMA \"raw\" TO \"check_reader\"";
    expect(usage, CheckVerdict::Fault, "may not look into the schema", &[grant]);
    mend_pg(schema, &trio);
    mend_pg(usage, &trio);
    let report = check(&settings);
    assert!(report.ok, "{report:#?}");

    // A table of ours that belongs to somebody else.
    trio.sql_target("CREATE TABLE raw.etl_runs (a int); CREATE TABLE raw.unrelated (a int)");
    let report = check(&settings);
    let owner = odd(&report, Side::Target, S::Grants);
    let alter = "ALTER TABLE \"raw\".\"etl_runs\" OWNER TO \"check_loader\"";
    expect(owner, CheckVerdict::Fault, "may not write to 1 table", &[alter]);
    mend_pg(owner, &trio);
    fine(&check(&settings), Side::Target, S::Grants);
}
