//! What files say, and what comes of it.

mod secrets;
mod tables;

use crate::load::{ConfigText, from_texts};
use crate::*;
use handoff_model::{ColumnName, Extraction, Strategy, TableName};
use std::env::VarError;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const URLS: &str = "[source]\nurl = \"mysql://reader@clinic/app\"\n\
                    [target]\nurl = \"postgres://etl@db/olap\"\n";

fn env(name: &str) -> Result<String, VarError> {
    match name {
        "PW" => Ok("S3cret".to_owned()),
        "HOST" => Ok("clinic".to_owned()),
        "lower" => Ok("S3cret".to_owned()),
        "EMPTY" => Ok(String::new()),
        _ => Err(VarError::NotPresent),
    }
}

fn load(main: &str, tables: Option<&str>) -> Result<Settings, SettingsError> {
    let tables = tables.map(|text| ConfigText { text, path: Path::new("tables.toml") });
    from_texts(&ConfigText { text: main, path: Path::new("handoff.toml") }, tables.as_ref(), &env)
}

#[track_caller]
fn loads(main: &str) -> Settings {
    load(main, None).unwrap_or_else(|error| panic!("{error}"))
}

/// Reads both files and compares every fault, as it is printed.
#[track_caller]
fn fails_with(main: &str, tables: Option<&str>, expected: &[&str]) {
    let error = load(main, tables).expect_err(main);
    let problems = error.problems().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(problems, expected, "{main}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("S3cret"), "{shown}");
}

#[track_caller]
fn fails(main: &str, expected: &[&str]) {
    fails_with(main, None, expected);
}

/// Adds `lines` after the URLs, that is from line 5 on.
#[track_caller]
fn adding(lines: &str, expected: &[&str]) {
    fails(&format!("{URLS}{lines}"), expected);
}

#[test]
fn three_urls_are_enough() {
    let main = format!("{URLS}[replica]\nurl = \"mariadb://etl@127.0.0.1:3305/app\"\n");
    let expected = Settings::new(
        "mysql://reader@clinic/app",
        Some("mysql://etl@127.0.0.1:3305/app"),
        "postgres://etl@db/olap",
    );
    assert_eq!(loads(&main), expected.unwrap());
}

#[test]
fn every_key_arrives() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), "a certificate").unwrap();
    let password = folder.path().join("pw");
    std::fs::write(&password, "two words\r\n").unwrap();
    std::fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
    let main = r#"
        [source]
        url = "mysql://reader@${HOST}:3399/app"
        password_env = "PW"
        tls = "verify-full"
        tls_ca = "ca.pem"
        [target]
        url = "postgres://etl:${PW}@db/olap"
        schema = "bronze"
        grant_select_to = ["dbt", "a \"b\""]
        structure = "extend"
        dropped_columns = "drop"
        dropped_tables = "drop"
        lock_timeout = "500ms"
        objects = { foreign_keys = true, checks = false, unique_texts = "icu" }
        lower_case_names = true
        require_auth = "scram-sha-256"
        tls = "require"
        [replica]
        url = "mysql://etl@db/app"
        password_file = "pw"
        server_public_key = "ca.pem"
        [run]
        jobs = 0x10
        include = ["proc*", "$${a}"]
        exclude = ["tmp_*"]
        memory_limit_mb = 1_024
        max_retries = 0
        lock_silence = "30s"
        keep_runs = 7
        max_delete_percent = 5
        [values]
        zero_dates = 0001-01-01
        nul_bytes = "replace"
        bad_text = "replace"
        bad_json = "null"
        [selection]
        streaming_above_mb = 50
        [tables.procedurelog]
        loader = "standard"
        structure = "fail"
        objects = "all"
    "#;
    let tables = "tables.procedurelog.columns = { IsLocked = \"boolean\" }\n\
                  [tables.\"a.b\"]\nloader = \"streaming\"\n";
    let (main_path, tables_path) = (folder.path().join("h.toml"), folder.path().join("t.toml"));
    let main = ConfigText { text: main, path: &main_path };
    let tables = ConfigText { text: tables, path: &tables_path };
    let settings = from_texts(&main, Some(&tables), &env).unwrap();

    let mut expected = Settings::new(
        "mysql://reader:S3cret@clinic:3399/app",
        Some("mysql://etl:two%20words@db/app"),
        "postgres://etl:S3cret@db/olap",
    )
    .unwrap();
    expected.source.tls = TlsSettings {
        mode: TlsMode::VerifyFull,
        ca: Some(folder.path().join("ca.pem")),
        fingerprint: None,
    };
    expected.replica.as_mut().unwrap().public_key = Some(folder.path().join("ca.pem"));
    expected.target.server.tls.mode = TlsMode::Require;
    expected.target.server.require_auth = RequireAuth::Scram;
    expected.target.schema = "bronze".to_owned();
    expected.target.grant_select_to = vec!["dbt".to_owned(), "a \"b\"".to_owned()];
    expected.target.structure = StructurePolicy::Extend;
    expected.target.dropped_columns = DroppedColumns::Drop;
    expected.target.dropped_tables = DroppedTables::Drop;
    expected.target.lock_timeout = Duration::from_millis(500);
    expected.target.name_case = NameCase::Lower;
    expected.target.objects = ObjectSettings {
        foreign_keys: true,
        checks: false,
        unique_texts: UniqueTexts::Icu,
        ..ObjectSettings::ALL
    };
    expected.run.jobs = 16.try_into().unwrap();
    expected.run.include = vec!["proc*".to_owned(), "${a}".to_owned()];
    expected.run.exclude = vec!["tmp_*".to_owned()];
    expected.run.memory_limit_mb = 1024;
    expected.run.max_retries = 0;
    expected.run.lock_silence = Duration::from_secs(30);
    expected.run.keep_runs = 7;
    expected.run.max_delete_percent = 5;
    expected.values.zero_dates = ZeroDates::Date(1, 1, 1);
    expected.values.nul_bytes = NulBytes::Replace;
    expected.values.bad_text = BadText::Replace;
    expected.values.bad_json = BadJson::Null;
    expected.selection.streaming_above_mb = 50;
    let procedurelog = TableSettings {
        loader: Some(Strategy::Standard),
        structure: Some(StructurePolicy::Fail),
        objects: Some(ObjectSettings::ALL),
        columns: [(ColumnName::new("IsLocked").unwrap(), "boolean".to_owned())].into(),
        ..TableSettings::default()
    };
    let dotted = TableSettings { loader: Some(Strategy::Streaming), ..TableSettings::default() };
    expected.tables.insert(TableName::new("procedurelog").unwrap(), procedurelog);
    expected.tables.insert(TableName::new("a.b").unwrap(), dotted);
    assert_eq!(settings, expected);
    assert!(!format!("{settings:?}").contains("S3cret"));
}

