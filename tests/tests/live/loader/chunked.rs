//! Loads in chunks, broken off and taken up.

use super::{Bench, chain, changes};
use handoff_loader::{ChunkedLoad, LoadOutcome};
use handoff_model::CopyId;
use handoff_rows::Locking;
use handoff_settings::{ValuePolicies, ZeroDates};

pub(super) fn chunked(rows: u64) -> ChunkedLoad {
    ChunkedLoad { rows, ..ChunkedLoad::default() }
}

/// The rows that were there already, by the note of the load.
pub(super) fn resumed(outcome: &LoadOutcome) -> Option<u64> {
    let note = outcome.notes.first()?;
    let text = note.strip_prefix("an earlier attempt was taken up after ")?;
    text.split(' ').next()?.parse().ok()
}

/// A table of 5,000 rows, of which row 2,500 cannot be moved: after two chunks of 1,000 the load
/// breaks off.
fn broken_off(name: &str, refresh: bool) -> (Bench, CopyId) {
    let mut bench = Bench::new(name);
    bench.options.values =
        ValuePolicies { zero_dates: ZeroDates::Fail, ..ValuePolicies::default() };
    bench.mysql(
        "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, seen DATE NULL, body TEXT);
         INSERT INTO t SELECT seq, IF(seq = 2500, '0000-00-00', '2024-01-01'), seq
         FROM seq_1_to_5000",
    );
    if refresh {
        bench.pg("CREATE TABLE raw.t (id int PRIMARY KEY, seen date, body text)");
    }
    let copy = CopyId::new();
    let error = bench.load_copy("t", &chunked(1000), copy).unwrap_err();
    assert!(chain(&error).contains("a zero date"), "{}", chain(&error));
    let left = [format!("__handoff_{copy}"), format!("__handoff_at_{copy}")];
    assert_eq!(bench.loader().leftovers().unwrap(), left);
    let staged = bench.ask(&format!("SELECT count(*)::text FROM raw.__handoff_{copy}"));
    assert_eq!(staged, "2000");
    bench.mysql("UPDATE t SET seen = NULL WHERE id = 2500");
    (bench, copy)
}

/// Loads what was broken off and looks at what arrived.
#[track_caller]
fn finish(bench: &Bench, copy: CopyId, expected: Option<u64>) {
    let outcome = bench.load_copy("t", &chunked(1000), copy).unwrap();
    assert_eq!(resumed(&outcome), expected, "{:?}", outcome.notes);
    assert_eq!((outcome.figures.rows, changes(&outcome)), (5000, (5000, 0, 0)));
    assert_eq!(bench.sum("t"), outcome.sum);
    assert_eq!(bench.loader().leftovers().unwrap(), Vec::<String>::new());
}

#[test]
fn the_next_load_of_the_same_copy_goes_on_behind_the_last_chunk() {
    for refresh in [false, true] {
        let (bench, copy) = broken_off("chunked resumes", refresh);
        finish(&bench, copy, Some(2000));
    }
}

#[test]
fn another_copy_starts_again() {
    let (bench, copy) = broken_off("chunked other copy", true);
    let names = bench.loader().leftovers().unwrap();
    let other = CopyId::new();
    // The next run knows which copies may be loaded.
    assert_eq!(bench.loader().drop_leftovers(&names, &[copy, other]).unwrap(), 0);
    assert_eq!(bench.loader().drop_leftovers(&names, &[other]).unwrap(), 2);
    finish(&bench, other, None);
}

#[test]
fn staging_that_does_not_hold_what_the_checkpoint_says_starts_again() {
    for (name, sql) in [
        ("changed", "UPDATE raw.OWN SET body = '' WHERE id = 7"),
        ("deleted", "DELETE FROM raw.OWN WHERE id = 7"),
        ("added", "INSERT INTO raw.OWN VALUES (7000)"),
        ("emptied", "TRUNCATE raw.OWN"),
        ("altered", "ALTER TABLE raw.OWN DROP COLUMN seen"),
        ("dropped", "DROP TABLE raw.OWN"),
        ("no row", "DELETE FROM raw.CHECKPOINT"),
        ("no checkpoint", "DROP TABLE raw.CHECKPOINT"),
        ("no place", "UPDATE raw.CHECKPOINT SET place = 'x'"),
    ] {
        let (bench, copy) = broken_off(&format!("chunked {name}"), true);
        let sql = sql.replace("OWN", &format!("__handoff_{copy}"));
        bench.pg(&sql.replace("CHECKPOINT", &format!("__handoff_at_{copy}")));
        finish(&bench, copy, None);
    }
}

/// The rows that landed were made under other settings.
#[test]
fn other_settings_start_again() {
    let (mut bench, copy) = broken_off("chunked settings", false);
    bench.options.values = ValuePolicies::default();
    finish(&bench, copy, None);
}

#[test]
fn a_first_load_that_was_overtaken_starts_again() {
    let (bench, copy) = broken_off("chunked overtaken", false);
    bench.pg("CREATE TABLE raw.t (id int PRIMARY KEY, seen date, body text)");
    finish(&bench, copy, None);
}

