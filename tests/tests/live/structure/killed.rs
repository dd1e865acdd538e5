//! A run that dies at each step of each class of change leaves a table that readers can use, old or new, and the next
//! run ends equal.

use super::{columns, create, run};
use crate::etl::Etl;
use handoff_testbed::Trio;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

/// A class of change: its name, which begins the names of its tables, and its statements for the source, where `T` is
/// the table.
struct ClassCase {
    name: &'static str,
    sql: &'static str,
    /// The rows that a view over the columns shows afterwards.
    after: &'static str,
    steps: &'static [KilledStep],
}

/// A step at which a run dies, and true if readers see the new rows then.
type KilledStep = (&'static str, bool);

/// The rows that a view over the columns shows before.
const BEFORE: &str = "1/10/1.50/x 2/20//y 3/30/3.00/";

/// The steps of a change that only touches the catalogue.
const BEFORE_ROWS: &[KilledStep] =
    &[("structure.changed", false), ("structure.committed", false), ("loader.committed", true)];

/// The steps of a change that loads every row.
const LOADING: &[KilledStep] = &[
    ("structure.changed", false),
    ("structure.committed", false),
    ("loader.published", false),
    ("loader.sealed", false),
    ("loader.committed", true),
];

/// The steps of a change that ends with the rows.
const WITH_ROWS: &[KilledStep] = &[
    ("structure.changed", false),
    ("structure.committed", false),
    ("loader.moved", false),
    ("loader.published", false),
    ("structure.finished", false),
    ("loader.sealed", false),
    ("loader.committed", true),
];

const CLASSES: &[ClassCase] = &[
    ClassCase {
        name: "added",
        sql: "ALTER TABLE T ADD COLUMN note INT FIRST; UPDATE T SET note = id, a = 11, stamp = stamp",
        after: "1/11/1.50/x 2/11//y 3/11/3.00/",
        steps: LOADING,
    },
    ClassCase {
        name: "nullable",
        sql: "ALTER TABLE T MODIFY b VARCHAR(10) NULL; UPDATE T SET b = NULL WHERE id = 2",
        after: "1/10/1.50/x 2/20// 3/30/3.00/",
        steps: BEFORE_ROWS,
    },
    ClassCase {
        name: "wider",
        sql: "ALTER TABLE T MODIFY d DECIMAL(14,2); UPDATE T SET d = 123456789012.5 WHERE id = 2",
        after: "1/10/1.50/x 2/20/123456789012.50/y 3/30/3.00/",
        steps: BEFORE_ROWS,
    },
    ClassCase {
        name: "anew",
        sql: "ALTER TABLE T MODIFY a BIGINT NOT NULL; UPDATE T SET a = 5000000000 WHERE id = 2",
        after: "1/10/1.50/x 2/5000000000//y 3/30/3.00/",
        steps: WITH_ROWS,
    },
    ClassCase {
        name: "narrow",
        sql: "ALTER TABLE T MODIFY a SMALLINT NOT NULL; UPDATE T SET a = 21 WHERE id = 2",
        after: "1/10/1.50/x 2/21//y 3/30/3.00/",
        steps: WITH_ROWS,
    },
    ClassCase {
        name: "retyped",
        sql: "ALTER TABLE T MODIFY a VARCHAR(20) NOT NULL; UPDATE T SET a = 'text' WHERE id = 2",
        after: "1/10/1.50/x 2/text//y 3/30/3.00/",
        steps: WITH_ROWS,
    },
    ClassCase {
        name: "wide_key",
        sql: "ALTER TABLE T MODIFY id BIGINT; INSERT INTO T (id, a, b) VALUES (5000000000, 1, 'far')",
        after: "1/10/1.50/x 2/20//y 3/30/3.00/ 5000000000/1//far",
        steps: BEFORE_ROWS,
    },
    ClassCase {
        name: "narrow_key",
        sql: "ALTER TABLE T MODIFY id SMALLINT; INSERT INTO T (id, a, b) VALUES (4, 1, 'near')",
        after: "1/10/1.50/x 2/20//y 3/30/3.00/ 4/1//near",
        steps: WITH_ROWS,
    },
    ClassCase {
        name: "rekeyed",
        sql: "ALTER TABLE T DROP PRIMARY KEY, ADD PRIMARY KEY (id, b); INSERT INTO T (id, a, b) VALUES (1, 7, 'x2')",
        after: "1/10/1.50/x 1/7//x2 2/20//y 3/30/3.00/",
        steps: WITH_ROWS,
    },
    ClassCase {
        name: "gone",
        sql: "ALTER TABLE T DROP COLUMN b; INSERT INTO T (id, a) VALUES (4, 40)",
        after: "1/10/1.50/x 2/20//y 3/30/3.00/ 4/40//",
        steps: BEFORE_ROWS,
    },
    ClassCase {
        name: "renamed",
        sql: "ALTER TABLE T CHANGE b c VARCHAR(10) NOT NULL, ADD COLUMN note INT; UPDATE T SET c = 'z' WHERE id = 2",
        after: "1/10/1.50/x 2/20//y 3/30/3.00/",
        steps: LOADING,
    },
    // No view is over the column, which is dropped.
    ClassCase {
        name: "dropped",
        sql: "ALTER TABLE T DROP COLUMN stamp; UPDATE T SET a = 22 WHERE id = 2",
        after: "1/10/1.50/x 2/22//y 3/30/3.00/",
        steps: BEFORE_ROWS,
    },
];

#[test]
fn through_a_replica_the_next_run_ends_equal_after_each_step_of_each_change() {
    let trio = Trio::new("structure killed");
    // Hop 1 has no part in the steps of the target.
    die_at_each_step(&trio, &trio.settings_toml(), |step| {
        !step.starts_with("loader.") || step == "loader.committed"
    });
}

#[test]
fn directly_the_next_run_ends_equal_after_each_step_of_each_change() {
    let trio = Trio::new("structure killed direct");
    die_at_each_step(&trio, &trio.direct_settings_toml(), |_| true);
}

/// One death of a run: its class, its step and its table.
struct DeathCase {
    class: &'static ClassCase,
    step: &'static str,
    is_new: bool,
    table: String,
}

fn deaths(dies: fn(&str) -> bool) -> Vec<DeathCase> {
    let mut all = Vec::new();
    for class in CLASSES {
        let steps = class.steps.iter().filter(|(step, _)| dies(step));
        for (number, &(step, is_new)) in steps.enumerate() {
            all.push(DeathCase { class, step, is_new, table: format!("{}_{number}", class.name) });
        }
    }
    all
}

fn die_at_each_step(trio: &Trio, toml: &str, dies: fn(&str) -> bool) {
    let target = "[target]\ndropped_columns = \"drop\"\n";
    let etl = Etl::with(&toml.replacen("[target]\n", target, 1));
    let deaths = deaths(dies);
    deaths.iter().for_each(|death| create(trio, &death.table));
    etl.ok(&["run"]);
    for DeathCase { class, table, .. } in &deaths {
        trio.sql_target(&format!(
            "CREATE VIEW raw.v_{table} AS SELECT id, a, d, b FROM raw.{table}; ALTER VIEW raw.v_{table} OWNER TO etl"
        ));
        trio.sql_source(
            &class
                .sql
                .replace("TABLE T ", &format!("TABLE {table} "))
                .replace("UPDATE T ", &format!("UPDATE {table} "))
                .replace("INTO T ", &format!("INTO {table} ")),
        );
    }
    for DeathCase { class, step, is_new, table } in &deaths {
        dies_at(&etl, table, step);
        assert_eq!(
            seen(trio, table),
            if *is_new { class.after } else { BEFORE },
            "{table} at {step}"
        );
    }
    let report = run(&etl, 0, &["--prove"]);
    for DeathCase { class, step, table, .. } in &deaths {
        assert_eq!(report[table]["proof"]["verdict"], "equal", "{table} after {step}");
        assert_eq!(seen(trio, table), class.after, "{table} after {step}");
        let columns = columns(trio, table);
        assert!(!columns.contains("__handoff"), "{table} after {step}: {columns}");
    }
    assert_eq!(etl.ok(&["schema", "--diff"]).stdout, "-- nothing to change\n");
}

#[track_caller]
fn dies_at(etl: &Etl, table: &str, step: &str) {
    let mut command = etl.command(&["run", table]);
    command.env("HANDOFF_FAULT_POINT", step).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{table} at {step}: {status}");
}

/// Returns the rows that a reader of the view sees.
fn seen(trio: &Trio, table: &str) -> String {
    let sql = format!(
        "SELECT string_agg(concat(id, '/', a, '/', d, '/', b), ' ' ORDER BY id, b) FROM raw.v_{table}"
    );
    trio.target().query_one(&sql, &[]).unwrap().get(0)
}
