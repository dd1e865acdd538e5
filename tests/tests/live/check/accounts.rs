//! What the accounts of source and replica may do, and must not.

use super::{Own, State, expect, fine, mend_my, odd, settings};
use handoff_connect::Side;
use handoff_pipeline::{CheckSubject as S, CheckVerdict, check};
use handoff_settings::MySqlServer;
use handoff_testbed::Trio;

fn source_as(trio: &Trio, own: &Own<'_>) -> handoff_settings::Settings {
    let mut settings = settings(trio);
    settings.source = MySqlServer::from_url(&own.url(&trio.source_name())).unwrap();
    settings
}

#[test]
fn a_source_account_that_may_write_is_given_the_exact_revoke() {
    let trio = Trio::new("check writer");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY, a INT)");
    let database = trio.source_name();
    let own = Own::new(trio.source_server(), "check_writer", "c1");
    own.run(&format!("GRANT SELECT, INSERT, UPDATE ON `{database}`.* TO 'check_writer'@'%'"));
    own.run(&format!("GRANT DELETE ON `{database}`.patient TO 'check_writer'@'%'"));
    let settings = source_as(&trio, &own);

    let before = State::of(&trio);
    let report = check(&settings);
    assert_eq!(State::of(&trio), before);
    assert!(report.ok, "a warning fails nothing: {report:#?}");
    let finding = odd(&report, Side::Source, S::Grants);
    expect(
        finding,
        CheckVerdict::Warning,
        "`check_writer`@`%` may change the source, which is only ever read",
        &[
            &format!("REVOKE INSERT, UPDATE ON `{database}`.* FROM `check_writer`@`%`"),
            &format!("REVOKE DELETE ON `{database}`.`patient` FROM `check_writer`@`%`"),
        ],
    );
    mend_my(finding, trio.source_server());
    fine(&check(&settings), Side::Source, S::Grants);
}

#[test]
fn all_privileges_are_replaced_and_an_administrator_is_left_alone() {
    let trio = Trio::new("check owner");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let database = trio.source_name();
    let own = Own::new(trio.source_server(), "check_owner", "c2");
    own.run(&format!("GRANT ALL ON `{database}`.* TO 'check_owner'@'%'"));
    let owner = source_as(&trio, &own);
    let report = check(&owner);
    let finding = odd(&report, Side::Source, S::Grants);
    mend_my(finding, trio.source_server());
    fine(&check(&owner), Side::Source, S::Grants);

    let mut admin = settings(&trio);
    admin.source = MySqlServer::from_url(&trio.source_server().url(&database)).unwrap();
    let report = check(&admin);
    let finding = odd(&report, Side::Source, S::Grants);
    assert!(finding.what.ends_with("it administers the server, so use another"), "{finding:?}");
    assert!(finding.fixes.iter().all(|mend| !mend.text.contains("REVOKE")), "{finding:?}");
}

#[test]
fn tables_that_may_not_be_read_are_named() {
    let trio = Trio::new("check denied");
    trio.sql_source(
        "CREATE TABLE patient (id INT PRIMARY KEY); CREATE TABLE `odd ``name` (id INT); \
         CREATE TABLE hidden (id INT); CREATE TABLE half (id INT, secret INT)",
    );
    let database = trio.source_name();
    let own = Own::new(trio.source_server(), "check_denied", "c3");
    own.run(&format!("GRANT SELECT ON `{database}`.patient TO 'check_denied'@'%'"));
    own.run(&format!("GRANT SHOW VIEW ON `{database}`.`odd ``name` TO 'check_denied'@'%'"));
    own.run(&format!("GRANT SELECT (id) ON `{database}`.half TO 'check_denied'@'%'"));
    let settings = source_as(&trio, &own);

    let report = check(&settings);
    assert!(!report.ok);
    let of = |verdict| {
        let mut all = report.findings.iter();
        all.find(|found| {
            (found.side, found.subject, found.verdict) == (Side::Source, S::Grants, verdict)
        })
        .unwrap()
    };
    // Of `half` the catalogue shows one column: its copy would lack the other without a word.
    expect(
        of(CheckVerdict::Fault),
        CheckVerdict::Fault,
        "may not read 2 tables in full: `half`, `odd `name`",
        &[
            &format!("GRANT SELECT ON `{database}`.`half` TO `check_denied`@`%`"),
            &format!("GRANT SELECT ON `{database}`.`odd ``name` TO `check_denied`@`%`"),
        ],
    );
    let whole = of(CheckVerdict::Warning);
    expect(
        whole,
        CheckVerdict::Warning,
        "a table without a grant of its own is neither seen nor moved",
        &[&format!("GRANT SELECT, SHOW VIEW ON `{database}`.* TO `check_denied`@`%`")],
    );
    mend_my(whole, trio.source_server());
    let report = check(&settings);
    assert!(report.ok);
    fine(&report, Side::Source, S::Grants);
}

