//! The types of PostgreSQL columns that MySQL types map to.

mod kinds;
mod parse;

pub use kinds::PgType;
pub use parse::UnknownPgType;

use std::fmt;

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

impl PgType {
    /// Returns true if a column of this type holds every value of a column of type `other`, and no
    /// two of them become one.
    pub fn widens(&self, other: &PgType) -> bool {
        use PgType as P;
        if self == other {
            return true;
        }
        match (self, other) {
            (P::Integer | P::BigInt, P::SmallInt) | (P::BigInt, P::Integer) => true,
            (P::DoublePrecision, P::Real) => true,
            (P::Numeric { precision, scale: 0 }, _) if other.integer_digits().is_some() => {
                other.integer_digits() <= Some(*precision)
            }
            // Another scale would print every value in another way.
            (P::Numeric { precision, scale }, P::Numeric { precision: from, scale: same }) => {
                scale == same && precision >= from
            }
            (P::Timestamp(to), P::Timestamp(from))
            | (P::TimestampTz(to), P::TimestampTz(from))
            | (P::Time(to), P::Time(from)) => to >= from,
            _ => false,
        }
    }

    /// Returns how many digits an integer of this type may have.
    fn integer_digits(&self) -> Option<u8> {
        match self {
            PgType::SmallInt => Some(5),
            PgType::Integer => Some(10),
            PgType::BigInt => Some(19),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let parsed: PgType = text.parse().unwrap();
        assert_eq!(parsed.to_string(), expected, "{text}");
        assert_eq!(expected.parse(), Ok(parsed), "{text}");
    }

    #[test]
    fn types_are_read_as_people_and_servers_write_them() {
        check("int", "integer");
        check(" BOOL ", "boolean");
        check("numeric(20)", "numeric(20,0)");
        check("numeric( 20 , 4 )", "numeric(20,4)");
        check("timestamptz(3)", "timestamp(3) with time zone");
        check("timestamp (3)  without time zone", "timestamp(3) without time zone");
        check("time", "time(6) without time zone");
        check("double precision", "double precision");
        check("bit(8)", "bit(8)");
        check("text[]", "text[]");
        check("real[]", "real[]");
        for text in ["", "varchar(10)", "numeric", "numeric(0)", "time(7)", "bit(0)", "text(3)"] {
            assert_eq!(text.parse::<PgType>(), Err(UnknownPgType), "{text}");
        }
    }

    #[test]
    fn a_wider_type_holds_every_value() {
        let widens = |wide: &str, narrow: &str| {
            wide.parse::<PgType>().unwrap().widens(&narrow.parse().unwrap())
        };
        assert!(widens("bigint", "smallint"));
        assert!(widens("numeric(10,0)", "integer"));
        assert!(widens("numeric(12,2)", "numeric(10,2)"));
        assert!(widens("timestamp(6)", "timestamp(0)"));
        assert!(!widens("integer", "bigint"));
        assert!(!widens("numeric(9,0)", "integer"));
        assert!(!widens("numeric(12,3)", "numeric(10,2)"));
        assert!(!widens("timestamptz(6)", "timestamp(6)"));
        assert!(!widens("real", "double precision"));
        assert!(!widens("text", "integer"));
    }
}
