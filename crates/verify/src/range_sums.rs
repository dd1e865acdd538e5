//! What the sums of ranges of the key say.

use handoff_model::{KeyRange, TableSum};

/// What the sums of ranges of the key say of two databases.
pub(crate) struct RangeSums {
    /// The ranges that differ, neighbours joined.
    pub(crate) unequal: Vec<KeyRange>,
    /// What each side sums up to.
    pub(crate) sums: [TableSum; 2],
}
