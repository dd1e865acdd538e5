//! A run that dies while objects stand aside or are made: rows are old or new, and the next run puts every object there.

use super::second_runs::TABLES;
use super::*;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

/// A step at which a run dies, behind a change of the source.
const DEATHS: &[(&str, &str)] = &[
    // A foreign key of two tables is dropped, and no row has moved; then one is put back, and not yet checked.
    ("objects.stood_aside:child", "UPDATE parent SET name = 'p' WHERE id = 2"),
    ("loader.committed:parent", "UPDATE parent SET name = 'q' WHERE id = 2"),
    ("objects.unchecked:child", "INSERT INTO child VALUES (3, 3)"),
    ("objects.stood_aside:parent", "UPDATE parent SET name = 'r' WHERE id = 2"),
    ("objects.made:child", "INSERT INTO child VALUES (4, 2)"),
    // Some of several indexes are there.
    (
        "objects.made:parent",
        "ALTER TABLE parent ADD KEY k1 (changed), ADD KEY k2 (n, name), ADD UNIQUE KEY k3 (name, n)",
    ),
    (
        "objects.made:parent@2",
        "ALTER TABLE parent ADD KEY k4 (name, changed), ADD KEY k5 (n, changed)",
    ),
    ("objects.made:parent", "ALTER TABLE parent DROP KEY k1, DROP KEY k2, ADD KEY k2 (changed)"),
    ("objects.described:parent", "ALTER TABLE parent ALTER n SET DEFAULT 5, COMMENT 'others'"),
    ("objects.unchecked:parent", "ALTER TABLE parent ADD CONSTRAINT positive CHECK (n > 0)"),
    (
        "structure.committed:parent",
        "ALTER TABLE parent MODIFY n BIGINT NOT NULL DEFAULT 6, ADD COLUMN late INT NOT NULL DEFAULT 7",
    ),
];

/// Every object of the two tables, as the server prints it.
const OBJECTS: &str = "SELECT string_agg(shown, '; ' ORDER BY shown) FROM ( \
        SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN ('raw.parent'::regclass, 'raw.child'::regclass) \
        UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'raw'::regnamespace AND contype IN ('c', 'f') \
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal \
        UNION ALL SELECT concat(attname, attidentity, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)) \
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
            WHERE attrelid IN ('raw.parent'::regclass, 'raw.child'::regclass) AND attnum > 0 AND NOT attisdropped \
        UNION ALL SELECT obj_description('raw.parent'::regclass)) o (shown)";

#[test]
fn the_next_run_puts_every_object_there() {
    let trio = Trio::new("objects killed");
    let fresh = Trio::new("objects never killed");
    let (etl, never) = (etl(&trio, EVERYTHING), etl(&fresh, EVERYTHING));
    for trio in [&trio, &fresh] {
        trio.sql_source(TABLES);
    }
    json(&etl, &["run", "--json"]);
    json(&never, &["run", "--json"]);
    for (point, change) in DEATHS {
        let change = format!("SET SESSION check_constraint_checks = 1; {change}");
        trio.sql_source(&change);
        fresh.sql_source(&change);
        let before = trio.rows("parent").len();
        let mut command = etl.command(&["run"]);
        command.env("HANDOFF_FAULT_POINT", point).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().unwrap();
        assert_eq!(status.signal(), Some(libc::SIGABRT), "{point}: {status}");
        assert_eq!(trio.rows("parent").len(), before, "{point}");
        let next = json(&etl, &["run", "--prove", "--json"]);
        assert_eq!(next["objects"]["failed"], serde_json::json!([]), "after {point}");
        json(&never, &["run", "--json"]);
        let (found, expected) = (one(&trio, OBJECTS), one(&fresh, OBJECTS));
        assert_eq!(found, expected, "after {point}");
        assert!(!found.contains("NOT VALID"), "after {point}: {found}");
        assert_eq!(json(&etl, &["plan", "--json"])["objects"], serde_json::json!([]), "{point}");
    }
}
