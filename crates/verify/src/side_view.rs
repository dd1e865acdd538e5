//! Rows looked at again.

use crate::element::TupleShape;
use crate::fields::fields;
use crate::key::{RowIdentity, RowKey};
use crate::spill::KeySum;
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// Keys to look at, by their hash, and those of them of which the key itself and the columns are
/// wanted.
pub(crate) struct WantedKeys<'a> {
    pub(crate) keys: &'a HashSet<u128>,
    pub(crate) listed: &'a HashSet<u128>,
}

/// The rows of one side that are looked at again.
#[derive(Default)]
pub(crate) struct SideView {
    pub(crate) held: HashMap<u128, KeySum>,
    pub(crate) details: HashMap<u128, RowDetail>,
    key: Vec<u8>,
    /// True if one row may be met more than once.
    repeats: bool,
}

/// The details of a listed row.
pub(crate) struct RowDetail {
    pub(crate) key: RowKey,
    /// A hash a column: which differ is told by them, without a value being kept.
    columns: Box<[u32]>,
}

impl SideView {
    /// Makes the rows of a side in which rows are looked up by keys that it may take for each other,
    /// such as two spellings of a text: a row then comes once for each statement that asks for it.
    pub(crate) fn repeating() -> SideView {
        SideView { repeats: true, ..SideView::default() }
    }

    /// Takes in a row, if it is wanted.
    pub(crate) fn observe(&mut self, shape: &TupleShape, wanted: &WantedKeys<'_>, tuple: &[u8]) {
        let (element, row) = shape.element(tuple, &mut self.key);
        if !wanted.keys.contains(&element.key) {
            return;
        }
        let held = self.held.entry(element.key).or_default();
        if self.repeats {
            *held = KeySum::default();
        }
        held.add(element.row);
        if wanted.listed.contains(&element.key) {
            let key = if shape.has_key() {
                shape.take_key(tuple, &mut self.key);
                RowIdentity::Fields(self.key[..].into())
            } else {
                RowIdentity::Hash(row)
            };
            let columns = fields(tuple).map(hash).collect();
            self.details.insert(element.key, RowDetail { key: RowKey(key), columns });
        }
    }

    pub(crate) fn held(&self, key: u128) -> KeySum {
        self.held.get(&key).copied().unwrap_or_default()
    }
}

impl RowDetail {
    /// Returns the indexes of the columns that differ.
    pub(crate) fn differing<'a>(
        &'a self,
        other: &'a RowDetail,
    ) -> impl Iterator<Item = usize> + 'a {
        let both = self.columns.iter().zip(&other.columns).enumerate();
        both.filter(|(_, (one, other))| one != other).map(|(index, _)| index)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "any 32 bits of the hash will do")]
fn hash(field: &[u8]) -> u32 {
    xxh3_64(field) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableMapping, TableSchema};
    use handoff_settings::{TableSettings, ValuePolicies};

    fn shape() -> TupleShape {
        let column =
            |name| ColumnSchema { nullable: false, ..ColumnSchema::of_type(name, "int").unwrap() };
        let parts = vec![IndexPart { column: Some(0), prefix: None, descending: false }];
        let indexes = vec![IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts }];
        let columns = vec![column("id"), column("a")];
        let table = TableSchema { columns, indexes, ..TableSchema::empty("t") };
        let mapping =
            TableMapping::new(&table, &TableSettings::default(), &ValuePolicies::default());
        TupleShape::of(&mapping.unwrap())
    }

    fn tuple(id: u8, a: u8) -> Vec<u8> {
        vec![0, 2, 0, 0, 0, 4, 0, 0, 0, id, 0, 0, 0, 4, 0, 0, 0, a]
    }

    fn key(id: u8) -> u128 {
        shape().element(&tuple(id, 0), &mut Vec::new()).0.key
    }

    #[test]
    fn only_wanted_rows_are_held_and_only_listed_ones_with_their_keys() {
        let (keys, listed) = (HashSet::from([key(1), key(2)]), HashSet::from([key(2)]));
        let wanted = WantedKeys { keys: &keys, listed: &listed };
        let mut side = SideView::default();
        for id in 1..=3 {
            side.observe(&shape(), &wanted, &tuple(id, 5));
        }
        assert_eq!([1, 2, 3].map(|id| side.held(key(id)).rows), [1, 1, 0]);
        assert_eq!(side.details.keys().copied().collect::<Vec<_>>(), [key(2)]);
    }

    #[test]
    fn a_row_that_is_met_again_is_counted_once_where_rows_repeat() {
        let keys = HashSet::from([key(1)]);
        let wanted = WantedKeys { keys: &keys, listed: &HashSet::new() };
        for (mut side, rows) in [(SideView::default(), 2), (SideView::repeating(), 1)] {
            side.observe(&shape(), &wanted, &tuple(1, 5));
            side.observe(&shape(), &wanted, &tuple(1, 5));
            assert_eq!(side.held(key(1)).rows, rows);
        }
    }

    #[test]
    fn the_columns_that_differ_are_told_by_their_hashes() {
        let keys = HashSet::from([key(1)]);
        let wanted = WantedKeys { keys: &keys, listed: &keys };
        let [one, other] = [5, 6].map(|a| {
            let mut side = SideView::default();
            side.observe(&shape(), &wanted, &tuple(1, a));
            side.details.remove(&key(1)).unwrap()
        });
        assert_eq!(one.differing(&other).collect::<Vec<_>>(), [1]);
        assert_eq!(one.differing(&one).count(), 0);
    }
}
