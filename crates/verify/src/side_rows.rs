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
pub(crate) struct SideRows {
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

impl SideRows {
    /// Makes the sight of a side in which rows are looked up by keys that it may take for each other,
    /// such as two spellings of a text: a row then comes once for each statement that asks for it.
    pub(crate) fn repeating() -> SideRows {
        SideRows { repeats: true, ..SideRows::default() }
    }

    /// Takes in a row, if it is wanted.
    pub(crate) fn see(&mut self, shape: &TupleShape, wanted: &WantedKeys<'_>, tuple: &[u8]) {
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
