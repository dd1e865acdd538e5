//! Tables that are gone from the source, or are something else there.

use super::{changes, create, run};
use crate::etl::Etl;
use handoff_testbed::Trio;
use serde_json::Value;

/// Says how a table stands in `etl status`, and whether its data is older than an hour.
fn standing(etl: &Etl, table: &str) -> (String, bool) {
    let done = etl.run(&["status", "--json", "--stale", "1h"]);
    let status: Value = serde_json::from_str(&done.stdout).unwrap();
    let tables = status["tables"].as_array().unwrap();
    let found = tables.iter().find(|one| one["table"] == table).unwrap();
    (found["standing"].as_str().unwrap().to_owned(), found["stale"].as_bool().unwrap())
}

fn two(trio: &Trio) {
    create(trio, "t");
    create(trio, "u");
}

#[test]
fn a_table_that_is_gone_stays_and_is_no_alarm() {
    let trio = Trio::new("structure gone");
    two(&trio);
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_source("DROP TABLE t");
    assert!(etl.ok(&["plan"]).stdout.contains("`t` is gone from the source"));
    let shown = etl.ok(&["run"]).stdout;
    assert!(shown.contains("`t` is gone from the source: its last rows stay"), "{shown}");
    trio.sql_target("UPDATE raw.etl_load_status SET data_as_of = now() - interval '2 days' WHERE table_name = 't'");
    assert_eq!(standing(&etl, "t"), ("gone".to_owned(), false));
    assert_eq!(standing(&etl, "u"), ("ok".to_owned(), false));
    etl.ok(&["status", "--stale", "1h"]);
    let status = etl.ok(&["status"]).stdout;
    assert!(status.contains("1 ok, 1 gone"), "{status}");
    assert_eq!(trio.rows("t").len(), 3);
    // It came back.
    create(&trio, "t");
    assert_eq!(run(&etl, 0, &["--prove"])["t"]["proof"]["verdict"], "equal");
    assert_eq!(standing(&etl, "t"), ("ok".to_owned(), false));
}

#[test]
fn a_table_that_is_gone_is_dropped_where_that_is_asked_for() {
    for direct in [false, true] {
        let trio = Trio::new(&format!("structure gone drop {direct}"));
        two(&trio);
        create(&trio, "viewed");
        let toml = if direct { trio.direct_settings_toml() } else { trio.settings_toml() };
        let etl =
            Etl::with(&toml.replacen("[target]\n", "[target]\ndropped_tables = \"drop\"\n", 1));
        etl.ok(&["run"]);
        trio.sql_target(
            "CREATE VIEW raw.v AS SELECT id FROM raw.viewed; CREATE TABLE raw.theirs (id int)",
        );
        trio.sql_source("DROP TABLE t; DROP TABLE viewed");
        assert!(etl.ok(&["plan"]).stdout.contains("the next run drops it"));
        // A run of one table looks at no other, and a repair at the rows alone.
        etl.ok(&["run", "u"]);
        etl.ok(&["repair"]);
        assert_eq!(trio.rows("t").len(), 3);
        let shown = etl.ok(&["run"]).stdout;
        assert!(shown.contains("`t` is gone from the source, and was dropped"), "{shown}");
        assert!(shown.contains("`viewed` is gone from the source, and stays: "), "{shown}");
        let there = "SELECT to_regclass('raw.t') IS NULL AND to_regclass('raw.viewed') IS NOT NULL \
                     AND to_regclass('raw.theirs') IS NOT NULL";
        assert!(trio.target().query_one(there, &[]).unwrap().get::<_, bool>(0));
        assert_eq!(changes(&trio, "t"), ["table_dropped "]);
        assert!(changes(&trio, "viewed").is_empty());
        let status = etl.ok(&["status"]).stdout;
        assert!(status.contains("1 ok, 1 gone"), "{status}");
        // A new one of that name is a first run.
        create(&trio, "t");
        let report = run(&etl, 0, &["--prove"]);
        assert_eq!(report["t"]["plan"]["reason"], "first_run");
        assert_eq!(report["t"]["proof"]["verdict"], "equal");
    }
}

#[test]
fn a_table_that_became_a_view_fails_with_the_remedy_and_the_reverse_arrives() {
    let trio = Trio::new("structure view");
    two(&trio);
    trio.sql_source("CREATE VIEW w AS SELECT 1 AS id");
    let etl = Etl::new(&trio);
    etl.ok(&["run"]);
    trio.sql_source("DROP TABLE t; CREATE VIEW t AS SELECT id FROM u; DROP VIEW w");
    create(&trio, "w");
    let remedy = "`t` was a table when it was loaded last, and is a VIEW in the source now";
    assert!(etl.exits(1, &["plan"]).stdout.contains(remedy));
    let report = run(&etl, 1, &["--prove"]);
    let error = report["t"]["error"].as_str().unwrap();
    assert!(error.contains(remedy) && error.contains("name it in `exclude`"), "{error}");
    assert_eq!(trio.rows("t").len(), 3);
    assert_eq!(report["w"]["proof"]["verdict"], "equal");
    // The other way round in the target: the name is taken, and the remedy makes room.
    trio.sql_target("ALTER TABLE raw.w RENAME TO w_old; CREATE VIEW raw.w AS SELECT 1 AS id; ALTER VIEW raw.w OWNER TO etl");
    let done = etl.exits(1, &["run", "w"]);
    let remedy = "ALTER VIEW \"raw\".\"w\" RENAME TO \"w_before_handoff\"";
    assert!(done.stdout.contains(remedy), "{}", done.stdout);
    trio.sql_target(remedy);
    assert_eq!(run(&etl, 0, &["--prove", "w"])["w"]["proof"]["verdict"], "equal");
}
