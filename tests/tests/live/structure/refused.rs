//! Changes that are not made: the table fails by name, with its old structure and rows, and the others go on.

use super::{changes, columns, create, run};
use crate::etl::Etl;
use handoff_testbed::Trio;
use serde_json::Value;

const ADD: &str = "ALTER TABLE sick ADD COLUMN note INT; ALTER TABLE well ADD COLUMN note INT";

/// Two tables, of which `sick` is to fail.
fn two(trio: &Trio, target: &str) -> Etl {
    create(trio, "sick");
    create(trio, "well");
    let toml = trio.settings_toml();
    let etl = Etl::with(&toml.replacen("[target]\n", &format!("[target]\n{target}\n"), 1));
    etl.ok(&["run"]);
    etl
}

/// Runs, and fails unless `sick` alone failed, saying this, and is as it was.
#[track_caller]
fn fails_alone(trio: &Trio, etl: &Etl, says: &str) {
    let (before, rows) = (columns(trio, "sick"), trio.rows("sick"));
    let report = run(etl, 1, &[]);
    let error = report["sick"]["error"].as_str().unwrap_or_default();
    assert!(error.contains(says), "{says:?} is missing: {error}");
    assert_eq!(report["well"]["status"], "ok", "{}", report["well"]);
    assert_eq!(columns(trio, "sick"), before);
    assert_eq!(trio.rows("sick"), rows);
    assert!(changes(trio, "sick").is_empty());
    assert_eq!(changes(trio, "well").len(), 1);
}

#[test]
fn a_table_of_another_owner_fails_alone() {
    let trio = Trio::new("structure owner");
    let etl = two(&trio, "");
    trio.sql_target(
        "ALTER TABLE raw.sick OWNER TO CURRENT_USER; GRANT SELECT, INSERT, UPDATE, DELETE ON raw.sick TO etl",
    );
    trio.sql_source(ADD);
    let remedy = "run ALTER TABLE \"raw\".\"sick\" OWNER TO \"etl\"";
    assert!(etl.exits(1, &["plan"]).stdout.contains(remedy));
    assert!(etl.exits(3, &["check"]).stdout.contains(remedy));
    fails_alone(&trio, &etl, remedy);
    trio.sql_target("ALTER TABLE raw.sick OWNER TO etl");
    assert_eq!(run(&etl, 0, &["--prove"])["sick"]["proof"]["verdict"], "equal");
}

#[test]
fn a_reader_that_holds_the_table_costs_it_the_night() {
    let trio = Trio::new("structure lock");
    let etl = two(&trio, "lock_timeout = \"50ms\"");
    trio.sql_source(ADD);
    let mut reader = trio.target();
    let mut reading = reader.transaction().unwrap();
    reading.batch_execute("SELECT * FROM raw.sick").unwrap();
    fails_alone(&trio, &etl, "through 5 tries of 50 ms each (lock_timeout)");
    reading.commit().unwrap();
    assert_eq!(run(&etl, 0, &["--prove"])["sick"]["proof"]["verdict"], "equal");
    assert_eq!(changes(&trio, "sick"), ["column_added note"]);
}

#[test]
fn a_reader_that_holds_the_table_at_the_end_of_a_load_costs_it_the_night() {
    let trio = Trio::new("structure lock at the end");
    let etl = two(&trio, "lock_timeout = \"50ms\"");
    trio.sql_source(
        "ALTER TABLE sick MODIFY a BIGINT NOT NULL; ALTER TABLE well MODIFY a BIGINT NOT NULL",
    );
    let mut command = etl.command(&["run"]);
    command.env("HANDOFF_FAULT_POINT", "stop loader.published:sick");
    let mut child = command.spawn().unwrap();
    crate::fault_points::wait_until_stopped(&mut child, "loader.published:sick");
    let mut reader = trio.target();
    let mut reading = reader.transaction().unwrap();
    reading.batch_execute("SELECT * FROM raw.sick").unwrap();
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-CONT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    reading.commit().unwrap();
    assert!(columns(&trio, "sick").contains("a integer"), "{}", columns(&trio, "sick"));
    assert!(changes(&trio, "sick").is_empty());
    run(&etl, 0, &["--prove"]);
    assert!(columns(&trio, "sick").contains("a bigint"), "{}", columns(&trio, "sick"));
    assert!(!columns(&trio, "sick").contains("__handoff"));
}

#[test]
fn under_fail_nothing_is_changed_and_the_statement_is_told() {
    let trio = Trio::new("structure fail");
    let etl = two(&trio, "");
    let toml = trio.settings_toml() + "\n[tables.sick]\nstructure = \"fail\"\n";
    let fails = Etl::with(&toml);
    trio.sql_source(ADD);
    let statement = "run ALTER TABLE \"raw\".\"sick\" ADD COLUMN \"note\" integer and then `etl run sick --full`";
    fails_alone(&trio, &fails, statement);
    assert!(fails.exits(1, &["plan"]).stdout.contains(statement));
    run(&etl, 0, &["--prove"]);
}

#[test]
fn under_extend_a_narrower_type_is_refused() {
    let trio = Trio::new("structure extend");
    let etl = two(&trio, "structure = \"extend\"");
    trio.sql_source(
        "ALTER TABLE sick MODIFY a SMALLINT NOT NULL; ALTER TABLE well MODIFY a BIGINT NOT NULL",
    );
    fails_alone(&trio, &etl, "structure = \"extend\" lets no column take a type");
}

