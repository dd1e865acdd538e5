//! `etl check`: every finding is provoked, mended by the statements it gives, and nothing is
//! changed by looking.

mod accounts;
mod bad_world;
mod command;
mod past;
mod servers;
mod tables;
mod target;

use handoff_connect::Side;
use handoff_pipeline::{CheckFinding, CheckReport, CheckSubject, CheckVerdict, check};
use handoff_settings::Settings;
use handoff_testbed::{Account, MySqlEndpoint, Trio};
use mysql::prelude::Queryable;

fn settings(trio: &Trio) -> Settings {
    Settings::new(&trio.source_url(), Some(&trio.replica_url()), &trio.target_url()).unwrap()
}

/// Returns the one finding about a subject that is not as it should be.
#[track_caller]
fn odd(report: &CheckReport, side: Side, subject: CheckSubject) -> &CheckFinding {
    let mut odd = report.findings.iter().filter(|finding| {
        (finding.side, finding.subject) == (side, subject) && finding.verdict != CheckVerdict::Ok
    });
    match (odd.next(), odd.next()) {
        (Some(finding), None) => finding,
        found => panic!("{side} {subject}: {found:?} in {:#?}", report.findings),
    }
}

/// Fails unless a finding has this verdict, says this, and gives these lines.
#[track_caller]
fn expect(finding: &CheckFinding, verdict: CheckVerdict, says: &str, mend: &[&str]) {
    assert_eq!(finding.verdict, verdict, "{finding:?}");
    assert!(finding.what.contains(says), "{says:?} is missing in {finding:?}");
    assert!(!finding.what.contains('\n') && !finding.what.ends_with('.'), "{finding:?}");
    let given: Vec<&str> = finding.fixes.iter().map(|mend| mend.text.as_str()).collect();
    assert_eq!(given, mend, "{finding:?}");
}

/// Fails unless a report has nothing to say about a subject but what is as it should be.
#[track_caller]
fn fine(report: &CheckReport, side: Side, subject: CheckSubject) {
    let mut of =
        report.findings.iter().filter(|found| (found.side, found.subject) == (side, subject));
    let well = |finding: &CheckFinding| finding.verdict == CheckVerdict::Ok;
    assert!(of.next().is_some_and(well) && of.all(well), "{:#?}", report.findings);
}

/// Runs what a finding gives, as an administrator would.
#[track_caller]
fn mend_my(finding: &CheckFinding, server: &MySqlEndpoint) {
    let mut admin = server.admin().unwrap();
    assert!(!finding.fixes.is_empty(), "{finding:?}");
    for mend in &finding.fixes {
        admin.query_drop(&mend.text).unwrap();
    }
}

#[track_caller]
fn mend_pg(finding: &CheckFinding, trio: &Trio) {
    assert!(!finding.fixes.is_empty(), "{finding:?}");
    for mend in &finding.fixes {
        trio.sql_target(&mend.text);
    }
}

/// An account of one test, dropped with this value.
pub struct Own<'a> {
    pub account: Account,
    server: &'a MySqlEndpoint,
}

