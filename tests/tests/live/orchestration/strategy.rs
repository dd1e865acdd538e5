//! Which way a table is loaded: chosen once, done so, and said with the reason.

use super::{settings, table};
use handoff_pipeline::{Pipeline, RunOptions, RunReport};
use handoff_testbed::Trio;

fn run(toml: &str) -> RunReport {
    let report = Pipeline::new(settings(toml)).run(&RunOptions::default()).unwrap();
    assert!(report.ok, "{}", report.conclusion());
    report
}

/// The strategy that a table was loaded by, and why.
#[track_caller]
fn check(report: &RunReport, table: &str, strategy: &str, why: &str) {
    let report = report.tables.iter().find(|report| report.table.as_str() == table).unwrap();
    let load = report.load.as_ref().unwrap();
    let plan = report.plan.as_ref().unwrap();
    assert_eq!((load.strategy_used, &*plan.strategy_reason), (strategy, why), "{table}");
}

#[test]
fn sizes_choose_unless_the_table_does() {
    let trio = Trio::new("strategy sizes");
    for (name, rows) in [("few", 10), ("many", 3_000), ("own", 3_000)] {
        table(&trio, name, "MyISAM", rows);
    }
    let chosen = "[selection]\nparallel_above_rows = 1000\n[tables.own]\nloader = \"copy_csv\"\n";
    let report = run(&(trio.settings_toml() + chosen));
    check(&report, "few", "streaming", "the default at every size");
    check(&report, "many", "parallel", "above 1000 rows");
    check(&report, "own", "copy_csv", "set for this table");

    // The source is written to while it is read.
    let trio = Trio::new("strategy source");
    table(&trio, "many", "InnoDB", 3_000);
    trio.sql_source("ANALYZE TABLE many");
    let report = run(&(trio.direct_settings_toml() + chosen));
    let why = "parallel (above 1000 rows) needs a replica, which nobody writes to meanwhile";
    check(&report, "many", "streaming", why);
}

/// A table that turns out to need it is loaded as a whole one in the same run.
#[test]
fn changed_rows_go_as_one_stream_and_the_whole_table_as_chosen() {
    let trio = Trio::new("strategy changed");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, s TIMESTAMP NOT NULL, KEY (s));
         INSERT INTO t SELECT seq, '2024-01-01' FROM seq_1_to_100",
    );
    let toml = trio.settings_toml()
        + "[tables.t]\nloader = \"chunked\"\nextraction = \"incremental\"\nwatermark = \"s\"\n";
    check(&run(&toml), "t", "chunked", "set for this table");
    trio.sql_source("INSERT INTO t VALUES (101, NOW())");
    check(&run(&toml), "t", "streaming", "chunked (set for this table) is for whole tables");
    trio.sql_source("INSERT INTO t VALUES (102, NOW()); DELETE FROM t WHERE id = 1");
    check(&run(&toml), "t", "chunked", "set for this table");
    assert_eq!(trio.rows("t").len(), 101);
}