#[test]
fn objects_are_a_set_or_what_departs_from_it() {
    let urls = "[source]\nurl = \"mysql://a@b/c\"\n[target]\nurl = \"postgres://a@b/c\"\n";
    let fails = |objects: &str, part: &str| {
        let error = load(&format!("{urls}objects = {objects}\n"), None).unwrap_err();
        let messages: Vec<&str> =
            error.problems().iter().map(|problem| problem.message()).collect();
        assert!(messages.iter().any(|message| message.contains(part)), "{messages:?}");
    };
    fails("\"most\"", "it takes \"keys\", \"all\"");
    fails("{ index = true }", "has no index");
    fails("{ indexes = 1 }", "target.objects.indexes is 1; it takes true or false");
    fails("{ unique_texts = \"ci\" }", "\"bytes\" or \"icu\"");
}

#[test]
fn all_faults_of_all_files_are_reported_at_once() {
    fails_with(
        "[source]\nurl = \"mysql://reader@clinic\"\ntsl = \"require\"\n\
         [run]\njobs = 0\njbos = 3\n",
        Some("[tables.patient]\nloadr = \"streaming\"\n"),
        &[
            "handoff.toml:1: [target] is missing; write below [target]: \
             url = \"postgres://USER@HOST:5432/DATABASE\"",
            "handoff.toml:2: source.url: no database in the URL; end it with one, as in \
             mysql://USER@HOST:3306/DATABASE",
            "handoff.toml:3: unknown key `tsl` in [source]; did you mean `tls`?",
            "handoff.toml:5: run.jobs is 0; it takes a whole number from 1 to 256",
            "handoff.toml:6: unknown key `jbos` in [run]; did you mean `jobs`?",
            "tables.toml:2: unknown key `loadr` in [tables.patient]; did you mean `loader`?",
        ],
    );
    let error = load("[run]\njobs = 0\n", None).unwrap_err();
    assert!(error.to_string().starts_with("the configuration has 3 faults\n  handoff.toml:1: "));
}