#[test]
fn a_source_account_without_any_grant_is_given_the_one_it_needs() {
    let trio = Trio::new("check stranger");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let database = trio.source_name();
    let own = Own::new(trio.source_server(), "check_stranger", "c4");
    let settings = source_as(&trio, &own);
    let report = check(&settings);
    let finding = odd(&report, Side::Source, S::Schema);
    expect(
        finding,
        CheckVerdict::Fault,
        "may not use the database",
        &[&format!("GRANT SELECT, SHOW VIEW ON `{database}`.* TO `check_stranger`@`%`")],
    );
    // What does not depend on the database is looked at all the same.
    fine(&report, Side::Source, S::Version);
    fine(&report, Side::Target, S::Schema);
    mend_my(finding, trio.source_server());
    assert!(check(&settings).ok);
}

#[test]
fn a_replica_account_is_given_what_it_lacks() {
    let trio = Trio::new("check replica");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let database = trio.replica_name();
    let own = Own::new(trio.replica_server(), "check_replica", "c5");
    own.run(&format!("GRANT SELECT, INSERT, CREATE ON `{database}`.* TO 'check_replica'@'%'"));
    let mut settings = settings(&trio);
    settings.replica = Some(MySqlServer::from_url(&own.url(&database)).unwrap());
    let report = check(&settings);
    let finding = odd(&report, Side::Replica, S::Grants);
    expect(
        finding,
        CheckVerdict::Fault,
        "lacks ALTER, DELETE, DROP, INDEX, UPDATE",
        &[&format!(
            "GRANT ALTER, DELETE, DROP, INDEX, UPDATE ON `{database}`.* TO `check_replica`@`%`"
        )],
    );
    mend_my(finding, trio.replica_server());
    assert!(check(&settings).ok);
}

#[test]
fn a_missing_replica_database_is_made_by_the_run_or_by_the_statements_given() {
    let trio = Trio::new("check missing");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let database = format!("{}_new", trio.replica_name());
    let own = Own::new(trio.replica_server(), "check_missing", "c6");
    let mut settings = settings(&trio);
    settings.replica = Some(MySqlServer::from_url(&own.url(&database)).unwrap());

    let report = check(&settings);
    let finding = odd(&report, Side::Replica, S::Schema);
    assert_eq!(finding.verdict, CheckVerdict::Fault);
    let statements: Vec<&str> = finding.fixes.iter().map(|mend| mend.text.as_str()).collect();
    assert_eq!(
        statements,
        [
            format!("CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4"),
            format!("GRANT ALL ON `{database}`.* TO `check_missing`@`%`"),
        ]
    );
    // With the second alone the run makes it.
    own.run(statements[1]);
    let report = check(&settings);
    assert!(report.ok, "{report:#?}");
    fine(&report, Side::Replica, S::Schema);
    let there: Option<String> = mysql::prelude::Queryable::query_first(
        &mut trio.replica(),
        format!("SHOW DATABASES LIKE '{database}'"),
    )
    .unwrap();
    assert_eq!(there, None, "a check makes nothing");
}