impl<'a> Own<'a> {
    pub fn new(server: &'a MySqlEndpoint, user: &str, password: &str) -> Own<'a> {
        let account = Account { user: user.into(), password: password.into() };
        let mut admin = server.admin().unwrap();
        admin.query_drop(format!("DROP USER IF EXISTS '{user}'@'%'")).unwrap();
        admin.query_drop(format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'")).unwrap();
        Own { account, server }
    }

    pub fn run(&self, sql: &str) {
        self.server.admin().unwrap().query_drop(sql).unwrap();
    }

    pub fn url(&self, database: &str) -> String {
        self.server.url_as(&self.account, database)
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        self.run(&format!("DROP USER '{}'@'%'", self.account.user));
    }
}

/// Everything that a check must leave as it is.
#[derive(Debug, PartialEq)]
struct State {
    mysql: Vec<Vec<String>>,
    postgres: Vec<String>,
}

impl State {
    fn of(trio: &Trio) -> State {
        let mysql = [trio.source(), trio.replica()].into_iter().flat_map(|mut conn| {
            [
                "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME, ' ', IFNULL(UPDATE_TIME, '')) \
                 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1",
                "SHOW GRANTS FOR CURRENT_USER()",
            ]
            .map(|query| conn.query::<String, _>(query).unwrap())
        });
        let mysql = mysql.collect();
        let rows = trio.target().query(
            "SELECT concat_ws(' ', 'table', c.oid, c.relname, c.relacl) FROM pg_class c \
             UNION ALL SELECT concat_ws(' ', 'schema', oid, nspname, nspacl) FROM pg_namespace \
             WHERE nspname NOT LIKE 'pg_%temp%' ORDER BY 1",
            &[],
        );
        let postgres = rows.unwrap().iter().map(|row| row.get(0)).collect();
        State { mysql, postgres }
    }
}

#[test]
fn a_good_setup_has_neither_faults_nor_warnings_and_stays_as_it_is() {
    let trio = Trio::new("check good");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY); INSERT INTO patient VALUES (1)");
    let before = State::of(&trio);
    let report = check(&settings(&trio));
    assert_eq!(State::of(&trio), before);
    let odd: Vec<_> =
        report.findings.iter().filter(|found| found.verdict != CheckVerdict::Ok).collect();
    assert!(report.ok && odd.is_empty(), "{odd:#?}");
    for (side, subject) in [
        (Side::Source, CheckSubject::Tables),
        (Side::Source, CheckSubject::Mapping),
        (Side::Source, CheckSubject::TimeZone),
        (Side::Replica, CheckSubject::Pair),
        (Side::Replica, CheckSubject::LocalInfile),
        (Side::Replica, CheckSubject::Lock),
        (Side::Replica, CheckSubject::Room),
        (Side::Target, CheckSubject::Schema),
        (Side::Target, CheckSubject::Encoding),
        (Side::Target, CheckSubject::Room),
        (Side::Target, CheckSubject::Tracking),
    ] {
        fine(&report, side, subject);
    }
    for side in [Side::Source, Side::Replica, Side::Target] {
        for subject in [
            CheckSubject::Connection,
            CheckSubject::Tls,
            CheckSubject::Version,
            CheckSubject::Clock,
        ] {
            fine(&report, side, subject);
        }
    }
}

#[test]
fn without_a_replica_source_and_target_are_looked_at() {
    let trio = Trio::new("check direct");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let settings = Settings::new(&trio.source_url(), None, &trio.target_url()).unwrap();
    let report = check(&settings);
    assert!(report.ok && report.findings.iter().all(|found| found.side != Side::Replica));
    fine(&report, Side::Target, CheckSubject::Tracking);
}

#[test]
fn a_side_that_cannot_be_reached_keeps_no_other_from_being_looked_at() {
    let trio = Trio::new("check reach");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let good = settings(&trio);
    for side in [Side::Source, Side::Replica, Side::Target] {
        let mut bad = good.clone();
        let password = match side {
            Side::Source => &mut bad.source.password,
            Side::Replica => &mut bad.replica.as_mut().unwrap().password,
            Side::Target => &mut bad.target.server.password,
        };
        *password = handoff_settings::Secret::new("not it");
        let report = check(&bad);
        assert!(!report.ok && report.count(CheckVerdict::Fault) == 1, "{report:#?}");
        let finding = odd(&report, side, CheckSubject::Connection);
        assert_eq!(finding.verdict, CheckVerdict::Fault);
        assert!(finding.what.contains("refuses the account"), "{finding:?}");
        assert!(!format!("{report:?}").contains("not it"));
        for other in [Side::Source, Side::Replica, Side::Target] {
            if other != side {
                fine(&report, other, CheckSubject::Connection);
                fine(&report, other, CheckSubject::Version);
            }
        }
    }
}
