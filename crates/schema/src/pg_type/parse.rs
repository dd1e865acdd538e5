//! Reads a PostgreSQL type as people and `format_type` write it.

use crate::pg_type::kinds::PgType;
use std::str::FromStr;

/// A text that names none of the types of [`PgType`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PostgreSQL type that Handoff writes")]
pub struct UnknownPgType;

impl FromStr for PgType {
    type Err = UnknownPgType;

    fn from_str(text: &str) -> Result<PgType, UnknownPgType> {
        parse(text).ok_or(UnknownPgType)
    }
}

fn parse(text: &str) -> Option<PgType> {
    let (name, numbers) = cut(text)?;
    let number = |default: u8, most: u8| match numbers[..] {
        [] => Some(default),
        [number] => (number <= most).then_some(number),
        _ => None,
    };
    Some(match name.as_str() {
        "numeric" | "decimal" => match numbers[..] {
            [precision] if precision > 0 => PgType::Numeric { precision, scale: 0 },
            [precision, scale] if precision > 0 => PgType::Numeric { precision, scale },
            _ => return None,
        },
        "bit" => PgType::Bit(number(1, 64).filter(|&bits| bits > 0)?),
        "timestamp" | "timestamp without time zone" => PgType::Timestamp(number(6, 6)?),
        "timestamptz" | "timestamp with time zone" => PgType::TimestampTz(number(6, 6)?),
        "time" | "time without time zone" => PgType::Time(number(6, 6)?),
        _ if !numbers.is_empty() => return None,
        "boolean" | "bool" => PgType::Boolean,
        "smallint" | "int2" => PgType::SmallInt,
        "integer" | "int" | "int4" => PgType::Integer,
        "bigint" | "int8" => PgType::BigInt,
        "real" | "float4" => PgType::Real,
        "double precision" | "float8" => PgType::DoublePrecision,
        "date" => PgType::Date,
        "interval" => PgType::Interval,
        "text" => PgType::Text,
        "text[]" => PgType::TextArray,
        "bytea" => PgType::Bytea,
        "jsonb" => PgType::Jsonb,
        "uuid" => PgType::Uuid,
        "inet" => PgType::Inet,
        "real[]" | "float4[]" => PgType::RealArray,
        _ => return None,
    })
}

/// Takes the numbers in parentheses out of the text, and its case and superfluous blanks.
fn cut(written: &str) -> Option<(String, Vec<u8>)> {
    let text = written.to_ascii_lowercase();
    let (before, inside, after) = match text.split_once('(') {
        Some((before, rest)) => {
            let (inside, after) = rest.split_once(')')?;
            (before, Some(inside), after)
        }
        None => (text.as_str(), None, ""),
    };
    let words: Vec<&str> = before.split_whitespace().chain(after.split_whitespace()).collect();
    let numbers = match inside {
        Some(inside) => inside.split(',').map(|n| n.trim().parse().ok()).collect::<Option<_>>()?,
        None => Vec::new(),
    };
    Some((words.join(" "), numbers))
}
