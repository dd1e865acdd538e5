//! The outcome of a comparison: the rows to bring into line, and those that would go.

use super::evidence::{Evidence, RowSums, SideRows};
use crate::error::TableError;
use handoff_connect::Side;
use handoff_model::human::counted;
use handoff_rows::KeyList;
use handoff_schema::TableMapping;
use handoff_verify::{DifferenceKind, PairDifferences, RowKey, TableComparison};
use std::collections::HashMap;

/// A table of which more than one row in so many differs is moved in full.
const ONE_IN: u64 = 10;

/// The outcome of the comparison of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableDifference(pub(crate) TableComparison);

impl TableDifference {
    /// Returns the keys of the rows that are to be brought into line in the database `side`: those
    /// that differ anywhere on the way to it. Rows that change all the time are among them.
    pub(crate) fn keys(&self, mapping: &TableMapping, side: Side) -> Result<KeyList, TableError> {
        let mut keys = KeyList::new(mapping).ok_or_else(|| no_usable_key(mapping))?;
        for pair in self.on_the_way(side) {
            let rows = pair.rows.iter().map(|row| &row.key).chain(&pair.moving_rows);
            for key in rows {
                let values = key.canonical(mapping).ok_or_else(|| no_usable_key(mapping))?;
                keys.push(&values).map_err(TableError::Filter)?;
            }
        }
        Ok(keys)
    }

    /// Returns the differences but for rows that the source has no more, in a table that keeps them.
    #[must_use]
    pub(crate) fn without_retained(mut self) -> TableDifference {
        for pair in self.0.pairs.iter_mut().filter(|pair| pair.first == Side::Source) {
            pair.phantom = 0;
            pair.rows.retain(|row| row.kind != DifferenceKind::Phantom);
        }
        self
    }

    /// Returns the number of rows that the database `side` would lose, were it brought into line with the
    /// first: those that it has and the first has not. Without a key a row that changed is one that went and
    /// one that came, and is not lost.
    pub(crate) fn surplus(&self, mapping: &TableMapping, side: Side) -> u64 {
        let has_key = !mapping.key.is_empty();
        if !self.is_listed(side) {
            // Some may be counted twice: a person has to look at so many anyway.
            let lost = self.on_the_way(side).map(|pair| {
                let changed = if has_key { 0 } else { pair.missing };
                pair.phantom.saturating_sub(changed)
            });
            return lost.sum();
        }
        // What one database lacks the next may have all the same, and the other way round.
        let mut more: HashMap<&RowKey, i128> = HashMap::new();
        for row in self.on_the_way(side).flat_map(|pair| &pair.rows) {
            *more.entry(&row.key).or_default() += match row.kind {
                DifferenceKind::Phantom => i128::from(row.rows),
                DifferenceKind::Missing => -i128::from(row.rows),
                DifferenceKind::Stale => 0,
            };
        }
        let lost: i128 = more.values().filter(|&&rows| rows > 0 || !has_key).sum();
        u64::try_from(lost).unwrap_or(0)
    }

    /// Returns true if so many rows differ on the way to `side` that moving everything takes less.
    pub(crate) fn is_too_much(&self, side: Side) -> bool {
        let rows = self.0.sums.iter().map(|(_, sum)| sum.rows).max().unwrap_or(0);
        let differing: u64 = self.on_the_way(side).map(|pair| pair.count() + pair.moving).sum();
        differing.saturating_mul(ONE_IN) > rows || !self.is_listed(side)
    }

    /// Returns true if moving everything takes less than moving a window of `window` rows and the rows that
    /// differ beside it. Of rows that only the first database has, the window may bring as many as it has, and
    /// those that are not listed; the others that differ are all to be listed.
    pub(crate) fn is_too_much_beside(&self, side: Side, window: Option<u64>) -> bool {
        let rows = self.0.sums.iter().map(|(_, sum)| sum.rows).max().unwrap_or(0);
        let beside = self.on_the_way(side).map(|pair| {
            let missing = window.map_or(0, |window| pair.missing.saturating_sub(window));
            pair.phantom + pair.stale + pair.moving + missing
        });
        let differing: u64 = beside.sum();
        differing.saturating_mul(ONE_IN) > rows || !self.is_listed_but_missing(side)
    }

