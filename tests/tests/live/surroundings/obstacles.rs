//! Tables that are refused because of something about them.

use super::{paste, refused_alike};
use crate::etl::Etl;
use handoff_testbed::{Bed, Postgres, ServerOptions, Trio};

/// Tables that are carried first, what then happens to each, and what is said of it.
const OBSTACLES: &[(&str, &str, &str)] = &[
    (
        "t_trigger",
        "CREATE FUNCTION raw.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER \"my tr\" AFTER INSERT OR DELETE ON raw.t_trigger EXECUTE FUNCTION raw.f();
         ALTER TABLE raw.t_trigger ENABLE ALWAYS TRIGGER \"my tr\"",
        "it has triggers, which may change the rows written to it (\"my tr\")",
    ),
    (
        "t_constraint_trigger",
        "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON raw.t_constraint_trigger DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION raw.f()",
        "it has triggers",
    ),
    (
        "t_rule",
        "CREATE RULE a AS ON DELETE TO raw.t_rule DO INSTEAD NOTHING;
         CREATE RULE \"b \"\"c\" AS ON UPDATE TO raw.t_rule DO ALSO NOTHING",
        "it has rules, which rewrite the rows written to it (\"a\", \"b \"\"c\")",
    ),
    (
        "t_rls",
        "ALTER TABLE raw.t_rls ENABLE ROW LEVEL SECURITY; ALTER TABLE raw.t_rls FORCE ROW LEVEL SECURITY;
         CREATE POLICY few ON raw.t_rls USING (id < 2)",
        "its row security applies to this role",
    ),
    ("t_unlogged", "ALTER TABLE raw.t_unlogged SET UNLOGGED", "it is UNLOGGED"),
    (
        "t_partition",
        "CREATE TABLE raw.whole (id int, a int) PARTITION BY RANGE (id);
         ALTER TABLE raw.whole ATTACH PARTITION raw.t_partition FOR VALUES FROM (0) TO (100)",
        "it is a partition of \"raw\".\"whole\"",
    ),
    (
        "t_parent",
        "CREATE SCHEMA theirs; CREATE TABLE theirs.visit (v int, id int REFERENCES raw.t_parent ON DELETE CASCADE);
         INSERT INTO theirs.visit VALUES (1, 1), (2, 2), (3, 2)",
        "foreign keys from or to it delete or change rows by themselves (\"visit_id_fkey\" of \"theirs\".\"visit\")",
    ),
    (
        "t_child",
        "CREATE TABLE theirs.top (id int PRIMARY KEY); INSERT INTO theirs.top VALUES (1), (2);
         ALTER TABLE raw.t_child ADD CONSTRAINT \"on top\" FOREIGN KEY (id) REFERENCES theirs.top ON UPDATE CASCADE",
        "(\"on top\" of \"raw\".\"t_child\")",
    ),
    (
        "t_self",
        "ALTER TABLE raw.t_self ADD CONSTRAINT me FOREIGN KEY (a) REFERENCES raw.t_self ON DELETE SET NULL",
        "(\"me\" of \"raw\".\"t_self\")",
    ),
    (
        "heap_published",
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "its changed and deleted rows are published (\"everything\"), and its replica identity does not tell them",
    ),
    (
        "t_filtered",
        "CREATE PUBLICATION filtered FOR TABLE raw.t_filtered WHERE (a > 5)",
        "(\"filtered\"), and its replica identity does not tell them",
    ),
    (
        "t_narrow",
        "CREATE PUBLICATION narrow FOR TABLE raw.t_narrow (a)",
        "publications of its changed and deleted rows lack columns of its replica identity (\"narrow\")",
    ),
    (
        "t_nothing",
        "ALTER TABLE raw.t_nothing REPLICA IDENTITY NOTHING",
        "(\"everything\"), and its replica identity does not tell them",
    ),
    (
        "t_rights",
        "REVOKE DELETE, UPDATE ON raw.t_rights FROM etl",
        "the role \"etl\" lacks rights (UPDATE, DELETE)",
    ),
    (
        "t_collated",
        "CREATE COLLATION raw.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         ALTER TABLE raw.t_collated ALTER COLUMN id TYPE text COLLATE raw.loose",
        "the collation of its key takes different texts for equal (\"id\")",
    ),
    (
        "t_view",
        "ALTER TABLE raw.t_view RENAME TO t_view_before_handoff;
         CREATE VIEW raw.t_view AS SELECT * FROM raw.t_view_before_handoff",
        "it is a view: put it aside and it is loaded afresh: ALTER VIEW \"raw\".\"t_view\" RENAME TO \
         \"t_view_before_handoff2\"",
    ),
    (
        "t_materialized",
        "DROP TABLE raw.t_materialized; CREATE MATERIALIZED VIEW raw.t_materialized AS SELECT 1 AS id, 2 AS a",
        "it is a materialized view",
    ),
    (
        "t_foreign",
        "DROP TABLE raw.t_foreign; CREATE FOREIGN DATA WRAPPER nobody;
         CREATE SERVER nowhere FOREIGN DATA WRAPPER nobody;
         CREATE FOREIGN TABLE raw.t_foreign (id int, a int) SERVER nowhere",
        "it is a foreign table",
    ),
    (
        "t_parted",
        "DROP TABLE raw.t_parted; CREATE TABLE raw.t_parted (id int PRIMARY KEY, a int) PARTITION BY HASH (id)",
        "it is a partitioned table",
    ),
    ("d_missing", "ALTER TABLE raw.d_missing DROP COLUMN a", "the column \"a\" is missing"),
    ("d_surplus", "ALTER TABLE raw.d_surplus ADD COLUMN \"more \"\"\" text", "is not in the source"),
    (
        "d_not_null",
        "UPDATE raw.d_not_null SET a = 0; ALTER TABLE raw.d_not_null ALTER COLUMN a SET NOT NULL",
        "the column \"a\" is NOT NULL",
    ),
    (
        "d_generated",
        "ALTER TABLE raw.d_generated DROP COLUMN a, ADD COLUMN a int GENERATED ALWAYS AS (id + 1) STORED",
        "the column \"a\" is generated",
    ),
    (
        "d_type",
        "ALTER TABLE raw.d_type ALTER COLUMN a TYPE text",
        "the column \"a\" is text, not integer",
    ),
    (
        "d_domain",
        "CREATE DOMAIN raw.small AS int CHECK (value < 9); ALTER TABLE raw.d_domain ALTER COLUMN a TYPE raw.small",
        "the column \"a\" is raw.small, not integer",
    ),
    (
        "d_key",
        "ALTER TABLE raw.d_key DROP CONSTRAINT d_key_pkey",
        "the primary key is none, not \"id\"",
    ),
];

