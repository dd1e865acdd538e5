//! Typed bounds of a key, used to read a table range by range.

/// One column of a key as a server can compare it without losing anything.
///
/// Key values steer reads. They are row values all the same: they never enter a log or an error.
#[derive(Clone, PartialEq)]
pub enum KeyValue {
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A FLOAT, compared in single precision.
    Float(f32),
    /// A DOUBLE.
    Double(f64),
    /// The bytes of a text or binary value, in the column's own character set. DECIMAL too, as
    /// its digits.
    Bytes(Vec<u8>),
    /// A DATE, DATETIME or TIMESTAMP: year, month, day, hour, minute, second, microsecond.
    DateTime(u16, u8, u8, u8, u8, u8, u32),
    /// A TIME: negative, days, hours, minutes, seconds, microseconds.
    Time(bool, u32, u8, u8, u8, u32),
}

impl std::fmt::Debug for KeyValue {
    /// Prints the kind only, since a key may be a patient's name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            KeyValue::Int(_) | KeyValue::UInt(_) => "<integer>",
            KeyValue::Float(_) | KeyValue::Double(_) => "<float>",
            KeyValue::Bytes(_) => "<bytes>",
            KeyValue::DateTime(..) => "<date>",
            KeyValue::Time(..) => "<time>",
        })
    }
}

/// The rows whose key lies in `(after, upto]`, in the order of its index, which may have descending
/// columns; one [`KeyValue`] a key column, `None` is open.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyRange {
    /// Only keys behind this.
    pub after: Option<Vec<KeyValue>>,
    /// Only keys up to and including this.
    pub upto: Option<Vec<KeyValue>>,
}

impl KeyRange {
    /// Every row.
    pub const ALL: KeyRange = KeyRange { after: None, upto: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_key_is_printed() {
        let name = KeyValue::Bytes(b"Smith".to_vec());
        let born = KeyValue::DateTime(1970, 1, 2, 3, 4, 5, 6);
        let keys = [name, born, KeyValue::UInt(4711), KeyValue::Double(0.25)];
        let range = KeyRange { after: Some(keys.to_vec()), upto: None };
        let shown = format!("{range:?}");
        for secret in ["Smith", "1970", "4711", "0.25"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("<bytes>") && shown.contains("<date>"), "{shown}");
    }
}
