//! Values of keys as text.

use handoff_rows::canonical::{moment, numeric};
use handoff_rows::shown_key;
use handoff_schema::PgType;

/// The keys that may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShowKeys {
    /// Integers, UUIDs and dates; of others the first 8 hex digits of their hash.
    #[default]
    Harmless,
    /// All, as text.
    All,
}

/// Returns a canonical value as text, if it may be shown.
pub(crate) fn text(kind: &PgType, value: &[u8], which: ShowKeys) -> Option<String> {
    let harmless = shown_key(kind, value);
    match which {
        ShowKeys::Harmless => harmless,
        ShowKeys::All => harmless.or_else(|| any(kind, value)),
    }
}

fn any(kind: &PgType, value: &[u8]) -> Option<String> {
    Some(match kind {
        PgType::Text => String::from_utf8(value.to_vec()).ok()?,
        PgType::Numeric { .. } => numeric(value)?,
        PgType::Timestamp(_) | PgType::TimestampTz(_) => {
            moment(kind, value)?.strftime("%Y-%m-%d %H:%M:%S%.f").to_string()
        }
        PgType::Real => f32::from_be_bytes(value.try_into().ok()?).to_string(),
        PgType::DoublePrecision => f64::from_be_bytes(value.try_into().ok()?).to_string(),
        _ => value.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_name_is_not_shown() {
        let show =
            |kind: &str, value: &[u8]| text(&kind.parse().unwrap(), value, ShowKeys::Harmless);
        assert_eq!(show("integer", &[0xff, 0xff, 0xff, 0xfe]).as_deref(), Some("-2"));
        assert_eq!(show("text", b"Miller"), None);
        assert_eq!(show("timestamp(0)", &[0; 8]), None);
        let all =
            |kind: &str, value: &[u8]| text(&kind.parse().unwrap(), value, ShowKeys::All).unwrap();
        assert_eq!(all("text", b"Miller"), "Miller");
        assert_eq!(all("timestamp(0)", &[0; 8]), "2000-01-01 00:00:00");
        assert_eq!(all("bytea", &[0, 255]), "00ff");
    }

    #[test]
    fn values_read_as_postgresql_prints_them() {
        let show =
            |kind: &str, value: &[u8]| text(&kind.parse().unwrap(), value, ShowKeys::All).unwrap();
        assert_eq!(show("date", &8_826_i32.to_be_bytes()), "2024-03-01");
        assert_eq!(show("date", &(-730_119_i32).to_be_bytes()), "0001-01-01");
        let numeric = |parts: &[i16]| -> Vec<u8> {
            parts.iter().flat_map(|part| part.to_be_bytes()).collect()
        };
        assert_eq!(show("numeric(20,0)", &numeric(&[2, 2, 0, 0, 1, 5])), "100050000");
        assert_eq!(show("numeric(9,3)", &numeric(&[2, 0, 0x4000, 3, 12, 3400])), "-12.340");
        assert_eq!(show("numeric(9,2)", &numeric(&[0, 0, 0, 2])), "0.00");
        assert_eq!(show("numeric(9,6)", &numeric(&[1, -2, 0, 6, 1200])), "0.000012");
        assert_eq!(show("uuid", &[0x11; 16]), "11111111-1111-1111-1111-111111111111");
    }
}
