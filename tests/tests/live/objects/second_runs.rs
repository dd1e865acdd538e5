//! Runs after the first: what is equal costs nothing, what changed is made anew, and people keep what they made.

use super::*;

pub(super) const TABLES: &str = "CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x' \
         COMMENT 'a name', n INT NOT NULL DEFAULT 0, changed DATETIME NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP, \
         KEY by_name (name), UNIQUE KEY one (n)) COMMENT 'parents'; \
     CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT of_parent FOREIGN KEY (parent) \
         REFERENCES parent (id) ON DELETE CASCADE); \
     INSERT INTO parent (name, n) VALUES ('a', 1), ('b', 2), ('c', 3); \
     INSERT INTO child VALUES (1, 1), (2, 2)";

#[test]
fn comments_always_arrive_and_nothing_else_without_being_asked_for() {
    let trio = Trio::new("objects_comments");
    trio.sql_source(TABLES);
    let etl = etl(&trio, "");
    let run = json(&etl, &["run", "--json"]);
    assert_eq!(made(&run), ["made comment parent.", "made comment parent.name"]);
    assert_eq!(one(&trio, "SELECT obj_description('raw.parent'::regclass, 'pg_class')"), "parents");
    assert_eq!(one(&trio, "SELECT col_description('raw.parent'::regclass, 2)"), "a name");
    // A comment of somebody stays, and one of ours follows.
    trio.sql_target("COMMENT ON COLUMN raw.parent.n IS 'mine'");
    trio.sql_source("ALTER TABLE parent COMMENT 'the parents', MODIFY n INT NOT NULL DEFAULT 0 COMMENT 'theirs'");
    let run = json(&etl, &["run", "--json"]);
    assert_eq!(made(&run), ["replaced comment parent."]);
    assert_eq!(run["objects"]["remarks"].as_array().unwrap().len(), 1, "{}", run["objects"]);
    assert_eq!(one(&trio, "SELECT col_description('raw.parent'::regclass, 3)"), "mine");
    assert_eq!(made(&json(&etl, &["run", "--json"])), [""; 0]);
}

#[test]
fn an_index_follows_and_those_of_people_stay() {
    let trio = Trio::new("objects_indexes");
    trio.sql_source(TABLES);
    let etl = etl(&trio, "objects = \"all\"");
    json(&etl, &["run", "--json"]);
    let indexes = "SELECT string_agg(indexname || ' ' || split_part(indexdef, ' USING ', 2), '; ' ORDER BY indexname) \
                   FROM pg_indexes WHERE schemaname = 'raw' AND tablename = 'parent'";
    let expected = "parent_by_name btree (name); parent_one btree (n); parent_pkey btree (id)";
    assert_eq!(one(&trio, indexes), expected);
    trio.sql_target("CREATE INDEX mine ON raw.parent (changed)");
    trio.sql_source("ALTER TABLE parent DROP KEY by_name, ADD KEY by_name (name, n), DROP KEY one, ADD KEY anew (changed)");
    let run = json(&etl, &["run", "--json"]);
    let expected = [
        "made index parent.parent_anew",
        "replaced index parent.parent_by_name",
        "dropped unique_index parent.parent_one",
    ];
    assert_eq!(made(&run), expected);
    let expected = "mine btree (changed); parent_anew btree (changed); parent_by_name btree (name, n); \
                    parent_pkey btree (id)";
    assert_eq!(one(&trio, indexes), expected);
    trio.sql_source("ALTER TABLE parent DROP KEY anew, ADD KEY renamed (changed)");
    assert_eq!(made(&json(&etl, &["run", "--json"])), ["renamed index parent.parent_renamed"]);
    assert_eq!(made(&json(&etl, &["run", "--json"])), [""; 0]);
    // Without the setting, ours go and theirs stay.
    let keys = super::etl(&trio, "");
    json(&keys, &["run", "--json"]);
    assert_eq!(one(&trio, indexes), "mine btree (changed); parent_pkey btree (id)");
}

#[test]
fn an_index_and_keys_stay_right_under_rows_that_change() {
    let trio = Trio::new("objects_rows");
    trio.sql_source(TABLES);
    let etl = etl(&trio, EVERYTHING);
    json(&etl, &["run", "--prove", "--json"]);
    // Two unique values change places, a row that others refer to goes, and new ones come.
    trio.sql_source(
        "UPDATE parent SET n = 9 WHERE id = 2; UPDATE parent SET n = 2 WHERE id = 3; UPDATE parent SET n = 3 WHERE id = 2; \
         SET FOREIGN_KEY_CHECKS = 0; DELETE FROM parent WHERE id = 1; SET FOREIGN_KEY_CHECKS = 1; \
         INSERT INTO parent (name, n) VALUES ('d', 4)",
    );
    let run = etl.ok(&["run", "--prove", "--json", "--max-delete-percent", "100"]);
    let run: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(trio.rows("child").len(), 2, "no cascade took a row");
    let failed = run["objects"]["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(
        (&failed[0]["kind"], &failed[0]["name"]),
        (&"foreign_key".into(), &"of_parent".into())
    );
    // It is there for rows to come, and valid once they are.
    let valid = "SELECT convalidated::text FROM pg_constraint WHERE conname = 'of_parent'";
    assert_eq!(one(&trio, valid), "false");
    trio.sql_source("DELETE FROM child WHERE parent = 1");
    json(&etl, &["run", "--prove", "--json", "--max-delete-percent", "100"]);
    assert_eq!(one(&trio, valid), "true");
    // Nobody of the target's own gets a key that is taken, or a row of another time.
    trio.sql_target(
        "INSERT INTO raw.parent (n) VALUES (77); UPDATE raw.parent SET name = 'z' WHERE n = 77",
    );
    let row = one(
        &trio,
        "SELECT id || ' ' || name || ' ' || (changed > now() - interval '1 day')::text FROM raw.parent WHERE n = 77",
    );
    assert_eq!(row, "5 z true");
}

#[test]
fn one_table_alone_leaves_the_keys_of_others_in_place() {
    let trio = Trio::new("objects_one");
    trio.sql_source(TABLES);
    let etl = etl(&trio, EVERYTHING);
    json(&etl, &["run", "--json"]);
    json(&etl, &["run", "parent", "--json"]);
    assert_eq!(
        one(&trio, "SELECT convalidated::text FROM pg_constraint WHERE conname = 'of_parent'"),
        "true"
    );
    assert_eq!(one(&trio, "SELECT count(*)::text FROM pg_trigger WHERE NOT tgisinternal"), "1");
}

#[test]
fn the_plan_prints_the_statements_and_writes_nothing() {
    let trio = Trio::new("objects_plan");
    trio.sql_source(TABLES);
    let etl = etl(&trio, EVERYTHING);
    let text = etl.ok(&["plan"]).stdout;
    assert!(
        text.contains(
            "CREATE INDEX \"parent_by_name\" ON \"raw\".\"parent\" USING btree (\"name\");"
        ),
        "{text}"
    );
    assert!(text.contains("VALIDATE CONSTRAINT \"of_parent\";"), "{text}");
    assert_eq!(one(&trio, "SELECT count(*)::text FROM pg_namespace WHERE nspname = 'raw'"), "0");
    json(&etl, &["run", "--json"]);
    assert_eq!(json(&etl, &["plan", "--json"])["objects"], serde_json::json!([]));
}
