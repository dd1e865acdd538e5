//! Changed rows, merged into the replica's table.

use super::{NoSeal, Pair, chain, types};
use handoff_model::{Bound, Cancel, ColumnName, CopyId, NopObserver, RowFilter, Watermark};
use handoff_replicator::{CopyOutcome, Result, Way};
use handoff_testbed::{Bed, Trio};
use std::sync::Arc;

const ENGINES: [&str; 3] = ["InnoDB", "MyISAM", "Aria"];

/// The rows whose integer column is at least `from`.
fn since(column: &str, from: i128) -> RowFilter {
    let column = ColumnName::new(column).unwrap();
    let bounds = vec![Bound { column, from: Watermark::Integer(from), below: None }];
    RowFilter::Changed { bounds, nulls: Vec::new() }
}

impl Pair {
    #[track_caller]
    fn try_merge(&self, table: &str, filter: &RowFilter) -> Result<CopyOutcome> {
        self.copy_some(CopyId::new(), table, filter, |opened| {
            assert_eq!(opened.way(), Way::Merge);
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
}

/// Inserted, updated, unchanged.
fn counts(outcome: &CopyOutcome) -> (u64, u64, u64) {
    assert_eq!(outcome.rows, outcome.inserted + outcome.updated + outcome.unchanged);
    (outcome.inserted, outcome.updated, outcome.unchanged)
}

#[test]
fn every_type_is_merged_byte_for_byte_on_every_engine() {
    let pair = Pair::new("replicator merge types");
    for engine in ENGINES {
        types::make(&pair, engine);
        pair.trio.sql_replica("DROP TABLE IF EXISTS t");
        pair.check("t");
        let again = pair.merge("t", &since("id", 0));
        assert_eq!(counts(&again), (0, 0, 9), "{engine}");

        pair.trio.sql_replica("DELETE FROM t");
        let all = pair.merge("t", &since("id", 0));
        assert_eq!(counts(&all), (9, 0, 0), "{engine}");
        assert!(all.checked, "the ENUM's 0 makes the server warn ({engine})");

        pair.trio.sql_replica("SET sql_mode = ''; UPDATE t SET inv = 8");
        let all = pair.merge("t", &since("id", 0));
        assert_eq!(counts(&all), (0, 9, 0), "{engine}");
    }
}

#[test]
fn within_one_server_the_server_gathers_the_changed_rows() {
    let bed = Bed::shared();
    let trio = Trio::on("replicator merge one server", bed.source(), bed.source(), bed.target());
    let pair = Pair::of(trio, Cancel::new(), Arc::new(NopObserver));
    types::make(&pair, "InnoDB");
    pair.check("t");
    pair.trio.sql_replica("DELETE FROM t WHERE id < 4; UPDATE t SET i = 1 WHERE id > 5");
    let outcome = pair.merge("t", &since("id", 0));
    assert_eq!((counts(&outcome), outcome.strategy), ((4, 3, 2), "insert_select"));
}
