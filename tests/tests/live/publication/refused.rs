//! Moves that would delete too much: nothing changes anywhere.

use super::{MODES, Seen, TABLE, copy_record, load_record, raw, replica, source};
use crate::incremental::{Rig, table};
use handoff_testbed::Trio;

/// Everything that a refusal must leave as it was.
#[derive(Debug, PartialEq)]
struct Scene {
    raw: Seen,
    replica: Option<(Seen, String)>,
    record: String,
}

impl Scene {
    fn of(trio: &Trio, direct: bool) -> Scene {
        let replica = (!direct).then(|| (replica(trio), copy_record(trio)));
        Scene { raw: raw(trio), replica, record: load_record(trio) }
    }
}

/// Fails unless a run refuses the table and changes nothing, and the remedy that it names works.
#[track_caller]
fn is_refused(rig: &Rig, direct: bool, arguments: &[&str], gone: u64, of: u64) {
    let before = Scene::of(&rig.trio, direct);
    let failed = table(&rig.etl.exits(1, &[arguments, &["--json"]].concat()));
    let error = failed["error"].as_str().unwrap();
    let side = if direct { "target" } else { "replica" };
    let start = format!("{gone} of the {of} rows of `t` in the {side} are not in the source");
    assert!(error.starts_with(&start), "{error}");
    assert_eq!(Scene::of(&rig.trio, direct), before, "{error}");
    let remedy = error.rsplit('`').nth(1).unwrap();
    let remedy: Vec<&str> = remedy.split(' ').skip(1).collect();
    assert!(remedy.ends_with(&["--max-delete-percent", "100"]), "{error}");
    rig.etl.ok(&remedy);
    assert_eq!(raw(&rig.trio), source(&rig.trio), "{error}");
}

#[test]
fn a_refusal_leaves_data_and_records_as_they_were() {
    for mode in MODES {
        for direct in [false, true] {
            for engine in ["InnoDB", "MyISAM"] {
                let rig = mode.rig("publication refused", &TABLE.replace("InnoDB", engine), direct);
                rig.etl.ok(&["run"]);
                // Of the rows that stay some have changed, so that a window has something to bring.
                rig.trio.sql_source(
                    "DELETE FROM t WHERE id > 2840; UPDATE t SET v = 0, s = NOW() WHERE id < 9",
                );
                is_refused(&rig, direct, &["run"], 1160, 4000);
            }
        }
    }
}

#[test]
fn an_emptied_source_is_refused_and_a_table_of_a_few_rows_is_not() {
    for direct in [false, true] {
        for (rows, refused) in [(4000, true), (15_000, true), (21, true), (20, false), (3, false)] {
            let source = TABLE.replace("4000", &rows.to_string());
            let new = if direct { Rig::direct } else { Rig::new };
            let rig = new("publication emptied", &source, "");
            rig.etl.ok(&["run"]);
            rig.trio.sql_source("DELETE FROM t");
            if refused {
                is_refused(&rig, direct, &["run"], rows, rows);
            } else {
                rig.etl.ok(&["run"]);
                assert_eq!(raw(&rig.trio), (0, 0));
            }
        }
    }
}

#[test]
fn a_full_run_that_was_asked_for_is_guarded_as_well_and_a_table_may_be_let_off() {
    let rig = Rig::new("publication full", TABLE, "");
    rig.etl.ok(&["run"]);
    rig.trio.sql_source("DELETE FROM t WHERE id > 2000");
    is_refused(&rig, false, &["run", "--full"], 2000, 4000);
    let own = "[tables.t]\nmax_delete_percent = 60";
    let rig = Rig::new("publication own", TABLE, own);
    rig.etl.ok(&["run"]);
    rig.trio.sql_source("DELETE FROM t WHERE id > 2000");
    rig.etl.ok(&["run"]);
    assert_eq!(raw(&rig.trio), source(&rig.trio));
    rig.trio.sql_source("DELETE FROM t WHERE id > 700");
    is_refused(&rig, false, &["run"], 1300, 2000);
}

/// Rows that others took their place keep their number; only their keys tell.
#[test]
fn a_load_that_would_replace_every_row_is_refused() {
    let rig = Rig::direct("publication replaced", TABLE, "");
    rig.etl.ok(&["run"]);
    rig.trio.sql_source("UPDATE t SET id = id + 10000");
    is_refused(&rig, true, &["run"], 4000, 4000);
}

/// A load alone guards the target by itself.
#[test]
fn hops_of_their_own_are_guarded() {
    let rig = Rig::new("publication hops", TABLE, "");
    rig.etl.ok(&["run"]);
    rig.trio.sql_source("DELETE FROM t WHERE id > 2000");
    is_refused_by(&rig, "replicate");
    rig.etl.ok(&["replicate", "--max-delete-percent", "50"]);
    is_refused_by(&rig, "load");
    rig.etl.ok(&["load", "--max-delete-percent", "50"]);
    assert_eq!(raw(&rig.trio), source(&rig.trio));
}

#[track_caller]
fn is_refused_by(rig: &Rig, command: &str) {
    let before = Scene::of(&rig.trio, false);
    let failed = table(&rig.etl.exits(1, &[command, "--json"]));
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains(&format!("`etl {command} t --max-delete-percent 100`")), "{error}");
    assert_eq!(Scene::of(&rig.trio, false), before, "{error}");
}
