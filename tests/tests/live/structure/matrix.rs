//! Each change, under each kind of view, through each way of moving a table.

use super::{changes, create, run};
use crate::etl::Etl;
use handoff_testbed::Trio;
use std::collections::BTreeMap;

struct Change {
    name: &'static str,
    /// The statements for the source; `T` is the table.
    sql: &'static str,
    /// The kinds of changes that are recorded.
    recorded: &'static str,
    /// True if a materialized view over the column stands in the way.
    needs_views: bool,
}

const CHANGES: &[Change] = &[
    Change {
        name: "added",
        sql: "ALTER TABLE T ADD COLUMN note VARCHAR(20) AFTER id; UPDATE T SET note = CONCAT('n', id), stamp = stamp",
        recorded: "column_added note",
        needs_views: false,
    },
    Change {
        name: "nullable",
        sql: "ALTER TABLE T MODIFY b VARCHAR(10) NULL; UPDATE T SET b = NULL WHERE id = 2",
        recorded: "made_nullable b",
        needs_views: false,
    },
    Change {
        name: "wider",
        sql: "ALTER TABLE T MODIFY d DECIMAL(14,2); UPDATE T SET d = 123456789012.5 WHERE id = 2",
        recorded: "widened d",
        needs_views: true,
    },
    Change {
        name: "anew",
        sql: "ALTER TABLE T MODIFY a BIGINT NOT NULL; UPDATE T SET a = 5000000000 WHERE id = 2",
        recorded: "built_anew a",
        needs_views: true,
    },
    Change {
        name: "wide_key",
        sql: "ALTER TABLE T MODIFY id BIGINT; INSERT INTO T (id, a, b) VALUES (5000000000, 1, 'far')",
        recorded: "widened id",
        needs_views: true,
    },
    Change {
        name: "narrow_key",
        sql: "ALTER TABLE T MODIFY id SMALLINT; INSERT INTO T (id, a, b) VALUES (4, 1, 'near')",
        recorded: "key_changed , built_anew id",
        needs_views: true,
    },
    Change {
        name: "rekeyed",
        sql: "ALTER TABLE T DROP PRIMARY KEY, ADD PRIMARY KEY (id, b); INSERT INTO T (id, a, b) VALUES (1, 7, 'x2')",
        recorded: "key_changed ",
        needs_views: false,
    },
    Change {
        name: "retyped",
        sql: "ALTER TABLE T MODIFY a VARCHAR(20) NOT NULL; UPDATE T SET a = 'text' WHERE id = 2",
        recorded: "built_anew a",
        needs_views: true,
    },
    Change {
        name: "gone",
        sql: "ALTER TABLE T DROP COLUMN b; INSERT INTO T (id, a) VALUES (4, 40)",
        recorded: "column_kept b",
        needs_views: false,
    },
];

const VIEWS: &[(&str, &str)] = &[
    ("none", ""),
    ("view", "CREATE VIEW mart.v_T AS SELECT id, a, d, b FROM raw.T"),
    (
        "over",
        "CREATE VIEW mart.v_T WITH (security_barrier, check_option = local) AS SELECT id, a, d, b FROM raw.T WHERE id > 0;
         CREATE VIEW mart.\"W T\" WITH (security_invoker) AS SELECT v.id, v.a, v.d, x.b AS \"say \"\"b\"\"\"
             FROM mart.v_T v JOIN raw.T x USING (id);
         COMMENT ON VIEW mart.\"W T\" IS 'it''s a view'; COMMENT ON COLUMN mart.\"W T\".a IS 'a \\ column';
         ALTER VIEW mart.v_T ALTER COLUMN b SET DEFAULT 'none';
         GRANT SELECT ON mart.\"W T\" TO PUBLIC; GRANT UPDATE (b) ON mart.v_T TO PUBLIC",
    ),
    ("stored", "CREATE MATERIALIZED VIEW mart.m_T AS SELECT id, a, d, b FROM raw.T"),
];

const WAYS: &[(&str, &str)] = &[
    ("full", "extraction = \"full_table\""),
    ("incr", "extraction = \"incremental\"\nwatermark = \"stamp\""),
    ("diff", "extraction = \"diff\""),
];

/// All tables, with their changes, views and ways.
fn tables() -> Vec<(String, &'static Change, &'static (&'static str, &'static str), &'static str)> {
    let mut all = Vec::new();
    for change in CHANGES {
        for view in VIEWS {
            for (way, settings) in WAYS {
                let name = format!("{}_{}_{way}", change.name, view.0);
                all.push((name, change, view, *settings));
            }
        }
    }
    all
}

