//! The command as a person runs it.

use crate::etl::{Etl, arm};
use handoff_testbed::Trio;
use serde_json::Value;

#[test]
fn it_says_what_it_found_and_did_and_exits_as_verify_does() {
    let trio = Trio::new("repair command");
    trio.sql_source(
        "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20)) ENGINE=MyISAM;
         INSERT INTO t SELECT seq, 'Miller' FROM seq_1_to_50",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target("DELETE FROM raw.t WHERE id = 7; UPDATE raw.t SET name = 'Smith' WHERE id = 8");
    trio.sql_replica("INSERT INTO t VALUES (99, 'Jones')");
    let dry = etl.exits(1, &["repair", "--dry-run"]).stdout;
    for line in [
        "t: source → replica: 1 phantom",
        "  phantom  99",
        "t: replica → target: 2 missing, 1 stale",
        "  stale    8  (name)",
        "t: these rows would be corrected",
        "1 table to repair in ",
        "; nothing was written",
    ] {
        assert!(dry.contains(line), "{line}\n{dry}");
    }
    let done = etl.ok(&["repair", "t"]).stdout;
    let line = "t: repaired, replica: 1 deleted; target: 1 inserted, 1 updated\n";
    assert!(done.contains(line) && done.contains("1 table repaired in "), "{done}");
    assert!(!format!("{dry}{done}").contains("Miller"), "{dry}{done}");
    etl.ok(&["verify"]);
    let json: Value = serde_json::from_str(&etl.ok(&["repair", "--json"]).stdout).unwrap();
    assert_eq!((&json["ok"], &json["tables"][0]["status"]), (&true.into(), &"equal".into()));
    let runs = "SELECT string_agg(extraction || ' ' || reason || ' ' || status, ', ' ORDER BY started_at) \
                FROM raw.etl_runs WHERE table_name = 't'";
    let runs: String = trio.target().query_one(runs, &[]).unwrap().get(0);
    assert_eq!(runs, "full_table first_run success, diff repair success");
    etl.exits(2, &["repair", "nobody"]);
    etl.exits(2, &["repair", "--max-delete-percent", "101"]);
    // The next run builds on the repair.
    etl.ok(&["run", "--prove"]);
}

#[test]
fn while_a_run_is_in_progress_nothing_is_mended() {
    let trio = Trio::new("repair locked");
    trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    let mut command = etl.command(&["run"]);
    arm(&mut command, "stop loader.opened:t");
    let mut run = command.spawn().unwrap();
    let path = format!("/proc/{}/stat", run.id());
    while !std::fs::read_to_string(&path).unwrap().contains(") T ") {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let refused = etl.exits(3, &["repair"]);
    assert!(refused.stderr.contains("another run is in progress"), "{}", refused.stderr);
    let resumed =
        std::process::Command::new("kill").args(["-CONT", &run.id().to_string()]).status();
    assert!(resumed.unwrap().success() && run.wait().unwrap().success());
    etl.ok(&["repair"]);
}
