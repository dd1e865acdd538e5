//! Names in the settings that match nothing.

use crate::etl::Etl;
use handoff_testbed::{Trio, row};

/// Settings of `trio` and more; line 10 is the first of `more`.
fn with(trio: &Trio, more: &str) -> Etl {
    Etl::with(&(trio.settings_toml() + more))
}

#[track_caller]
fn scene(test: &str) -> Trio {
    let trio = Trio::new(test);
    trio.sql_source(
        "CREATE TABLE sales_reports (id INT PRIMARY KEY, IsOpen TINYINT); \
         INSERT INTO sales_reports VALUES (1, 1); \
         CREATE TABLE customers (id INT PRIMARY KEY); INSERT INTO customers VALUES (1); \
         CREATE VIEW v AS SELECT 1 AS a",
    );
    trio
}

/// What somebody wants kept out is never published because of a letter.
#[test]
fn a_misspelt_table_of_exclude_is_a_fault_of_every_command() {
    let trio = scene("names exclude");
    // Behind the line that `in_full` adds.
    let first = trio.settings_toml().lines().count() + 4;
    let etl = with(&trio, "\n[run]\nexclude = [\"sales_report\", \"v\", \"tmp_*\"]\n");
    let what = format!(
        "handoff.toml:{first}: run.exclude names `sales_report`, which is not there; did you mean \
         `sales_reports`?"
    );
    for command in
        [&["run"][..], &["plan"], &["replicate"], &["verify"], &["repair"], &["run", "customers"]]
    {
        let done = etl.exits(2, command);
        assert!(done.stderr.contains(&what), "{command:?}: {}", done.stderr);
    }
    let check = etl.exits(3, &["check"]);
    assert!(check.stdout.contains(&what), "{}", check.stdout);
    assert!(check.stdout.contains("run.exclude has \"tmp_*\", which matches no table"));
    let schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'raw'";
    assert_eq!(trio.target().query_one(schema, &[]).unwrap().get::<_, i64>(0), 0);

    let right = with(&trio, "\n[run]\nexclude = [\"sales_reports\", \"tmp_*\"]\n");
    let plan = right.ok(&["plan"]);
    assert!(plan.stdout.contains("\"tmp_*\", which matches no table"), "{}", plan.stdout);
    let run = right.ok(&["run"]);
    assert!(!run.stdout.contains("tmp_*"), "{}", run.stdout);
    // The replica never has what was left out.
    let load = right.ok(&["load"]);
    assert!(!load.stdout.contains("is not there"), "{}", load.stdout);
    // A table that was carried, is gone, and is to be named in `exclude`, says the note of it.
    trio.sql_source("DROP TABLE customers; CREATE TABLE t (id INT PRIMARY KEY)");
    with(&trio, "\n[run]\nexclude = [\"sales_reports\", \"customers\"]\n").ok(&["run"]);
}

/// The account cannot see what it may not read, and it may be left out by name all the same.
#[test]
fn a_table_that_the_account_may_not_see_can_be_excluded() {
    let trio = scene("names hidden");
    let (name, url) = (trio.source_name(), trio.source_url());
    let user = format!("narrow{}", std::process::id());
    trio.sql_source(&format!(
        "CREATE USER '{user}'@'%' IDENTIFIED BY 'narrow'; \
         GRANT SELECT ON `{name}`.customers TO '{user}'@'%'"
    ));
    let (_, place) = url.rsplit_once('@').unwrap();
    let narrow = format!("mysql://{user}:narrow@{place}");
    let toml = trio.settings_toml().replace(&url, &narrow);
    let etl = Etl::with(&format!("{toml}\n[run]\nexclude = [\"payroll\"]\n"));
    let done = etl.ok(&["run"]);
    assert!(done.stdout.contains("run.exclude names `payroll`"), "{}", done.stdout);
    trio.sql_source(&format!("DROP USER '{user}'@'%'"));
}

#[test]
fn every_other_name_in_vain_is_told_with_what_is_called_nearly_so() {
    let trio = scene("names others");
    let etl = with(
        &trio,
        "\n[run]\ninclude = [\"custmers\", \"customers\", \"sales_reports\"]\n\n\
         [tables.Customers]\npriority = \"high\"\n\n\
         [tables.sales_reports]\ncolumns = { IsOpn = \"boolean\" }\n",
    );
    for command in [&["run"][..], &["plan"], &["verify"]] {
        let done = etl.run(command);
        for what in [
            "run.include names `custmers`, which is not there; did you mean `customers`?",
            "the settings name the table `Customers`, which is not there; did you mean `customers`?",
            "`sales_reports` has no column `IsOpn`, which `columns` in its settings names; did you mean \
             `IsOpen`?",
        ] {
            assert!(done.stdout.contains(what), "{command:?}: {what}\n{}", done.stdout);
        }
    }
    assert_eq!(trio.rows("customers"), [row!["1"]]);
    let done = etl.exits(2, &["run", "customer"]);
    assert!(done.stderr.contains("did you mean `customers`?"), "{}", done.stderr);
    let status = etl.exits(1, &["status", "customer"]);
    assert!(status.stdout.contains("did you mean `customers`?"), "{}", status.stdout);
}

/// Nothing is made before it is known to whom it is to be shown.
#[test]
fn a_misspelt_role_is_refused_before_anything_is_made() {
    let trio = scene("names role");
    let toml = trio.settings_toml() + "grant_select_to = [\"postgress\"]\n";
    let etl = Etl::with(&toml);
    for command in [&["run"][..], &["plan"]] {
        let done = etl.exits(2, command);
        assert!(done.stderr.contains("the role `postgress`"), "{}", done.stderr);
    }
    assert!(etl.exits(3, &["check"]).stdout.contains("does not exist"));
    let schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'raw'";
    let schemas = trio.target().query_one(schema, &[]).unwrap();
    assert_eq!(schemas.get::<_, i64>(0), 0);
}
