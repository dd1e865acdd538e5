//! How each column is read from the source and written to the replica.

use handoff_connect::{Flavor, quote_my};
use handoff_schema::{MySqlType, TableSchema};

/// A column that takes a value, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carried {
    /// Its name, quoted.
    pub(crate) name: String,
    /// The expression to read.
    pub(crate) select: String,
    /// How a value is spelled for the replica.
    pub(crate) form: Form,
    /// What the replica makes of the spelling.
    pub(crate) store: Store,
    /// How two stored values are told apart byte for byte.
    pub(crate) image: Image,
    /// Whether the server numbers it by itself.
    pub(crate) numbered: bool,
}

/// How a value is spelled, where the driver's value alone does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Its bytes, digits or shortest exact decimal.
    Plain,
    /// Four digits, since `0` means 2000 and `0000` means 0000.
    Year,
    /// `YYYY-MM-DD`.
    Date,
    /// `YYYY-MM-DD hh:mm:ss` with this many digits of fraction.
    DateTime(u8),
    /// `[-]hhh:mm:ss` with this many digits of fraction.
    Time(u8),
}

/// How the replica stores a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// As it is: bytes in the column's own character set.
    Bytes,
    /// Told that it is text: a type that would take bytes for its own binary form.
    Text,
    /// Told that it is a number: ENUM and SET, whose labels may look like numbers.
    Number,
}

/// What of a stored value differs wherever its bytes do, for a comparison in the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    /// The value.
    Value,
    /// Its number: ENUM and SET.
    Number,
    /// Its bytes, or its text where that has every digit: texts, dates and times.
    Bytes,
    /// Its text, which has no character set of its own: MySQL's JSON.
    Text,
    /// Its value and its text together.
    Float,
}

impl Store {
    /// Returns the expression around `value`, a variable or a parameter.
    pub(crate) fn expression(self, value: &str) -> String {
        match self {
            Store::Bytes => value.to_owned(),
            Store::Text => format!("CONVERT({value} USING utf8mb4)"),
            Store::Number => format!("CAST({value} AS UNSIGNED)"),
        }
    }
}

/// Returns the columns to carry: all of them. What the source computed is data in the replica.
/// `numbers` tells which of them the server numbers by itself.
pub(crate) fn carried(
    table: &TableSchema,
    flavor: Flavor,
    numbers: impl Fn(&str) -> bool,
) -> Vec<Carried> {
    let columns = table.columns.iter();
    columns
        .map(|column| {
            let name = quote_my(column.name.as_str());
            let store = store(&column.kind, flavor);
            let numbered = numbers(column.name.as_str());
            // Not `+ 0`, which has a SET of 64 members pass through a signed number.
            let select = match store {
                Store::Number => format!("CAST({name} AS UNSIGNED)"),
                Store::Bytes | Store::Text => name.clone(),
            };
            let (form, image) = (form(&column.kind), image(&column.kind, flavor));
            Carried { name, select, form, store, image, numbered }
        })
        .collect()
}

fn store(kind: &MySqlType, flavor: Flavor) -> Store {
    match kind {
        MySqlType::Enum(_) | MySqlType::Set(_) => Store::Number,
        MySqlType::Uuid | MySqlType::Inet4 | MySqlType::Inet6 => Store::Text,
        // MariaDB's JSON is a text like any other.
        MySqlType::Json if flavor == Flavor::MySql => Store::Text,
        _ => Store::Bytes,
    }
}

fn image(kind: &MySqlType, flavor: Flavor) -> Image {
    use MySqlType as M;
    match kind {
        M::Enum(_) | M::Set(_) => Image::Number,
        M::Json if flavor == Flavor::MySql => Image::Text,
        M::Char | M::VarChar | M::Text | M::Json => Image::Bytes,
        M::Date | M::DateTime(_) | M::Timestamp(_) | M::Time(_) => Image::Bytes,
        M::Float | M::Double => Image::Float,
        _ => Image::Value,
    }
}

fn form(kind: &MySqlType) -> Form {
    match *kind {
        MySqlType::Year => Form::Year,
        MySqlType::Date => Form::Date,
        MySqlType::DateTime(digits) | MySqlType::Timestamp(digits) => Form::DateTime(digits),
        MySqlType::Time(digits) => Form::Time(digits),
        _ => Form::Plain,
    }
}