#[test]
fn what_depends_on_a_column_is_told_by_name() {
    let trio = Trio::new("structure dependents");
    let etl = two(&trio, "");
    trio.sql_target(
        "CREATE FUNCTION raw.total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(d) FROM raw.sick; END",
    );
    let wider = "MODIFY d DECIMAL(14,2)";
    trio.sql_source(&format!("ALTER TABLE sick {wider}; ALTER TABLE well {wider}"));
    fails_alone(&trio, &etl, "function raw.total()");
}

#[test]
fn the_statements_are_printed_beforehand_and_nothing_is_changed() {
    let trio = Trio::new("structure schema");
    let etl = two(&trio, "");
    trio.sql_source(ADD);
    trio.sql_source("CREATE TABLE later (id INT PRIMARY KEY)");
    let before = columns(&trio, "sick");
    let made = etl.ok(&["schema", "sick"]).stdout;
    assert!(
        made.starts_with("CREATE TABLE \"raw\".\"sick\" (\n    \"id\" integer NOT NULL,"),
        "{made}"
    );
    assert!(made.ends_with("ALTER TABLE \"raw\".\"sick\" ADD PRIMARY KEY (\"id\");\n"), "{made}");
    let diff = etl.ok(&["schema", "--diff"]).stdout;
    assert_eq!(
        diff,
        "CREATE TABLE \"raw\".\"later\" (\n    \"id\" integer NOT NULL\n);\n\
         ALTER TABLE \"raw\".\"later\" ADD PRIMARY KEY (\"id\");\n\
         ALTER TABLE \"raw\".\"sick\" ADD COLUMN \"note\" integer;\n\
         ALTER TABLE \"raw\".\"well\" ADD COLUMN \"note\" integer;\n"
    );
    assert_eq!(columns(&trio, "sick"), before);
    etl.ok(&["run"]);
    assert_eq!(etl.ok(&["schema", "--diff"]).stdout, "-- nothing to change\n");
}

/// Tables of the target that cannot follow: by name, by what somebody made in the target, by the change in the source,
/// and by what the table says then.
const OBSTACLES: &[(&str, &str, &str, &str)] = &[
    (
        "viewed",
        "CREATE VIEW raw.theirs AS SELECT a FROM raw.viewed",
        "MODIFY a BIGINT NOT NULL",
        "\"raw\".\"theirs\" belongs to postgres: run ALTER VIEW \"raw\".\"theirs\" OWNER TO \"etl\"",
    ),
    (
        "doubled",
        "ALTER TABLE raw.doubled ADD COLUMN twice bigint GENERATED ALWAYS AS (a * 2) STORED",
        "MODIFY a VARCHAR(20) NOT NULL",
        "the column \"a\" would be built anew, and an index",
    ),
    (
        "referenced",
        "CREATE TABLE raw.refers (id int REFERENCES raw.referenced)",
        "DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)",
        "constraint refers_id_fkey on table raw.refers",
    ),
    (
        "grouped",
        "CREATE VIEW raw.sums AS SELECT id, a, b FROM raw.grouped GROUP BY id",
        "DROP PRIMARY KEY, ADD PRIMARY KEY (id, a)",
        "rule _RETURN on view raw.sums",
    ),
    (
        "policed",
        "CREATE POLICY few ON raw.policed USING (d > 0)",
        "MODIFY d DECIMAL(14,2)",
        "policy few on table raw.policed",
    ),
    (
        "indexed",
        "CREATE STATISTICS raw.s ON a, d FROM raw.indexed; CREATE INDEX i ON raw.indexed (a)",
        "MODIFY a VARCHAR(20) NOT NULL",
        "the column \"a\" would be built anew, and an index",
    ),
    ("broad", "", "ADD COLUMN note INT", "at most 1600 columns"),
];

#[test]
fn whatever_cannot_follow_fails_by_name_and_the_others_go_on() {
    let trio = Trio::new("structure obstacles");
    OBSTACLES.iter().for_each(|(table, ..)| create(&trio, table));
    create(&trio, "well");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    let columns = (0..1595).map(|n| format!("ADD COLUMN x{n} int")).collect::<Vec<_>>().join(", ");
    trio.sql_target(&format!("ALTER TABLE raw.broad {columns}"));
    for (table, theirs, change, _) in OBSTACLES {
        trio.sql_target(theirs);
        trio.sql_source(&format!("ALTER TABLE {table} {change}"));
    }
    trio.sql_source("ALTER TABLE well ADD COLUMN note INT");
    let plan = etl.exits(1, &["plan"]).stdout;
    let report = run(&etl, 1, &["--prove"]);
    for (table, _, _, says) in OBSTACLES {
        let error = report[*table]["error"].as_str().unwrap_or_default();
        assert!(error.contains(says), "{table}: {says:?} is missing: {error}");
        // The number of columns is known to the server alone.
        assert!(*table == "broad" || plan.contains(says), "{table}: {plan}");
        assert_eq!(report[*table]["copy"], Value::Null, "{table} was copied in vain");
        assert!(changes(&trio, table).is_empty(), "{table}");
        assert_eq!(trio.rows(table).len(), 3, "{table}");
    }
    assert_eq!(report["well"]["proof"]["verdict"], "equal");
}
