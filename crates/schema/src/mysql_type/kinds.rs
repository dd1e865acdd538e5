//! The types of MySQL and MariaDB columns, one by one.

use std::fmt;

/// The sign of an integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntegerSign {
    /// May be negative.
    Signed,
    /// `UNSIGNED` (or `ZEROFILL`, which implies it).
    Unsigned,
}

/// A column type, parsed from `information_schema.COLUMNS.COLUMN_TYPE`.
///
/// Lengths of texts, display widths and `ZEROFILL` are dropped: they say nothing about values.
/// Prints as DDL would spell it, and what it prints parses back to the same type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MySqlType {
    /// TINYINT, BOOL.
    TinyInt(IntegerSign),
    /// SMALLINT.
    SmallInt(IntegerSign),
    /// MEDIUMINT.
    MediumInt(IntegerSign),
    /// INT.
    Int(IntegerSign),
    /// BIGINT.
    BigInt(IntegerSign),
    /// DECIMAL(precision, scale).
    Decimal {
        /// Digits in all, 1 to 65.
        precision: u8,
        /// Digits after the point, 0 to 38.
        scale: u8,
    },
    /// FLOAT.
    Float,
    /// DOUBLE.
    Double,
    /// BIT(n), 1 to 64.
    Bit(u8),
    /// YEAR.
    Year,
    /// DATE.
    Date,
    /// DATETIME with digits of fraction, 0 to 6.
    DateTime(u8),
    /// TIMESTAMP with digits of fraction, 0 to 6.
    Timestamp(u8),
    /// TIME with digits of fraction, 0 to 6.
    Time(u8),
    /// CHAR.
    Char,
    /// VARCHAR.
    VarChar,
    /// TINYTEXT, TEXT, MEDIUMTEXT, LONGTEXT.
    Text,
    /// BINARY(n): padded with zero bytes, which are data.
    Binary(u16),
    /// VARBINARY.
    VarBinary,
    /// TINYBLOB, BLOB, MEDIUMBLOB, LONGBLOB.
    Blob,
    /// ENUM with its labels. The catalogue knows no character beyond the Basic Multilingual Plane:
    /// such a label comes with `?` in its place.
    Enum(Vec<String>),
    /// SET with its labels, as for ENUM.
    Set(Vec<String>),
    /// JSON: MySQL's own, or MariaDB's LONGTEXT with a json_valid check.
    Json,
    /// UUID (MariaDB).
    Uuid,
    /// INET4 (MariaDB).
    Inet4,
    /// INET6 (MariaDB).
    Inet6,
    /// GEOMETRY, POINT, LINESTRING, POLYGON, MULTI*, GEOMETRYCOLLECTION.
    Geometry,
    /// VECTOR(n).
    Vector(u16),
}

impl MySqlType {
    /// Returns true if values are texts in a character set.
    pub fn has_charset(&self) -> bool {
        use MySqlType as M;
        matches!(self, M::Char | M::VarChar | M::Text | M::Enum(_) | M::Set(_) | M::Json)
    }
}

impl fmt::Display for IntegerSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IntegerSign::Signed => "",
            IntegerSign::Unsigned => " unsigned",
        })
    }
}
