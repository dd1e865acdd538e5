//! The key of a row that differs.

use crate::fields::{parts, value};
use crate::show;
use handoff_rows::hash_row;
use handoff_schema::Mapping;
use std::fmt;

/// Which row differs: the values of its key, or in a table without a key its hash.
///
/// A key may be a patient's name, so it prints as its hash; [`RowKey::show`] knows what may be shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(pub(crate) Kept);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kept {
    /// The fields of the key, each with its length, in the order in which they stand in the tuple.
    Fields(Box<[u8]>),
    /// What tells the row apart where it has no key, or the key was not kept.
    Hash(u128),
}

/// Which keys may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShowKeys {
    /// Integers, UUIDs and dates; of others the first 8 hex digits of their hash.
    #[default]
    Harmless,
    /// All, as text.
    All,
}

impl RowKey {
    /// Returns the canonical values of the key's columns (COPY BINARY without lengths), each with its
    /// index into the columns of `mapping`; [`None`] for a table without a key.
    pub fn values<'a>(&'a self, mapping: &Mapping) -> Option<Vec<(usize, &'a [u8])>> {
        let Kept::Fields(fields) = &self.0 else { return None };
        let mut columns = mapping.key.clone();
        columns.sort_unstable();
        // A key has no NULL.
        let values = parts(fields).map(|field| value(field).unwrap_or_default());
        Some(columns.into_iter().zip(values).collect())
    }

    /// Returns the key column by column, in the order of the key, as far as it may be shown.
    pub fn show(&self, mapping: &Mapping, which: ShowKeys) -> Vec<String> {
        let hash = match &self.0 {
            Kept::Fields(_) => None,
            Kept::Hash(hash) => Some(vec![short(*hash)]),
        };
        hash.unwrap_or_else(|| {
            let values = self.values(mapping).unwrap_or_default();
            let of = |column: &usize| {
                let found = values.iter().find(|(index, _)| index == column);
                let value = found.map(|(_, value)| *value).unwrap_or_default();
                let shown = show::text(&mapping.columns[*column].pg, value, which);
                shown.unwrap_or_else(|| short(hash_row(value)))
            };
            mapping.key.iter().map(of).collect()
        })
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match &self.0 {
            Kept::Fields(fields) => short(hash_row(fields)),
            Kept::Hash(hash) => short(*hash),
        })
    }
}

fn short(hash: u128) -> String {
    format!("#{}", &format!("{hash:032x}")[..8])
}
