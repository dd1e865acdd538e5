//! The types of MySQL and MariaDB columns.

/// Whether an integer has a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    /// May be negative.
    Signed,
    /// `UNSIGNED` (or `ZEROFILL`, which implies it).
    Unsigned,
}

/// A column type, parsed from `information_schema.COLUMNS.COLUMN_TYPE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MySqlType {
    /// TINYINT, BOOL.
    TinyInt(Sign),
    /// SMALLINT.
    SmallInt(Sign),
    /// MEDIUMINT.
    MediumInt(Sign),
    /// INT.
    Int(Sign),
    /// BIGINT.
    BigInt(Sign),
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
    /// ENUM with its labels.
    Enum(Vec<String>),
    /// SET with its labels.
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
