//! Names that forge a line, clear a terminal or read backwards: exact in both databases, seen through in
//! everything that is shown, and whole in every remedy.

use crate::etl::Etl;
use handoff_model::{is_hidden, shell_word};
use handoff_testbed::{Trio, quoted, quoted_pg, row};
use std::process::Command;

const FORGED: &str = "a\r\nERROR [forged]";
const ESCAPES: &str = "b\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m'\\";
const REVERSED: &str = "c\u{202e}\u{2066}\"\u{200b}`$(x)";

/// Fails if a character of a name would reach a terminal, or a line begins as a name says.
#[track_caller]
fn nothing_hidden(said: &str) {
    let hidden = said.chars().find(|&c| is_hidden(c) && c != '\n' && c != '\t');
    assert_eq!(hidden, None, "{said:?}");
    assert!(!said.lines().any(|line| line.trim_start().starts_with("ERROR [forged]")), "{said}");
}

/// Runs `etl`, looks at all that it says, and returns its output.
#[track_caller]
fn said(etl: &Etl, code: i32, arguments: &[&str]) -> String {
    let done = etl.run(arguments);
    nothing_hidden(&done.stdout);
    nothing_hidden(&done.stderr);
    assert_eq!(done.code, Some(code), "{arguments:?}\n{}\n{}", done.stdout, done.stderr);
    done.stdout
}

fn make(trio: &Trio) {
    for (number, name) in [FORGED, ESCAPES, REVERSED].into_iter().enumerate() {
        let name = quoted(name);
        trio.sql_source(&format!(
            "CREATE TABLE {name} (id INT PRIMARY KEY, {name} TEXT, d DATE, KEY {name} (id, d)) \
             COMMENT 'x'; INSERT INTO {name} VALUES ({number}, 'v', '0000-00-00'), (10, 'w', NULL); \
             CREATE VIEW {} AS SELECT 1", quoted(&format!("v{number}{}", [FORGED, ESCAPES, REVERSED][number]))
        ));
    }
}

#[test]
fn hostile_names_are_carried_exactly_and_shown_harmlessly() {
    let trio = Trio::new("hostile");
    make(&trio);
    for toml in [trio.settings_toml(), trio.direct_settings_toml()] {
        let etl = Etl::with(&toml);
        for arguments in [&["init", "--force"][..], &["check"], &["plan"], &["plan", "--json"]] {
            said(&etl, 0, arguments);
        }
        nothing_hidden(&std::fs::read_to_string(etl.folder().join("tables.toml")).unwrap());
        said(&etl, 0, &["run", "--prove", "-vv"]);
        trio.sql_source(&format!("UPDATE {} SET d = '2024-01-01' WHERE id = 10", quoted(FORGED)));
        let json = said(&etl, 0, &["run", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let named: Vec<&str> =
            json["tables"].as_array().unwrap().iter().filter_map(|t| t["table"].as_str()).collect();
        for name in [FORGED, ESCAPES, REVERSED] {
            assert!(named.contains(&name), "exact in JSON: {named:?}");
            assert_eq!(trio.rows(name).len(), 2);
            // One table by its name, as a shell hands it on, without bracketed paste.
            let word = shell_word(name);
            nothing_hidden(&word);
            let line = format!("{} run {word}", crate::etl::binary("etl").display());
            let done = Command::new("bash").args(["-c", &line]).current_dir(etl.folder()).output();
            assert!(done.unwrap().status.success(), "{line}");
            trio.sql_target(&format!("DELETE FROM raw.{} WHERE id = 10", quoted_pg(name)));
        }
        for arguments in
            [&["verify"][..], &["verify", "--html", "page.html"], &["verify", "--json"]]
        {
            said(&etl, 1, arguments);
        }
        nothing_hidden(&std::fs::read_to_string(etl.folder().join("page.html")).unwrap());
        said(&etl, 0, &["repair"]);
        said(&etl, 0, &["status"]);
        said(&etl, 0, &["status", "--json"]);
        said(&etl, 2, &["run", "nobody\u{1b}[2J\n"]);
        trio.sql_target("DROP SCHEMA raw CASCADE");
    }
}

/// What a finding or an error gives works when a client gets exactly these bytes.
#[test]
fn remedies_for_hostile_names_work_as_they_are_printed() {
    let trio = Trio::new("hostile remedies");
    make(&trio);
    let etl = Etl::new(&trio);
    said(&etl, 0, &["run"]);
    for name in [FORGED, ESCAPES, REVERSED] {
        trio.sql_target(&format!("ALTER TABLE raw.{} OWNER TO postgres", quoted_pg(name)));
    }
    let checked = said(&etl, 3, &["check"]);
    let statements: Vec<&str> =
        checked.lines().map(str::trim).filter(|line| line.starts_with("GRANT ")).collect();
    assert_eq!(statements.len(), 3, "{checked}");
    for statement in statements {
        trio.sql_target(statement);
    }
    said(&etl, 0, &["check"]);

    trio.sql_target(&format!(
        "CREATE FUNCTION raw.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
         CREATE TRIGGER t BEFORE INSERT ON raw.{} FOR EACH ROW EXECUTE FUNCTION raw.f()",
        quoted_pg(FORGED)
    ));
    trio.sql_source(&format!("INSERT INTO {} VALUES (77, 'z', NULL)", quoted(FORGED)));
    let refused = said(&etl, 1, &["run"]);
    let remedy = refused.lines().find_map(|line| line.split("run ALTER TABLE ").nth(1)).unwrap();
    trio.sql_target(&format!("ALTER TABLE {remedy}"));
    said(&etl, 0, &["run", "--prove"]);

    // An account that may read single columns of a table alone.
    let own = crate::check::Own::new(trio.source_server(), "narrow", "n");
    for name in [FORGED, ESCAPES, REVERSED] {
        let (database, table) = (quoted(&trio.source_name()), quoted(name));
        own.run(&format!("GRANT SELECT (id) ON {database}.{table} TO narrow"));
    }
    own.run(&format!("GRANT SHOW VIEW ON {}.* TO narrow", quoted(&trio.source_name())));
    let toml = trio.settings_toml().replace(&trio.source_url(), &own.url(&trio.source_name()));
    let narrow = Etl::with(&toml);
    let checked = said(&narrow, 3, &["check"]);
    let statements: Vec<&str> =
        checked.lines().filter(|line| line.contains("EXECUTE handoff")).collect();
    assert_eq!(statements.len(), 3, "{checked}");
    for statement in statements {
        trio.sql_source(statement);
    }
    said(&narrow, 0, &["plan"]);
    assert_eq!(
        trio.rows(FORGED).iter().filter(|found| **found == row!["77", "z", None]).count(),
        1
    );
}
