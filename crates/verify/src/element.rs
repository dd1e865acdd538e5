//! The stand-in for a row while tables are compared.

use crate::fields::{fields, value};
use handoff_rows::hash_row;
use handoff_schema::{PgType, TableMapping};
use xxhash_rust::xxh3::xxh3_128;

/// The first byte of a key that is a hash.
const HASHED: u8 = 0xff;

/// The most bytes of a key that stand for themselves.
const MOST_PACKED: u32 = 16;

/// A row as the comparison sees it: its key and its content.
///
/// In a table with a key `key` is the key itself where it is short enough, else its hash, and `row` is
/// the hash of the whole row. In a table without one, `key` and `row` are the two halves of the
/// row's hash: rows that are equal cannot be told apart, and are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RowElement {
    pub(crate) key: u128,
    pub(crate) row: u128,
}

/// Makes elements of tuples.
#[derive(Debug, Clone)]
pub(crate) struct TupleShape {
    /// The key's columns, in the order in which they stand in the tuple.
    key: Vec<PackedColumn>,
    /// True if every key has the same length, and fits as it is.
    fixed: bool,
}

#[derive(Debug, Clone, Copy)]
struct PackedColumn {
    index: usize,
    /// The length of its values, if all have the same.
    width: Option<usize>,
}

impl TupleShape {
    pub(crate) fn of(mapping: &TableMapping) -> TupleShape {
        let mut indexes = mapping.key.clone();
        indexes.sort_unstable();
        let key: Vec<PackedColumn> = indexes
            .into_iter()
            .map(|index| PackedColumn { index, width: width(&mapping.columns[index].pg) })
            .collect();
        let whole = key.iter().try_fold(0, |sum, column| Some(sum + column.width?));
        TupleShape { key, fixed: whole.is_some_and(|width| width <= 16) }
    }

    pub(crate) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Returns the element of a tuple and the hash of the whole of it; `key` is working memory.
    pub(crate) fn element(&self, tuple: &[u8], key: &mut Vec<u8>) -> (RowElement, u128) {
        let row = hash_row(tuple);
        if self.key.is_empty() {
            let halves = RowElement { key: row & u128::from(u64::MAX), row: row >> 64 };
            return (halves, row);
        }
        let key = self.pack(tuple).unwrap_or_else(|| {
            self.take_key(tuple, key);
            xxh3_128(key) & (u128::MAX >> 8) | u128::from(HASHED) << 120
        });
        (RowElement { key, row }, row)
    }

    /// Replaces `key` by the fields of a tuple's key.
    pub(crate) fn take_key(&self, tuple: &[u8], key: &mut Vec<u8>) {
        key.clear();
        self.key_fields(tuple).for_each(|field| key.extend_from_slice(field));
    }

    /// Iterates over the fields of a tuple's key.
    fn key_fields<'a>(&'a self, tuple: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let (mut fields, mut behind) = (fields(tuple), 0);
        self.key.iter().map_while(move |column| {
            fields.nth(column.index - std::mem::replace(&mut behind, column.index + 1))
        })
    }

    /// Returns 16 bytes that are the key of a tuple; [`None`] if it does not fit.
    fn pack(&self, tuple: &[u8]) -> Option<u128> {
        // How much is used stands first, unless it is always the same.
        let mut packed = PackedKey { bytes: 0, used: u32::from(!self.fixed) };
        for (column, field) in self.key.iter().zip(self.key_fields(tuple)) {
            let bytes = value(field)?;
            match column.width {
                Some(width) if width == bytes.len() => {}
                Some(_) => return None,
                None => packed.put(&[u8::try_from(bytes.len()).ok()?])?,
            }
            packed.put(bytes)?;
        }
        let key = packed.bytes.unbounded_shl(8 * (MOST_PACKED - packed.used));
        Some(if self.fixed { key } else { key | u128::from(packed.used) << 120 })
    }

    /// Returns the fields of a key from its packed form; [`None`] if that is a hash.
    pub(crate) fn unpack(&self, key: u128) -> Option<Vec<u8>> {
        let packed = key.to_be_bytes();
        let mut rest = match packed {
            _ if self.key.is_empty() => return None,
            _ if self.fixed => &packed[..],
            [HASHED, ..] => return None,
            [used, ..] => packed.get(1..usize::from(used))?,
        };
        let mut fields = Vec::new();
        for column in &self.key {
            let width = match column.width {
                Some(width) => width,
                None => {
                    let (&width, behind) = rest.split_first()?;
                    rest = behind;
                    usize::from(width)
                }
            };
            let (value, behind) = rest.split_at_checked(width)?;
            rest = behind;
            fields.extend_from_slice(&u32::try_from(width).ok()?.to_be_bytes());
            fields.extend_from_slice(value);
        }
        Some(fields)
    }
}

/// The bytes of a key, in the lower bytes of a number.
struct PackedKey {
    bytes: u128,
    used: u32,
}

