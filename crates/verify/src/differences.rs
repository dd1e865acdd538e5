//! The differences between two databases.

use crate::key::RowKey;
use crate::spill::KeySum;
use handoff_connect::Side;
use handoff_model::{ColumnName, SumBy, TableName, TableSum};

/// The way in which a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// The row is in the first database and not in the second.
    Missing,
    /// The row is in both, with other values.
    Stale,
    /// The row is in the second database only.
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

#[cfg(test)]
mod tests {
    use super::*;
    fn sum(rows: u64, sum: u128) -> KeySum {
        KeySum { rows, sum }
    }

    #[test]
    fn a_key_is_judged_by_its_rows_on_both_sides() {
        let (missing, stale, phantom) =
            (DifferenceKind::Missing, DifferenceKind::Stale, DifferenceKind::Phantom);
        for (first, second, expected) in [
            (sum(1, 5), sum(1, 5), None),
            (sum(1, 5), sum(0, 0), Some((missing, 1))),
            (sum(0, 0), sum(1, 5), Some((phantom, 1))),
            (sum(1, 5), sum(1, 6), Some((stale, 1))),
            // Equal rows of a table without a key are counted.
            (sum(3, 15), sum(1, 5), Some((missing, 2))),
            (sum(1, 5), sum(4, 20), Some((phantom, 3))),
        ] {
            assert_eq!(DifferenceKind::of(first, second), expected, "{first:?} {second:?}");
        }
    }

    fn pair(first: Side, second: Side, kinds: &[DifferenceKind]) -> PairDifferences {
        let mut pair = PairDifferences::none(first, second);
        kinds.iter().for_each(|&kind| pair.count_in(kind, 1));
        pair
    }

    fn comparison(sums: &[(Side, u64)], pairs: Vec<PairDifferences>) -> TableComparison {
        let of = |rows: u64| TableSum { rows, hash: u128::from(rows) };
        TableComparison {
            table: TableName::new("t").unwrap(),
            sums: sums.iter().map(|&(side, rows)| (side, of(rows))).collect(),
            pairs,
            looks: 1,
            by: SumBy::Read,
        }
    }

    #[test]
    fn rows_that_move_are_no_difference_and_no_equality() {
        let mut pair = pair(Side::Source, Side::Replica, &[]);
        assert!(pair.is_equal() && pair.all_listed());
        pair.moving = 1;
        assert_eq!((pair.count(), pair.is_equal()), (0, false));
    }

    #[test]
    fn a_pair_lists_all_only_if_every_counted_row_is_listed() {
        let mut pair = pair(Side::Source, Side::Replica, &[DifferenceKind::Stale; 3]);
        assert_eq!((pair.count(), pair.all_listed()), (3, false));
        let (kind, key) = (DifferenceKind::Stale, RowKey(crate::key::RowIdentity::Hash(1)));
        pair.rows.push(RowDifference { kind, key, columns: Vec::new(), rows: 3 });
        assert!(pair.all_listed());
    }

    #[test]
    fn ranges_that_were_equal_are_added_to_the_sums() {
        let (source, replica, target) = (Side::Source, Side::Replica, Side::Target);
        let far = pair(source, replica, &[DifferenceKind::Missing]);
        // Of the ranges that differ: five rows in the source, four in the replica.
        let part = comparison(&[(source, 5), (replica, 4)], vec![far]);
        let whole = [101, 100].map(|rows| TableSum { rows, hash: 7 });
        let alone = part.clone().beside(None, whole);
        assert_eq!(alone.sums, [(source, whole[0]), (replica, whole[1])]);
        let near = comparison(
            &[(replica, 100), (target, 99)],
            vec![pair(replica, target, &[DifferenceKind::Missing])],
        );
        let both = part.beside(Some(near), whole);
        let rows: Vec<_> = both.sums.iter().map(|(side, sum)| (*side, sum.rows)).collect();
        assert_eq!(rows, [(source, 101), (replica, 100), (target, 99)]);
        assert_eq!((both.pairs.len(), both.is_equal()), (2, false));
    }

    #[test]
    fn bytes_of_source_and_replica_outrank_their_canonical_form() {
        let (source, replica, target) = (Side::Source, Side::Replica, Side::Target);
        let pairs = vec![pair(source, replica, &[]), pair(replica, target, &[])];
        let all = comparison(&[(source, 1), (replica, 1), (target, 1)], pairs);
        assert!(all.is_equal());
        let stale = pair(source, replica, &[DifferenceKind::Stale]);
        let judged = all.with_first(comparison(&[(source, 1), (replica, 1)], vec![stale]));
        assert_eq!((judged.pairs[0].stale, judged.pairs[1].count(), judged.looks), (1, 0, 2));
    }
}
