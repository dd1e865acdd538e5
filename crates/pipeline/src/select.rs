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

/// Chooses: the table's own setting first, then the sizes of `[selection]`.
pub fn select(_selection: &Selection, table: &TableSettings) -> Selected {
    match table.loader {
        Some(strategy) => Selected { strategy, why: "set for this table".to_owned() },
        None => {
            Selected { strategy: Strategy::Streaming, why: "the default at every size".to_owned() }
        }
    }
}
