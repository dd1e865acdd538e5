//! A summary of a table from which the rows that differ can be read.
//!
//! An invertible Bloom lookup table (Goodrich and Mitzenmacher 2011; used to reconcile sets by
//! Eppstein, Goodrich, Uyeda and Varghese, "What's the Difference?", SIGCOMM 2011). Every row is
//! added to three of its cells. The sketch of one table minus that of another holds only what is in
//! one and not in the other, however large both are; a cell with a single row in it names that row,
//! which is then taken out of its two other cells, and so on until nothing is left.
//!
//! So one read of each side finds every row that differs, in memory that depends on the number of
//! differences only. A sketch of n cells names about 0.8 n elements.

use crate::element::RowElement;
use handoff_model::TableSum;

/// The number of cells of a row.
const PLACES: usize = 3;

/// The number of bits of a row's check that select its cell in a third; of more than three times 2^21
/// cells, some stay empty.
const PLACE_BITS: u32 = 21;

/// A summary of a table.
#[derive(Debug, Clone)]
pub(crate) struct RowSketch {
    sum: TableSum,
    cells: Vec<SketchCell>,
}

/// The sums of the rows that stand in one cell. Aligned to the lines of the processor's cache, cells
/// were no faster where they stay in it, and slower where they don't, for they are more bytes then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct SketchCell {
    count: i64,
    check: u64,
    key: u128,
    row: u128,
}

/// An element that one side has more often than the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SurplusRow {
    pub(crate) element: RowElement,
    /// The surplus of the left side; negative if the right side has more.
    pub(crate) count: i64,
}

/// More differs than the cells can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// The approximate number of elements: from a thousand cells on within a tenth. One of which a side
    /// has several more than the other counts by the square of that.
    pub(crate) about: u128,
}

impl RowSketch {
    /// Makes the sketch of an empty table, with about so many cells.
    pub(crate) fn new(cells: usize) -> RowSketch {
        let each = cells.div_ceil(PLACES).max(8);
        RowSketch { sum: TableSum::default(), cells: vec![SketchCell::default(); each * PLACES] }
    }

    /// Adds a row by its element and its hash.
    pub(crate) fn add(&mut self, element: RowElement, row: u128) {
        self.sum.add_row(row);
        let hash = check(element);
        for place in places(hash, self.cells.len()) {
            self.cells[place].add(element, hash);
        }
    }

    /// Returns the sum of the rows added.
    pub(crate) fn sum(&self) -> TableSum {
        self.sum
    }

    /// Returns the rows that this table has and `other` hasn't, and the other way round. Both have the same
    /// number of cells.
    ///
    /// # Errors
    ///
    /// Returns [`TooMany`] if that is too much for the cells.
    pub(crate) fn difference(&self, other: &RowSketch) -> Result<Vec<SurplusRow>, TooMany> {
        debug_assert_eq!(self.cells.len(), other.cells.len());
        let cells = self.cells.iter().zip(&other.cells).map(|(one, other)| one.minus(other));
        let mut cells: Vec<SketchCell> = cells.collect();
        let too_many = TooMany { about: about(&cells) };
        let mut found = Vec::new();
        let mut at: Vec<usize> = (0..cells.len()).collect();
        while let Some(place) = at.pop() {
            let Some(surplus) = cells[place].single() else { continue };
            let hash = check(surplus.element);
            let stands = places(hash, cells.len());
            // By chance a cell may look as if it had a single row; that row would not stand here.
            if !stands.contains(&place) {
                continue;
            }
            stands.iter().for_each(|&place| cells[place].take(surplus, hash));
            at.extend(stands);
            found.push(surplus);
            // A false find would be put back for ever.
            if found.len() > 2 * cells.len() {
                return Err(too_many);
            }
        }
        let empty = cells.iter().all(|cell| *cell == SketchCell::default());
        empty.then_some(found).ok_or(too_many)
    }
}

impl SketchCell {
    fn add(&mut self, element: RowElement, check: u64) {
        self.count += 1;
        self.check = self.check.wrapping_add(check);
        self.key = self.key.wrapping_add(element.key);
        self.row = self.row.wrapping_add(element.row);
    }

    fn take(&mut self, SurplusRow { element, count }: SurplusRow, check: u64) {
        self.count -= count;
        self.check = self.check.wrapping_sub(check.wrapping_mul(count.cast_unsigned()));
        let times = i128::from(count).cast_unsigned();
        self.key = self.key.wrapping_sub(element.key.wrapping_mul(times));
        self.row = self.row.wrapping_sub(element.row.wrapping_mul(times));
    }

    fn minus(&self, other: &SketchCell) -> SketchCell {
        SketchCell {
            count: self.count - other.count,
            check: self.check.wrapping_sub(other.check),
            key: self.key.wrapping_sub(other.key),
            row: self.row.wrapping_sub(other.row),
        }
    }

    /// Returns the element of the cell, if it is the only one in it.
    fn single(&self) -> Option<SurplusRow> {
        let element =
            RowElement { key: share(self.key, self.count)?, row: share(self.row, self.count)? };
        let expected = check(element).wrapping_mul(self.count.cast_unsigned());
        (expected == self.check).then_some(SurplusRow { element, count: self.count })
    }
}

/// Returns the number whose multiple `sum` is. Only halves of hashes come more than once, and they
/// do not overflow.
fn share(sum: u128, count: i64) -> Option<u128> {
    let signed = sum.cast_signed();
    match i128::from(count) {
        0 => None,
        1 => Some(sum),
        -1 => Some(signed.wrapping_neg().cast_unsigned()),
        count => (signed % count == 0).then(|| (signed / count).cast_unsigned()),
    }
}