#[test]
fn what_is_no_toml_hides_no_other_fault() {
    fails(
        &format!("{URLS}[run]\njobs = three\nkeep_runs = 0\n"),
        &[
            "handoff.toml:6: this is not TOML: invalid boolean, expected `true`",
            "handoff.toml:7: run.keep_runs is 0; it takes a whole number from 1 to 36500",
        ],
    );
    fails(
        "[source]\nurl = \"mysql://reader@clinic/app\n[target]\nurl = \"postgres://a@b/c\"\n",
        &["handoff.toml:2: this is not TOML: invalid basic string, expected `\"`"],
    );
    adding("[source]\n", &["handoff.toml:5: this is not TOML: duplicate key"]);
    fails(
        "",
        &[
            "handoff.toml:1: [source] is missing; write below [source]: \
         url = \"mysql://USER@HOST:3306/DATABASE\"",
            "handoff.toml:1: [target] is missing; write below [target]: \
         url = \"postgres://USER@HOST:5432/DATABASE\"",
        ],
    );
}

#[test]
fn unknown_keys_and_sections_say_where_they_belong() {
    adding("[runn]\njobs = 3\n", &["handoff.toml:5: unknown section [runn]; did you mean [run]?"]);
    fails(
        &format!("jobs = 3\n{URLS}"),
        &["handoff.toml:1: `jobs` stands in no section; write it below its [section]"],
    );
    adding(
        "[run]\nschema = \"x\"\n",
        &["handoff.toml:6: unknown key `schema` in [run]; it belongs in [target]"],
    );
    adding(
        "[values]\nzzz = 1\n",
        &[
            "handoff.toml:6: unknown key `zzz` in [values]; it takes zero_dates, nul_bytes, bad_text \
         or bad_json",
        ],
    );
    adding(
        "password = \"S3cret\"\n",
        &[
            "handoff.toml:5: `password` in [target]: a password does not stand in this file; name an \
         environment variable with password_env, or a file with password_file",
        ],
    );
    adding(
        "[replica]\nurl = \"mysql://etl@b/r\"\nmax_rows_per_second = 9\n",
        &["handoff.toml:7: unknown key `max_rows_per_second` in [replica]; it belongs in [source]"],
    );
    adding(
        "[[run]]\njobs = 3\n",
        &["handoff.toml:5: run is a list; write [run] and its keys below"],
    );
    fails_with(
        URLS,
        Some("x = 1\n[patient]\nloader = \"standard\"\n[run]\njobs = 1\n"),
        &[
            "tables.toml:1: `x` stands in no section; write it below [tables.NAME]",
            "tables.toml:2: unknown section [patient]; write [tables.patient] for a table",
            "tables.toml:4: [run] does not belong here; move it to handoff.toml",
        ],
    );
}

#[test]
fn a_file_is_kept_where_one_is_written() {
    let at = |line| {
        format!(
            "handoff.toml:{line}: tables.a.keep_spool has no effect, since only copy_csv writes a \
             file; write tables.a.loader = \"copy_csv\", or leave it out"
        )
    };
    adding("[tables.a]\nkeep_spool = true\n", &[&at(6)]);
    adding("[tables.a]\nloader = \"chunked\"\nkeep_spool = true\n", &[&at(7)]);
    adding(
        "[tables.a]\nloader = 1\nkeep_spool = true\n",
        &["handoff.toml:6: tables.a.loader is 1; it takes a text in \"quotes\""],
    );
    let kept = loads(&format!("{URLS}[tables.a]\nloader = \"copy_csv\"\nkeep_spool = true\n"));
    assert!(kept.tables.values().all(|table| table.keep_spool));
    loads(&format!("{URLS}[tables.a]\nkeep_spool = false\n"));
}

