//! What stands for a row while tables are compared.

use crate::fields::{fields, parts};
use handoff_rows::hash_row;
use handoff_schema::{Mapping, PgType};
use xxhash_rust::xxh3::xxh3_128;

/// The first byte of a key that is a hash.
const HASHED: u8 = 0xff;

/// A row as the comparison sees it: which one, and what is in it.
///
/// In a table with a key `key` is the key itself where it is short enough, else its hash, and `row` is
/// the hash of the whole row. In a table without one, `key` and `row` are the two halves of the
/// row's hash: rows that are equal cannot be told apart, and are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Element {
    pub(crate) key: u128,
    pub(crate) row: u128,
}

/// Makes elements of tuples.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The key's columns, in the order in which they stand in the tuple.
    key: Vec<KeyColumn>,
    /// Whether every key has the same length, and fits as it is.
    fixed: bool,
}

#[derive(Debug, Clone, Copy)]
struct KeyColumn {
    index: usize,
    /// The length of its values, if all have the same.
    width: Option<usize>,
}

impl Shape {
    pub(crate) fn of(mapping: &Mapping) -> Shape {
        let mut indexes = mapping.key.clone();
        indexes.sort_unstable();
        let column = |index: usize| KeyColumn { index, width: width(&mapping.columns[index].pg) };
        let key: Vec<KeyColumn> = indexes.into_iter().map(column).collect();
        let width = key.iter().try_fold(0, |sum, column| Some(sum + column.width?));
        Shape { key, fixed: width.is_some_and(|width| width <= 16) }
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
            if next.is_some_and(|column| column.index == index) {
                key.extend_from_slice(field);
                next = wanted.next();
                if next.is_none() {
                    break;
                }
            }
        }
        (Element { key: self.pack(key), row }, row)
    }

    /// Returns 16 bytes that stand for the fields of a key: the key itself, if it fits.
    fn pack(&self, key: &[u8]) -> u128 {
        let mut packed = [0; 16];
        // How much is used stands first, unless it is always the same.
        let mut used = usize::from(!self.fixed);
        let mut put = |bytes: &[u8]| {
            let place = packed.get_mut(used..used + bytes.len())?;
            place.copy_from_slice(bytes);
            used += bytes.len();
            Some(())
        };
        let mut put_all = || {
            for (column, field) in self.key.iter().zip(parts(key)) {
                let value = &field[4..];
                match column.width {
                    Some(width) if width == value.len() => {}
                    Some(_) => return None,
                    None => put(&[u8::try_from(value.len()).ok()?])?,
                }
                put(value)?;
            }
            Some(())
        };
        if put_all().is_none() {
            let mut hash = xxh3_128(key).to_be_bytes();
            hash[0] = HASHED;
            return u128::from_be_bytes(hash);
        }
        if !self.fixed {
            packed[0] = u8::try_from(used).expect("at most 16 bytes are used");
        }
        u128::from_be_bytes(packed)
    }

    /// Returns the fields of a key from what stands for it; [`None`] if that is a hash.
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

    fn shape(kinds: &[&str]) -> Shape {
        let widths: Vec<_> = kinds.iter().map(|kind| width(&kind.parse().unwrap())).collect();
        let key = widths.iter().enumerate().map(|(index, &width)| KeyColumn { index, width });
        let sum = widths.iter().try_fold(0, |sum, width| Some(sum + (*width)?));
        Shape { key: key.collect(), fixed: sum.is_some_and(|width| width <= 16) }
    }

    /// Packs a key, and says whether it came back as it was.
    #[track_caller]
    fn check(kinds: &[&str], values: &[&[u8]], fits: bool) {
        let shape = shape(kinds);
        let mut fields = Vec::new();
        for value in values {
            fields.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
            fields.extend_from_slice(value);
        }
        let unpacked = shape.unpack(shape.pack(&fields));
        assert_eq!(unpacked, fits.then_some(fields), "{kinds:?}");
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
        let fields = |a: &[u8], b: &[u8]| {
            let mut fields = Vec::new();
            for value in [a, b] {
                fields.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
                fields.extend_from_slice(value);
            }
            fields
        };
        assert_ne!(shape.pack(&fields(b"ab", b"c")), shape.pack(&fields(b"a", b"bc")));
        assert_ne!(shape.pack(&fields(b"", b"a")), shape.pack(&fields(b"a", b"")));
    }
}
