//! Which codec carries a column, and what has to be selected for it.

use super::{Codec, Spelling};
use handoff_connect::quote_my;
use handoff_schema::{Column, MappedColumn, MySqlType, PgType, TextEncoding};

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

    /// Returns the expression to select for a column, and one more where the codec wants to know
    /// whether the server's conversion of a text lost something.
    pub(crate) fn select(self, column: &Column) -> (String, Option<String>) {
        let name = quote_my(column.name.as_str());
        let encoding = match self {
            Codec::Text(encoding) | Codec::Jsonb(encoding) => encoding,
            Codec::Labels { encoding, terminated: false } => encoding,
            // Tells the empty set from the set of the empty label, which print alike.
            Codec::Labels { encoding: TextEncoding::Server, terminated: true } => {
                let ended = format!("CONVERT({name} USING utf8mb4)");
                return (terminated(&ended, &name), Some(is_exact(&name, column)));
            }
            Codec::Labels { terminated: true, .. } => {
                return (terminated(&format!("CAST({name} AS BINARY)"), &name), None);
            }
            _ => return (name, None),
        };
        match encoding {
            // No conversion takes place, whatever the session's character set.
            TextEncoding::Utf8 if is_never_converted(column) => (name, None),
            TextEncoding::Utf8 | TextEncoding::Ascii | TextEncoding::Latin1 => {
                (format!("CAST({name} AS BINARY)"), None)
            }
            TextEncoding::Server => {
                (format!("CONVERT({name} USING utf8mb4)"), Some(is_exact(&name, column)))
            }
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

fn is_never_converted(column: &Column) -> bool {
    matches!(column.charset.as_deref(), None | Some("utf8mb4" | "binary"))
}

fn has_empty_label(labels: &[String]) -> bool {
    labels.iter().any(String::is_empty)
}

fn terminated(text: &str, name: &str) -> String {
    format!("CONCAT({text}, IF({name} + 0 = 0, '', ','))")
}

/// Spells the condition that converting `name` to utf8mb4 loses nothing.
///
/// Either the way back gives the same bytes, or the conversion wrote no `?` and dropped nothing:
/// cp932 and its like have two codes for some characters, and the way back finds only one.
fn is_exact(name: &str, column: &Column) -> String {
    let charset = quote_my(column.charset.as_deref().unwrap_or("utf8mb4"));
    let text = format!("CONVERT({name} USING utf8mb4)");
    format!(
        "{name} IS NULL OR COALESCE(\
         CAST(CONVERT({text} USING {charset}) AS BINARY) = CAST({name} AS BINARY) \
         OR (LOCATE('?', {text}) = 0 AND CHAR_LENGTH({text}) = CHAR_LENGTH({name})), 0)"
    )
}
