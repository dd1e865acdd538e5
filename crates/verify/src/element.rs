//! What stands for a row while tables are compared.

use crate::fields::fields;
use handoff_rows::hash_row;
use handoff_schema::Mapping;
use xxhash_rust::xxh3::xxh3_128;

/// A row as the comparison sees it: which one, and what is in it.
///
/// In a table with a key `key` is the hash of the key and `row` that of the whole row. In a table
/// without one, `key` and `row` are the two halves of the row's hash: rows that are equal cannot be
/// told apart, and are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Element {
    pub(crate) key: u128,
    pub(crate) row: u128,
}

/// Makes elements of tuples.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The key's columns, in the order in which they stand in the tuple.
    key: Vec<usize>,
}

impl Shape {
    pub(crate) fn of(mapping: &Mapping) -> Shape {
        let mut key = mapping.key.clone();
        key.sort_unstable();
        Shape { key }
    }

    pub(crate) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Returns the element of a tuple and the hash of the whole of it; `key` is working memory, and
    /// holds the fields of the key afterwards.
    pub(crate) fn element(&self, tuple: &[u8], key: &mut Vec<u8>) -> (Element, u128) {
        let row = hash_row(tuple);
        key.clear();
        if self.key.is_empty() {
            let halves = Element { key: row & u128::from(u64::MAX), row: row >> 64 };
            return (halves, row);
        }
        let mut wanted = self.key.iter();
        let mut next = wanted.next();
        for (index, field) in fields(tuple).enumerate() {
            if next == Some(&index) {
                key.extend_from_slice(field);
                next = wanted.next();
                if next.is_none() {
                    break;
                }
            }
        }
        (Element { key: xxh3_128(key), row }, row)
    }
}
