//! The result of comparing sums of ranges of the key.

use handoff_model::{KeyRange, TableSum};

/// The result of comparing two databases by the sums of ranges of the key.
pub(crate) struct RangeSums {
    /// The ranges that differ, neighbours joined.
    pub(crate) unequal: Vec<KeyRange>,
    /// The sum of each side.
    pub(crate) sums: [TableSum; 2],
}