#[test]
fn values_of_the_wrong_kind_are_named() {
    adding(
        "[run]\nuntil = \"25:00\"\n",
        &[
            "handoff.toml:6: run.until is \"25:00\"; it takes a time from 00:00 to 23:59, such as 05:30",
        ],
    );
    adding(
        "[tables.a]\npriority = \"urgent\"\n",
        &["handoff.toml:6: tables.a.priority is \"urgent\"; it takes high, medium or low"],
    );
    adding(
        "[run]\njobs = \"4\"\n",
        &["handoff.toml:6: run.jobs is \"4\"; it takes a whole number from 1 to 256"],
    );
    adding(
        "[run]\nmemory_limit_mb = 99999999999999999999\n",
        &["handoff.toml:6: run.memory_limit_mb is 99999999999999999999; it takes a whole number \
         from 32 to 1048576"],
    );
    adding(
        "[run]\ninclude = \"*\"\nexclude = [\n  3,\n]\n",
        &[
            "handoff.toml:6: run.include is \"*\"; it takes a list such as [\"…\"]",
            "handoff.toml:8: run.exclude is 3; it takes a text in \"quotes\"",
        ],
    );
    adding(
        "[run]\ninclude = []\nexclude = [\"tmp[\"]\n",
        &[
            "handoff.toml:6: run.include is empty, so no table would be taken; leave it out for all",
            "handoff.toml:7: run.exclude \"tmp[\" is no glob: unclosed character class; missing ']'; \
         write * for any text, ? for one character",
        ],
    );
    adding(
        "tls = \"verify\"\n",
        &[
            "handoff.toml:5: target.tls is \"verify\"; it takes disable, prefer, require, verify-ca \
         or verify-full",
        ],
    );
    adding(
        "[values]\nzero_dates = 2023-02-28T00:00:00\nbad_json = \"strip\"\n",
        &[
            "handoff.toml:6: values.zero_dates is 2023-02-28T00:00:00; it takes null, fail or a day \
         such as 0001-01-01",
            "handoff.toml:7: values.bad_json is \"strip\"; it takes fail or null",
        ],
    );
    adding(
        "[tables.a]\nloader = \"discard\"\ncolumns = \"x\"\n[tables.b]\nloader = \"fast\"\n",
        &[
            "handoff.toml:6: tables.a.loader is \"discard\", which is for benches; it takes \
         standard, streaming, chunked, parallel or copy_csv",
            "handoff.toml:7: tables.a.columns is \"x\"; it takes the types of columns, such as \
         { IsLocked = \"boolean\" }",
            "handoff.toml:9: tables.b.loader is \"fast\"; it takes standard, streaming, chunked, \
         parallel or copy_csv",
        ],
    );
    adding(
        "[tables]\na = 3\n\"\" = { }\n",
        &[
            "handoff.toml:6: tables.a is 3; write [tables.a] above its keys",
            "handoff.toml:7: [tables.NAME]: a name cannot be empty",
        ],
    );
}

#[test]
fn schema_and_roles_obey_postgres() {
    for (schema, expected) in [
        ("", "target.schema is empty"),
        ("pg_raw", "target.schema \"pg_raw\" belongs to PostgreSQL itself"),
        ("information_schema", "target.schema \"information_schema\" belongs to PostgreSQL itself"),
    ] {
        let expected =
            format!("handoff.toml:5: {expected}; name a schema of your own, such as \"raw\"");
        adding(&format!("schema = {schema:?}\n"), &[&expected]);
    }
    adding(
        &format!("schema = \"{}\"\n", "ü".repeat(32)),
        &[&format!(
            "handoff.toml:5: target.schema \"{}\" is longer than 63 bytes; name a schema of your \
         own, such as \"raw\"",
            "ü".repeat(32)
        )],
    );
    adding(
        "grant_select_to = [\"PUBLIC\"]\n",
        &[
            "handoff.toml:5: target.grant_select_to \"PUBLIC\" is everybody, not a role; name roles, \
         such as [\"dbt\"]",
        ],
    );
}

#[test]
fn the_replica_cannot_be_the_source() {
    let message = "the replica is the source itself, which is never written to; give [replica] a \
                   database of its own, or leave [replica] out to load from the source";
    adding(
        "[replica]\nurl = \"mariadb://etl:x@CLINIC:3306/app\"\n",
        &[&format!("handoff.toml:5: {message}")],
    );
    let same =
        Settings::new("mysql://a@127.0.0.1/x", Some("mysql://b@localhost/x"), "postgres://a@b/c");
    assert_eq!(same.unwrap_err().to_string(), message);
    let other = "mysql://b@localhost/y";
    assert!(Settings::new("mysql://a@127.0.0.1/x", Some(other), "postgres://a@b/c").is_ok());
}

#[test]
fn settings_made_in_code_name_every_bad_url() {
    let error = Settings::new("mysql://a", Some("x"), "postgres://b/c").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration has 3 faults\n  \
         source.url: no user in the URL; write it before the host, as in \
         mysql://USER@HOST:3306/DATABASE\n  \
         replica.url: the URL does not begin with mysql:// or mariadb://; write \
         mysql://USER@HOST:3306/DATABASE\n  \
         target.url: no user in the URL; write it before the host, as in \
         postgres://USER@HOST:5432/DATABASE"
    );
}

#[test]
fn a_file_that_is_not_there_or_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handoff.toml");
    let missing = Settings::load(&path).unwrap_err().to_string();
    let first = format!("no configuration file at {}\n", path.display());
    assert!(missing.starts_with(&first), "{missing}");
    assert!(missing.contains("--config PATH"), "{missing}");

    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    let unreadable = Settings::load(&path).unwrap_err();
    assert!(matches!(unreadable, SettingsError::Unreadable { .. }), "{unreadable}");

    std::fs::write(&path, URLS).unwrap();
    std::fs::write(folder.path().join("tables.toml"), "[tables.a]\nloader = \"standard\"\n")
        .unwrap();
    assert_eq!(Settings::load(&path).unwrap().tables.len(), 1);
}
