//! The one rule by which the value of a key is shown.

use crate::canonical::{moment, numeric, uuid};
use handoff_schema::PgType;

/// Returns the canonical value of a key's column as text, if messages and reports may show it: an
/// integer, a boolean, a UUID or a date. Anything else may be somebody's name, and is told by its hash.
pub fn shown_key(kind: &PgType, value: &[u8]) -> Option<String> {
    match kind {
        PgType::SmallInt => Some(i16::from_be_bytes(value.try_into().ok()?).to_string()),
        PgType::Integer => Some(i32::from_be_bytes(value.try_into().ok()?).to_string()),
        PgType::BigInt => Some(i64::from_be_bytes(value.try_into().ok()?).to_string()),
        PgType::Boolean => Some((value == [1]).to_string()),
        PgType::Numeric { scale: 0, .. } => numeric(value),
        PgType::Uuid => uuid(value),
        PgType::Date => Some(moment(kind, value)?.date().to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_uuids_and_dates_are_shown_and_texts_are_not() {
        let show = |kind: &str, value: &[u8]| shown_key(&kind.parse().unwrap(), value);
        assert_eq!(show("integer", &[0xff, 0xff, 0xff, 0xfe]).as_deref(), Some("-2"));
        assert_eq!(show("date", &8_826_i32.to_be_bytes()).as_deref(), Some("2024-03-01"));
        let uuid = "11111111-1111-1111-1111-111111111111";
        assert_eq!(show("uuid", &[0x11; 16]).as_deref(), Some(uuid));
        assert_eq!(show("text", b"Miller"), None);
        assert_eq!(show("timestamp(0)", &[0; 8]), None);
    }
}
