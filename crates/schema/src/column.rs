//! One column in the catalogue.

use crate::mysql_type::{MySqlType, UnknownType};
use handoff_model::ColumnName;

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnSchema {
    /// Its name.
    pub name: ColumnName,
    /// Its type, parsed.
    pub kind: MySqlType,
    /// Its type as the server spells it.
    pub column_type: String,
    /// True if values may be NULL.
    pub nullable: bool,
    /// Its character set, for texts, ENUM and SET.
    pub charset: Option<String>,
    /// Its collation, for texts, ENUM and SET.
    pub collation: Option<String>,
    /// True if `ON UPDATE CURRENT_TIMESTAMP` is set.
    pub on_update: bool,
    /// True if the column is generated (virtual or stored) and takes no value on insert.
    pub generated: bool,
    /// The expression that generates the values; `ROW START` and `ROW END` for system versioning.
    pub expression: Option<String>,
    /// True if `SELECT *` leaves the column out.
    pub invisible: bool,
    /// The spatial reference system that its values must have (MySQL 8 and later).
    pub srid: Option<u32>,
}

/// The conversion of a column's text to UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextEncoding {
    /// Its bytes are UTF-8 (utf8mb4, utf8mb3) or of no character set (binary): to be read raw and
    /// validated.
    Utf8,
    /// ascii: to be read raw, bytes above 0x7f are invalid.
    Ascii,
    /// latin1, which is cp1252 with the five undefined bytes as C1 controls: to be read raw.
    Latin1,
    /// Another character set, which only the server can convert.
    Server,
}

impl ColumnSchema {
    /// Describes a nullable column by its type as the server spells it; texts are in utf8mb4.
    /// For code that knows no server.
    ///
    /// # Errors
    ///
    /// Returns [`UnknownType`] if nobody knows the type.
    ///
    /// # Panics
    ///
    /// Panics if `name` is no name.
    pub fn of_type(name: &str, column_type: &str) -> Result<ColumnSchema, UnknownType> {
        let kind: MySqlType = column_type.parse()?;
        let charset = kind.has_charset().then(|| "utf8mb4".to_owned());
        let collation = kind.has_charset().then(|| "utf8mb4_bin".to_owned());
        Ok(ColumnSchema {
            name: ColumnName::new(name).expect("a written name is valid"),
            kind,
            column_type: column_type.to_owned(),
            nullable: true,
            charset,
            collation,
            on_update: false,
            generated: false,
            expression: None,
            invisible: false,
            srid: None,
        })
    }

    /// Returns how its text becomes UTF-8; [`None`] if its values are no texts.
    pub fn text_encoding(&self) -> Option<TextEncoding> {
        if !self.kind.has_charset() {
            return None;
        }
        // MySQL names no character set for JSON, which is utf8mb4, nor for a binary ENUM.
        let charset = self.charset.as_deref().unwrap_or("utf8mb4");
        Some(match charset {
            "utf8mb4" | "utf8mb3" | "utf8" | "binary" => TextEncoding::Utf8,
            "ascii" => TextEncoding::Ascii,
            "latin1" => TextEncoding::Latin1,
            _ => TextEncoding::Server,
        })
    }

    /// Returns true for the column that holds when a row of a system-versioned table ended.
    pub(crate) fn is_row_end(&self) -> bool {
        self.expression.as_deref() == Some("ROW END")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_encoder_knows_is_read_raw() {
        let check = |charset: Option<&str>, expected| {
            let charset = charset.map(str::to_owned);
            let column = ColumnSchema { charset, ..ColumnSchema::of_type("c", "text").unwrap() };
            assert_eq!(column.text_encoding(), Some(expected));
        };
        check(Some("utf8mb4"), TextEncoding::Utf8);
        check(Some("utf8mb3"), TextEncoding::Utf8);
        check(Some("utf8"), TextEncoding::Utf8);
        check(Some("binary"), TextEncoding::Utf8);
        check(None, TextEncoding::Utf8);
        check(Some("ascii"), TextEncoding::Ascii);
        check(Some("latin1"), TextEncoding::Latin1);
        check(Some("latin2"), TextEncoding::Server);
        check(Some("utf16"), TextEncoding::Server);
        assert_eq!(ColumnSchema::of_type("c", "blob").unwrap().text_encoding(), None);
        assert_eq!(ColumnSchema::of_type("c", "uuid").unwrap().text_encoding(), None);
    }
}
