//! A row's key as far as it may be shown.

use crate::tuple;
use handoff_rows::hash_row;
use handoff_schema::{Mapping, PgType};

/// Returns the key of a row for an error message: integers as they are, anything else, which may
/// be a person's name, as the first 8 hex digits of its hash.
pub(crate) fn key_text(mapping: &Mapping, row: &[u8]) -> String {
    let fields: Vec<_> = tuple::fields(row).collect();
    if mapping.key.is_empty() {
        return format!("#{}", short_hash(row));
    }
    let part = |&index: &usize| {
        let field = fields.get(index).copied().flatten().unwrap_or_default();
        integer(&mapping.columns[index].pg, field)
            .map_or_else(|| format!("#{}", short_hash(field)), |value| value.to_string())
    };
    mapping.key.iter().map(part).collect::<Vec<_>>().join(", ")
}

fn integer(kind: &PgType, field: &[u8]) -> Option<i64> {
    match kind {
        PgType::SmallInt => Some(i16::from_be_bytes(field.try_into().ok()?).into()),
        PgType::Integer => Some(i32::from_be_bytes(field.try_into().ok()?).into()),
        PgType::BigInt => Some(i64::from_be_bytes(field.try_into().ok()?)),
        _ => None,
    }
}

fn short_hash(bytes: &[u8]) -> String {
    format!("{:032x}", hash_row(bytes))[..8].to_owned()
}
