//! A row's key as far as it may be shown.

use crate::tuple;
use handoff_rows::{hash_row, shown_key};
use handoff_schema::Mapping;

/// Returns the key of a row for an error message: what [`shown_key`] shows as it is, anything else, which
/// may be a person's name, as the first 8 hex digits of its hash.
pub(crate) fn key_text(mapping: &Mapping, row: &[u8]) -> String {
    let fields: Vec<_> = tuple::fields(row).collect();
    if mapping.key.is_empty() {
        return format!("#{}", short_hash(row));
    }
    let part = |&index: &usize| {
        let field = fields.get(index).copied().flatten().unwrap_or_default();
        shown_key(&mapping.columns[index].pg, field)
            .unwrap_or_else(|| format!("#{}", short_hash(field)))
    };
    mapping.key.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn short_hash(bytes: &[u8]) -> String {
    format!("{:032x}", hash_row(bytes))[..8].to_owned()
}
