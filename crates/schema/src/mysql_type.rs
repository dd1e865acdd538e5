//! The types of MySQL and MariaDB columns.

mod parse;

pub use parse::UnknownType;

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

impl fmt::Display for MySqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use MySqlType as M;
        match self {
            M::TinyInt(sign) => write!(f, "tinyint{sign}"),
            M::SmallInt(sign) => write!(f, "smallint{sign}"),
            M::MediumInt(sign) => write!(f, "mediumint{sign}"),
            M::Int(sign) => write!(f, "int{sign}"),
            M::BigInt(sign) => write!(f, "bigint{sign}"),
            M::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            M::Float => f.write_str("float"),
            M::Double => f.write_str("double"),
            M::Bit(bits) => write!(f, "bit({bits})"),
            M::Year => f.write_str("year"),
            M::Date => f.write_str("date"),
            M::DateTime(digits) => write!(f, "datetime{}", Fraction(*digits)),
            M::Timestamp(digits) => write!(f, "timestamp{}", Fraction(*digits)),
            M::Time(digits) => write!(f, "time{}", Fraction(*digits)),
            M::Char => f.write_str("char"),
            M::VarChar => f.write_str("varchar"),
            M::Text => f.write_str("text"),
            M::Binary(length) => write!(f, "binary({length})"),
            M::VarBinary => f.write_str("varbinary"),
            M::Blob => f.write_str("blob"),
            M::Enum(labels) => write!(f, "enum({})", EnumLabels(labels)),
            M::Set(labels) => write!(f, "set({})", EnumLabels(labels)),
            M::Json => f.write_str("json"),
            M::Uuid => f.write_str("uuid"),
            M::Inet4 => f.write_str("inet4"),
            M::Inet6 => f.write_str("inet6"),
            M::Geometry => f.write_str("geometry"),
            M::Vector(length) => write!(f, "vector({length})"),
        }
    }
}

struct Fraction(u8);

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, "({})", self.0) }
    }
}

struct EnumLabels<'a>(&'a [String]);

impl fmt::Display for EnumLabels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}'")?;
            parse::escape(label, f)?;
            f.write_str("'")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
