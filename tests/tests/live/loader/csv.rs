//! Loads through a CSV file: what CSV confuses, and files that stay.

use super::{Bench, chain, changes};
use crate::etl::Etl;
use crate::faults::disk::SmallDisk;
use handoff_loader::{CopyCsv, Error, LoadMode, LoadOutcome, LoadStrategy, Replay, SpoolSettings};
use handoff_model::RowFilter;
use handoff_testbed::{NULL, Trio, row};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
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
    assert_eq!((outcome.rows_loaded, outcome.sum), (13, bench.sum("t")));
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
    assert_eq!((outcome.rows_loaded, outcome.sum), (6, bench.sum("t")));
    assert_eq!(
        bench.trio.rows("t"),
        [row![NULL], row![NULL], row![""], row!["\n"], row!["\\."], row!["\\N"]]
    );
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
    let replay = Replay { file: file.clone() };
    let again = load(&bench, "t", &replay).unwrap();
    assert_eq!((again.sum, changes(&again)), (kept.sum, (99, 1, 0)));
    bench.pg("DROP TABLE raw.t");
    assert_eq!(changes(&load(&bench, "t", &replay).unwrap()), (20_000, 0, 0));
    assert_eq!(bench.sum("t"), kept.sum);

    // One number more in some row.
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, text.replacen("\"777\"", "\"77777\"", 1)).unwrap();
    let error = load(&bench, "t", &replay).unwrap_err();
    assert!(
        error.to_string().ends_with("do not have the sum in its name, so it was changed since")
    );
    std::fs::write(file, &text[..text.len() / 2]).unwrap();
    load(&bench, "t", &replay).unwrap_err();
    std::fs::write(file, text.replacen("\"a\"", "\"b\"", 1)).unwrap();
    let error = load(&bench, "t", &replay).unwrap_err();
    assert!(error.to_string().ends_with("does not name the columns of the table"), "{error}");
    let other = folder.path().join("t.csv");
    std::fs::rename(file, &other).unwrap();
    let error = load(&bench, "t", &Replay { file: other }).unwrap_err();
    assert!(matches!(error, Error::NotThisSpool { .. }), "{error}");
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

/// With the commands that a person has.
#[test]
fn a_kept_file_is_loaded_by_the_command() {
    let trio = Trio::new("load csv etl");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, ''), (2, NULL)",
    );
    let settings =
        "[run]\nspool_dir = \"spool\"\n[tables.t]\nloader = \"copy_csv\"\nkeep_spool = true\n";
    let etl = Etl::with(&format!("{}\n{settings}", trio.settings_toml()));
    let folder = etl.folder().join("spool");
    std::fs::create_dir(&folder).unwrap();
    etl.ok(&["run", "--prove"]);
    let files = files(&folder);
    let [file] = &files[..] else { panic!("{files:?}") };
    trio.sql_target("UPDATE raw.t SET a = 'x'");
    let again = ["load", "t", "--prove", "--from-spool", file.to_str().unwrap()];
    etl.ok(&again);
    assert_eq!(trio.rows("t"), [row!["1", ""], row!["2", NULL]]);
    let copy = "SELECT loaded_copy_id::text FROM raw.etl_load_status";
    let copy: Option<String> = trio.target().query_one(copy, &[]).unwrap().get(0);
    assert_eq!(copy, None, "the file is of no copy that is known");
    etl.exits(2, &["load", "--from-spool", file.to_str().unwrap()]);
    etl.exits(1, &["load", "t", "--from-spool", "missing.1-00000000000000000000000000000000.csv"]);
    etl.ok(&["run", "--prove"]);
}
