//! What stands around our own tables, and the rights that a run begins with.

use crate::etl::Etl;
use handoff_testbed::Trio;
use serde_json::Value;

/// Does what the only fault of a check says.
#[track_caller]
fn mend(trio: &Trio, etl: &Etl) {
    let check: Value = serde_json::from_str(&etl.exits(3, &["check", "--json"]).stdout).unwrap();
    let findings = check["findings"].as_array().unwrap().iter();
    let faults: Vec<&Value> = findings.filter(|finding| finding["verdict"] == "fault").collect();
    let [fault] = &faults[..] else { panic!("{faults:#?}") };
    for line in fault["mend"].as_array().unwrap() {
        trio.sql_target(line["text"].as_str().unwrap());
    }
}

#[test]
fn a_tracking_table_that_cannot_keep_records_is_refused_with_the_remedy() {
    let trio = Trio::new("around tracking");
    trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    for (change, said) in [
        (
            "ALTER TABLE raw.etl_load_status ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            "its row security may hide records",
        ),
        ("ALTER TABLE raw.etl_load_status SET UNLOGGED", "it is UNLOGGED"),
        ("CREATE TABLE raw.\"old runs\" () INHERITS (raw.etl_runs)", "tables inherit from it"),
        (
            "CREATE RULE r AS ON UPDATE TO raw.etl_runs DO INSTEAD NOTHING;
             CREATE RULE s AS ON INSERT TO raw.etl_runs DO ALSO NOTHING",
            "it has rules",
        ),
        (
            "CREATE FUNCTION public.skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER skip BEFORE UPDATE ON raw.etl_load_status FOR EACH ROW EXECUTE FUNCTION public.skip()",
            "it has triggers that may change records",
        ),
    ] {
        trio.sql_target(change);
        for command in ["plan", "run"] {
            let done = etl.exits(3, &[command]);
            assert!(done.stderr.contains(said), "{}", done.stderr);
        }
        mend(&trio, &etl);
        etl.ok(&["run", "--prove"]);
    }
}

#[test]
fn the_rights_that_a_run_begins_with_are_foreseen() {
    let trio = Trio::new("around rights");
    trio.sql_source("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
    trio.sql_target("CREATE SCHEMA raw");
    let etl = Etl::new(&trio);
    let said = "may not create tables in the schema \"raw\"";
    let [planned, run] = ["plan", "run"].map(|command| etl.exits(3, &[command]).stderr);
    assert!(planned.contains(said), "{planned}");
    assert_eq!(planned, run);
    mend(&trio, &etl);
    etl.ok(&["plan"]);
    etl.ok(&["run", "--prove"]);
}