impl PackedKey {
    fn put(&mut self, value: &[u8]) -> Option<()> {
        let length = u32::try_from(value.len()).ok()?;
        self.used = self.used.checked_add(length).filter(|&used| used <= MOST_PACKED)?;
        self.bytes = self.bytes.unbounded_shl(8 * length) | number(value);
        Some(())
    }
}

/// Reads a number of at most sixteen bytes, of the common lengths at once.
fn number(bytes: &[u8]) -> u128 {
    if let Ok(four) = bytes.try_into() {
        return u32::from_be_bytes(four).into();
    }
    if let Ok(eight) = bytes.try_into() {
        return u64::from_be_bytes(eight).into();
    }
    bytes.iter().fold(0, |number, &byte| number << 8 | u128::from(byte))
}

fn width(kind: &PgType) -> Option<usize> {
    match kind {
        PgType::Boolean => Some(1),
        PgType::SmallInt => Some(2),
        PgType::Integer | PgType::Date | PgType::Real => Some(4),
        PgType::BigInt
        | PgType::DoublePrecision
        | PgType::Timestamp(_)
        | PgType::TimestampTz(_)
        | PgType::Time(_) => Some(8),
        PgType::Uuid | PgType::Interval => Some(16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(kinds: &[&str]) -> TupleShape {
        let widths: Vec<_> = kinds.iter().map(|kind| width(&kind.parse().unwrap())).collect();
        let key = widths.iter().enumerate().map(|(index, &width)| PackedColumn { index, width });
        let sum = widths.iter().try_fold(0, |sum, width| Some(sum + (*width)?));
        TupleShape { key: key.collect(), fixed: sum.is_some_and(|width| width <= 16) }
    }

    /// Returns the fields of a key, each with its length.
    fn fields_of(values: &[&[u8]]) -> Vec<u8> {
        let field = |value: &&[u8]| {
            [&u32::try_from(value.len()).unwrap().to_be_bytes()[..], value].concat()
        };
        values.iter().flat_map(field).collect()
    }

    /// Returns the packed key of a row whose first columns it is.
    fn key(shape: &TupleShape, values: &[&[u8]]) -> u128 {
        let tuple = [&[0, 9][..], &fields_of(values), &fields_of(&[b"other"])].concat();
        let mut key = vec![1];
        let element = shape.element(&tuple, &mut key).0;
        shape.take_key(&tuple, &mut key);
        assert_eq!(key, fields_of(values));
        element.key
    }

    /// Packs a key, and says whether it came back as it was.
    #[track_caller]
    fn check(kinds: &[&str], values: &[&[u8]], fits: bool) {
        let shape = shape(kinds);
        let unpacked = shape.unpack(key(&shape, values));
        assert_eq!(unpacked, fits.then(|| fields_of(values)), "{kinds:?}");
    }

    #[test]
    fn short_keys_come_back_and_long_ones_are_hashed() {
        check(&["integer"], &[&[0xff, 0xff, 0xff, 0xfe]], true);
        check(&["bigint", "bigint"], &[&[0xff; 8], &[1; 8]], true);
        check(&["bigint", "bigint", "smallint"], &[&[1; 8], &[2; 8], &[3; 2]], false);
        check(&["uuid"], &[&[0xff; 16]], true);
        check(&["text"], &[b""], true);
        check(&["text"], &[&[7; 14]], true);
        check(&["text"], &[&[7; 15]], false);
        check(&["text"], &[&[7; 300]], false);
        check(&["text", "text", "integer"], &[b"a", b"bc", &[0; 4]], true);
        check(&["numeric(20,0)"], &[&[0; 14]], true);
        check(&["numeric(20,0)"], &[&[0; 18]], false);
    }

    #[test]
    fn keys_of_several_texts_are_told_apart() {
        let shape = shape(&["text", "text"]);
        assert_ne!(key(&shape, &[b"ab", b"c"]), key(&shape, &[b"a", b"bc"]));
        assert_ne!(key(&shape, &[b"", b"a"]), key(&shape, &[b"a", b""]));
        let long = [7; 20];
        assert_ne!(key(&shape, &[&long, b""]), key(&shape, &[&long, b"a"]));
    }

    #[test]
    fn a_key_is_found_between_other_columns() {
        let column = |index, width| PackedColumn { index, width };
        let shape = TupleShape { key: vec![column(1, Some(2)), column(3, Some(4))], fixed: true };
        let null = [0xff; 4];
        let [ahead, behind] = [&[9][..], &[8; 40]].map(|value| fields_of(&[value]));
        let [one, two] = [&[1, 2][..], &[3, 4, 5, 6]].map(|value| fields_of(&[value]));
        for between in [&null[..], &ahead, &behind] {
            let tuple = [&[0, 5][..], between, &one, between, &two, &behind].concat();
            let element = shape.element(&tuple, &mut Vec::new()).0;
            assert_eq!(element.key, 0x0102_0304_0506 << 80);
            assert_eq!(shape.unpack(element.key), Some([&one[..], &two].concat()));
        }
    }
}