/// What stands around these changes nothing.
const FINE: &[(&str, &str)] = &[
    ("f_plain", ""),
    (
        "f_heir",
        "CREATE TABLE theirs.old () INHERITS (raw.f_heir); INSERT INTO theirs.old VALUES (1, 9), (7, 7)",
    ),
    ("f_seen", "CREATE VIEW raw.sight AS SELECT * FROM raw.f_seen"),
    (
        "f_referenced",
        "CREATE TABLE theirs.kept (id int REFERENCES raw.f_referenced); INSERT INTO theirs.kept VALUES (2)",
    ),
    (
        "f_off",
        "CREATE TRIGGER off BEFORE INSERT ON raw.f_off FOR EACH ROW EXECUTE FUNCTION raw.f();
               ALTER TABLE raw.f_off DISABLE TRIGGER off",
    ),
    ("f_exclusive", "ALTER TABLE raw.f_exclusive ADD EXCLUDE (a WITH =)"),
    ("f_default", "ALTER TABLE raw.f_default ALTER COLUMN a SET DEFAULT 77, ADD CHECK (a < 1000)"),
];

#[test]
fn what_stands_in_the_way_is_foreseen_and_every_remedy_works() {
    let trio = Trio::new("around obstacles");
    let names =
        OBSTACLES.iter().map(|(table, ..)| *table).chain(FINE.iter().map(|(table, _)| *table));
    for table in names {
        let key = match table {
            "t_collated" => "VARCHAR(20) PRIMARY KEY",
            "heap_published" => "INT",
            _ => "INT PRIMARY KEY",
        };
        trio.sql_source(&format!(
            "CREATE TABLE {table} (id {key}, a INT); INSERT INTO {table} VALUES (1, 1), (2, 2)"
        ));
    }
    // Differences of the structure would be followed otherwise.
    let toml = trio.settings_toml();
    let etl = Etl::with(&toml.replacen("[target]\n", "[target]\nstructure = \"fail\"\n", 1));
    etl.ok(&["run"]);
    for (_, change, _) in OBSTACLES {
        trio.sql_target(change);
    }
    for (table, change) in FINE {
        trio.sql_target(change);
        // A value that wanders from one row to the other, for unique values.
        trio.sql_source(&format!(
            "UPDATE {table} SET a = 3 - a WHERE id < 3; INSERT INTO {table} VALUES (3, 3)"
        ));
    }
    let refused: Vec<(&str, &str)> =
        OBSTACLES.iter().map(|(table, _, part)| (*table, *part)).collect();
    for (table, _) in &refused {
        trio.sql_source(&format!(
            "DELETE FROM {table} WHERE id = 1; INSERT INTO {table} VALUES (5, 5)"
        ));
    }
    let fine: Vec<&str> = FINE.iter().map(|(table, _)| *table).collect();
    etl.ok(&[&["run", "--prove"], &fine[..]].concat());
    let check = refused_alike(&trio, &etl, &refused);
    let visits = "SELECT count(*) FROM theirs.visit";
    assert_eq!(trio.target().query_one(visits, &[]).unwrap().get::<_, i64>(0), 3);
    paste(&trio, &etl, &check, &refused);
    etl.ok(&["run", "--prove"]);
    let check = etl.ok(&["check"]);
    assert!(check.stdout.contains("a run can start"), "{}", check.stdout);
    etl.ok(&["verify"]);
    assert_eq!(trio.target().query_one(visits, &[]).unwrap().get::<_, i64>(0), 3);
}

