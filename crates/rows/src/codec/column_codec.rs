//! The encodings, one by one.

use crate::codec::rendered::RenderFormat;
use handoff_schema::TextEncoding;

/// The encoding of the values of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnCodec {
    /// Integers to `smallint`.
    Int2,
    /// Integers to `integer`.
    Int4,
    /// Integers to `bigint`.
    Int8,
    /// Integers to `numeric`.
    IntNumeric { whole_digits: u8, scale: u8 },
    /// DECIMAL to `numeric`.
    Numeric { whole_digits: u8, scale: u8 },
    /// FLOAT to `real`.
    Real,
    /// FLOAT and DOUBLE to `double precision`.
    Double,
    /// Integers and BIT(1) to `boolean`.
    Boolean,
    /// BIT(n) to `bit(n)`.
    Bits(u8),
    /// DATE to `date`.
    Date,
    /// DATE, DATETIME and TIMESTAMP to `timestamp` and `timestamptz`.
    Timestamp,
    /// TIME to `interval`.
    Interval,
    /// TIME to `time`.
    Time,
    /// Texts and ENUM to `text`.
    Text(TextEncoding),
    /// SET to `text[]`. Where a label of the column is empty, every label of a value has a comma
    /// behind it.
    Labels { encoding: TextEncoding, terminated: bool },
    /// Numbers, dates, times, UUID and INET to `text`, as MySQL prints them.
    Rendered(RenderFormat),
    /// Bytes as they are to `bytea`.
    Bytes,
    /// JSON to `jsonb`.
    Jsonb(TextEncoding),
    /// UUID to `uuid`.
    UuidText,
    /// BINARY(16) to `uuid`.
    UuidBytes,
    /// INET4 and INET6 to `inet`.
    Inet,
    /// Geometries to EWKB in `bytea`.
    Ewkb,
    /// VECTOR to `real[]`.
    Vector,
    /// No value of the type can be carried as the column's.
    Unknown,
}
