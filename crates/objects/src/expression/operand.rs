//! The operands of an expression, and the operators that mean the same in both dialects.

use super::not_shared::NotShared;
use crate::literal;
use handoff_connect::{quote_pg, quote_pg_text};
use handoff_schema::{ColumnSchema, MappedColumn, MySqlType, PgType};

/// The rule by which the source takes texts for equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextEquality {
    /// A constant takes the rule of the other side.
    Constant,
    /// By their bytes.
    Bytes,
    /// By their bytes without the blanks at the end.
    Padded,
    /// By a collation that takes different letters for one.
    Loose,
    /// A label of an ENUM: one of a known list.
    Label,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    /// A whole number of at most 64 bits.
    Whole,
    /// An exact number.
    Decimal,
    /// A number in floating point.
    Float,
    /// A text.
    Text(TextEquality),
    /// True, false or unknown.
    Truth,
    /// A day.
    Date,
    /// A day and a time without a zone.
    DateTime,
    /// NULL.
    Null,
    /// Anything else, which may be compared with NULL alone.
    Other,
}

impl ValueKind {
    pub(crate) fn is_number(self) -> bool {
        matches!(self, ValueKind::Whole | ValueKind::Decimal | ValueKind::Float)
    }

    fn of_column(column: &MappedColumn) -> ValueKind {
        match (&column.pg, &column.source.kind) {
            (PgType::SmallInt | PgType::Integer | PgType::BigInt, _) => ValueKind::Whole,
            (PgType::Numeric { .. }, _) => ValueKind::Decimal,
            (PgType::Real | PgType::DoublePrecision, _) => ValueKind::Float,
            (PgType::Text, MySqlType::Enum(_)) => ValueKind::Text(TextEquality::Label),
            (PgType::Text, MySqlType::Char | MySqlType::VarChar | MySqlType::Text) => {
                ValueKind::Text(text_equality(&column.source))
            }
            (PgType::Date, _) => ValueKind::Date,
            (PgType::Timestamp(_), _) => ValueKind::DateTime,
            _ => ValueKind::Other,
        }
    }
}

/// Returns the rule by which the source compares the texts of a column.
pub(crate) fn text_equality(column: &ColumnSchema) -> TextEquality {
    let collation = column.collation.as_deref().unwrap_or("utf8mb4_bin");
    let is_bytes = collation == "binary" || collation.ends_with("_bin");
    let is_padded =
        !(collation == "binary" || collation.contains("_nopad_") || collation.contains("_0900_"));
    match (is_bytes, is_padded) {
        (false, _) => TextEquality::Loose,
        (true, true) => TextEquality::Padded,
        (true, false) => TextEquality::Bytes,
    }
}

/// A part of an expression in PostgreSQL's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operand {
    pub(super) sql: String,
    pub(super) kind: ValueKind,
    /// The constant that it is: the text without quotes, the number as it is written.
    pub(super) constant: Option<String>,
    /// The labels of an ENUM.
    pub(super) labels: Vec<String>,
}

impl Operand {
    pub(super) fn truth_of(sql: String) -> Operand {
        Operand { sql, kind: ValueKind::Truth, constant: None, labels: Vec::new() }
    }

    /// Returns a condition, or its opposite.
    pub(super) fn negated_if(is_negated: bool, sql: String) -> Operand {
        Operand::truth_of(if is_negated { format!("(NOT {sql})") } else { sql })
    }

    pub(super) fn number(number: String) -> Operand {
        let kind = match number.contains(['.', 'e', 'E']) {
            _ if number.contains(['e', 'E']) => ValueKind::Float,
            false if number.parse::<i64>().is_ok() => ValueKind::Whole,
            _ => ValueKind::Decimal,
        };
        Operand { kind, constant: Some(number.clone()), ..Operand::truth_of(number) }
    }

    pub(super) fn text(text: &str) -> Operand {
        let kind = ValueKind::Text(TextEquality::Constant);
        let constant = Some(text.to_owned());
        Operand { kind, constant, ..Operand::truth_of(quote_pg_text(text)) }
    }

    pub(super) fn null() -> Operand {
        Operand { kind: ValueKind::Null, ..Operand::truth_of("NULL".to_owned()) }
    }

    pub(super) fn column(column: &MappedColumn) -> Result<Operand, NotShared> {
        let labels = match &column.source.kind {
            MySqlType::Enum(labels) => labels.clone(),
            _ => Vec::new(),
        };
        let sql = quote_pg(column.pg_name.as_str());
        Ok(Operand { sql, kind: ValueKind::of_column(column), constant: None, labels })
    }

    /// Returns it as a condition; a number is one in MySQL.
    pub(super) fn truth(&self) -> Result<String, NotShared> {
        match self.kind {
            ValueKind::Truth => Ok(self.sql.clone()),
            ValueKind::Null => Ok("NULL::boolean".to_owned()),
            kind if kind.is_number() => Ok(format!("({} <> 0)", self.sql)),
            _ => Err(NotShared::new("a value in the place of a condition")),
        }
    }

    pub(super) fn negative(&self) -> Result<Operand, NotShared> {
        if !self.kind.is_number() {
            return Err(NotShared::new("the sign - before no number"));
        }
        let constant = self.constant.as_ref().map(|number| format!("-{number}"));
        let sql = match &constant {
            Some(constant) => format!("({constant})"),
            None => format!("(- {})", self.widened()),
        };
        Ok(Operand { kind: self.kind, constant, ..Operand::truth_of(sql) })
    }

