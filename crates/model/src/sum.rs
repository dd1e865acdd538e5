//! The additive sum of a table.

use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::{Add, AddAssign};

/// The number of rows and the sum of their 128-bit hashes modulo 2^128.
///
/// Independent of order and additive: the sum of a table is the sum of its ranges. Two tables
/// with the same sum hold the same rows, but for a chance of about 2^-128.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSum {
    /// Rows summed.
    pub rows: u64,
    /// The sum of the row hashes.
    pub hash: u128,
}

impl TableSum {
    /// Adds one row by its hash.
    pub fn add_row(&mut self, hash: u128) {
        self.rows += 1;
        self.hash = self.hash.wrapping_add(hash);
    }
}

impl AddAssign for TableSum {
    fn add_assign(&mut self, other: TableSum) {
        self.rows += other.rows;
        self.hash = self.hash.wrapping_add(other.hash);
    }
}

impl Add for TableSum {
    type Output = TableSum;

    fn add(mut self, other: TableSum) -> TableSum {
        self += other;
        self
    }
}

impl fmt::Display for TableSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:032x}", self.rows, self.hash)
    }
}

impl Serialize for TableSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_table_is_the_sum_of_its_ranges_in_any_order() {
        let hashes = [u128::MAX, 7, 1 << 127, u128::MAX - 3];
        let mut whole = TableSum::default();
        hashes.iter().for_each(|&hash| whole.add_row(hash));
        let mut parts = [TableSum::default(); 2];
        for (index, &hash) in hashes.iter().rev().enumerate() {
            parts[index % 2].add_row(hash);
        }
        assert_eq!(parts[0] + parts[1], whole);
        assert_eq!(whole.rows, 4);
    }

    #[test]
    fn the_sum_of_no_row_is_shown_in_full_width() {
        assert_eq!(TableSum::default().to_string(), format!("0:{}", "0".repeat(32)));
    }
}
