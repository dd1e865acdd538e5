//! Values outside every policy: the table fails with its column and the remedy, the others go on.

use super::{fails_alone, hasty, mended};
use handoff_testbed::Trio;

struct Case {
    name: &'static str,
    /// The column `bad`, and a key if it isn't one.
    columns: &'static str,
    good: &'static str,
    bad: &'static str,
    settings: &'static str,
    says: &'static [&'static str],
}

const CASES: [Case; 5] = [
    Case {
        name: "zero_date_in_a_key",
        columns: "bad DATE PRIMARY KEY, n INT",
        good: "'2024-02-29', 1",
        bad: "'0000-00-00', 2",
        settings: "",
        says: &[
            "`sick`.`bad`",
            "zero date",
            "correct the value in the source",
            "columns = { bad = \"text\" }",
        ],
    },
    Case {
        name: "nul_in_a_key",
        columns: "bad VARCHAR(20) PRIMARY KEY, n INT",
        good: "'Abel', 1",
        bad: "'Zyx\\0Zyx', 2",
        settings: "",
        says: &[
            "`sick`.`bad`",
            "NUL",
            "correct the value in the source",
            "columns = { bad = \"bytea\" }",
        ],
    },
    Case {
        name: "nul_with_fail",
        columns: "bad TEXT, n INT PRIMARY KEY",
        good: "'Abel', 1",
        bad: "'Zyx\\0Zyx', 2",
        settings: "[values]\nnul_bytes = \"fail\"\n",
        says: &[
            "`sick`.`bad`",
            "NUL",
            "set `nul_bytes` under [values] to \"strip\" or \"replace\"",
        ],
    },
    Case {
        name: "invalid_text",
        columns: "bad TEXT CHARACTER SET ascii, n INT PRIMARY KEY",
        good: "'Abel', 1",
        bad: "X'42FF', 2",
        settings: "",
        says: &["`sick`.`bad`", "set `bad_text` under [values] to \"replace\""],
    },
    Case {
        name: "json_that_jsonb_refuses",
        columns: "bad JSON, n INT PRIMARY KEY",
        good: "'{\"a\": 1}', 1",
        bad: "'{\"a\": \"\\\\u0000\"}', 2",
        settings: "",
        says: &["`sick`.`bad`", "set `bad_json` under [values] to \"null\""],
    },
];

fn check(replicated: bool) {
    for case in &CASES {
        let trio = Trio::new(case.name);
        trio.sql_source(&format!(
            "CREATE TABLE sick ({}); INSERT INTO sick VALUES ({}); \
             CREATE TABLE well (id INT PRIMARY KEY); INSERT INTO well VALUES (1)",
            case.columns, case.good
        ));
        let toml = if replicated { trio.settings_toml() } else { trio.direct_settings_toml() };
        let etl = hasty(&format!("{toml}\n{}", case.settings));
        etl.ok(&["run"]);

        let bad = case.bad;
        trio.sql_source(&format!("SET sql_mode = ''; INSERT INTO sick VALUES ({bad})"));
        trio.sql_source("INSERT INTO well VALUES (2)");
        let done = fails_alone(&trio, &etl, case.says);
        let shown = done.stdout + &done.stderr;
        assert!(!shown.contains("Zyx"), "{}: a value is shown: {shown}", case.name);

        trio.sql_source("DELETE FROM sick WHERE n = 2");
        mended(&etl);
    }
}

#[test]
fn values_outside_every_policy_fail_their_table_alone() {
    check(true);
}

#[test]
fn values_outside_every_policy_fail_their_table_alone_without_a_replica() {
    check(false);
}