/// What others write to is read in one piece, and nothing of it is kept for another attempt: the rest
/// would be of another state.
#[test]
fn what_others_write_to_is_one_chunk() {
    for (locking, chunks) in [(Locking::Free, 6), (Locking::Snapshot, 1), (Locking::Ranges, 1)] {
        let mut bench = Bench::new("chunked locking");
        bench.options.values =
            ValuePolicies { zero_dates: ZeroDates::Fail, ..ValuePolicies::default() };
        bench.mysql(
            "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, seen DATE NULL);
             INSERT INTO t SELECT seq, IF(seq = 5500, '0000-00-00', NULL) FROM seq_1_to_5600",
        );
        let copy = (CopyId::new(), locking);
        bench.load_locking("t", &chunked(1000), copy).unwrap_err();
        let left = bench.loader().leftovers().unwrap().len();
        assert_eq!(left, if locking == Locking::Free { 2 } else { 0 }, "{locking:?}");
        bench.mysql("UPDATE t SET seen = NULL");
        let outcome = bench.load_locking("t", &chunked(1000), copy).unwrap();
        assert_eq!((outcome.figures.rows, outcome.sum), (5600, bench.sum("t")));
        let commits = bench.ask("SELECT count(DISTINCT xmin::text)::text FROM raw.t");
        assert_eq!(commits, chunks.to_string(), "{locking:?}");
    }
}

#[test]
fn what_was_counted_of_lossy_values_is_not_forgotten() {
    // Row 100 has its NUL taken out in the first attempt, row 4,000 in the second.
    let mut bench = Bench::new("chunked lossy");
    bench.options.values =
        ValuePolicies { zero_dates: ZeroDates::Fail, ..ValuePolicies::default() };
    bench.mysql(
        "SET sql_mode = ''; CREATE TABLE t (id INT PRIMARY KEY, seen DATE NULL, body TEXT);
         INSERT INTO t SELECT seq, IF(seq = 2500, '0000-00-00', NULL), \
         IF(seq IN (100, 4000), CHAR(65, 0), 'x') FROM seq_1_to_5000",
    );
    let copy = CopyId::new();
    bench.load_copy("t", &chunked(1000), copy).unwrap_err();
    bench.mysql("UPDATE t SET seen = NULL");
    let outcome = bench.load_copy("t", &chunked(1000), copy).unwrap();
    assert_eq!(resumed(&outcome), Some(2000));
    assert_eq!(outcome.audit.entries().iter().map(|lossy| lossy.count).sum::<u64>(), 2);
}

#[test]
fn a_load_that_failed_at_its_end_reads_nothing_again() {
    let (bench, copy) = broken_off("chunked end", true);
    *bench.seal.refuses.lock().unwrap() = true;
    bench.load_copy("t", &chunked(1000), copy).unwrap_err();
    *bench.seal.refuses.lock().unwrap() = false;
    bench.mysql("DELETE FROM t WHERE id > 10");
    let outcome = bench.load_copy("t", &chunked(1000), copy).unwrap();
    assert_eq!((resumed(&outcome), changes(&outcome)), (Some(5000), (5000, 0, 0)));
}

#[test]
fn keys_of_every_kind_are_places_to_go_on_from() {
    for (name, columns, values) in [
        ("text", "id VARCHAR(40) PRIMARY KEY", "CONCAT(MD5(seq), 'é''\\\\')"),
        ("binary", "id BINARY(16) PRIMARY KEY", "UNHEX(MD5(seq))"),
        ("time", "id DATETIME(6) PRIMARY KEY", "NOW(6) + INTERVAL seq MICROSECOND"),
        ("several", "a INT, b DECIMAL(9,2), PRIMARY KEY (b, a)", "seq % 50, seq / 4"),
        ("unsigned", "id BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - seq"),
        ("double", "id DOUBLE PRIMARY KEY", "seq / 7"),
    ] {
        let mut bench = Bench::new(&format!("chunked key {name}"));
        bench.options.values =
            ValuePolicies { zero_dates: ZeroDates::Fail, ..ValuePolicies::default() };
        bench.mysql(&format!(
            "SET sql_mode = ''; CREATE TABLE t ({columns}, seen DATE NULL, place INT NULL);
             INSERT INTO t SELECT {values}, NULL, NULL FROM seq_1_to_500"
        ));
        let key = if name == "several" { "b, a" } else { "id" };
        bench.mysql(&format!(
            "SET sql_mode = '', @n = 0; UPDATE t SET place = (@n := @n + 1) ORDER BY {key};
             UPDATE t SET seen = '0000-00-00' WHERE place = 250"
        ));
        let copy = CopyId::new();
        bench.load_copy("t", &chunked(100), copy).unwrap_err();
        bench.mysql("UPDATE t SET seen = NULL");
        let outcome = bench.load_copy("t", &chunked(100), copy).unwrap();
        assert_eq!((resumed(&outcome), outcome.figures.rows), (Some(200), 500), "{name}");
        assert_eq!(bench.sum("t"), outcome.sum, "{name}");
    }
}
