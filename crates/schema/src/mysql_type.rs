//! The types of MySQL and MariaDB columns.

mod kinds;
mod parse;

pub use kinds::{IntegerSign, MySqlType};
pub use parse::UnknownType;

use std::fmt;

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
