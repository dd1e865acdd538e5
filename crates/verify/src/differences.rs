//! What differs between two databases.

use crate::key::RowKey;
use crate::spill::Held;
use handoff_connect::Side;
use handoff_model::{ColumnName, SumBy, TableName, TableSum};

/// In which way a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It is in the first database and not in the second.
    Missing,
    /// It is in both, with other values.
    Stale,
    /// It is in the second database only.
    Phantom,
}

impl Kind {
    /// Returns the name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Missing => "missing",
            Kind::Stale => "stale",
            Kind::Phantom => "phantom",
        }
    }

    /// Says what differs between what two sides have of one key, and in how many rows.
    pub(crate) fn of(first: Held, second: Held) -> Option<(Kind, u64)> {
        if first == second {
            return None;
        }
        Some(match (first.rows, second.rows) {
            (more, less) if more > less => (Kind::Missing, more - less),
            (less, more) if more > less => (Kind::Phantom, more - less),
            (rows, _) => (Kind::Stale, rows),
        })
    }
}

/// One row that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDifference {
    /// In which way.
    pub kind: Kind,
    /// Which row.
    pub key: RowKey,
    /// The columns whose values differ, of a stale row.
    pub columns: Vec<ColumnName>,
    /// How many rows: more than one only in a table without a key, whose equal rows are counted.
    pub rows: u64,
}

/// What differs between two databases in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
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

impl Differences {
    pub(crate) fn none(first: Side, second: Side) -> Differences {
        Differences {
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

    /// Returns how many rows differ.
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

    pub(crate) fn count_in(&mut self, kind: Kind, rows: u64) {
        match kind {
            Kind::Missing => self.missing += rows,
            Kind::Stale => self.stale += rows,
            Kind::Phantom => self.phantom += rows,
        }
    }
}

/// What the comparison of one table found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The table.
    pub table: TableName,
    /// The sum of its rows in each database, in the order of the way, as of the last time that all rows
    /// were summed. Of source and replica alone it is the sum of what was compared, canonical rows or
    /// not, and to be compared with nothing else.
    pub sums: Vec<(Side, TableSum)>,
    /// What differs between each database and the next.
    pub pairs: Vec<Differences>,
    /// How often each row was read: once if nothing differs.
    pub looks: u32,
    /// Who summed the rows of source and replica: [`SumBy::Sql`] if their servers did.
    pub by: SumBy,
}

impl Comparison {
    /// Completes what was read of the ranges of source and replica that differ: by what `near` says
    /// of the replica and the next place, and what both servers sum up to.
    pub(crate) fn beside(mut self, near: Option<Comparison>, sums: [TableSum; 2]) -> Comparison {
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

    /// Puts what was found of source and replica by themselves in the place of what their canonical
    /// forms told.
    pub(crate) fn with_first(mut self, far: Comparison) -> Comparison {
        self.pairs.splice(..1, far.pairs);
        self.looks += far.looks;
        self
    }

    /// Returns true if the table is the same everywhere.
    pub fn is_equal(&self) -> bool {
        self.pairs.iter().all(Differences::is_equal)
    }
}
