//! Every row that differs is found, and none that doesn't: planted differences in tables of every
//! kind of key, every column of every type, sources that are written to meanwhile.

mod alive;
mod command;
mod packets;
mod page;
pub mod planted;
mod server_sums;
mod tiers;
mod types;

use handoff_connect::Side;
use handoff_pipeline::{Pipeline, VerifyReport, VerifyRequest, VerifyTable};
use handoff_settings::Settings;
use handoff_testbed::Trio;
use handoff_verify::{DifferenceKind, RowDifference, VerifyOptions};

/// The settings of a test.
pub fn settings(trio: &Trio) -> Settings {
    let (source, replica, target) = (trio.source_url(), trio.replica_url(), trio.target_url());
    Settings::new(&source, Some(&replica), &target).unwrap()
}

pub fn direct_settings(trio: &Trio) -> Settings {
    Settings::new(&trio.source_url(), None, &trio.target_url()).unwrap()
}

/// Carries everything, and fails the test unless it arrives.
#[track_caller]
pub fn carry(settings: &Settings) {
    let report = Pipeline::new(settings.clone()).run(&Default::default()).unwrap();
    assert!(report.ok, "{report:#?}");
}

pub fn verify(settings: &Settings, options: VerifyOptions) -> VerifyReport {
    let request = VerifyRequest { options: Some(options), ..VerifyRequest::default() };
    Pipeline::new(settings.clone()).verify(&request).unwrap()
}

/// Compares source and replica alone.
pub fn verify_copy(settings: &Settings, options: VerifyOptions) -> VerifyReport {
    let to = Side::Replica;
    let request = VerifyRequest { to, options: Some(options), ..VerifyRequest::default() };
    Pipeline::new(settings.clone()).verify(&request).unwrap()
}

/// Missing, stale and phantom rows between two databases.
#[track_caller]
pub fn counts(table: &VerifyTable, first: Side) -> [u64; 3] {
    assert_eq!(table.error, None, "{}", table.table);
    let pair = table.pairs.iter().find(|pair| pair.first == first).unwrap();
    [pair.missing, pair.stale, pair.phantom]
}

/// The rows between two databases that are listed, of one kind.
pub fn listed(table: &VerifyTable, first: Side, kind: DifferenceKind) -> Vec<&RowDifference> {
    let found = table.comparison.as_ref().unwrap();
    let pair = found.pairs.iter().find(|pair| pair.first == first).unwrap();
    pair.rows.iter().filter(|row| row.kind == kind).collect()
}