    /// Returns true if the key of every row that differs on the way to `side` is known, but for rows
    /// that it lacks.
    fn is_listed_but_missing(&self, side: Side) -> bool {
        self.on_the_way(side).all(|pair| {
            let listed = pair.rows.iter().filter(|row| row.kind != DifferenceKind::Missing);
            let listed: u64 = listed.map(|row| row.rows).sum();
            listed == pair.phantom + pair.stale && pair.moving_rows.len() as u64 == pair.moving
        })
    }

    /// Returns true if the key of every row that differs on the way to `side` is known.
    pub(crate) fn is_listed(&self, side: Side) -> bool {
        self.on_the_way(side)
            .all(|pair| pair.all_listed() && pair.moving_rows.len() as u64 == pair.moving)
    }

    /// Returns the pairs of databases up to `side`.
    fn on_the_way(&self, side: Side) -> impl Iterator<Item = &PairDifferences> {
        let last = self.0.pairs.iter().position(|pair| pair.second == side);
        self.0.pairs.iter().take(last.map_or(0, |last| last + 1))
    }

    /// Returns the last of the databases that were compared.
    pub(crate) fn last_side(&self) -> Side {
        self.0.pairs.last().map_or(Side::Target, |pair| pair.second)
    }

    /// Returns true if rows differ on the way to `side`, those that change all the time among them.
    pub(crate) fn differs_before(&self, side: Side) -> bool {
        self.on_the_way(side).any(|pair| !pair.is_equal())
    }

    /// Returns the number of rows that only the second of two databases has.
    pub(crate) fn gone(&self) -> u64 {
        self.0.pairs.iter().map(|pair| pair.phantom).sum()
    }

    /// Returns the pairs of databases with the rows that the second one has.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&PairDifferences, u64)> {
        let rows = self.0.sums.iter().skip(1).map(|(_, sum)| sum.rows);
        self.0.pairs.iter().zip(rows)
    }

    /// Returns the number of rows of a database, if it was compared.
    pub(crate) fn rows(&self, side: Side) -> Option<u64> {
        let found = self.0.sums.iter().find(|(of, _)| *of == side);
        found.map(|(_, sum)| sum.rows)
    }

    /// Returns the comparison of every row as evidence. The sums are of all rows: where some stay that the
    /// source has no more, they are not to be compared.
    pub(crate) fn evidence(&self, retains: bool) -> Evidence {
        let rows = SideRows {
            source: self.rows(Side::Source),
            replica: self.rows(Side::Replica),
            target: self.rows(Side::Target),
        };
        let mut sums = RowSums::default();
        if !retains {
            sums.read = self.0.sums.first().map(|(_, sum)| *sum);
            sums.target = self.0.sums.last().map(|(_, sum)| *sum);
        }
        Evidence { differing: Some(self.differing()), sums, ..Evidence::of_counts(rows) }
    }

    /// Returns the number of rows that differ between each database and the next, those that change all the
    /// time among them.
    pub(crate) fn differing(&self) -> u64 {
        self.0.pairs.iter().map(|pair| pair.count() + pair.moving).sum()
    }

    /// Says so if rows of the source changed while they were compared.
    pub(crate) fn note(&self) -> Option<String> {
        let moving = self.0.pairs.iter().map(|pair| pair.moving).sum::<u64>();
        let rows = counted(moving, "row");
        (moving > 0).then(|| format!("{rows} changed in the source while they were compared"))
    }
}

fn no_usable_key(mapping: &TableMapping) -> TableError {
    TableError::NoUsableKey(mapping.table.clone())
}

#[cfg(test)]
mod tests;
