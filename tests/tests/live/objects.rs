//! The objects around the columns: carried or listed, made once, and never in the way of rows.

mod bad_input;
mod killed;
mod moving;
mod second_runs;
mod whole_schemas;

use crate::etl::Etl;
use handoff_testbed::Trio;
use serde_json::Value;

/// Everything that can be carried.
const EVERYTHING: &str = "objects = { on_update = true, foreign_keys = true }";

/// Settings of a run straight from the source, under an administrator who sees all of its objects.
fn etl(trio: &Trio, target_lines: &str) -> Etl {
    let admin = trio.source_server().url(&trio.source_name());
    let toml = trio.direct_settings_toml().replace(&trio.source_url(), &admin);
    Etl::with(&format!("{toml}{target_lines}\n"))
}

#[track_caller]
fn json(etl: &Etl, arguments: &[&str]) -> Value {
    serde_json::from_str(&etl.ok(arguments).stdout).unwrap()
}

/// Returns the objects of a report as `action kind table.name`.
fn made(report: &Value) -> Vec<String> {
    let made = report["objects"]["made"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    made.map(|one| {
        let [action, kind, table, name] =
            ["action", "kind", "table", "name"].map(|key| text(one, key));
        format!("{action} {kind} {table}.{name}")
    })
    .collect()
}

/// Asks the target for one text.
#[track_caller]
fn one(trio: &Trio, query: &str) -> String {
    let row = trio.target().query_one(query, &[]).unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_default()
}
