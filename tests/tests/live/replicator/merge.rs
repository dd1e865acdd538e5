//! Changed rows, merged into the replica's table.

mod bytes;
mod given;
mod keys;
mod stopped;
mod ways;

use super::{NoSeal, Pair, chain, types};
use handoff_model::{ColumnName, CopyId, RowFilter, Watermark, WatermarkWindow};
use handoff_replicator::{CopyOutcome, PublishMode, Result};

const ENGINES: [&str; 3] = ["InnoDB", "MyISAM", "Aria"];

/// The rows whose integer column is at least `from`.
fn since(column: &str, from: i128) -> RowFilter {
    let column = ColumnName::new(column).unwrap();
    let bounds = vec![WatermarkWindow { column, from: Watermark::Integer(from), below: None }];
    RowFilter::Changed { bounds, nulls: Vec::new() }
}

impl Pair {
    #[track_caller]
    fn try_merge(&self, table: &str, filter: &RowFilter) -> Result<CopyOutcome> {
        self.copy_some(CopyId::new(), table, filter, |opened| {
            assert_eq!(opened.mode(), PublishMode::Merge);
            opened.finish(&NoSeal)
        })
    }

    /// Merges, and compares the whole table on both sides.
    #[track_caller]
    fn merge(&self, table: &str, filter: &RowFilter) -> CopyOutcome {
        let outcome = self.try_merge(table, filter);
        let outcome = outcome.unwrap_or_else(|error| panic!("{table}: {}", chain(&error)));
        self.check_sums(table);
        outcome
    }

    /// Makes `t` on both sides anew.
    #[track_caller]
    fn start(&self, create: &str) {
        self.trio.sql_source(&format!("DROP TABLE IF EXISTS t; {create}"));
        self.trio.sql_replica("DROP TABLE IF EXISTS t");
        self.check("t");
    }
}

/// Inserted, updated, unchanged.
#[track_caller]
fn counts(outcome: &CopyOutcome) -> (u64, u64, u64) {
    assert_eq!(
        outcome.figures.rows,
        outcome.figures.inserted + outcome.figures.updated + outcome.unchanged
    );
    (outcome.figures.inserted, outcome.figures.updated, outcome.unchanged)
}
