//! What the servers are set to, and which go together.

use super::{Own, expect, fine, mend_my, odd, settings};
use handoff_connect::Side;
use handoff_pipeline::{CheckSubject as S, CheckVerdict, check};
use handoff_settings::{MySqlServer, Settings};
use handoff_testbed::{Bed, MariaDb, MySql9, ServerOptions, Trio};

fn mariadb(arguments: &[&str]) -> MariaDb {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    MariaDb::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap()
}

#[expect(clippy::print_stderr, reason = "a test that is not run says so")]
fn mysql9() -> Option<MySql9> {
    match MySql9::start(&ServerOptions::default()) {
        Ok(server) => Some(server),
        Err(handoff_testbed::TestbedError::NotAvailable(why)) => {
            eprintln!("not run, without MySQL 9: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn settings_of_the_replica_that_slow_or_stop_a_run() {
    let bed = Bed::shared();
    let server = mariadb(&["--local-infile=0", "--max-allowed-packet=1M", "--read-only=1"]);
    let trio = Trio::on("check set", bed.source(), server.endpoint(), bed.target());
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let settings = settings(&trio);
    let report = check(&settings);
    assert!(!report.ok);

    let local = odd(&report, Side::Replica, S::LocalInfile);
    let says = "refuses LOAD DATA LOCAL";
    expect(local, CheckVerdict::Warning, says, &["SET GLOBAL local_infile = ON"]);
    mend_my(local, server.endpoint());

    let packets: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.subject == S::MaxAllowedPacket && finding.side == Side::Replica)
        .collect();
    let of_source = |finding: &&handoff_pipeline::CheckFinding| {
        finding.subject == S::MaxAllowedPacket && finding.side == Side::Source
    };
    assert_eq!(report.findings.iter().find(of_source), None, "a server sends rows of any size");
    let [small, smaller] = packets[..] else { panic!("{packets:?}") };
    let says = "it takes no row of more than 1.0 MB: the table of such a row fails";
    expect(small, CheckVerdict::Warning, says, &["SET GLOBAL max_allowed_packet = 67108864"]);
    let says = "max_allowed_packet is 1048576, and 67108864 in the source";
    expect(smaller, CheckVerdict::Warning, says, &["SET GLOBAL max_allowed_packet = 67108864"]);
    mend_my(small, server.endpoint());

    let read_only = odd(&report, Side::Replica, S::Grants);
    let says = "the server is read-only";
    expect(read_only, CheckVerdict::Fault, says, &["SET GLOBAL read_only = OFF"]);
    mend_my(read_only, server.endpoint());

    let report = check(&settings);
    assert_eq!((report.ok, report.count(CheckVerdict::Warning)), (true, 0), "{report:#?}");
}

#[test]
fn a_clock_that_is_off_is_seen() {
    let bed = Bed::shared();
    let server = mariadb(&["--init-connect=SET timestamp = UNIX_TIMESTAMP() - 60"]);
    let trio = Trio::on("check clock", server.endpoint(), bed.replica(), bed.target());
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let report = check(&settings(&trio));
    assert!(report.ok);
    let finding = odd(&report, Side::Source, S::Clock);
    let says = " s behind this machine's";
    expect(finding, CheckVerdict::Warning, says, &["timedatectl set-ntp true"]);
    fine(&report, Side::Replica, S::Clock);
    fine(&report, Side::Target, S::Clock);
}

#[test]
fn the_zone_of_the_source_is_told() {
    let bed = Bed::shared();
    let server = mariadb(&["--default-time-zone=-05:00"]);
    let trio = Trio::on("check zone", server.endpoint(), bed.replica(), bed.target());
    let report = check(&settings(&trio));
    let mut zones = report.findings.iter().filter(|finding| finding.subject == S::TimeZone);
    let zone = zones.next().unwrap();
    assert!(zone.what.contains("goes by -05:00: DATETIME columns arrive as"), "{zone:?}");
}

#[test]
fn a_replica_that_is_the_source_is_refused() {
    let trio = Trio::new("check same");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let own = Own::new(trio.source_server(), "check_same", "c7");
    own.run(&format!("GRANT ALL ON `{}`.* TO 'check_same'@'%'", trio.source_name()));
    let mut settings = settings(&trio);
    let mut same = MySqlServer::from_url(&own.url(&trio.source_name())).unwrap();
    same.host = "localhost".to_owned();
    settings.replica = Some(same);
    let report = check(&settings);
    let finding = odd(&report, Side::Replica, S::Pair);
    expect(finding, CheckVerdict::Fault, "the replica is the source itself", &[]);
}

#[test]
fn mysql_9_is_looked_at_and_goes_to_its_like_only() {
    let Some(server) = mysql9() else { return };
    let bed = Bed::shared();
    let trio = Trio::on("check mysql", server.endpoint(), server.endpoint(), bed.target());
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let good = settings(&trio);
    let report = check(&good);
    assert_eq!((report.ok, report.count(CheckVerdict::Warning)), (true, 0), "{report:#?}");
    let tls = report.findings.iter().find(|finding| finding.subject == S::Tls).unwrap();
    assert!(tls.what.starts_with("TLSv1."), "{tls:?}");

    // What an account may do by a role counts as well, and is taken from the role.
    let own = Own::new(server.endpoint(), "check_role", "c8");
    let database = trio.source_name();
    for sql in [
        "CREATE ROLE check_writers".to_owned(),
        format!("GRANT SELECT, DELETE ON `{database}`.* TO check_writers"),
        "GRANT check_writers TO 'check_role'@'%'".to_owned(),
        "SET DEFAULT ROLE ALL TO 'check_role'@'%'".to_owned(),
    ] {
        own.run(&sql);
    }
    let mut by_role = good;
    by_role.source = MySqlServer::from_url(&own.url(&database)).unwrap();
    let report = check(&by_role);
    let finding = odd(&report, Side::Source, S::Grants);
    let revoke = format!("REVOKE DELETE ON `{database}`.* FROM `check_writers`@`%`");
    expect(finding, CheckVerdict::Warning, "may change the source", &[&revoke]);
    mend_my(finding, server.endpoint());
    fine(&check(&by_role), Side::Source, S::Grants);

    let unlike = Trio::on("check unlike", bed.source(), server.endpoint(), bed.target());
    unlike.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let settings: Settings = settings(&unlike);
    let report = check(&settings);
    let finding = odd(&report, Side::Replica, S::Pair);
    expect(finding, CheckVerdict::Fault, "leave [replica] out to load from the source", &[]);
}
