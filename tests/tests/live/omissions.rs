//! Whatever of the source does not arrive is said, counted and listed by name.

use crate::etl::Etl;
use crate::schema::{mysql9, trio_of_mysql9};
use handoff_testbed::Trio;
use serde_json::{Value, json};

/// A database with a part of every kind that both families have; the reader may see all of it.
#[track_caller]
fn fill(trio: &Trio) {
    trio.sql_source(
        "CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY COMMENT 'a key', \
             name VARCHAR(20) NOT NULL DEFAULT 'x', length INT AS (CHAR_LENGTH(name)) VIRTUAL, \
             changed TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP, \
             UNIQUE KEY only_one (name), KEY by_both (name, changed)) COMMENT 'a table'; \
         CREATE TABLE child (id INT PRIMARY KEY, parent INT, n INT NULL, CONSTRAINT positive CHECK (n > 0), \
             CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parent (id)) \
             ROW_FORMAT=DYNAMIC; \
         CREATE TABLE parted (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2; \
         CREATE TABLE excluded (id INT PRIMARY KEY, n INT, KEY k (n)); \
         CREATE TABLE __handoff_mine (id INT PRIMARY KEY); \
         CREATE TABLE etl_copy_status (id INT PRIMARY KEY); \
         CREATE VIEW seen AS SELECT 1 AS a; \
         CREATE TRIGGER before_child BEFORE INSERT ON child FOR EACH ROW SET NEW.n = 1; \
         CREATE PROCEDURE nothing() SELECT 1; \
         CREATE EVENT never ON SCHEDULE AT '2037-01-01 00:00:00' DO SET @a = 1; \
         INSERT INTO parent (id) VALUES (1)",
    );
}

/// Settings under an administrator, who sees the triggers and routines too.
fn etl(trio: &Trio) -> Etl {
    let admin = trio.source_server().url(&trio.source_name());
    let toml = trio.direct_settings_toml().replace(&trio.source_url(), &admin);
    Etl::with(&format!("{toml}\n[run]\nexclude = [\"excluded\"]\n"))
}

#[track_caller]
fn check(trio: &Trio) {
    fill(trio);
    let etl = etl(trio);
    let plan: Value = serde_json::from_str(&etl.ok(&["plan", "--json"]).stdout).unwrap();
    let run: Value = serde_json::from_str(&etl.ok(&["run", "--json"]).stdout).unwrap();
    assert_eq!(plan["omissions"], run["omissions"]);
    let counts = &run["omissions"]["counts"];
    for (kind, count) in [
        ("unique_key", 1),
        ("foreign_key", 1),
        ("check", 1),
        ("auto_increment", 1),
        ("on_update", 1),
        ("expression", 1),
        ("default", 1),
        ("collation", 1),
        ("table_option", 1),
        ("partitions", 1),
        ("trigger", 1),
        ("view", 1),
        ("event", 1),
        ("routine", 1),
        ("reserved_name", 2),
        // The one of the foreign key too.
        ("index", 2),
    ] {
        assert_eq!(counts[kind], json!(count), "{kind}: {counts}");
    }
    assert_eq!(counts.get("comment"), None, "comments arrive");
    let items = run["omissions"]["items"].as_array().unwrap();
    let item = |table: &str, kind: &str, name: &str| {
        items.contains(&json!({"table": table, "kind": kind, "name": name}))
    };
    assert!(item("parent", "index", "by_both") && item("child", "foreign_key", "of_parent"));
    assert!(item("child", "trigger", "before_child") && item("never", "event", ""));
    assert!(!items.iter().any(|item| item["table"] == "excluded"), "{items:?}");

    // A line with counts, and with -v all of it; tables that have a name of ours are always named.
    for command in ["run", "plan"] {
        let done = etl.ok(&[command]);
        assert!(done.stdout.contains("left out: "), "{}", done.stdout);
        assert!(done.stdout.contains("2 secondary indexes"), "{}", done.stdout);
        for own in
            ["`__handoff_mine` of the source is not moved", "`etl_copy_status` of the source"]
        {
            assert!(done.stdout.contains(own), "{command}: {own}\n{}", done.stdout);
        }
        let all = etl.ok(&[command, "-v"]).stdout;
        assert!(all.contains("left out of `parent`: ") && all.contains("`by_both`"), "{all}");
    }
    let told = etl.run(&["check"]).stdout;
    assert!(told.contains("left out: ") && told.contains("`__handoff_mine`"), "{told}");
    let init = etl.ok(&["init", "--json", "--force"]);
    let init: Value = serde_json::from_str(&init.stdout).unwrap();
    assert_eq!(init["omissions"]["counts"]["unique_key"], json!(1));
}

#[test]
fn what_does_not_arrive_from_mariadb_is_said() {
    let trio = Trio::new("omissions");
    trio.sql_source("CREATE SEQUENCE numbers");
    check(&trio);
}

#[test]
fn what_does_not_arrive_from_mysql_9_is_said() {
    let Some(server) = mysql9() else { return };
    check(&trio_of_mysql9("omissions", &server));
}
