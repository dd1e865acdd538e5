//! Names that something else in the target has.

use super::{paste, refused_alike};
use crate::etl::Etl;
use handoff_testbed::{Trio, row};

/// A table that is called as the server would call the key of another, whichever comes first.
#[test]
fn a_table_may_be_called_as_the_key_of_another() {
    let long = ["b".repeat(61), format!("{}c", "b".repeat(60))];
    for priority in ["high", "low"] {
        let trio = Trio::new(&format!("around keys {priority}"));
        for table in ["x", "x_pkey", "x_pkey1", "y_pkey", &long[0], &long[1]] {
            trio.sql_source(&format!(
                "CREATE TABLE `{table}` (id INT PRIMARY KEY); INSERT INTO `{table}` VALUES (1), (2)"
            ));
        }
        let first = format!("[run]\njobs = 1\n[tables.x]\npriority = \"{priority}\"\n");
        let etl = Etl::with(&format!("{}\n{first}", trio.settings_toml()));
        etl.ok(&["run"]);
        etl.ok(&["run", "--prove"]);
        assert_eq!(trio.rows("x"), [row!["1"], row!["2"]]);
        let keys = "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint \
             WHERE contype = 'p' AND conrelid::regclass::text LIKE 'raw.x%'";
        let keys: String = trio.target().query_one(keys, &[]).unwrap().get(0);
        assert_eq!(keys, "x_pkey1_pkey x_pkey2 x_pkey_pkey");
    }
}

#[test]
fn a_name_that_belongs_to_something_else_is_foreseen() {
    let trio = Trio::new("around names");
    let holders = [
        (
            "an_index",
            "CREATE TABLE raw.other (a int); CREATE INDEX an_index ON raw.other (a)",
            "an index",
        ),
        ("a_sequence", "CREATE SEQUENCE raw.a_sequence", "a sequence"),
        ("a_row", "CREATE TYPE raw.a_row AS (a int)", "a type"),
        ("an_enum", "CREATE TYPE raw.an_enum AS ENUM ('a')", "a type"),
        ("a_range", "CREATE TYPE raw.a_range AS RANGE (subtype = int)", "a type"),
        ("a_multirange", "", "a type"),
        ("a_domain", "CREATE DOMAIN raw.a_domain AS int", "a domain"),
        ("y_pkey", "", "an index"),
    ];
    trio.sql_source("CREATE TABLE y (id INT PRIMARY KEY); INSERT INTO y VALUES (1)");
    // The type of its rows' arrays moves out of the way.
    trio.sql_source("CREATE TABLE _y (id INT PRIMARY KEY); INSERT INTO _y VALUES (1)");
    let etl = Etl::new(&trio);
    etl.ok(&["run", "y", "_y"]);
    for (table, make, _) in holders {
        trio.sql_target(make);
        trio.sql_source(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY); INSERT INTO {table} VALUES (1)"
        ));
    }
    let said = holders.map(|(table, _, kind)| {
        let said =
            format!("the name of \"raw\".\"{table}\" in the target belongs to {kind}: run ALTER ");
        (table, said)
    });
    let refused: Vec<(&str, &str)> =
        said.iter().map(|(table, said)| (*table, said.as_str())).collect();
    let check = refused_alike(&trio, &etl, &refused);
    paste(&trio, &etl, &check, &refused);
    etl.ok(&["run", "--prove"]);
    etl.ok(&["check"]);
}

/// One of them has the name that the other is shortened to.
#[test]
fn two_tables_of_one_name_in_the_target_are_refused() {
    let trio = Trio::new("around shortened");
    let long = "ö".repeat(60);
    let long_name = handoff_model::TableName::new(&long).unwrap();
    let short = handoff_schema::pg_table_name(&long_name, handoff_settings::NameCase::Kept);
    for table in [&long, &short] {
        trio.sql_source(&format!("CREATE TABLE `{table}` (id INT PRIMARY KEY)"));
    }
    let etl = Etl::new(&trio);
    refused_alike(
        &trio,
        &etl,
        &[(&long, "goes by the same name in the target"), (&short, "goes by the same name")],
    );
}

/// A table of somebody's that would be refused is not offered for taking over.
#[test]
fn a_table_that_is_not_ours_is_offered_only_where_it_can_be_taken_over() {
    let trio = Trio::new("around adopt");
    trio.sql_source(
        "CREATE TABLE fits (id INT PRIMARY KEY); INSERT INTO fits VALUES (1);
         CREATE TABLE other (id INT PRIMARY KEY); INSERT INTO other VALUES (1)",
    );
    trio.sql_target(
        "CREATE SCHEMA raw; GRANT ALL ON SCHEMA raw TO PUBLIC;
         CREATE TABLE raw.fits (id int PRIMARY KEY); INSERT INTO raw.fits VALUES (7);
         CREATE TABLE raw.other (id int PRIMARY KEY, theirs text); INSERT INTO raw.other VALUES (7, 'x');
         ALTER TABLE raw.fits OWNER TO etl; ALTER TABLE raw.other OWNER TO etl",
    );
    let etl = Etl::new(&trio);
    let check = etl.exits(3, &["check"]).stdout;
    assert!(check.contains("etl run fits --adopt\n"), "{check}");
    assert!(!check.contains("other --adopt"), "{check}");
    let aside = "ALTER TABLE \"raw\".\"other\" RENAME TO \"other_before_handoff\"";
    for (command, named) in [("plan", true), ("run", true), ("run", false)] {
        let adopt: &[&str] = if named { &[] } else { &["other", "--adopt"] };
        let done = etl.exits(1, &[&[command], adopt].concat());
        let shown = done.stdout + &done.stderr;
        assert!(shown.contains(aside), "{shown}");
        assert!(!shown.contains("etl run other --adopt"), "{shown}");
    }
    trio.sql_target(aside);
    etl.ok(&["run", "fits", "--adopt"]);
    etl.ok(&["run", "--prove"]);
    assert_eq!(trio.rows("other_before_handoff"), [row!["7", "x"]]);
}