/// Returns a hash of an element that is not the sum of the hashes of others, in one multiplication.
///
/// An element holds a hash already: in `row`, or half of it in the lower half of `row` and half in
/// that of `key`. Either way both factors are random, and each bit of it is in one of them.
fn check(element: RowElement) -> u64 {
    let [key, key_high] = halves(element.key);
    let [row, row_high] = halves(element.row);
    let [low, high] = halves(u128::from(row ^ key_high) * u128::from(row_high ^ key));
    low ^ high
}

/// Returns the lower half of a number, and the upper.
#[expect(clippy::cast_possible_truncation, reason = "halves are wanted")]
fn halves(number: u128) -> [u64; 2] {
    [number as u64, (number >> 64) as u64]
}

/// Returns the cells of an element, one in each third, by three parts of its check.
fn places(check: u64, cells: usize) -> [usize; PLACES] {
    let third = cells / PLACES;
    let mut parts = check;
    std::array::from_fn(|index| {
        let part = parts & ((1 << PLACE_BITS) - 1);
        parts >>= PLACE_BITS;
        let place = (part * third as u64) >> PLACE_BITS;
        index * third + usize::try_from(place).expect("less than a third of the cells")
    })
}

/// Estimates the number of elements in the cells of a difference.
///
/// Alone in a cell each makes the square of its count 1. The share of several in one cell evens out
/// over all cells, but for as much as one side has more rows than the other.
fn about(cells: &[SketchCell]) -> u128 {
    let places = PLACES as u128;
    let squares = cells
        .iter()
        .map(|cell| u128::from(cell.count.unsigned_abs()).pow(2))
        .fold(0, u128::saturating_add);
    let all: i128 = cells.iter().map(|cell| i128::from(cell.count)).sum();
    let more = all.unsigned_abs() / places;
    let even = more.saturating_mul(more) / (cells.len() as u128 / places);
    (squares / places).saturating_sub(even).max(more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use xxhash_rust::xxh3::xxh3_128;

    fn keyed(key: u32, row: u32) -> RowElement {
        let row = xxh3_128(&[key.to_le_bytes(), row.to_le_bytes()].concat());
        RowElement { key: xxh3_128(&key.to_le_bytes()), row }
    }

    fn keyless(row: u32) -> RowElement {
        let row = xxh3_128(&row.to_le_bytes());
        RowElement { key: row & u128::from(u64::MAX), row: row >> 64 }
    }

    fn sketch(cells: usize, elements: impl IntoIterator<Item = RowElement>) -> RowSketch {
        let mut sketch = RowSketch::new(cells);
        elements.into_iter().for_each(|element| sketch.add(element, element.row));
        sketch
    }

    #[test]
    fn every_difference_is_read_back() {
        for differing in [0, 1, 2, 100, 1000] {
            // Half of them stale, a quarter missing, a quarter phantom.
            let left = (0..20_000).filter(|key| key % 4 != 1 || *key >= differing);
            let right = (0..20_000).filter(|key| key % 4 != 3 || *key >= differing);
            let changed = |key: u32| u32::from(key < differing && key.is_multiple_of(2));
            let left: HashSet<_> = left.map(|key| keyed(key, 0)).collect();
            let right: HashSet<_> = right.map(|key| keyed(key, changed(key))).collect();
            let cells = 3_000;
            let found = sketch(cells, left.iter().copied())
                .difference(&sketch(cells, right.iter().copied()))
                .unwrap();
            let of =
                |sign| found.iter().filter(move |one| one.count == sign).map(|one| one.element);
            let lost: HashSet<_> = left.difference(&right).copied().collect();
            let new: HashSet<_> = right.difference(&left).copied().collect();
            assert_eq!(of(1).collect::<HashSet<_>>(), lost);
            assert_eq!(of(-1).collect::<HashSet<_>>(), new);
            assert_eq!(found.len(), lost.len() + new.len());
        }
    }

    #[test]
    fn rows_without_a_key_are_counted() {
        let left = (0..500).flat_map(|row| vec![keyless(row); 1 + row as usize % 7]);
        let right = (0..500).flat_map(|row| vec![keyless(row); row as usize % 5]);
        let found = sketch(1_500, left).difference(&sketch(1_500, right)).unwrap();
        let expected = (0..500_i64).filter(|row| 1 + row % 7 != row % 5);
        assert_eq!(found.len(), expected.clone().count());
        for row in expected {
            let element = keyless(u32::try_from(row).unwrap());
            let count = 1 + row % 7 - row % 5;
            assert!(found.contains(&SurplusRow { element, count }), "{row}");
        }
    }

    #[test]
    fn too_many_differences_are_no_false_ones() {
        let left = sketch(300, (0..5_000).map(|key| keyed(key, 0)));
        let right = sketch(300, (0..5_000).map(|key| keyed(key, 1)));
        let TooMany { about } = left.difference(&right).unwrap_err();
        assert!((7_000..13_000).contains(&about), "{about}");
    }

    #[test]
    fn how_much_differs_is_estimated() {
        for (left, right) in [(0, 20_000), (3_000, 3_000), (50_000, 20_000), (0, 1_000_000)] {
            let one = sketch(1_000, (0..left).map(|key| keyed(key, 0)));
            let other = sketch(1_000, (0..right).map(|key| keyed(key, 1)));
            let about = one.difference(&other).unwrap_err().about;
            let exact = u128::from(left + right);
            assert!(about.abs_diff(exact) < exact / 6, "{left} and {right}: {about}");
        }
    }
}
