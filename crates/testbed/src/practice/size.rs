//! The size and the seed of a practice.

use super::spec;

/// The size and the seed of a practice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Practice {
    /// 1 for 20.5 million rows, 0.001 for the smallest.
    pub scale: f64,
    /// Another seed gives other values in the same tables.
    pub seed: u64,
}

impl Practice {
    /// Returns the practice of a size with the usual seed.
    pub fn at_scale(scale: f64) -> Practice {
        Practice { scale, seed: 1 }
    }

    /// Returns the name of each table and its number of rows.
    pub fn tables(&self) -> Vec<(String, u64)> {
        spec::tables()
            .into_iter()
            .map(|t| (t.rows(self.scale), t))
            .map(|(r, t)| (t.name, r))
            .collect()
    }

    /// Returns the number of rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables().iter().map(|(_, rows)| rows).sum()
    }
}