#[test]
fn every_change_is_followed_through_a_replica() {
    let trio = Trio::new("structure matrix");
    follow(&trio, trio.settings_toml());
}

#[test]
fn every_change_is_followed_directly() {
    let trio = Trio::new("structure direct");
    follow(&trio, trio.direct_settings_toml());
}

fn follow(trio: &Trio, mut toml: String) {
    let tables = tables();
    for (table, _, _, settings) in &tables {
        create(trio, table);
        toml += &format!("\n[tables.{table}]\n{settings}\n");
    }
    let etl = Etl::with(&toml);
    etl.ok(&["run"]);
    trio.sql_target("CREATE SCHEMA mart AUTHORIZATION etl; GRANT ALL ON SCHEMA mart TO etl");
    for (table, _, (_, sql), _) in &tables {
        let statements = sql.split(';').map(|one| one.replace("W T", &format!("w {table}")));
        let statements = statements.map(|one| one.replace("_T", &format!("_{table}")));
        let sql = statements.map(|one| one.replace("raw.T", &format!("raw.{table}")));
        trio.sql_target(&format!(
            "SET ROLE etl; {}; RESET ROLE",
            sql.collect::<Vec<_>>().join(";")
        ));
    }
    let views = described(trio);
    for (table, change, ..) in &tables {
        trio.sql_source(&in_place(change.sql, table));
    }
    foretold(&etl.exits(1, &["plan"]).stdout);
    let report = run(&etl, 1, &["--prove"]);
    for (table, change, (view, _), _) in &tables {
        let (status, error) = (&report[table]["status"], report[table]["error"].as_str());
        if *view == "stored" && change.needs_views {
            assert_eq!(status, "failed", "{table}");
            assert!(error.unwrap().contains("materialized view mart.m_"), "{table}: {error:?}");
            assert!(changes(trio, table).is_empty(), "{table}");
            continue;
        }
        assert_eq!(status, "ok", "{table}: {error:?}");
        assert_eq!(report[table]["proof"]["verdict"], "equal", "{table}");
        let recorded: Vec<&str> = change.recorded.split(", ").collect();
        assert_eq!(changes(trio, table), recorded, "{table}");
        let told = report[table]["structure"].as_array().unwrap();
        assert_eq!(told.len(), recorded.len(), "{table}");
    }
    assert_eq!(described(trio), views, "a view is not as it was");
    let again = run(&etl, 1, &["--prove"]);
    for (table, change, (view, _), _) in &tables {
        let is_refused = *view == "stored" && change.needs_views;
        assert_eq!(again[table]["status"], if is_refused { "failed" } else { "ok" }, "{table}");
        assert_eq!(again[table]["structure"].as_array().unwrap().len(), 0, "{table}");
    }
}

/// Fails unless a plan tells the statements, the views and the refusals.
fn foretold(plan: &str) {
    for said in [
        "ALTER TABLE \"raw\".\"added_none_full\" ADD COLUMN \"note\" text;",
        "anew_view_incr: the column \"a\" is built anew as bigint, from integer; put up again: \
         \"mart\".\"v_anew_view_incr\"; every row is loaded again\n",
        "retyped_stored_diff would fail: ",
        "materialized view mart.m_retyped_stored_diff",
    ] {
        assert!(plan.contains(said), "{said:?} is missing: {plan}");
    }
}

fn in_place(sql: &str, table: &str) -> String {
    sql.replace("TABLE T ", &format!("TABLE {table} "))
        .replace("UPDATE T ", &format!("UPDATE {table} "))
        .replace("INTO T ", &format!("INTO {table} "))
}

/// Everything that a server tells of the views, by name.
fn described(trio: &Trio) -> BTreeMap<String, String> {
    let sql = "SELECT c.relname::text, concat_ws('|', pg_get_viewdef(c.oid), c.relowner::regrole, c.reloptions, \
            (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM unnest(c.relacl) x), obj_description(c.oid), \
            (SELECT string_agg(concat(a.attname, a.attacl, col_description(c.oid, a.attnum), \
                pg_get_expr(d.adbin, d.adrelid)), ',' ORDER BY a.attnum) FROM pg_attribute a \
                LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                WHERE a.attrelid = c.oid AND a.attnum > 0)) \
        FROM pg_class c WHERE c.relnamespace = 'mart'::regnamespace AND c.relkind IN ('v', 'm')";
    let rows = trio.target().query(sql, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
