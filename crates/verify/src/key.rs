//! The key of a row that differs.

use crate::fields::{parts, value};
use crate::show::{self, ShowKeys};
use handoff_model::KeyValue;
use handoff_rows::{hash_row, key_value};
use handoff_schema::TableMapping;
use std::fmt;

/// The identity of a row that differs: the values of its key, or in a table without a key its hash.
///
/// A key may be a patient's name, so it prints as its hash; [`RowKey::show`] knows what may be shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey(pub(crate) RowIdentity);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowIdentity {
    /// The fields of the key, each with its length, in the order in which they stand in the tuple.
    Fields(Box<[u8]>),
    /// The hash that tells the row apart where it has no key, or the key was not kept.
    Hash(u128),
}

impl RowKey {
    /// Makes a key of the canonical values of its columns, in the order in which these stand in the table.
    pub fn of(values: &[&[u8]]) -> RowKey {
        let mut fields = Vec::new();
        for value in values {
            let length = u32::try_from(value.len()).expect("a value has 1 GiB at most");
            fields.extend_from_slice(&length.to_be_bytes());
            fields.extend_from_slice(value);
        }
        RowKey(RowIdentity::Fields(fields.into()))
    }

    /// Returns the canonical values of the key's columns, each with its index into the columns of
    /// `mapping`; [`None`] for a table without a key.
    fn values<'a>(&'a self, mapping: &TableMapping) -> Option<Vec<(usize, &'a [u8])>> {
        let RowIdentity::Fields(fields) = &self.0 else { return None };
        let mut columns = mapping.key.clone();
        columns.sort_unstable();
        // A key has no NULL.
        let values = parts(fields).map(|field| value(field).unwrap_or_default());
        Some(columns.into_iter().zip(values).collect())
    }

    /// Returns the canonical values of the key's columns in the order of the key; [`None`] for a table
    /// without a key.
    pub fn canonical<'a>(&'a self, mapping: &TableMapping) -> Option<Vec<&'a [u8]>> {
        let values = self.values(mapping)?;
        let mut ordered = Vec::with_capacity(values.len());
        for index in &mapping.key {
            ordered.push(values.iter().find(|(column, _)| column == index)?.1);
        }
        Some(ordered)
    }

    /// Returns the key as MySQL compares it without losing anything, in the order of the key; [`None`]
    /// for a table without a key, and for a key of a type that is looked for by reading.
    pub fn key_values(&self, mapping: &TableMapping) -> Option<Vec<KeyValue>> {
        let values = self.canonical(mapping)?;
        let columns = mapping.key.iter().map(|&index| &mapping.columns[index]);
        columns.zip(values).map(|(column, value)| key_value(column, value)).collect()
    }

    /// Returns the key column by column, in the order of the key, as far as it may be shown.
    pub fn show(&self, mapping: &TableMapping, which: ShowKeys) -> Vec<String> {
        if let RowIdentity::Hash(hash) = self.0 {
            return vec![short(hash)];
        }
        let values = self.canonical(mapping).unwrap_or_default();
        let columns = mapping.key.iter().map(|&index| &mapping.columns[index].pg);
        let shown = columns.zip(values).map(|(kind, value)| {
            show::text(kind, value, which).unwrap_or_else(|| short(hash_row(value)))
        });
        shown.collect()
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match &self.0 {
            RowIdentity::Fields(fields) => short(hash_row(fields)),
            RowIdentity::Hash(hash) => short(*hash),
        })
    }
}

fn short(hash: u128) -> String {
    format!("#{}", &format!("{hash:032x}")[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{ColumnSchema, IndexPart, IndexSchema, TableSchema};
    use handoff_settings::{TableSettings, ValuePolicies};

    #[test]
    fn a_key_holds_its_values_in_the_order_of_the_table_and_tells_them_in_its_own() {
        let column =
            |name| ColumnSchema { nullable: false, ..ColumnSchema::of_type(name, "int").unwrap() };
        let part = |column| IndexPart { column: Some(column), prefix: None, descending: false };
        let parts = vec![part(1), part(0)];
        let key = IndexSchema { name: "PRIMARY".to_owned(), unique: true, parts };
        let columns = vec![column("a"), column("b")];
        let schema = TableSchema { columns, indexes: vec![key], ..TableSchema::empty("t") };
        let mapping =
            TableMapping::new(&schema, &TableSettings::default(), &ValuePolicies::default())
                .unwrap();
        let (one, two) = (1_i32.to_be_bytes(), 2_i32.to_be_bytes());
        let key = RowKey::of(&[&one, &two]);
        assert_eq!(key.canonical(&mapping), Some(vec![&two[..], &one[..]]));
        assert_eq!(key, RowKey::of(&[&one, &two]));
        assert_ne!(key, RowKey::of(&[&two, &one]));
    }
}
