//! Incremental extraction: what the system that Handoff replaces lost, one test a way of losing it.

mod clocks;
mod damaged;
mod deletes;
mod lag;
mod policies;
mod slices;
mod statistics;
mod sweeps;
mod windows;

use crate::etl::{Done, Etl};
use handoff_testbed::Trio;
use serde_json::Value;

/// A pipeline with tables that are incremental.
pub struct Rig {
    pub trio: Trio,
    pub etl: Etl,
}

impl Rig {
    /// Makes the source's tables; `tables` is what stands in the settings.
    #[track_caller]
    pub fn new(test: &str, source: &str, tables: &str) -> Rig {
        let trio = Trio::new(test);
        trio.sql_source(source);
        let etl = Etl::with(&format!("{}\n{tables}", trio.settings_toml()));
        Rig { trio, etl }
    }

    /// The same without a replica.
    #[track_caller]
    pub fn direct(test: &str, source: &str, tables: &str) -> Rig {
        let trio = Trio::new(test);
        trio.sql_source(source);
        let etl = Etl::with(&format!("{}\n{tables}", trio.direct_settings_toml()));
        Rig { trio, etl }
    }

    /// Runs `etl` and returns what it says of the table `t`.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Value {
        table(&self.etl.ok(&[arguments, &["--json"]].concat()))
    }

    /// Runs both hops, and fails unless `t` is moved so, and this many rows of it.
    #[track_caller]
    pub fn moves(&self, extraction: &str, reason: &str, rows: u64) -> Value {
        let table = self.run(&["run"]);
        check(&table, extraction, reason);
        let copied = &table["copy"]["rows_copied"];
        let moved = if copied.is_null() { &table["load"]["rows_loaded"] } else { copied };
        assert_eq!(moved.as_u64().unwrap_or(0), rows, "{table}");
        table
    }

    /// Fails unless source and target have the same rows, which `etl run --prove` is asked.
    #[track_caller]
    pub fn is_equal(&self) {
        let proved = self.run(&["run", "--prove"]);
        assert_eq!(proved["proof"]["verdict"], "equal", "{proved}");
        assert_ne!(proved["plan"]["extraction"], "full_table", "something was missed: {proved}");
    }
}

/// Returns what a report says of the table `t`.
#[track_caller]
pub fn table(done: &Done) -> Value {
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let tables = report["tables"].as_array().unwrap();
    tables.iter().find(|table| table["table"] == "t").unwrap().clone()
}

#[track_caller]
pub fn check(table: &Value, extraction: &str, reason: &str) {
    let plan = &table["plan"];
    let found = (plan["extraction"].as_str(), plan["reason"].as_str());
    assert_eq!(found, (Some(extraction), Some(reason)), "{table}");
}

/// Settings of `t`, incremental by `s`.
pub const BY_S: &str = "[tables.t]\nextraction = \"incremental\"\nwatermark = \"s\"\n";
