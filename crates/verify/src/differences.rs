//! The differences between two databases.

use crate::key::RowKey;
use crate::spill::KeySum;
use handoff_connect::Side;
use handoff_model::{ColumnName, SumBy, TableName, TableSum};

/// The way in which a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// It is in the first database and not in the second.
    Missing,
    /// It is in both, with other values.
    Stale,
    /// It is in the second database only.
    Phantom,
}

impl DifferenceKind {
    /// Returns the name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            DifferenceKind::Missing => "missing",
            DifferenceKind::Stale => "stale",
            DifferenceKind::Phantom => "phantom",
        }
    }

    /// Judges the rows that two sides have of one key: returns the kind of difference and the number of rows.
    pub(crate) fn of(first: KeySum, second: KeySum) -> Option<(DifferenceKind, u64)> {
        if first == second {
            return None;
        }
        Some(match (first.rows, second.rows) {
            (more, less) if more > less => (DifferenceKind::Missing, more - less),
            (less, more) if more > less => (DifferenceKind::Phantom, more - less),
            (rows, _) => (DifferenceKind::Stale, rows),
        })
    }
}

/// One row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDifference {
    /// The way in which the row differs.
    pub kind: DifferenceKind,
    /// The key of the row.
    pub key: RowKey,
    /// The columns whose values differ, of a stale row.
    pub columns: Vec<ColumnName>,
    /// The number of rows: more than one only in a table without a key, whose equal rows are counted.
    pub rows: u64,
}

/// The differences between two databases in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairDifferences {
    /// The database that has the truth.
    pub first: Side,
    /// The database that is to be equal to it.
    pub second: Side,
    /// Rows that are in the first only.
    pub missing: u64,
    /// Rows that are in both, with other values.
    pub stale: u64,
    /// Rows that are in the second only.
    pub phantom: u64,
    /// Rows that changed in the first between two looks, so that nothing can be said of them yet.
    pub moving: u64,
    /// The rows that differ, by kind and key, as many as are listed.
    pub rows: Vec<RowDifference>,
    /// The keys of the rows that changed between two looks, as many as are listed.
    pub moving_rows: Vec<RowKey>,
}

impl PairDifferences {
    pub(crate) fn none(first: Side, second: Side) -> PairDifferences {
        PairDifferences {
            first,
            second,
            missing: 0,
            stale: 0,
            phantom: 0,
            moving: 0,
            rows: Vec::new(),
            moving_rows: Vec::new(),
        }
    }

    /// Returns the number of rows that differ.
    pub fn count(&self) -> u64 {
        self.missing + self.stale + self.phantom
    }

    /// Returns true if every row that differs is listed.
    pub fn all_listed(&self) -> bool {
        self.rows.iter().map(|row| row.rows).sum::<u64>() == self.count()
    }

    /// Returns true if both are equal, as far as could be told.
    pub fn is_equal(&self) -> bool {
        self.count() == 0 && self.moving == 0
    }

    pub(crate) fn count_in(&mut self, kind: DifferenceKind, rows: u64) {
        match kind {
            DifferenceKind::Missing => self.missing += rows,
            DifferenceKind::Stale => self.stale += rows,
            DifferenceKind::Phantom => self.phantom += rows,
        }
    }
}

/// The result of comparing one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableComparison {
    /// The table.
    pub table: TableName,
    /// The sum of its rows in each database, in the order of the way, as of the last time that all rows
    /// were summed. Of source and replica alone it is the sum of what was compared, canonical rows or
    /// not, and to be compared with nothing else.
    pub sums: Vec<(Side, TableSum)>,
    /// The differences between each database and the next.
    pub pairs: Vec<PairDifferences>,
    /// The number of times that each row was read: once if nothing differs.
    pub looks: u32,
    /// The way in which the rows of source and replica were summed: [`SumBy::Sql`] by their servers.
    pub by: SumBy,
}

impl TableComparison {
    /// Completes what was read of the ranges of source and replica that differ: by what `near` says
    /// of the replica and the next place, and what both servers sum up to.
    pub(crate) fn beside(
        mut self,
        near: Option<TableComparison>,
        sums: [TableSum; 2],
    ) -> TableComparison {
        let Some(near) = near else {
            for ((_, part), whole) in self.sums.iter_mut().zip(sums) {
                *part = whole;
            }
            return self;
        };
        // What differs of the source is what differs of its parts.
        let (source, replica) = (self.sums[0], self.sums[1].1);
        let whole = near.sums[0].1;
        let sum = TableSum {
            rows: (whole.rows + source.1.rows).saturating_sub(replica.rows),
            hash: whole.hash.wrapping_add(source.1.hash).wrapping_sub(replica.hash),
        };
        self.sums = std::iter::once((source.0, sum)).chain(near.sums).collect();
        self.pairs.extend(near.pairs);
        self.looks = self.looks.max(near.looks);
        self
    }

    /// Replaces the differences of source and replica in their canonical
    /// form by those that were found of the two by themselves.
    pub(crate) fn with_first(mut self, far: TableComparison) -> TableComparison {
        self.pairs.splice(..1, far.pairs);
        self.looks += far.looks;
        self
    }

    /// Returns true if the table is the same everywhere.
    pub fn is_equal(&self) -> bool {
        self.pairs.iter().all(PairDifferences::is_equal)
    }
}
