//! Loads through a CSV file: what CSV confuses, and files that stay.

use super::{Bench, chain, changes};
use crate::etl::{Etl, binary};
use crate::faults::disk::SmallDisk;
use handoff_loader::{
    CopyCsv, Error, LoadMode, LoadOutcome, LoadStrategy, SpoolReplay, SpoolSettings,
};
use handoff_model::RowFilter;
use handoff_testbed::{NULL, Trio, row};
use mysql::prelude::Queryable;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn spooled(folder: &Path, keep: bool) -> CopyCsv {
    let spool = SpoolSettings { folder: Some(folder.to_owned()), keep };
    CopyCsv { spool, ..CopyCsv::default() }
}

fn load(bench: &Bench, table: &str, by: &dyn LoadStrategy) -> Result<LoadOutcome, Error> {
    bench.load_as(table, by, LoadMode::Full, &RowFilter::All)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn null_and_every_text_are_told_apart() {
    let bench = Bench::new("load csv texts");
    bench.mysql(
        r#"CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b VARCHAR(20), c SET('x','"','\\') NULL);
        INSERT INTO t VALUES
            (1, NULL, NULL, NULL), (2, '', '', ''), (3, '\\N', '\\N', '"'), (4, '\\.', '\\.', '\\'),
            (5, 'a\n\\.\nb', '\n\\.\n', 'x,\\'), (6, '"', '""', 'x,"'), (7, ',', ',,', NULL),
            (8, '\r\n', '\r', 'x'), (9, '\n', '', NULL), (10, 'NULL', '""', '"'),
            (11, ' ', '\t', 'x'), (12, '\\', '\\"', '\\'), (13, '"\n",\n', NULL, '')"#,
    );
    let folder = TempDir::new().unwrap();
    let outcome = load(&bench, "t", &spooled(folder.path(), false)).unwrap();
    assert_eq!((outcome.figures.rows, outcome.sum), (13, bench.sum("t")));
    let rows = bench.trio.rows("t");
    for expected in [
        row!["1", NULL, NULL, NULL],
        row!["2", "", "", "{}"],
        row!["3", "\\N", "\\N", r#"{"\""}"#],
        row!["4", "\\.", "\\.", r#"{"\\"}"#],
        row!["5", "a\n\\.\nb", "\n\\.\n", r#"{x,"\\"}"#],
        row!["8", "\r\n", "\r", "{x}"],
        row!["13", "\"\n\",\n", NULL, "{}"],
    ] {
        assert!(rows.contains(&expected), "{expected:?}");
    }
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

/// A line of one column may be empty, or look like the end of the data.
#[test]
fn lines_of_one_column_are_told_apart() {
    let bench = Bench::new("load csv column");
    bench.mysql(
        r"CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('\\.'), (NULL), (''), ('\\N'), ('\n'), (NULL)",
    );
    let outcome = load(&bench, "t", &CopyCsv::default()).unwrap();
    assert_eq!((outcome.figures.rows, outcome.sum), (6, bench.sum("t")));
    assert_eq!(
        bench.trio.rows("t"),
        [row![NULL], row![NULL], row![""], row!["\n"], row!["\\."], row!["\\N"]]
    );
}

/// Texts of nothing but what CSV is made of, by way of a file that stays as well.
#[test]
fn random_texts_are_told_apart() {
    let bench = Bench::new("load csv random");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b VARCHAR(40), c BLOB)");
    let part = prop_oneof![
        Just("\""),
        Just("\"\""),
        Just("\\"),
        Just("\\."),
        Just("\\N"),
        Just("\n"),
        Just("\r"),
        Just(","),
        Just(" "),
        Just("\t"),
        Just("NULL"),
        Just("é"),
        Just("\u{1}"),
        Just("\u{10ffff}")
    ];
    let text = prop::collection::vec(part, 0..8).prop_map(|parts| Some(parts.concat()));
    let text = prop_oneof![6 => text, 1 => Just(None)];
    let rows = prop::collection::vec([text.clone(), text.clone(), text], 0..400);
    let config = Config { cases: 8, failure_persistence: None, ..Config::default() };
    let done = TestRunner::new(config).run(&rows, |rows| {
        bench.mysql("DELETE FROM t");
        let values = rows.iter().enumerate().map(|(id, [a, b, c])| (id, a, b, c));
        bench.trio.replica().exec_batch("INSERT INTO t VALUES (?, ?, ?, ?)", values).unwrap();
        let folder = TempDir::new().unwrap();
        let outcome = load(&bench, "t", &spooled(folder.path(), true)).unwrap();
        prop_assert_eq!(outcome.sum, bench.sum("t"));
        let landed = "SELECT a, b, convert_from(c, 'UTF8') FROM raw.t ORDER BY id";
        let landed = bench.to.get().unwrap().query(landed, &[]).unwrap();
        let landed: Vec<[Option<String>; 3]> =
            landed.iter().map(|row| [row.get(0), row.get(1), row.get(2)]).collect();
        prop_assert_eq!(&landed, &rows);
        bench.pg("DELETE FROM raw.t");
        let again =
            load(&bench, "t", &SpoolReplay { file: files(folder.path()).remove(0) }).unwrap();
        prop_assert_eq!(again.sum, outcome.sum);
        Ok(())
    });
    done.unwrap();
}

#[test]
fn a_kept_file_of_no_row_loads_again() {
    let bench = Bench::new("load csv empty");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY, a TEXT)");
    let folder = TempDir::new().unwrap();
    load(&bench, "t", &spooled(folder.path(), true)).unwrap();
    bench.pg("INSERT INTO raw.t VALUES (1, 'x')");
    let again = load(&bench, "t", &SpoolReplay { file: files(folder.path()).remove(0) }).unwrap();
    assert_eq!((again.figures.rows, again.figures.deleted), (0, 1));
}

#[test]
fn a_kept_file_is_its_owners_alone_and_loads_again() {
    let bench = Bench::new("load csv kept");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, d DOUBLE);
         INSERT INTO t SELECT seq, REPEAT(MD5(seq), 5), seq / 7 FROM seq_1_to_20000",
    );
    let folder = TempDir::new().unwrap();
    let kept = load(&bench, "t", &spooled(folder.path(), true)).unwrap();
    let files = files(folder.path());
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!(kept.notes, [format!("its rows are kept in {}", file.display())]);
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);

    // The source is not needed any more.
    bench.mysql("DELETE FROM t");
    bench.pg("DELETE FROM raw.t WHERE id < 100; UPDATE raw.t SET d = 0 WHERE id = 500");
    let replay = SpoolReplay { file: file.clone() };
    let again = load(&bench, "t", &replay).unwrap();
    assert_eq!((again.sum, changes(&again)), (kept.sum, (99, 1, 0)));
    bench.pg("DROP TABLE raw.t");
    assert_eq!(changes(&load(&bench, "t", &replay).unwrap()), (20_000, 0, 0));
    assert_eq!(bench.sum("t"), kept.sum);

    let text = std::fs::read_to_string(file).unwrap();
    let line = text[..text.len() / 2].rfind('\n').unwrap();
    let refused = |text: &str, expected: &str| {
        std::fs::write(file, text).unwrap();
        let error = load(&bench, "t", &replay).unwrap_err();
        assert!(matches!(error, Error::NotThisSpool { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!chain(&error).contains("f1d3ff8443297732862df21dc4e57262"), "{error}");
    };
    refused(&text.replacen("\"777\"", "\"77777\"", 1), "its rows do not have the sum in its name");
    refused(&text.replacen("\"777\"", "\"seven\"", 1), "its lines are no rows of the table");
    refused(&text[..=line], " rows, and 20000 by its name, so it was cut short");
    refused(&text[..line + 20], "its lines are no rows of the table, so it was cut short");
    refused(&text[..10], "its first line does not name the columns of the table");
    refused(&text.replacen("\"a\"", "\"b\"", 1), "does not name the columns of the table");
    let elsewhere = |name: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, &text).unwrap();
        load(&bench, "t", &SpoolReplay { file }).unwrap_err().to_string()
    };
    assert!(elsewhere("t.csv").contains("its name does not end in its rows and their sum"));
    let of_another = file.file_name().unwrap().to_str().unwrap().replacen('t', "u", 1);
    assert!(elsewhere(&of_another).ends_with("by its name it holds the rows of another table"));
    assert_eq!(bench.sum("t"), kept.sum);
}

