//! `extraction = "diff"`: what differs is found by comparing, and moved alone.

mod keys;
mod practice;
mod ways;

use crate::verify::{self, planted::KEYS};
use handoff_model::{Extraction, TableName};
use handoff_pipeline::{Pipeline, RunOptions, RunReport, TableReport};
use handoff_settings::Settings;

/// Settings under which each of `tables` is compared.
pub fn compared(mut settings: Settings, tables: &[&str]) -> Settings {
    for table in tables {
        let table = settings.tables.entry(TableName::new(table).unwrap()).or_default();
        table.extraction = Some(Extraction::Diff);
    }
    settings
}

/// Every table of a kind of key is compared.
pub fn all_keys(settings: Settings) -> Settings {
    compared(settings, &KEYS.iter().map(|key| key.name).collect::<Vec<_>>())
}

#[track_caller]
pub fn run(settings: &Settings) -> RunReport {
    let report = Pipeline::new(settings.clone()).run(&RunOptions::default()).unwrap();
    assert!(report.ok, "{report:#?}");
    report
}

/// Runs, and returns what became of the table `t`.
#[track_caller]
pub fn run_t(settings: &Settings) -> TableReport {
    let report = run(settings);
    report.tables.into_iter().find(|table| table.table.as_str() == "t").unwrap()
}

/// Fails unless the table was moved so, with these rows inserted, updated and deleted on the target.
#[track_caller]
pub fn moved(table: &TableReport, extraction: &str, reason: &str, load: (u64, u64, u64)) {
    let plan = table.plan.as_ref().unwrap();
    assert_eq!((plan.extraction.name(), plan.reason.name()), (extraction, reason), "{table:#?}");
    let done = table.load.as_ref().unwrap();
    assert_eq!((done.rows_inserted, done.rows_updated, done.rows_deleted), load, "{table:#?}");
}

/// Fails unless all databases hold the same rows.
#[track_caller]
pub fn is_equal(settings: &Settings) {
    let report = verify::verify(settings, Default::default());
    assert!(report.ok, "{report:#?}");
}
