//! The command: its files, what it prints and how it ends.

use super::BY_HAND;
use crate::etl::{Done, Etl};
use handoff_settings::{MySqlServer, PgServer};
use handoff_testbed::Trio;
use handoff_testbed::practice::{self, PLANTED, Practice};
use std::process::Command;

/// A folder without any configuration.
struct New {
    etl: Etl,
    passwords: [String; 3],
}

impl New {
    fn folder(trio: &Trio) -> New {
        let etl = Etl::with("");
        std::fs::remove_file(etl.folder().join("handoff.toml")).unwrap();
        let my = |url: &str| MySqlServer::from_url(url).unwrap().password.expose().to_owned();
        let target = PgServer::from_url(&trio.target_url()).unwrap().password;
        let passwords =
            [my(&trio.source_url()), my(&trio.replica_url()), target.expose().to_owned()];
        New { etl, passwords }
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.etl.folder().join(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.etl.folder().join(file), text).unwrap();
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.etl.folder()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs `etl` with the passwords in the variables that the files name.
    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> Done {
        let mut command = self.etl.command(arguments);
        let done = Done::from(self.with_passwords(&mut command).output().unwrap());
        assert_eq!(done.code, Some(0), "{arguments:?}\n{}\n{}", done.stdout, done.stderr);
        done
    }

    fn with_passwords<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let names = ["SOURCE_PASSWORD", "REPLICA_PASSWORD", "TARGET_PASSWORD"];
        command.envs(names.into_iter().zip(&self.passwords))
    }
}

/// Returns a URL without its password.
fn bare(url: &str) -> String {
    MySqlServer::from_url(url).unwrap().url()
}

/// Takes the # off every proposal.
fn uncommented(file: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => {
            format!("{key}\n")
        }
        _ => format!("{line}\n"),
    };
    file.lines().map(line).collect()
}

#[test]
fn the_files_for_a_practice_are_taken_by_a_run() {
    let trio = Trio::new("init practice");
    practice::create(&mut trio.source(), &Practice::at_scale(0.01)).unwrap();
    let new = New::folder(&trio);
    let (source, replica) = (bare(&trio.source_url()), bare(&trio.replica_url()));
    let target = PgServer::from_url(&trio.target_url()).unwrap().url();
    let done = new.ok(&["init", &source, "--replica", &replica, "--target", &target]);
    assert_eq!(new.files(), ["handoff.toml", "tables.toml"]);
    for part in [
        "446 tables",
        "\nengine  tables  empty  small  large",
        "\nMyISAM     358    176",
        "\nlargest",
        "\nwritten: handoff.toml, tables.toml\n",
        "\n  etl check\n  etl run --prove\n",
    ] {
        assert!(done.stdout.contains(part), "{part:?} is missing in\n{}", done.stdout);
    }
    assert!(!done.stdout.contains("export"), "{}", done.stdout);
    assert!(done.stdout.lines().count() < 40, "a minute's reading\n{}", done.stdout);
    let (handoff, tables) = (new.read("handoff.toml"), new.read("tables.toml"));
    for text in [&done.stdout, &handoff, &tables] {
        assert!(!text.contains(PLANTED));
        assert!(new.passwords.iter().all(|password| !text.contains(password)));
    }
    assert!(handoff.contains("password_env = \"REPLICA_PASSWORD\""), "{handoff}");
    new.ok(&["check"]);

    // Every proposal can be taken, and what is proposed of the types holds for every row.
    new.write("tables.toml", &uncommented(&tables));
    new.write("handoff.toml", &uncommented(&handoff).replace("grant_select_to", "#"));
    let done = new.ok(&["run", "--prove"]);
    assert!(done.stdout.contains("source = replica = raw"), "{}", done.stdout);
}

