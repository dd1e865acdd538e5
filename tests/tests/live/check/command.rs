//! The command: what it prints and how it ends.

use crate::etl::Etl;
use handoff_testbed::Trio;

#[test]
fn a_good_setup_ends_with_0_and_a_line_each() {
    let trio = Trio::new("check command");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let done = Etl::new(&trio).ok(&["check"]);
    assert!(done.stdout.lines().any(|line| line.starts_with("ok       source   connection")));
    assert!(done.stdout.lines().all(|line| !line.starts_with("fault")), "{}", done.stdout);
    assert!(done.stdout.ends_with("\na run can start (0 warnings)\n"), "{}", done.stdout);
}

#[test]
fn a_fault_ends_with_3_and_is_followed_by_what_mends_it() {
    let trio = Trio::new("check command fault");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let toml = trio.settings_toml() + "grant_select_to = [\"check_absent\"]\n";
    let done = Etl::with(&toml).exits(3, &["check"]);
    let mut lines = done.stdout.lines().skip_while(|line| !line.starts_with("fault"));
    let fault = lines.next().unwrap();
    assert!(fault.starts_with("fault    target   grants"), "{fault}");
    assert_eq!(lines.next(), Some("         CREATE ROLE \"check_absent\";"));
    assert!(done.stdout.ends_with("\na run would fail: 1 fault, 0 warnings\n"), "{}", done.stdout);

    let done = Etl::with(&toml).exits(3, &["check", "--json"]);
    for part in ["\"ok\": false", "\"side\": \"target\"", "\"verdict\": \"fault\"", "\"mend\""] {
        assert!(done.stdout.contains(part), "{part} is missing in {}", done.stdout);
    }
}