#[test]
fn a_load_that_fails_leaves_no_file_unless_it_is_to_be_kept() {
    let bench = Bench::new("load csv fails");
    bench.mysql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let folder = TempDir::new().unwrap();
    *bench.seal.refuses.lock().unwrap() = true;
    load(&bench, "t", &spooled(folder.path(), false)).unwrap_err();
    assert_eq!(files(folder.path()).len(), 0);
    load(&bench, "t", &spooled(folder.path(), true)).unwrap_err();
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn a_full_disk_and_a_missing_folder_are_named_with_the_remedy() {
    let bench = Bench::new("load csv disk");
    bench.mysql(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT);
         INSERT INTO t SELECT seq, REPEAT(MD5(seq), 10) FROM seq_1_to_20000",
    );
    let folder = TempDir::new().unwrap();
    let disk = SmallDisk::on(folder.path(), 1);
    for keep in [false, true] {
        let error = load(&bench, "t", &spooled(folder.path(), keep)).unwrap_err();
        assert_eq!(
            chain(&error),
            format!(
                "`t`: cannot write the spool file in {}: No space left on device (os error 28); free \
                 some room there, or name another folder with spool_dir under [run]",
                folder.path().display()
            )
        );
        assert_eq!(files(folder.path()).len(), 0);
    }
    drop(disk);
    let missing = folder.path().join("missing");
    let error = load(&bench, "t", &spooled(&missing, false)).unwrap_err();
    assert!(chain(&error).contains("name a folder that this account may write to"), "{error}");
    assert_eq!(bench.ask("SELECT to_regclass('raw.t')::text"), "");
}

