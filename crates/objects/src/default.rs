//! Defaults of columns.

use crate::expression::{ValueKind, translate};
use crate::literal;
use handoff_connect::quote_pg_text;
use handoff_schema::{ColumnDefault, MappedColumn, MySqlType, PgType, TableMapping};

/// Spells the default of a column for PostgreSQL.
///
/// # Errors
///
/// Returns the reason why it would not be the same value.
pub(crate) fn default_of(column: &MappedColumn, default: &ColumnDefault) -> Result<String, String> {
    match default {
        ColumnDefault::Literal(text) => constant(column, text),
        ColumnDefault::Expression(text) => match Moment::parse(text) {
            Some(moment) => moment.default(column),
            None => expression(column, text),
        },
    }
}

/// A default without columns: it may name none in PostgreSQL.
fn expression(column: &MappedColumn, text: &str) -> Result<String, String> {
    if let Some(bits) = bits(text) {
        return constant(column, bits);
    }
    let no_columns = TableMapping {
        table: handoff_model::TableName::new("t").map_err(|error| error.to_string())?,
        pg_table: String::new(),
        columns: Vec::new(),
        key: Vec::new(),
        notes: Vec::new(),
    };
    let shared = translate(text, &no_columns).map_err(|refused| refused.to_string())?;
    if let Some(text) = shared.constant {
        return constant(column, &text);
    }
    let fits = match column.pg {
        PgType::SmallInt | PgType::Integer | PgType::BigInt => shared.kind == ValueKind::Whole,
        PgType::Numeric { .. } => matches!(shared.kind, ValueKind::Whole | ValueKind::Decimal),
        PgType::DoublePrecision => shared.kind.is_number(),
        _ => false,
    };
    if fits { Ok(shared.sql) } else { Err(format!("its expression is no {}", column.pg)) }
}

/// Returns the digits of `b'101'`.
fn bits(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("b'")?.strip_suffix('\'')?;
    digits.bytes().all(|digit| matches!(digit, b'0' | b'1')).then_some(text)
}

fn constant(column: &MappedColumn, text: &str) -> Result<String, String> {
    match (&column.pg, &column.source.kind) {
        (PgType::Boolean, MySqlType::Bit(_)) => match text {
            "b'0'" => Ok("false".to_owned()),
            "b'1'" => Ok("true".to_owned()),
            _ => refused("it is neither bit"),
        },
        (PgType::Boolean, _) => match text {
            "0" => Ok("false".to_owned()),
            "1" => Ok("true".to_owned()),
            _ => refused("it is neither true nor false"),
        },
        (PgType::Bit(length), _) => bit_constant(text, *length),
        (PgType::SmallInt, MySqlType::Year) => match text.parse::<u16>() {
            Ok(year @ (0 | 1901..=2155)) => Ok(year.to_string()),
            _ => refused("it is no year"),
        },
        (PgType::SmallInt | PgType::Integer | PgType::BigInt, _) => text
            .parse::<i64>()
            .map_or_else(|_| refused("it is no whole number"), |n| Ok(n.to_string())),
        (PgType::Numeric { .. }, _) if literal::is_decimal(text) => Ok(text.to_owned()),
        (PgType::Real | PgType::DoublePrecision, _) if literal::is_float(text) => {
            Ok(quoted(text, &column.pg))
        }
        (PgType::Date, _) if literal::is_date(text) => Ok(quoted(text, &column.pg)),
        (PgType::Timestamp(_), _) if literal::is_datetime(text) => Ok(quoted(text, &column.pg)),
        (PgType::Date | PgType::Timestamp(_), _) => refused("it is no day that there is"),
        (PgType::TimestampTz(_), _) => refused("its moment depends on the time zone of a session"),
        (PgType::Interval | PgType::Time(_), _) if literal::is_time(text) => {
            Ok(quoted(text, &column.pg))
        }
        (PgType::Text, kind) => text_constant(kind, text),
        (PgType::TextArray, MySqlType::Set(labels)) => set_constant(labels, text),
        (PgType::Jsonb, _) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(_) if !text.contains(['?', '\\']) => Ok(quoted(text, &column.pg)),
            _ => refused("it is no JSON of plain characters"),
        },
        (PgType::Bytea, _) => refused("the catalogue does not tell its bytes from their digits"),
        (pg, _) => Err(format!("it is no constant of the type {pg}")),
    }
}

