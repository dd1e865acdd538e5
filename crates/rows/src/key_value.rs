//! Canonical values as MySQL compares them.

use crate::canonical::{moment, numeric, uuid};
use crate::codec::to_latin1;
use handoff_model::KeyValue;
use handoff_schema::{MappedColumn, MySqlType, PgType, TableMapping, TextEncoding};
use jiff::civil::DateTime;

/// Returns true if rows can be looked up in MySQL by the table's key: there is one, and [`key_value`]
/// knows the types of all of its columns.
pub fn has_key_values(mapping: &TableMapping) -> bool {
    !mapping.key.is_empty() && mapping.key.iter().all(|&index| is_known(&mapping.columns[index]))
}

fn is_known(column: &MappedColumn) -> bool {
    use MySqlType as M;
    match &column.source.kind {
        M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) | M::Year => {
            let integer = [PgType::Boolean, PgType::SmallInt, PgType::Integer, PgType::BigInt];
            integer.contains(&column.pg) || matches!(column.pg, PgType::Numeric { scale: 0, .. })
        }
        M::Decimal { .. } => matches!(column.pg, PgType::Numeric { .. }),
        M::Date => column.pg == PgType::Date,
        M::DateTime(_) | M::Timestamp(_) => {
            matches!(column.pg, PgType::Timestamp(_) | PgType::TimestampTz(_))
        }
        M::Char | M::VarChar | M::Text => {
            let encoding = column.source.text_encoding();
            column.pg == PgType::Text && encoding.is_some_and(|e| e != TextEncoding::Server)
        }
        M::Binary(16) | M::Uuid if column.pg == PgType::Uuid => true,
        M::Binary(_) | M::VarBinary | M::Blob => column.pg == PgType::Bytea,
        _ => false,
    }
}

/// Returns a canonical value as a parameter that MySQL compares with `column` without losing
/// anything.
///
/// [`None`] for a type of which that is not known for sure, and for a value that the column cannot
/// hold, such as a year before the first.
pub fn key_value(column: &MappedColumn, value: &[u8]) -> Option<KeyValue> {
    use MySqlType as M;
    if !is_known(column) {
        return None;
    }
    match &column.source.kind {
        M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) | M::Year => {
            integer(&column.pg, value)
        }
        M::Decimal { .. } => Some(KeyValue::Bytes(numeric(value)?.into_bytes())),
        M::Date | M::DateTime(_) | M::Timestamp(_) => date_time(moment(&column.pg, value)?),
        M::Char | M::VarChar | M::Text => text(column, value),
        M::Uuid => Some(KeyValue::Bytes(uuid(value)?.into_bytes())),
        _ => Some(KeyValue::Bytes(value.to_vec())),
    }
}

fn text(column: &MappedColumn, value: &[u8]) -> Option<KeyValue> {
    Some(KeyValue::Bytes(match column.source.text_encoding()? {
        TextEncoding::Latin1 => to_latin1(std::str::from_utf8(value).ok()?)?,
        _ => value.to_vec(),
    }))
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
    Some(KeyValue::DateTime(
        u16::try_from(moment.year()).ok()?,
        u8::try_from(moment.month()).ok()?,
        u8::try_from(moment.day()).ok()?,
        u8::try_from(moment.hour()).ok()?,
        u8::try_from(moment.minute()).ok()?,
        u8::try_from(moment.second()).ok()?,
        u32::try_from(moment.subsec_nanosecond() / 1000).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{ColumnSchema, default_type};

    #[track_caller]
    fn check(kind: &str, value: &[u8], expected: impl Into<Option<KeyValue>>) {
        let source = ColumnSchema::of_type("k", kind).unwrap();
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
        check("date", &i32::MAX.to_be_bytes(), None);
        check("float", &[0; 4], None);
        check("time", &[0; 16], None);
    }

    #[test]
    fn a_text_goes_back_into_its_own_character_set() {
        let charset = Some("latin1".to_owned());
        let source = ColumnSchema { charset, ..ColumnSchema::of_type("k", "varchar(9)").unwrap() };
        let column = MappedColumn {
            source,
            pg: PgType::Text,
            pg_name: String::new(),
            nullable: false,
            key: true,
        };
        let value = |text: &str| key_value(&column, text.as_bytes());
        assert!(value("ö€\u{81}") == Some(KeyValue::Bytes(vec![0xf6, 0x80, 0x81])));
        assert!(value("\u{80}").is_none() && value("日").is_none());
    }
}
