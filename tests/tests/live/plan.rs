//! `etl plan`: it says what the next run does, and writes nothing.

use crate::etl::{Done, Etl, arm};
use crate::fault_points::wait_until_stopped;
use crate::unchanged::{TWO_HOURS, written};
use handoff_testbed::Trio;
use mysql::prelude::Queryable;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Stdio;

/// `t` did not change, `inno` may have, `stamped` has changed rows, `void` is empty, `foreign` is not
/// ours.
const SOURCE: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=MyISAM; \
     INSERT INTO t VALUES (1, 1), (2, 2); \
     CREATE TABLE inno (id INT PRIMARY KEY, v INT); INSERT INTO inno VALUES (1, 1); \
     CREATE TABLE void (id INT PRIMARY KEY, v INT); \
     CREATE TABLE foreign_ (id INT PRIMARY KEY); INSERT INTO foreign_ VALUES (1); \
     CREATE TABLE stamped (id INT PRIMARY KEY, v INT, s TIMESTAMP NOT NULL, KEY (s)); \
     INSERT INTO stamped VALUES (1, 1, '2024-01-01'), (2, 2, '2024-01-02')";

const SETTINGS: &str = "[tables.stamped]\nextraction = \"incremental\"\nwatermark = \"s\"\n\
     [tables.inno]\npriority = \"high\"\n";

fn scene(test: &str) -> (Trio, Etl) {
    let trio = Trio::new(test);
    trio.sql_source(SOURCE);
    written(&trio, "MYD", TWO_HOURS);
    let etl = Etl::with(&format!("{}\n{SETTINGS}", trio.settings_toml()));
    (trio, etl)
}

fn json(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap()
}

/// Extraction, reason and force of every table.
fn plans(tables: &Value) -> BTreeMap<String, [Value; 3]> {
    let of = |table: &Value| {
        let plan = &table["plan"];
        let fields = ["extraction", "reason", "force_full_applied"];
        let mut fields = fields.map(|name| plan[name].clone());
        if table["action"] == "leave_if_empty" {
            fields[1] = "unchanged".into();
        }
        (table["table"].as_str().unwrap().to_owned(), fields)
    };
    tables.as_array().unwrap().iter().filter(|table| !table["plan"].is_null()).map(of).collect()
}

/// All that is in both databases, but for statistics.
#[track_caller]
fn contents(trio: &Trio) -> (BTreeMap<String, String>, Vec<String>) {
    let mut replica = trio.replica();
    let tables: Vec<(String, String)> = replica
        .query(
            "SELECT TABLE_NAME, CONCAT_WS(' ', ENGINE, CREATE_TIME) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE()",
        )
        .unwrap();
    let sum = |(table, made): (String, String)| {
        let sql = format!("CHECKSUM TABLE `{table}` EXTENDED");
        let (_, sum): (String, Option<u64>) = replica.query_first(sql).unwrap().unwrap();
        (table, format!("{made} {sum:?}"))
    };
    let in_replica = tables.into_iter().map(sum).collect();
    let mut target = trio.target();
    let objects = "SELECT nspname || '.' || relname || ' ' || relkind::text || ' ' || relfilenode::text \
         FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
         WHERE nspname NOT IN ('pg_catalog', 'information_schema') \
         UNION ALL SELECT nspname FROM pg_namespace ORDER BY 1";
    let mut in_target: Vec<String> =
        target.query(objects, &[]).unwrap().iter().map(|row| row.get(0)).collect();
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
         WHERE schemaname = 'raw' ORDER BY 1";
    for row in target.query(tables, &[]).unwrap() {
        let table: String = row.get(0);
        let rows = format!(
            "SELECT md5(string_agg(t::text || ctid::text || xmin::text, ',' ORDER BY ctid)) FROM {table} t"
        );
        let rows: Option<String> = target.query_one(&rows, &[]).unwrap().get(0);
        in_target.push(format!("{table}: {rows:?}"));
    }
    (in_replica, in_target)
}

/// Runs `etl plan`, and fails if anything is another afterwards.
#[track_caller]
fn planned(trio: &Trio, etl: &Etl, code: i32, arguments: &[&str]) -> Value {
    let before = contents(trio);
    let done = etl.exits(code, &[&["plan", "--json"], arguments].concat());
    assert_eq!(contents(trio), before, "the plan wrote");
    json(&done)
}

/// Neither the databases' own tables nor those of tracking are made.
#[test]
fn before_the_first_run_nothing_is_made() {
    let (trio, etl) = scene("plan first");
    let (replica, mut admin) = (trio.replica_name(), trio.replica());
    admin.query_drop(format!("DROP DATABASE `{replica}`")).unwrap();
    let done = etl.ok(&["plan"]);
    let line = "5 tables: 5 in full; full this time despite its extraction: 1 table";
    assert!(done.stdout.contains(line), "{}", done.stdout);
    assert!(done.stdout.contains("it was never moved"), "{}", done.stdout);
    let databases: Vec<String> = admin.query("SHOW DATABASES").unwrap();
    assert!(!databases.contains(&replica), "the replica's database was made");
    let schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'raw'";
    assert_eq!(trio.target().query_one(schema, &[]).unwrap().get::<_, i64>(0), 0);
    let foreseen = plans(&json(&etl.ok(&["plan", "--json"]))["tables"]);
    assert_eq!(foreseen, plans(&json(&etl.ok(&["run", "--json"]))["tables"]));
}

