//! The type mapping.

use crate::mysql_type::{IntegerSign, MySqlType};
use crate::pg_type::PgType;

/// Chooses the PostgreSQL type for a MySQL type.
///
/// Every value of the MySQL type has one of the PostgreSQL type, so mapping never rounds, clips or
/// wraps. The choice depends on the declaration alone, never on data.
///
/// A few values have no counterpart even so, and are left to the policies of `[values]`: dates that
/// no calendar has, NUL bytes and invalid sequences in texts, documents that jsonb refuses.
///
/// | MySQL                          | PostgreSQL         | Why, and what `columns` may say instead    |
/// |--------------------------------|--------------------|--------------------------------------------|
/// | `tinyint`, `tinyint unsigned`  | `smallint`         | no one-byte integer; `boolean`             |
/// | `smallint`                     | `smallint`         |                                            |
/// | `smallint unsigned`            | `integer`          | up to 65 535                               |
/// | `mediumint`, also `unsigned`   | `integer`          | up to 16 777 215                           |
/// | `int`                          | `integer`          |                                            |
/// | `int unsigned`                 | `bigint`           | up to 4 294 967 295                        |
/// | `bigint`                       | `bigint`           |                                            |
/// | `bigint unsigned`              | `numeric(20,0)`    | up to 2^64 - 1; `bigint`                   |
/// | `decimal(p,s)`                 | `numeric(p,s)`     | exact                                      |
/// | `float`                        | `real`             |                                            |
/// | `double`                       | `double precision` |                                            |
/// | `bit(1)`                       | `boolean`          | `bit(1)`                                   |
/// | `bit(n)`                       | `bit(n)`           |                                            |
/// | `year`                         | `smallint`         |                                            |
/// | `date`                         | `date`             | `text`, where a zero date stays            |
/// | `datetime(f)`                  | `timestamp(f)`     | no zone in either; `text`                  |
/// | `timestamp(f)`                 | `timestamptz(f)`   | MySQL stores UTC; `text`                   |
/// | `time(f)`                      | `interval`         | -838 to 838 hours; `time(f)`               |
/// | `char`, `varchar`, all `text`  | `text`             | the source keeps the length; `jsonb`       |
/// | `binary`, `varbinary`, `blob`s | `bytea`            | `uuid` for `binary(16)` and `varbinary`    |
/// | `enum`                         | `text`             | labels change more than rows do            |
/// | `set`                          | `text[]`           | `text`                                     |
/// | `json`                         | `jsonb`            | `text` carries the document as it is       |
/// | `uuid`                         | `uuid`             | `text`                                     |
/// | `inet4`, `inet6`               | `inet`             | `text`                                     |
/// | geometry types                 | `bytea`            | EWKB, SRID kept                            |
/// | `vector(n)`                    | `real[]`           |                                            |
///
/// Any type may also become a wider one that holds every value ([`PgType::widens`]): a wider
/// integer, more digits, `double precision` for `real`. Integers and decimals may become `text`.
/// `docs/types.md` lists for each type all that it may become.
pub fn default_type(mysql: &MySqlType) -> PgType {
    use IntegerSign::{Signed, Unsigned};
    use MySqlType as M;
    use PgType as P;

    match *mysql {
        M::TinyInt(Signed | Unsigned) => P::SmallInt,
        M::SmallInt(Signed) => P::SmallInt,
        M::SmallInt(Unsigned) => P::Integer,
        M::MediumInt(Signed | Unsigned) => P::Integer,
        M::Int(Signed) => P::Integer,
        M::Int(Unsigned) => P::BigInt,
        M::BigInt(Signed) => P::BigInt,
        M::BigInt(Unsigned) => P::Numeric { precision: 20, scale: 0 },
        M::Decimal { precision, scale } => P::Numeric { precision, scale },
        M::Float => P::Real,
        M::Double => P::DoublePrecision,
        M::Bit(1) => P::Boolean,
        M::Bit(bits) => P::Bit(bits),
        M::Year => P::SmallInt,
        M::Date => P::Date,
        M::DateTime(fraction) => P::Timestamp(fraction),
        M::Timestamp(fraction) => P::TimestampTz(fraction),
        M::Time(_) => P::Interval,
        M::Char | M::VarChar | M::Text => P::Text,
        M::Binary(_) | M::VarBinary | M::Blob => P::Bytea,
        M::Enum(_) => P::Text,
        M::Set(_) => P::TextArray,
        M::Json => P::Jsonb,
        M::Uuid => P::Uuid,
        M::Inet4 | M::Inet6 => P::Inet,
        M::Geometry => P::Bytea,
        M::Vector(_) => P::RealArray,
    }
}
