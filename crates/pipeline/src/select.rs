//! Which loading strategy for which table.

use handoff_model::Strategy;
use handoff_settings::{Selection, TableSettings};

/// The strategy chosen for a table, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The strategy.
    pub strategy: Strategy,
    /// Why, as a phrase for reports.
    pub why: String,
}

/// Chooses for a table of `data_bytes`: the table's own setting first, then the sizes of `[selection]`.
pub fn select(selection: &Selection, table: &TableSettings, data_bytes: u64) -> Selected {
    let streaming_above = selection.streaming_above_mb.saturating_mul(1_000_000);
    match table.loader {
        Some(strategy) => Selected { strategy, why: "set for this table".to_owned() },
        None if streaming_above > 0 && data_bytes <= streaming_above => Selected {
            strategy: Strategy::Standard,
            why: format!("at most {} MB", selection.streaming_above_mb),
        },
        None => {
            Selected { strategy: Strategy::Streaming, why: "the default at every size".to_owned() }
        }
    }
}