/// Rows that a publisher sends would come between ours, and be called phantoms.
#[test]
fn a_table_that_a_subscription_writes_into_is_refused_until_that_is_disabled() {
    let arguments = ["-c", "wal_level=logical"].map(str::to_owned).to_vec();
    let server = Postgres::start(&ServerOptions { arguments, ..ServerOptions::default() }).unwrap();
    let bed = Bed::shared();
    let trio = Trio::on("around subscriptions", bed.source(), bed.replica(), server.endpoint());
    for table in ["t", "beside"] {
        trio.sql_source(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, a INT); INSERT INTO {table} VALUES (1, 1)"
        ));
    }
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    server.endpoint().create_database("publisher").unwrap();
    let mut publisher = server.endpoint().admin_in("publisher").unwrap();
    publisher
        .batch_execute(
            "CREATE SCHEMA IF NOT EXISTS raw; CREATE TABLE raw.t (id int PRIMARY KEY, a int);
             CREATE PUBLICATION p FOR TABLE raw.t",
        )
        .unwrap();
    // Made apart: the server cannot make a slot for a subscription to itself.
    publisher
        .batch_execute("SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')")
        .unwrap();
    trio.sql_target(&format!(
        "CREATE SUBSCRIPTION \"my sub\" CONNECTION '{}' PUBLICATION p
         WITH (create_slot = false, slot_name = 'theirs', copy_data = false)",
        server.url("publisher")
    ));
    trio.sql_source("INSERT INTO t VALUES (2, 2); INSERT INTO beside VALUES (2, 2)");
    etl.ok(&["run", "beside"]);
    let refused = [("t", "subscriptions write into it (\"my sub\")")];
    let check = refused_alike(&trio, &etl, &refused);
    paste(&trio, &etl, &check, &refused);
    etl.ok(&["run", "--prove"]);
    assert_eq!(trio.rows("t").len(), 2);
}

/// What hides rows would make a verification lie, and a full copy does not mend a target of another structure.
#[test]
fn a_verification_names_what_mends_the_target() {
    let trio = Trio::new("around verify");
    trio.sql_source(
        "CREATE TABLE hidden (id INT PRIMARY KEY); INSERT INTO hidden SELECT seq FROM seq_1_to_9;
         CREATE TABLE changed (id INT PRIMARY KEY, a INT); INSERT INTO changed VALUES (1, 1)",
    );
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_target(
        "ALTER TABLE raw.hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE raw.hidden FORCE ROW LEVEL SECURITY;
         CREATE POLICY few ON raw.hidden USING (id < 10); INSERT INTO raw.hidden VALUES (10)",
    );
    trio.sql_source("ALTER TABLE changed ADD b INT; UPDATE changed SET b = 4");
    for command in ["verify", "repair"] {
        let done = etl.exits(1, &[command]);
        let shown = done.stdout + &done.stderr;
        assert!(
            shown.contains("ALTER TABLE \"raw\".\"hidden\" DISABLE ROW LEVEL SECURITY"),
            "{shown}"
        );
        let alter = "ALTER TABLE \"raw\".\"changed\" ADD COLUMN \"b\" integer";
        assert!(shown.contains(alter) && shown.contains("`etl run changed --full`"), "{shown}");
    }
    trio.sql_target("ALTER TABLE \"raw\".\"hidden\" DISABLE ROW LEVEL SECURITY");
    trio.sql_target("ALTER TABLE \"raw\".\"changed\" ADD COLUMN \"b\" integer");
    etl.ok(&["run", "changed", "--full"]);
    etl.ok(&["repair"]);
    etl.ok(&["verify"]);
}
