//! The rows of a table to move.

use crate::key::{KeyRange, KeyValue};
use crate::name::ColumnName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The highest value of a watermark column that is known to have been moved.
///
/// Typed, so that an integer is never compared with a date (in the system that this one replaces
/// such a comparison copied no rows).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "value")]
pub enum Watermark {
    /// An integer column. Finds new rows only, never changed ones.
    Integer(i128),
    /// A DECIMAL column, as its digits.
    Decimal(String),
    /// A DATE column, `YYYY-MM-DD`.
    Date(String),
    /// A DATETIME column, `YYYY-MM-DD hh:mm:ss[.ffffff]`, in no zone.
    DateTime(String),
    /// A TIMESTAMP column, `YYYY-MM-DD hh:mm:ss[.ffffff]` in UTC.
    Timestamp(String),
}

impl fmt::Display for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Watermark::Integer(value) => value.fmt(f),
            Watermark::Decimal(text)
            | Watermark::Date(text)
            | Watermark::DateTime(text)
            | Watermark::Timestamp(text) => f.write_str(text),
        }
    }
}

/// One watermark column and the half-open window `from <= column < below` of it to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatermarkWindow {
    /// The column.
    pub column: ColumnName,
    /// The lower end, included: the last good watermark less the overlap.
    pub from: Watermark,
    /// The upper end, excluded, where the column has a clock to bound it by.
    pub below: Option<Watermark>,
}

/// The rows of a table to move.
#[derive(Debug, Clone, PartialEq)]
pub enum RowFilter {
    /// All of them.
    All,
    /// Those in a range of the key.
    Range(KeyRange),
    /// Those with one of these keys, one [`KeyValue`] a key column: a few hundred at most, since they
    /// become one statement.
    Keys(Vec<Vec<KeyValue>>),
    /// Those that may have changed since they were last moved.
    Changed {
        /// Windows of columns; a row in one of them is meant.
        bounds: Vec<WatermarkWindow>,
        /// A row is meant as well if all of these are NULL in it, so that no window can find it.
        /// None if this is empty.
        nulls: Vec<ColumnName>,
    },
}
