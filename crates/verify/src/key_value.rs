//! Canonical values as MySQL compares them.

use crate::show::{moment, numeric, uuid};
use handoff_model::KeyValue;
use handoff_schema::{MappedColumn, MySqlType, PgType, TextEncoding};
use jiff::civil::DateTime;

/// Returns a canonical value as a parameter that MySQL compares with `column` without losing
/// anything; [`None`] for a type of which that is not known for sure.
pub(crate) fn key_value(column: &MappedColumn, value: &[u8]) -> Option<KeyValue> {
    use MySqlType as M;
    match &column.source.kind {
        M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) | M::Year => {
            integer(&column.pg, value)
        }
        M::Decimal { .. } if matches!(column.pg, PgType::Numeric { .. }) => {
            Some(KeyValue::Bytes(numeric(value)?.into_bytes()))
        }
        M::Date | M::DateTime(_) | M::Timestamp(_) => date_time(moment(&column.pg, value)?),
        M::Char | M::VarChar | M::Text
            if column.pg == PgType::Text
                && matches!(
                    column.source.text_encoding(),
                    Some(TextEncoding::Utf8 | TextEncoding::Ascii)
                ) =>
        {
            Some(KeyValue::Bytes(value.to_vec()))
        }
        M::Binary(_) | M::VarBinary | M::Blob if column.pg == PgType::Bytea => {
            Some(KeyValue::Bytes(value.to_vec()))
        }
        M::Binary(16) if column.pg == PgType::Uuid => Some(KeyValue::Bytes(value.to_vec())),
        M::Uuid if column.pg == PgType::Uuid => Some(KeyValue::Bytes(uuid(value)?.into_bytes())),
        _ => None,
    }
}

fn integer(kind: &PgType, value: &[u8]) -> Option<KeyValue> {
    Some(KeyValue::Int(match kind {
        PgType::Boolean => i64::from(value == [1]),
        PgType::SmallInt => i16::from_be_bytes(value.try_into().ok()?).into(),
        PgType::Integer => i32::from_be_bytes(value.try_into().ok()?).into(),
        PgType::BigInt => i64::from_be_bytes(value.try_into().ok()?),
        PgType::Numeric { scale: 0, .. } => {
            let digits = numeric(value)?;
            let unsigned = digits.parse().map(KeyValue::UInt);
            return unsigned.or_else(|_| digits.parse().map(KeyValue::Int)).ok();
        }
        _ => return None,
    }))
}

fn date_time(moment: DateTime) -> Option<KeyValue> {
    let small = |number: i8| u8::try_from(number).ok();
    Some(KeyValue::DateTime(
        u16::try_from(moment.year()).ok()?,
        small(moment.month())?,
        small(moment.day())?,
        small(moment.hour())?,
        small(moment.minute())?,
        small(moment.second())?,
        u32::try_from(moment.subsec_nanosecond() / 1000).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{Column, default_type};

    #[track_caller]
    fn check(kind: &str, value: &[u8], expected: impl Into<Option<KeyValue>>) {
        let source = Column::of_type("k", kind).unwrap();
        let pg = default_type(&source.kind);
        let (pg_name, nullable, key) = (String::new(), false, true);
        let column = MappedColumn { source, pg, pg_name, nullable, key };
        assert!(key_value(&column, value) == expected.into(), "{kind}");
    }

    #[test]
    fn values_are_what_mysql_holds() {
        check("int", &[0xff; 4], KeyValue::Int(-1));
        check("bigint unsigned", &[0, 1, 0, 1, 0, 0, 0, 0, 0, 7], KeyValue::UInt(70_000));
        check(
            "decimal(9,2)",
            &[0, 1, 0, 0, 0x40, 0, 0, 2, 0, 12],
            Some(KeyValue::Bytes(b"-12.00".to_vec())),
        );
        check("date", &[0; 4], Some(KeyValue::DateTime(2000, 1, 1, 0, 0, 0, 0)));
        let minus: [u8; 8] = (-1_i64).to_be_bytes();
        let expected = KeyValue::DateTime(1999, 12, 31, 23, 59, 59, 999_999);
        check("datetime(6)", &minus, Some(expected));
        check("varchar(9)", b"a", Some(KeyValue::Bytes(b"a".to_vec())));
        check("float", &[0; 4], None);
        check("time", &[0; 16], None);
    }
}