fn refused(why: &str) -> Result<String, String> {
    Err(why.to_owned())
}

fn quoted(text: &str, pg: &PgType) -> String {
    format!("{}::{pg}", quote_pg_text(text))
}

fn bit_constant(text: &str, length: u8) -> Result<String, String> {
    let digits = bits(text).map(|text| text.trim_start_matches("b'").trim_end_matches('\''));
    match digits.map(|digits| digits.trim_start_matches('0')) {
        Some(digits) if digits.len() <= usize::from(length) => {
            Ok(format!("B'{digits:0>width$}'", width = usize::from(length)))
        }
        _ => Err("it is no value of its bits".to_owned()),
    }
}

fn text_constant(kind: &MySqlType, text: &str) -> Result<String, String> {
    match kind {
        // The catalogue prints `?` for a character that it cannot hold.
        _ if text.contains(['?', '\0']) => {
            Err("the catalogue may not know one of its characters".to_owned())
        }
        MySqlType::Enum(labels) if !labels.iter().any(|label| label == text) => {
            Err("it is no label".to_owned())
        }
        // Blanks at the end of a CHAR are none.
        MySqlType::Char => Ok(quote_pg_text(text.trim_end_matches(' '))),
        MySqlType::VarChar | MySqlType::Text | MySqlType::Enum(_) => Ok(quote_pg_text(text)),
        MySqlType::TinyInt(_)
        | MySqlType::SmallInt(_)
        | MySqlType::MediumInt(_)
        | MySqlType::Int(_)
        | MySqlType::BigInt(_) => match text.parse::<i64>() {
            Ok(number) => Ok(quote_pg_text(&number.to_string())),
            Err(_) => Err("it is no whole number".to_owned()),
        },
        _ => Err("its text may be another one in the target".to_owned()),
    }
}

/// The labels of a SET are kept in the order of their declaration.
fn set_constant(labels: &[String], text: &str) -> Result<String, String> {
    let given: Vec<&str> = text.split(',').filter(|label| !label.is_empty()).collect();
    if !given.iter().all(|label| labels.iter().any(|known| known == label)) {
        return Err("it is no label".to_owned());
    }
    let chosen = labels.iter().filter(|label| given.contains(&label.as_str()));
    let chosen: Vec<String> = chosen.map(|label| quote_pg_text(label)).collect();
    Ok(format!("ARRAY[{}]::text[]", chosen.join(", ")))
}

/// The time at which a statement runs, with digits of fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    digits: u8,
    is_day: bool,
}

impl Moment {
    /// Reads what both servers print for it.
    pub(crate) fn parse(text: &str) -> Option<Moment> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(&text);
        let (word, rest) = text.split_at(text.find('(').unwrap_or(text.len()));
        let inside = rest.strip_prefix('(').map_or(Some(""), |rest| rest.strip_suffix(')'))?;
        let digits = if inside.is_empty() { 0 } else { inside.parse().ok().filter(|n| *n <= 6)? };
        match word.trim() {
            "current_timestamp" | "now" | "localtime" | "localtimestamp" => {
                Some(Moment { digits, is_day: false })
            }
            "curdate" | "current_date" => Some(Moment { digits, is_day: true }),
            _ => None,
        }
    }

    /// The time at which ON UPDATE sets a column of so many digits.
    pub(crate) fn of_column(column: &MappedColumn) -> Moment {
        let digits = match column.source.kind {
            MySqlType::DateTime(digits) | MySqlType::Timestamp(digits) => digits,
            _ => 0,
        };
        Moment { digits, is_day: false }
    }

    /// Spells it for a column. MySQL cuts off the digits that it does not keep, and PostgreSQL rounds.
    pub(crate) fn default(self, column: &MappedColumn) -> Result<String, String> {
        let now = match (&column.pg, self.is_day) {
            (PgType::Date, _) => return Ok("CURRENT_DATE".to_owned()),
            (PgType::Timestamp(_), false) => "LOCALTIMESTAMP",
            (PgType::TimestampTz(_), false) => "CURRENT_TIMESTAMP",
            (pg, _) => return Err(format!("it is no constant of the type {pg}")),
        };
        Ok(match self.digits {
            0 => format!("date_trunc('second', {now})"),
            3 => format!("date_trunc('milliseconds', {now})"),
            6 => now.to_owned(),
            digits => format!("{now}({digits})"),
        })
    }
}

#[cfg(test)]
mod tests;
