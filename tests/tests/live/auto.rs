//! `extraction = "auto"`, the default: each run compares the rows of a table or moves all of them.

use crate::etl::Etl;
use crate::unchanged::{TWO_HOURS, written};
use handoff_testbed::Trio;
use serde_json::Value;

const TABLES: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB; \
     INSERT INTO t SELECT seq, seq FROM seq_1_to_1000; \
     CREATE TABLE keyless (v INT) ENGINE=InnoDB; INSERT INTO keyless VALUES (1), (1)";

/// Runs and returns what the report says of a table: extraction, reason, and rows that were changed in the target.
#[track_caller]
fn night(etl: &Etl, table: &str) -> (String, String, u64) {
    let report: Value = serde_json::from_str(&etl.ok(&["run", "--json"]).stdout).unwrap();
    let tables = report["tables"].as_array().unwrap();
    let found = tables.iter().find(|found| found["table"] == table).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let counts = ["rows_inserted", "rows_updated", "rows_deleted"];
    let changed = counts.iter().filter_map(|count| found["load"][count].as_u64()).sum();
    (text(&found["plan"]["extraction"]), text(&found["plan"]["reason"]), changed)
}

fn is(extraction: &str, reason: &str, changed: u64) -> (String, String, u64) {
    (extraction.to_owned(), reason.to_owned(), changed)
}

/// Makes every move of the records eight days older.
fn a_week_later(trio: &Trio) {
    trio.sql_target("UPDATE raw.etl_runs SET started_at = started_at - interval '8 days'");
}

#[track_caller]
fn nights(trio: &Trio, etl: &Etl) {
    trio.sql_source(TABLES);
    assert_eq!(night(etl, "t"), is("full_table", "first_run", 1000));
    assert_eq!(night(etl, "t"), is("diff", "compared", 0));
    trio.sql_source("UPDATE t SET v = 0 WHERE id <= 3; DELETE FROM t WHERE id = 4");
    assert_eq!(night(etl, "t"), is("diff", "compared", 4));
    assert_eq!(night(etl, "keyless"), is("full_table", "configured", 0));
    // So many changes that the comparison was in vain, and the next one is not tried.
    trio.sql_source("UPDATE t SET v = -id");
    assert_eq!(night(etl, "t"), is("full_table", "many_rows_differ", 999));
    trio.sql_source("UPDATE t SET v = 1 WHERE id = 1");
    assert_eq!(night(etl, "t"), is("full_table", "many_rows_differ", 1));
    assert_eq!(night(etl, "t"), is("diff", "compared", 0));
    etl.ok(&["verify"]);
}

#[test]
fn rows_are_compared_by_default_and_moved_in_full_while_many_change() {
    let trio = Trio::new("auto_replica");
    nights(&trio, &Etl::exactly(&trio.settings_toml()));
}

#[test]
fn rows_of_source_and_target_are_compared_without_a_replica() {
    let trio = Trio::new("auto_direct");
    let etl = Etl::exactly(&trio.direct_settings_toml());
    nights(&trio, &etl);
    trio.sql_target("UPDATE raw.t SET v = 7 WHERE id = 9");
    assert_eq!(night(&etl, "t"), is("diff", "compared", 1));
}

/// Changes by others in the target, which no comparison of source and replica finds.
#[test]
fn the_target_is_compared_once_in_a_while() {
    let trio = Trio::new("auto_recheck");
    let etl = Etl::exactly(&trio.settings_toml());
    trio.sql_source(TABLES);
    trio.sql_source("CREATE TABLE still LIKE t; ALTER TABLE still ENGINE=MyISAM; INSERT INTO still SELECT * FROM t");
    trio.sql_source("RENAME TABLE t TO inno, still TO t");
    written(&trio, "MYD", TWO_HOURS);
    etl.ok(&["run"]);
    assert_eq!(night(&etl, "t").1, "unchanged");
    trio.sql_target("UPDATE raw.t SET v = 7 WHERE id = 9; UPDATE raw.inno SET v = 7 WHERE id = 9");
    assert_eq!(night(&etl, "inno"), is("diff", "compared", 0));
    a_week_later(&trio);
    let done = etl.ok(&["plan"]);
    assert!(done.stdout.contains("recheck"), "{}", done.stdout);
    let report: Value = serde_json::from_str(&etl.ok(&["run", "--json"]).stdout).unwrap();
    for table in ["t", "inno"] {
        let tables = report["tables"].as_array().unwrap();
        let found = tables.iter().find(|found| found["table"] == table).unwrap();
        assert_eq!(found["plan"]["reason"], "recheck", "{found}");
        assert_eq!(found["load"]["rows_updated"], 1, "{found}");
        assert!(found["copy"]["rows_copied"].as_u64().is_none_or(|rows| rows == 0), "{found}");
    }
    assert_eq!(night(&etl, "t").1, "unchanged");
    assert_eq!(night(&etl, "inno"), is("diff", "compared", 0));
    etl.ok(&["verify"]);
}
