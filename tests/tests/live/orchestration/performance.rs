//! Where the time went, in the report and in `etl_runs`.

use super::table;
use crate::etl::Etl;
use handoff_testbed::Trio;
use serde_json::Value;

const FIGURES: [&str; 6] =
    ["rows_per_second", "mb_per_second", "source_ms", "encoder_ms", "target_ms", "throttle_ms"];

#[track_caller]
fn is_whole(performance: &Value) {
    for figure in FIGURES {
        assert!(performance[figure].is_number(), "{figure} of {performance}");
    }
}

#[test]
fn the_report_and_the_history_say_where_the_time_went() {
    let trio = Trio::new("performance");
    table(&trio, "visits", "InnoDB", 20_000);
    let etl = Etl::new(&trio);
    let done = etl.ok(&["run", "--json"]);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let visits = &report["tables"][0];
    for (phase, rows) in [("copy", "rows_copied"), ("load", "rows_loaded")] {
        let phase = &visits[phase];
        is_whole(&phase["performance"]);
        let whole = phase["duration_ms"].as_u64().unwrap();
        let figure = |name: &str| phase["performance"][name].as_u64().unwrap();
        let sum = figure("source_ms") + figure("encoder_ms") + figure("target_ms");
        // Each is cut to whole milliseconds.
        assert!((whole.saturating_sub(4)..=whole).contains(&sum), "{phase}");
        assert!(figure("rows_per_second") > 0 && phase[rows] == 20_000, "{phase}");
    }
    let line = "SELECT copy_performance::text, load_performance::text FROM raw.etl_runs \
                WHERE table_name = 'visits'";
    let line = trio.target().query_one(line, &[]).unwrap();
    for column in 0..2 {
        is_whole(&serde_json::from_str(line.get(column)).unwrap());
    }
    let done = etl.ok(&["run", "-v"]);
    assert!(done.stdout.contains("most of it"), "{}", done.stdout);
}

/// A version before this one made the tables; whoever looks does not alter them, the next run does.
#[test]
fn tables_of_an_earlier_version_get_the_columns_they_lack() {
    let trio = Trio::new("earlier_layout");
    table(&trio, "visits", "InnoDB", 10);
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target(
        "ALTER TABLE raw.etl_runs DROP COLUMN copy_performance, DROP COLUMN load_performance; \
         ALTER TABLE raw.etl_load_status DROP COLUMN bytes",
    );
    trio.sql_replica("ALTER TABLE etl_copy_status DROP COLUMN strategy");
    etl.ok(&["status"]);
    etl.ok(&["run"]);
    let ask = "SELECT count(*) FILTER (WHERE load_performance IS NOT NULL), \
               (SELECT count(bytes) FROM raw.etl_load_status) \
               FROM raw.etl_runs WHERE table_name = 'visits'";
    let row = trio.target().query_one(ask, &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1));
    trio.sql_replica("SELECT strategy FROM etl_copy_status");
    // What is required tells a stranger's table from an earlier one of ours.
    trio.sql_target("ALTER TABLE raw.etl_runs DROP COLUMN status");
    etl.exits(3, &["run"]);
}