#[test]
fn the_next_run_does_what_the_plan_says() {
    let (trio, etl) = scene("plan says");
    etl.ok(&["run"]);
    trio.sql_source("UPDATE stamped SET v = 10, s = NOW() WHERE id = 1");
    trio.sql_replica("CREATE TABLE stranger (id INT)");
    trio.sql_target("CREATE TABLE raw.stranger (id INT)");
    trio.sql_source("CREATE TABLE stranger (id INT PRIMARY KEY)");
    let outlook = planned(&trio, &etl, 1, &[]);
    let tables = outlook["tables"].as_array().unwrap();
    let of = |name: &str| tables.iter().find(|table| table["table"] == name).unwrap();
    assert_eq!(tables[0]["table"], "inno", "the high priority comes first");
    assert_eq!(of("t")["action"], "leave_alone");
    assert!(of("t")["moved_because"].is_null());
    assert_eq!(of("inno")["action"], "move_all");
    assert_eq!(of("inno")["moved_because"], "InnoDB does not tell when it was last written");
    assert_eq!(of("inno")["last"]["rows_copied"], 1);
    assert!(of("inno")["last"]["load_ms"].is_u64());
    assert_eq!(of("void")["action"], "leave_if_empty");
    assert_eq!(of("stamped")["action"], "move_changed");
    assert_eq!(of("stamped")["since"][0]["column"], "s");
    assert_eq!(outlook["refused"][0]["table"], "stranger");
    let run = json(&etl.exits(1, &["run", "--json"]));
    assert_eq!(plans(&outlook["tables"]), plans(&run["tables"]));
    let full = planned(&trio, &etl, 0, &["--full", "t", "stamped"]);
    let full = plans(&full["tables"]);
    assert!(full.values().all(|[extraction, reason, _]| {
        (extraction, reason) == (&"full_table".into(), &"asked".into())
    }));
    assert_eq!((full["t"][2].clone(), full["stamped"][2].clone()), (true.into(), true.into()));
}

#[test]
fn a_person_reads_what_moves_and_one_line_of_totals() {
    let (_trio, etl) = scene("plan text");
    etl.ok(&["run"]);
    let done = etl.ok(&["plan"]);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[0].starts_with("table"), "{}", done.stdout);
    assert!(lines.iter().any(|line| line.starts_with("stamped") && line.contains("s from ")));
    assert!(!lines.iter().any(|line| line.starts_with("t ")), "{}", done.stdout);
    let last = lines.last().unwrap();
    let totals = "5 tables: 2 in full, 1 changed rows, 1 skipped if still empty, 1 skipped; \
                  these moves took ";
    assert!(last.starts_with(totals), "{}", done.stdout);
    let named = etl.ok(&["plan", "t"]);
    assert!(named.stdout.contains("skipped  "), "{}", named.stdout);
    etl.exits(2, &["plan", "nowhere"]);
}

#[test]
fn without_a_replica_the_plan_holds_too() {
    let (trio, _) = scene("plan direct");
    let etl = Etl::with(&format!("{}\n{SETTINGS}", trio.direct_settings_toml()));
    for change in [
        "DO 0",
        "UPDATE stamped SET v = 10, s = NOW() WHERE id = 1",
        "INSERT INTO void VALUES (1, 1)",
    ] {
        trio.sql_source(change);
        let outlook = planned(&trio, &etl, 0, &[]);
        let run = json(&etl.ok(&["run", "--json"]));
        if !change.starts_with("INSERT") {
            assert_eq!(plans(&outlook["tables"]), plans(&run["tables"]), "{change}");
        }
    }
    let left = planned(&trio, &etl, 0, &["t"]);
    assert_eq!(left["tables"][0]["action"], "leave_alone");
}

/// A copy that was interrupted counts as finished or undone, and is neither until the run.
#[test]
fn what_a_dead_run_left_is_foreseen_and_not_mended() {
    for (point, sentence) in [
        ("replicator.renamed:t", "was interrupted after its swap: it is recorded as done"),
        ("replicator.filled:t", "was interrupted before its swap"),
    ] {
        let (trio, etl) = scene("plan dead");
        let mut command = etl.command(&["run"]);
        arm(&mut command, point).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(!command.status().unwrap().success());
        let outlook = planned(&trio, &etl, 0, &[]);
        assert!(outlook["mended"].to_string().contains(sentence), "{point}: {}", outlook["mended"]);
        let run = json(&etl.ok(&["run", "--json"]));
        assert_eq!(plans(&outlook["tables"]), plans(&run["tables"]), "{point}");
    }
}

/// It takes no lock and waits for none.
#[test]
fn a_run_in_progress_and_a_plan_do_not_hinder_each_other() {
    let (trio, etl) = scene("plan progress");
    etl.ok(&["run"]);
    trio.sql_source("UPDATE stamped SET v = 10, s = NOW() WHERE id = 1");
    let mut command = etl.command(&["run", "-j1"]);
    arm(&mut command, "stop loader.published:stamped");
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until_stopped(&mut run, "loader.published");
    let outlook = planned(&trio, &etl, 0, &[]);
    assert!(outlook["in_progress"].as_str().unwrap().starts_with("run "), "{outlook}");
    let id = run.id().to_string();
    let go_on = std::process::Command::new("kill").args(["-CONT", &id]).status().unwrap();
    assert!(go_on.success() && run.wait().unwrap().success());
}

/// What may only read can plan.
#[test]
fn the_source_account_is_enough_for_the_replica() {
    let (trio, etl) = scene("plan reads");
    etl.ok(&["run"]);
    let reader = trio.source_url().replace(&trio.source_name(), &trio.replica_name());
    let settings = trio.settings_toml().replace(&trio.replica_url(), &reader);
    let database = trio.target_name();
    let only = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
    trio.target().batch_execute(&only).unwrap();
    let reading = Etl::with(&format!("{settings}\n{SETTINGS}"));
    planned(&trio, &reading, 0, &[]);
}
