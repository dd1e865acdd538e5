//! The types of PostgreSQL columns, one by one.

/// A PostgreSQL column type; prints as `format_type` and DDL spell it, and parses from that and from
/// the usual short names (`int`, `timestamptz(3)`, …).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PgType {
    /// `boolean`
    Boolean,
    /// `smallint`
    SmallInt,
    /// `integer`
    Integer,
    /// `bigint`
    BigInt,
    /// `numeric(precision,scale)`
    Numeric {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `real`
    Real,
    /// `double precision`
    DoublePrecision,
    /// `bit(n)`
    Bit(u8),
    /// `date`
    Date,
    /// `timestamp(f)`
    Timestamp(u8),
    /// `timestamptz(f)`
    TimestampTz(u8),
    /// `interval`
    Interval,
    /// `time(f)`, by override
    Time(u8),
    /// `text`
    Text,
    /// `text[]`
    TextArray,
    /// `bytea`
    Bytea,
    /// `jsonb`
    Jsonb,
    /// `uuid`
    Uuid,
    /// `inet`
    Inet,
    /// `real[]`
    RealArray,
}