/// With the commands that a person has. The file may be old: whatever it holds, the next run is not
/// content with it.
#[test]
fn a_kept_file_is_loaded_by_the_command() {
    let trio = Trio::new("load csv etl");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, seen TIMESTAMP NOT NULL DEFAULT '2020-01-01');
         INSERT INTO t (id, a) VALUES (1, ''), (2, NULL), (3, 'old')",
    );
    let settings = "[run]\nspool_dir = \"spool\"\n[tables.t]\nloader = \"copy_csv\"\n\
                    keep_spool = true\nextraction = \"incremental\"\nwatermark = \"seen\"\n";
    let etl = Etl::with(&format!("{}\n{settings}", trio.settings_toml()));
    let folder = etl.folder().join("spool");
    std::fs::create_dir(&folder).unwrap();
    etl.ok(&["run", "--prove"]);
    let kept = files(&folder);
    let [file] = &kept[..] else { panic!("{kept:?}") };
    let replay = ["load", "t", "--from-spool", file.to_str().unwrap()];
    let proved = [&replay[..], &["--prove"]].concat();

    trio.sql_target("UPDATE raw.t SET a = 'x'");
    etl.ok(&proved);
    let at = "2020-01-01 00:00:00+00";
    let old = [row!["1", "", at], row!["2", NULL, at], row!["3", "old", at]];
    assert_eq!(trio.rows("t"), old);

    trio.sql_source("UPDATE t SET a = 'new', seen = '2020-01-02' WHERE id = 3");
    etl.ok(&["run", "--prove"]);
    etl.ok(&replay);
    assert_eq!(trio.rows("t"), old);
    let state = "SELECT concat(loaded_copy_id, watermark, data_as_of) FROM raw.etl_load_status";
    let state: String = trio.target().query_one(state, &[]).unwrap().get(0);
    assert_eq!(state, "", "the file is of no copy that is known, nor is its age");
    let differs = etl.exits(1, &proved);
    assert!(
        format!("{}{}", differs.stdout, differs.stderr).contains("are not the rows in the target")
    );
    // The row that the file has otherwise is in no window any more.
    etl.ok(&["run", "--prove"]);
    assert_eq!(trio.rows("t")[2], row!["3", "new", "2020-01-02 00:00:00+00"]);

    etl.exits(2, &replay[..1].iter().chain(&replay[2..]).copied().collect::<Vec<_>>());
    etl.exits(1, &["load", "t", "--from-spool", "t.1-00000000000000000000000000000000.csv"]);
}

/// A file that has far fewer rows than the target is refused, and the command that is printed loads it.
#[test]
fn a_kept_file_of_fewer_rows_is_loaded_as_the_refusal_says() {
    let trio = Trio::new("load csv few");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t SELECT seq FROM seq_1_to_30",
    );
    let settings =
        "[run]\nspool_dir = \"kept files\"\n[tables.t]\nloader = \"copy_csv\"\nkeep_spool = true\n";
    let etl = Etl::with(&format!("{}\n{settings}", trio.settings_toml()));
    let folder = etl.folder().join("kept files");
    std::fs::create_dir(&folder).unwrap();
    etl.ok(&["run"]);
    let kept = files(&folder);
    let [file] = &kept[..] else { panic!("{kept:?}") };
    trio.sql_source("INSERT INTO t SELECT seq FROM seq_31_to_130");
    etl.ok(&["run"]);
    let done = etl.exits(1, &["load", "t", "--from-spool", file.to_str().unwrap()]);
    assert_eq!(trio.rows("t").len(), 130);
    let remedy = done.stdout.split('`').find(|part| part.starts_with("etl load t ")).unwrap();
    let programs = binary("etl").parent().unwrap().display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", remedy]).env("PATH", path).current_dir(etl.folder());
    let pasted = shell.output().unwrap();
    assert!(pasted.status.success(), "{remedy}: {pasted:?}");
    assert_eq!(trio.rows("t").len(), 30);
}
