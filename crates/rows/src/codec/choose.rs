//! The choice of a column's codec.

use crate::codec::column_codec::ColumnCodec;
use crate::codec::rendered::RenderFormat;
use handoff_schema::{MappedColumn, MySqlType, PgType, TextEncoding};

impl ColumnCodec {
    /// Chooses the encoding of a column's values as its PostgreSQL type.
    pub(crate) fn of(column: &MappedColumn) -> ColumnCodec {
        use MySqlType as M;
        use PgType as P;
        let encoding = column.source.text_encoding().unwrap_or(TextEncoding::Utf8);
        match (&column.source.kind, &column.pg) {
            (kind, pg) if is_integer(kind) => ColumnCodec::of_integer(pg),
            (&M::Decimal { .. }, &P::Numeric { precision, scale }) => {
                ColumnCodec::Numeric { whole_digits: precision.saturating_sub(scale), scale }
            }
            (M::Float, P::Real) => ColumnCodec::Real,
            (M::Float | M::Double, P::DoublePrecision) => ColumnCodec::Double,
            (M::Bit(1), P::Boolean) => ColumnCodec::Boolean,
            (M::Bit(from), P::Bit(to)) if from == to => ColumnCodec::Bits(*to),
            (M::Date, P::Date) => ColumnCodec::Date,
            (M::Date | M::DateTime(_) | M::Timestamp(_), P::Timestamp(_) | P::TimestampTz(_)) => {
                ColumnCodec::Timestamp
            }
            (M::Time(_), P::Interval) => ColumnCodec::Interval,
            (M::Time(_), P::Time(_)) => ColumnCodec::Time,
            (M::Char | M::VarChar | M::Text | M::Enum(_) | M::Json, P::Text) => {
                ColumnCodec::Text(encoding)
            }
            (M::Json | M::Char | M::VarChar | M::Text, P::Jsonb) => ColumnCodec::Jsonb(encoding),
            (M::Set(labels), P::TextArray) => {
                ColumnCodec::Labels { encoding, terminated: has_empty_label(labels) }
            }
            (M::Set(_), P::Text) => ColumnCodec::Text(encoding),
            (M::Binary(_) | M::VarBinary | M::Blob, P::Bytea) => ColumnCodec::Bytes,
            (M::Char | M::VarChar | M::Text | M::Json, P::Bytea) => ColumnCodec::Bytes,
            (M::Binary(16) | M::VarBinary, P::Uuid) => ColumnCodec::UuidBytes,
            (M::Uuid | M::Char | M::VarChar, P::Uuid) => ColumnCodec::UuidText,
            (M::Inet4 | M::Inet6, P::Inet) => ColumnCodec::Inet,
            (M::Geometry, P::Bytea) => ColumnCodec::Ewkb,
            (M::Vector(_), P::RealArray) => ColumnCodec::Vector,
            (M::Decimal { .. } | M::Uuid | M::Inet4 | M::Inet6, P::Text) => {
                ColumnCodec::Rendered(RenderFormat::Plain)
            }
            (M::Date, P::Text) => ColumnCodec::Rendered(RenderFormat::Date),
            (M::DateTime(digits) | M::Timestamp(digits), P::Text) => {
                ColumnCodec::Rendered(RenderFormat::DateTime(*digits))
            }
            (M::Time(digits), P::Text) => ColumnCodec::Rendered(RenderFormat::Time(*digits)),
            _ => ColumnCodec::Unknown,
        }
    }

    fn of_integer(pg: &PgType) -> ColumnCodec {
        match *pg {
            PgType::Boolean => ColumnCodec::Boolean,
            PgType::SmallInt => ColumnCodec::Int2,
            PgType::Integer => ColumnCodec::Int4,
            PgType::BigInt => ColumnCodec::Int8,
            PgType::Numeric { precision, scale } => {
                ColumnCodec::IntNumeric { whole_digits: precision.saturating_sub(scale), scale }
            }
            PgType::Text => ColumnCodec::Rendered(RenderFormat::Plain),
            _ => ColumnCodec::Unknown,
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