    /// Calculates. MySQL does so in 64 bits, in floating point with doubles, and divides whole numbers and decimals
    /// with a rounding of its own.
    pub(super) fn calculate(&self, sign: &str, other: &Operand) -> Result<Operand, NotShared> {
        let (one, two) = (self.kind, other.kind);
        if !one.is_number() || !two.is_number() {
            return Err(NotShared::new(format!("the sign {sign} between no numbers")));
        }
        let is_float = one == ValueKind::Float || two == ValueKind::Float;
        let kind = match is_float {
            true => ValueKind::Float,
            false if one == ValueKind::Whole && two == ValueKind::Whole => ValueKind::Whole,
            false => ValueKind::Decimal,
        };
        let (left, right) = (self.widened(), other.widened());
        let sql = match (sign, is_float) {
            ("/", false) => {
                return Err(NotShared::new("a division that rounds"));
            }
            ("/", true) => format!("({left} / NULLIF({right}, 0))"),
            _ => format!("({left} {sign} {right})"),
        };
        Ok(Operand { kind, ..Operand::truth_of(sql) })
    }

    /// Returns a number in the width in which MySQL calculates.
    fn widened(&self) -> String {
        match self.kind {
            ValueKind::Whole => format!("{}::bigint", self.sql),
            ValueKind::Float => format!("{}::double precision", self.sql),
            _ => self.sql.clone(),
        }
    }

    pub(super) fn compare(&self, sign: &str, other: &Operand) -> Result<Operand, NotShared> {
        let sign = if sign == "!=" { "<>" } else { sign };
        let (one, two) = (self.kind, other.kind);
        let pair = match (one, two) {
            (ValueKind::Text(left), ValueKind::Text(right)) => {
                let rule = shared_rule(self, left, other, right)?;
                let is_equality = matches!(sign, "=" | "<>");
                if !is_equality {
                    return Err(NotShared::new("an order of texts"));
                }
                match rule {
                    TextEquality::Padded => (self.without_blanks(), other.without_blanks()),
                    _ => (self.sql.clone(), other.sql.clone()),
                }
            }
            (kind @ (ValueKind::Date | ValueKind::DateTime), ValueKind::Text(_)) => {
                (self.sql.clone(), other.as_time(kind)?)
            }
            (ValueKind::Text(_), kind @ (ValueKind::Date | ValueKind::DateTime)) => {
                (self.as_time(kind)?, other.sql.clone())
            }
            (one, two) if one == two && matches!(one, ValueKind::Date | ValueKind::DateTime) => {
                (self.sql.clone(), other.sql.clone())
            }
            (one, two) if one.is_number() && two.is_number() => {
                (self.compared(two), other.compared(one))
            }
            _ => return Err(NotShared::new("a comparison of unlike values")),
        };
        Ok(Operand::truth_of(format!("({} {sign} {})", pair.0, pair.1)))
    }

    /// Returns a number for the comparison with one of the kind `other`.
    fn compared(&self, other: ValueKind) -> String {
        let is_float = self.kind == ValueKind::Float || other == ValueKind::Float;
        if is_float { format!("{}::double precision", self.sql) } else { self.sql.clone() }
    }

    fn without_blanks(&self) -> String {
        match &self.constant {
            Some(text) => quote_pg_text(text.trim_end_matches(' ')),
            None => format!("rtrim({}, ' ')", self.sql),
        }
    }

    fn as_time(&self, kind: ValueKind) -> Result<String, NotShared> {
        let constant = self.constant.as_deref().and_then(|text| temporal(text, kind));
        constant.ok_or_else(|| NotShared::new("a comparison of a time with a text"))
    }

    fn has_label(&self, label: &Operand) -> bool {
        label.constant.as_ref().is_some_and(|label| self.labels.contains(label))
    }
}

/// Returns the rule by which two texts are compared.
fn shared_rule(
    left: &Operand,
    of_left: TextEquality,
    right: &Operand,
    of_right: TextEquality,
) -> Result<TextEquality, NotShared> {
    use TextEquality as T;
    match (of_left, of_right) {
        (T::Label, T::Constant) if left.has_label(right) => Ok(T::Bytes),
        (T::Constant, T::Label) if right.has_label(left) => Ok(T::Bytes),
        (T::Label, _) | (_, T::Label) => Err(NotShared::new("a comparison with no label")),
        (T::Loose, _) | (_, T::Loose) => {
            Err(NotShared::new("a comparison of texts by a collation"))
        }
        // Two constants are compared by the collation of the session.
        (T::Constant, T::Constant) => Err(NotShared::new("a comparison of two constants")),
        (T::Padded, _) | (_, T::Padded) => Ok(T::Padded),
        (T::Bytes, _) | (_, T::Bytes) => Ok(T::Bytes),
    }
}

/// Returns a constant that is a date or a time of the kind, spelled for PostgreSQL.
fn temporal(text: &str, kind: ValueKind) -> Option<String> {
    let is_good = match kind {
        ValueKind::Date => literal::is_date(text),
        ValueKind::DateTime => literal::is_datetime(text),
        _ => false,
    };
    is_good.then(|| quote_pg_text(text))
}