#[test]
fn nothing_is_overwritten_unless_asked() {
    let trio = Trio::new("init overwrite");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let new = New::folder(&trio);
    new.write("tables.toml", "# mine\n");
    let source = trio.source_url();
    let done = new.etl.exits(2, &["init", &source]);
    assert!(done.stderr.contains("tables.toml already exists"), "{}", done.stderr);
    assert_eq!(
        (new.files(), new.read("tables.toml")),
        (vec!["tables.toml".into()], "# mine\n".into())
    );

    let done = new.etl.ok(&["init", &source, "--force"]);
    assert!(new.read("tables.toml").starts_with("# The tables of mysql://"));
    // The URL's password was used, and is in no file.
    assert!(done.stdout.contains("export SOURCE_PASSWORD"), "{}", done.stdout);
    assert!(done.stdout.contains("put the analytics database into [target]"), "{}", done.stdout);
    let handoff = new.read("handoff.toml");
    assert!(handoff.contains("\npassword_env = \"SOURCE_PASSWORD\"\n"), "{handoff}");
    assert!(!handoff.contains(&new.passwords[0]), "{handoff}");
    new.etl.exits(2, &["init", &source]);
}

#[test]
fn without_a_url_the_configured_source_gets_its_tables() {
    let trio = Trio::new("init again");
    trio.sql_source(BY_HAND);
    let etl = Etl::with(&format!("{}[run]\nexclude = [\"tracked\"]\n", trio.settings_toml()));
    let handoff = std::fs::read_to_string(etl.folder().join("handoff.toml")).unwrap();
    let done = etl.ok(&["init"]);
    assert!(done.stdout.contains("\nwritten: tables.toml\n"), "{}", done.stdout);
    let read = |file| std::fs::read_to_string(etl.folder().join(file)).unwrap();
    assert_eq!(read("handoff.toml"), handoff);
    let tables = read("tables.toml");
    assert!(!tables.contains("[tables.tracked]") && !tables.contains("PLANTED"), "{tables}");
    for part in [
        "# Not moved: `shown` (view).\n",
        "[tables.\"odd.name \\\"x\\\"\"]\n#columns.\"a b\" = \"boolean\"  # only 0 and 1",
        "#columns.u = \"uuid\"  # every value has a UUID's version and variant, checked all 3 rows",
        "So each run compares all rows with the copy",
    ] {
        assert!(tables.contains(part), "{part:?} is missing in\n{tables}");
    }
    etl.exits(2, &["init"]);

    let json = etl.ok(&["init", "--quick", "--force", "--json"]).stdout;
    for part in ["\"rows_looked_at\": false", "\"table\": \"edited\"", "\"extraction\": \"auto\""] {
        assert!(json.contains(part), "{part} is missing in {json}");
    }
    assert!(!json.contains("PLANTED"));
}

#[test]
fn what_cannot_be_done_says_why_and_leaves_no_file() {
    let trio = Trio::new("init refused command");
    trio.sql_source("CREATE TABLE patient (id INT PRIMARY KEY)");
    let new = New::folder(&trio);
    let source = trio.source_url();
    let done = new.etl.exits(2, &["init", "clinic:S3cret@x"]);
    assert!(done.stderr.contains("source.url: the URL does not begin with"), "{}", done.stderr);
    assert!(!done.stderr.contains("S3cret"));
    new.etl.exits(2, &["init", &source, "--target", "mysql://a@b/c"]);
    let arguments = ["init", &source, "--source-password-env", "HANDOFF_UNSET"];
    new.etl.ok(&arguments);
    let (bare, arguments) = (bare(&source), &arguments[2..]);
    let done = new.etl.exits(2, &[&["init", &*bare, "--force"], arguments].concat());
    assert!(done.stderr.contains("names the variable HANDOFF_UNSET, which is not set"));
    for file in new.files() {
        std::fs::remove_file(new.etl.folder().join(file)).unwrap();
    }
    let done = new.etl.exits(3, &["init", "mysql://nobody:S3cret@127.0.0.1:1/x"]);
    assert!(!done.stderr.contains("S3cret"), "{}", done.stderr);
    let wrong = source.replace(&new.passwords[0], "S3cret");
    let done = new.etl.exits(3, &["init", &wrong]);
    assert!(!done.stderr.contains("S3cret"), "{}", done.stderr);
    assert_eq!(new.files(), Vec::<String>::new());
    let done = new.etl.exits(2, &["init"]);
    assert!(done.stderr.contains("no configuration file"), "{}", done.stderr);
}
