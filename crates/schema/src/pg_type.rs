//! The types of PostgreSQL columns that MySQL types map to.

use std::fmt;

/// A PostgreSQL column type; prints as DDL spells it.
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

impl fmt::Display for PgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PgType::Boolean => f.write_str("boolean"),
            PgType::SmallInt => f.write_str("smallint"),
            PgType::Integer => f.write_str("integer"),
            PgType::BigInt => f.write_str("bigint"),
            PgType::Numeric { precision, scale } => write!(f, "numeric({precision},{scale})"),
            PgType::Real => f.write_str("real"),
            PgType::DoublePrecision => f.write_str("double precision"),
            PgType::Bit(bits) => write!(f, "bit({bits})"),
            PgType::Date => f.write_str("date"),
            PgType::Timestamp(fraction) => write!(f, "timestamp({fraction}) without time zone"),
            PgType::TimestampTz(fraction) => write!(f, "timestamp({fraction}) with time zone"),
            PgType::Interval => f.write_str("interval"),
            PgType::Time(fraction) => write!(f, "time({fraction}) without time zone"),
            PgType::Text => f.write_str("text"),
            PgType::TextArray => f.write_str("text[]"),
            PgType::Bytea => f.write_str("bytea"),
            PgType::Jsonb => f.write_str("jsonb"),
            PgType::Uuid => f.write_str("uuid"),
            PgType::Inet => f.write_str("inet"),
            PgType::RealArray => f.write_str("real[]"),
        }
    }
}
