//! Passwords that others on this machine can see.

use crate::etl::Etl;
use handoff_settings::MySqlServer;
use handoff_testbed::Trio;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_password_file_that_others_read_draws_a_warning_in_check_and_run() {
    let trio = Trio::new("password_file");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let url = trio.source_url();
    let server = MySqlServer::from_url(&url).unwrap();
    let toml = trio.settings_toml().replace(
        &format!("url = \"{url}\""),
        &format!("url = \"{}\"\npassword_file = \"pw\"", server.url()),
    );
    let etl = Etl::with(&toml);
    let file = etl.folder().join("pw");
    fs::write(&file, server.password.expose()).unwrap();
    for (mode, warns) in [(0o644, true), (0o640, true), (0o600, false)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        for command in ["check", "run"] {
            let done = etl.ok(&[command]);
            let said = format!("{}{}", done.stdout, done.stderr);
            assert_eq!(said.contains("run chmod 600 "), warns, "{mode:o} {said}");
            assert!(!said.contains(server.password.expose()), "{said}");
            let is_finding = done.stdout.contains("warning  source   secrets");
            assert_eq!(is_finding, warns && command == "check", "{}", done.stdout);
        }
    }
}

#[test]
fn a_password_in_an_argument_draws_a_warning() {
    let trio = Trio::new("password_argument");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let password = MySqlServer::from_url(&trio.source_url()).unwrap().password;
    let done = Etl::with("").ok(&["init", &trio.source_url(), "--force", "--quick"]);
    assert!(done.stderr.contains("put it into SOURCE_PASSWORD"), "{}", done.stderr);
    assert!(!done.stderr.contains(password.expose()), "{}", done.stderr);
}
