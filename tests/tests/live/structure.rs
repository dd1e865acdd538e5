//! Tables of the target follow the structure of the source.

mod gone;
mod kept;
mod killed;
mod matrix;
mod reader;
mod refused;
mod upgrade;

use crate::etl::Etl;
use handoff_testbed::Trio;
use serde_json::Value;
use std::collections::BTreeMap;

/// A table of the source, whatever its name.
const COLUMNS: &str = "(id INT PRIMARY KEY, a INT NOT NULL, d DECIMAL(10,2), b VARCHAR(10) NOT NULL,
    stamp TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)) ENGINE=InnoDB";

/// Makes a table with three rows.
fn create(trio: &Trio, table: &str) {
    trio.sql_source(&format!(
        "CREATE TABLE {table} {COLUMNS};
         INSERT INTO {table} (id, a, d, b) VALUES (1, 10, 1.5, 'x'), (2, 20, NULL, 'y'), (3, 30, 3, '')"
    ));
}

/// Runs, and returns what became of each table.
#[track_caller]
fn run(etl: &Etl, code: i32, arguments: &[&str]) -> BTreeMap<String, Value> {
    let done = etl.exits(code, &[&["run", "--json"], arguments].concat());
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let tables = report["tables"].as_array().unwrap().iter();
    tables.map(|table| (table["table"].as_str().unwrap().to_owned(), table.clone())).collect()
}

/// Returns the changes that are recorded of a table, as `class column`.
fn changes(trio: &Trio, table: &str) -> Vec<String> {
    let sql = "SELECT class || ' ' || column_name FROM raw.etl_schema_changes WHERE table_name = $1 \
               ORDER BY changed_at, change_no";
    let rows = trio.target().query(sql, &[&table]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Returns the columns of a table of the target with their types.
fn columns(trio: &Trio, table: &str) -> String {
    let sql = "SELECT coalesce(string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum), '') \
               FROM pg_attribute WHERE attrelid = ('raw.' || $1::text)::regclass AND attnum > 0 AND NOT attisdropped";
    trio.target().query_one(sql, &[&table]).unwrap().get(0)
}
