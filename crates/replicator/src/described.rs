//! The source's definition of a table, held against what the catalogue said of it.

use crate::definition::Definition;
use crate::error::At;
use crate::{Error, Replicator, Result, Stage};
use handoff_connect::{MyConn, Profile, quote_my, quote_my_text};
use handoff_schema::{Column, TableSchema};
use mysql::prelude::Queryable;

/// What both the catalogue and the server say of a column: its name, type, nullability, character
/// set and collation.
type Facts = (Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

impl Replicator {
    /// Reads the source's definition and sees to it that it is the one the catalogue described.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Changed`] if it is not: values would be read, here or in hop 2, as what
    /// they were before.
    pub(crate) fn definition(&self, table: &TableSchema) -> Result<Definition> {
        let at = At { table: &table.name, stage: Stage::Describe, rows: 0 };
        let mut conn = self.source.get(Profile::RawRead).map_err(|fault| at.error(fault))?;
        let shown = conn
            .query_first::<(Vec<u8>, Vec<u8>), _>(format!(
                "SHOW CREATE TABLE {}",
                quote_my(table.name.as_str())
            ))
            .map_err(|error| self.failed(&conn, at, &error))?;
        let (_, statement) = shown.unwrap_or_default();
        let definition = Definition::parse(&text(&statement))
            .map_err(|problem| Error::Definition { table: table.name.clone(), problem })?;
        let names = table.columns.iter().map(|column| column.name.as_str());
        if definition.columns().eq(names) && self.is_as_described(&mut conn, table, at)? {
            Ok(definition)
        } else {
            Err(Error::Changed { table: table.name.clone() })
        }
    }

    /// Asks the catalogue again, since a definition spells types and defaults in ways of its own.
    fn is_as_described(&self, conn: &mut MyConn, table: &TableSchema, at: At<'_>) -> Result<bool> {
        let ask = format!(
            "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, COLLATION_NAME \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} \
             ORDER BY ORDINAL_POSITION",
            quote_my_text(self.source.database()),
            quote_my_text(table.name.as_str()),
        );
        let now = conn.query::<Facts, _>(ask).map_err(|error| self.failed(conn, at, &error))?;
        Ok(now.into_iter().eq(table.columns.iter().map(facts)))
    }
}

fn facts(column: &Column) -> Facts {
    let bytes = |text: &str| text.as_bytes().to_vec();
    (
        bytes(column.name.as_str()),
        bytes(&column.column_type),
        bytes(if column.nullable { "YES" } else { "NO" }),
        column.charset.as_deref().map(bytes),
        column.collation.as_deref().map(bytes),
    )
}

/// Reads a definition. What isn't UTF-8 is the DEFAULT of a binary column, which the replica never
/// uses; its length is kept, lest it be too long for its column.
fn text(statement: &[u8]) -> String {
    let mut text = String::with_capacity(statement.len());
    for chunk in statement.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}
