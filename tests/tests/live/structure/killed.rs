//! A run that dies at each step leaves a table that readers can use, and the next run ends equal.

use super::{columns, create, run};
use crate::etl::Etl;
use handoff_testbed::Trio;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

/// Each step, and whether the new structure is there with the rows once the process is dead.
const STEPS: &[(&str, bool)] = &[
    ("structure.changed", false),
    ("structure.committed", false),
    ("loader.moved", false),
    ("loader.published", false),
    ("structure.finished", false),
    ("loader.sealed", false),
    ("loader.committed", true),
];

#[test]
fn after_each_step_the_next_run_ends_equal() {
    // Directly, the key changes as well: it is over the column that is built anew.
    for (settings, name, key) in [
        (Trio::settings_toml as fn(&Trio) -> String, "replica", ""),
        (Trio::direct_settings_toml, "direct", ", DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)"),
    ] {
        let trio = Trio::new(&format!("structure killed {name}"));
        for (index, (step, is_done)) in STEPS.iter().enumerate() {
            let table = format!("t{index}");
            create(&trio, &table);
            let toml = settings(&trio)
                + &format!(
                    "\n[tables.{table}]\nextraction = \"incremental\"\nwatermark = \"stamp\"\n"
                );
            let etl = Etl::with(&toml);
            etl.ok(&["run", &table]);
            trio.sql_target(&format!("CREATE VIEW raw.v_{table} AS SELECT id, a FROM raw.{table}; ALTER VIEW raw.v_{table} OWNER TO etl"));
            trio.sql_source(&format!(
                "ALTER TABLE {table} MODIFY a BIGINT NOT NULL, ADD COLUMN note INT FIRST{key}; \
                 UPDATE {table} SET note = id, stamp = stamp"
            ));
            dies_at(&etl, &table, step);
            seen(&trio, &table, *is_done);
            let report = run(&etl, 0, &["--prove", &table]);
            assert_eq!(report[&table]["proof"]["verdict"], "equal", "after {step}");
            seen(&trio, &table, true);
            assert!(
                !columns(&trio, &table).contains("__handoff"),
                "after {step}: {}",
                columns(&trio, &table)
            );
        }
    }
}

#[track_caller]
fn dies_at(etl: &Etl, table: &str, step: &str) {
    let mut command = etl.command(&["run", table]);
    command.env("HANDOFF_FAULT_POINT", step).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{step}: {status}");
}

/// Fails unless readers see all old rows or all new ones, with the columns that they know.
#[track_caller]
fn seen(trio: &Trio, table: &str, is_new: bool) {
    let mut target = trio.target();
    let sql = format!("SELECT string_agg(id || ' ' || a, ', ' ORDER BY id) FROM raw.v_{table}");
    let rows: String = target.query_one(&sql, &[]).unwrap().get(0);
    assert_eq!(rows, "1 10, 2 20, 3 30");
    let kind = if is_new { "a bigint" } else { "a integer" };
    assert!(columns(trio, table).contains(kind), "{}", columns(trio, table));
    if is_new {
        let sql = format!("SELECT count(*) FROM raw.{table} WHERE note = id");
        assert_eq!(target.query_one(&sql, &[]).unwrap().get::<_, i64>(0), 3);
    }
}
