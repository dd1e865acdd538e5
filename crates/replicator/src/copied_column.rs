//! The way of each column from the source to the replica.

use handoff_connect::{ServerFlavor, quote_my};
use handoff_schema::{ColumnSchema, MySqlType, TableSchema};

/// A column that takes a value, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopiedColumn {
    /// The column's name, quoted.
    pub(crate) name: String,
    /// The expression to read.
    pub(crate) select: String,
    /// The text that a value becomes for the replica.
    pub(crate) format: TextFormat,
    /// The replica's reading of that text.
    pub(crate) store: StoreAs,
    /// The expression by which two stored values are compared byte for byte.
    pub(crate) image: ByteImage,
    /// True if the server numbers the column by itself.
    pub(crate) numbered: bool,
}

/// The text form of a value, where the driver's value alone does not determine it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// The bytes, the digits or the shortest exact decimal.
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

/// The replica's reading of a value's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreAs {
    /// As it stands: bytes in the column's own character set.
    Bytes,
    /// Marked as text: for a type that takes bytes for its own binary form.
    Text,
    /// Marked as a number: ENUM and SET, whose labels may look like numbers.
    Number,
}

/// The form in which two stored values are equal only if their bytes are, for a comparison in the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteImage {
    /// The value.
    Value,
    /// The number: ENUM and SET.
    Number,
    /// The bytes, or the text where that has every digit: texts, dates and times.
    Bytes,
    /// The text, which has no character set of its own: MySQL's JSON.
    Text,
    /// The value and the text together.
    Float,
}

impl StoreAs {
    /// Returns the expression around `value`, a variable or a parameter.
    pub(crate) fn expression(self, value: &str) -> String {
        match self {
            StoreAs::Bytes => value.to_owned(),
            StoreAs::Text => format!("CONVERT({value} USING utf8mb4)"),
            StoreAs::Number => format!("CAST({value} AS UNSIGNED)"),
        }
    }
}

/// Returns the columns to copy: all of them. A value that the source computed is data in the replica.
/// `numbers` tells which of them the server numbers by itself.
pub(crate) fn copied_columns(
    table: &TableSchema,
    flavor: ServerFlavor,
    numbers: impl Fn(&str) -> bool,
) -> Vec<CopiedColumn> {
    let columns = table.columns.iter();
    columns.map(|column| copied_column(column, flavor, numbers(column.name.as_str()))).collect()
}

fn copied_column(column: &ColumnSchema, flavor: ServerFlavor, numbered: bool) -> CopiedColumn {
    let (kind, name) = (&column.kind, quote_my(column.name.as_str()));
    let store = store_as(kind, flavor);
    // Not `+ 0`, which has a SET of 64 members pass through a signed number.
    let select = match store {
        StoreAs::Number => format!("CAST({name} AS UNSIGNED)"),
        StoreAs::Bytes | StoreAs::Text => name.clone(),
    };
    let (format, image) = (text_format(kind), byte_image(kind, flavor));
    CopiedColumn { name, select, format, store, image, numbered }
}

/// Renders the names of columns as a list.
pub(crate) fn name_list(columns: &[CopiedColumn]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}

fn store_as(kind: &MySqlType, flavor: ServerFlavor) -> StoreAs {
    match kind {
        MySqlType::Enum(_) | MySqlType::Set(_) => StoreAs::Number,
        MySqlType::Uuid | MySqlType::Inet4 | MySqlType::Inet6 => StoreAs::Text,
        // MariaDB's JSON is a text like any other.
        MySqlType::Json if flavor == ServerFlavor::MySql => StoreAs::Text,
        _ => StoreAs::Bytes,
    }
}

fn byte_image(kind: &MySqlType, flavor: ServerFlavor) -> ByteImage {
    use MySqlType as M;
    match kind {
        M::Enum(_) | M::Set(_) => ByteImage::Number,
        M::Json if flavor == ServerFlavor::MySql => ByteImage::Text,
        M::Char | M::VarChar | M::Text | M::Json => ByteImage::Bytes,
        M::Date | M::DateTime(_) | M::Timestamp(_) | M::Time(_) => ByteImage::Bytes,
        M::Float | M::Double => ByteImage::Float,
        _ => ByteImage::Value,
    }
}

fn text_format(kind: &MySqlType) -> TextFormat {
    match *kind {
        MySqlType::Year => TextFormat::Year,
        MySqlType::Date => TextFormat::Date,
        MySqlType::DateTime(digits) | MySqlType::Timestamp(digits) => TextFormat::DateTime(digits),
        MySqlType::Time(digits) => TextFormat::Time(digits),
        _ => TextFormat::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn copied(kind: &str, flavor: ServerFlavor) -> CopiedColumn {
        copied_column(&ColumnSchema::of_type("c", kind).unwrap(), flavor, false)
    }

    #[test]
    fn labels_travel_by_their_numbers() {
        for kind in ["enum('a')", "set('a','b')"] {
            let column = copied(kind, ServerFlavor::MariaDb);
            assert_eq!(column.select, "CAST(`c` AS UNSIGNED)", "{kind}");
            assert_eq!(column.store.expression("?"), "CAST(? AS UNSIGNED)", "{kind}");
            assert_eq!(column.image, ByteImage::Number, "{kind}");
        }
    }

    #[test]
    fn json_is_a_text_like_any_other_only_in_mariadb() {
        let (here, there) =
            (copied("json", ServerFlavor::MySql), copied("json", ServerFlavor::MariaDb));
        assert_eq!((here.store, here.image), (StoreAs::Text, ByteImage::Text));
        assert_eq!((there.store, there.image), (StoreAs::Bytes, ByteImage::Bytes));
        assert_eq!(here.store.expression("@v"), "CONVERT(@v USING utf8mb4)");
    }

    #[test]
    fn dates_and_times_are_written_with_their_digits() {
        for (kind, format) in [
            ("year", TextFormat::Year),
            ("date", TextFormat::Date),
            ("datetime(3)", TextFormat::DateTime(3)),
            ("timestamp", TextFormat::DateTime(0)),
            ("time(6)", TextFormat::Time(6)),
            ("int", TextFormat::Plain),
        ] {
            assert_eq!(copied(kind, ServerFlavor::MySql).format, format, "{kind}");
        }
    }
}
