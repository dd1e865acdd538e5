//! The binary as a shell sees it, without any server.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn etl(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etl"));
    command.args(arguments).current_dir(folder).env_remove("RUST_LOG").stdin(Stdio::null());
    command.output().unwrap()
}

/// Runs `etl` with a configuration, or without; it must fail and print nothing but the message.
#[track_caller]
fn fails(toml: Option<&str>, arguments: &[&str], code: i32, message: &str) {
    let folder = TempDir::new().unwrap();
    if let Some(toml) = toml {
        std::fs::write(folder.path().join("handoff.toml"), toml).unwrap();
    }
    let output = etl(folder.path(), arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(message), "no `{message}` in: {stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{stderr}");
}

/// Nothing listens on these ports.
const NOBODY: &str = "[source]\nurl = \"mysql://reader:S3cret@127.0.0.1:1/app\"\n\
                      [target]\nurl = \"postgres://etl:S3cret@127.0.0.1:1/olap\"\n";

#[test]
fn what_cannot_be_used_ends_with_2() {
    fails(None, &["run"], 2, "etl: no configuration file at /");
    fails(None, &["run", "--config", "other.toml"], 2, "/other.toml\n  name another with --config");
    fails(None, &["rnu"], 2, "unrecognized subcommand 'rnu'");
    fails(None, &["run", "--jobs", "none"], 2, "invalid value 'none'");
    fails(Some(NOBODY), &["run", "--adopt"], 2, "<TABLE>");
    let typo = format!("{NOBODY}[run]\njbos = 3\n");
    let message = "etl: handoff.toml:6: unknown key `jbos` in [run]; did you mean `jobs`?\n";
    fails(Some(&typo), &["run"], 2, message);
}

#[test]
fn a_server_that_is_not_there_ends_with_3() {
    fails(Some(NOBODY), &["run"], 3, "etl: cannot connect\n  caused by: source: ");
    fails(Some(NOBODY), &["run", "--json", "-q"], 3, "etl: cannot connect\n");
}

#[test]
fn the_version_names_the_commit() {
    let output = etl(Path::new("."), &["--version"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let expected = format!("etl {} (", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(&expected) && text.ends_with(")\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let help = String::from_utf8(etl(Path::new("."), &["--help"]).stdout).unwrap();
    for code in ["0 ", "1 ", "2 ", "3 ", "130 "] {
        assert!(help.contains(&format!("\n  {code}")), "{help}");
    }
}
