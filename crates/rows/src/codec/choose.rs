//! Which codec carries a column.

use super::{Codec, Spelling};
use handoff_schema::{MappedColumn, MySqlType, PgType, TextEncoding};

impl Codec {
    /// Chooses how the values of a column become bytes of its PostgreSQL type.
    pub(crate) fn of(column: &MappedColumn) -> Codec {
        use MySqlType as M;
        use PgType as P;
        let encoding = column.source.text_encoding().unwrap_or(TextEncoding::Utf8);
        match (&column.source.kind, &column.pg) {
            (kind, pg) if is_integer(kind) => Codec::of_integer(pg),
            (&M::Decimal { .. }, &P::Numeric { precision, scale }) => {
                Codec::Numeric { whole_digits: precision.saturating_sub(scale), scale }
            }
            (M::Float, P::Real) => Codec::Real,
            (M::Float | M::Double, P::DoublePrecision) => Codec::Double,
            (M::Bit(1), P::Boolean) => Codec::Boolean,
            (M::Bit(from), P::Bit(to)) if from == to => Codec::Bits(*to),
            (M::Date, P::Date) => Codec::Date,
            (M::Date | M::DateTime(_) | M::Timestamp(_), P::Timestamp(_) | P::TimestampTz(_)) => {
                Codec::Timestamp
            }
            (M::Time(_), P::Interval) => Codec::Interval,
            (M::Time(_), P::Time(_)) => Codec::Time,
            (M::Char | M::VarChar | M::Text | M::Enum(_) | M::Json, P::Text) => {
                Codec::Text(encoding)
            }
            (M::Json | M::Char | M::VarChar | M::Text, P::Jsonb) => Codec::Jsonb(encoding),
            (M::Set(labels), P::TextArray) => {
                Codec::Labels { encoding, terminated: has_empty_label(labels) }
            }
            (M::Set(_), P::Text) => Codec::Text(encoding),
            (M::Binary(_) | M::VarBinary | M::Blob, P::Bytea) => Codec::Bytes,
            (M::Char | M::VarChar | M::Text | M::Json, P::Bytea) => Codec::Bytes,
            (M::Binary(16) | M::VarBinary, P::Uuid) => Codec::UuidBytes,
            (M::Uuid | M::Char | M::VarChar, P::Uuid) => Codec::UuidText,
            (M::Inet4 | M::Inet6, P::Inet) => Codec::Inet,
            (M::Geometry, P::Bytea) => Codec::Ewkb,
            (M::Vector(_), P::RealArray) => Codec::Vector,
            (M::Decimal { .. } | M::Uuid | M::Inet4 | M::Inet6, P::Text) => {
                Codec::Spelled(Spelling::Plain)
            }
            (M::Date, P::Text) => Codec::Spelled(Spelling::Date),
            (M::DateTime(digits) | M::Timestamp(digits), P::Text) => {
                Codec::Spelled(Spelling::DateTime(*digits))
            }
            (M::Time(digits), P::Text) => Codec::Spelled(Spelling::Time(*digits)),
            _ => Codec::Unknown,
        }
    }

    fn of_integer(pg: &PgType) -> Codec {
        match *pg {
            PgType::Boolean => Codec::Boolean,
            PgType::SmallInt => Codec::Int2,
            PgType::Integer => Codec::Int4,
            PgType::BigInt => Codec::Int8,
            PgType::Numeric { precision, scale } => {
                Codec::IntNumeric { whole_digits: precision.saturating_sub(scale), scale }
            }
            PgType::Text => Codec::Spelled(Spelling::Plain),
            _ => Codec::Unknown,
        }
    }
}

fn is_integer(kind: &MySqlType) -> bool {
    use MySqlType as M;
    matches!(
        kind,
        M::TinyInt(_) | M::SmallInt(_) | M::MediumInt(_) | M::Int(_) | M::BigInt(_) | M::Year
    )
}

fn has_empty_label(labels: &[String]) -> bool {
    labels.iter().any(String::is_empty)
}
