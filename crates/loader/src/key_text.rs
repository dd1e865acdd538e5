//! A row's key as far as it may be shown.

use crate::tuple;
use handoff_rows::{hash_row, shown_key};
use handoff_schema::TableMapping;

/// Returns the key of a row for an error message: a value that [`shown_key`] shows as it is, any other,
/// which may be a person's name, as the first 8 hex digits of its hash.
pub(crate) fn key_text(mapping: &TableMapping, row: &[u8]) -> String {
    let fields: Vec<_> = tuple::fields(row).collect();
    if mapping.key.is_empty() {
        return format!("#{}", short_hash(row));
    }
    let mut parts = Vec::with_capacity(mapping.key.len());
    for &index in &mapping.key {
        let field = fields.get(index).copied().flatten().unwrap_or_default();
        let shown = shown_key(&mapping.columns[index].pg, field);
        parts.push(shown.unwrap_or_else(|| format!("#{}", short_hash(field))));
    }
    parts.join(", ")
}

fn short_hash(bytes: &[u8]) -> String {
    format!("{:032x}", hash_row(bytes))[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mapping;

    #[test]
    fn a_number_is_shown_and_a_row_without_a_key_is_told_by_its_hash() {
        let row = [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1, b'x'];
        assert_eq!(key_text(&mapping(true), &row), "7");
        let hidden = key_text(&mapping(false), &row);
        assert_eq!(hidden, format!("#{}", short_hash(&row)));
        assert_eq!(hidden.len(), 9);
    }
}
