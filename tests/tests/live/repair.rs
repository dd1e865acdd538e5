//! `etl repair`: planted differences of every kind are mended, and nothing else is touched.

mod alive;
mod command;
mod killed;
mod large;
mod planted;
mod refused;

use handoff_pipeline::{Pipeline, RepairReport, RepairRequest, RepairTable};
use handoff_settings::Settings;

pub fn repair(settings: &Settings, request: &RepairRequest) -> RepairReport {
    Pipeline::new(settings.clone()).repair(request).unwrap()
}

/// Returns what became of a table.
#[track_caller]
pub fn of<'r>(report: &'r RepairReport, table: &str) -> &'r RepairTable {
    report.tables.iter().find(|found| found.table.as_str() == table).unwrap()
}

/// Rows inserted, updated and deleted in the replica, then in the target.
pub fn changes(table: &RepairTable) -> [(u64, u64, u64); 2] {
    let copy = table.copy.as_ref();
    let load = table.load.as_ref();
    [
        copy.map_or((0, 0, 0), |c| (c.rows_inserted, c.rows_updated, c.rows_deleted)),
        load.map_or((0, 0, 0), |l| (l.rows_inserted, l.rows_updated, l.rows_deleted)),
    ]
}
