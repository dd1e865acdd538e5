//! A check that a table is still as the catalogue described it.

use crate::column::ColumnSchema;
use crate::table::TableSchema;
use handoff_connect::{Fault, MyConn, quote_my_text};
use handoff_model::own;

/// A column's name, type, nullability, character set and collation.
type ColumnFacts = (Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

impl TableSchema {
    /// Asks the server whether the table still has these columns, of these types.
    ///
    /// If not, rows read meanwhile may have been decoded by the old structure: the bytes of a text
    /// in another character set make another text, and no error.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server fails.
    pub fn is_unchanged(&self, conn: &mut MyConn) -> Result<bool, Fault> {
        let ask = format!(
            "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, COLLATION_NAME \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} \
             ORDER BY ORDINAL_POSITION",
            quote_my_text(conn.pool().database()),
            quote_my_text(self.name.as_str()),
        );
        let read = conn.query::<ColumnFacts, _>(ask).map_err(|error| conn.fault(&error))?;
        let now = read.into_iter().filter(|(name, ..)| name != own::ROW_NUMBER.as_bytes());
        Ok(now.eq(self.columns.iter().map(facts)))
    }
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn facts(column: &ColumnSchema) -> ColumnFacts {
    (
        bytes(column.name.as_str()),
        bytes(&column.column_type),
        bytes(if column.nullable { "YES" } else { "NO" }),
        column.charset.as_deref().map(bytes),
        column.collation.as_deref().map(bytes),
    )
}
