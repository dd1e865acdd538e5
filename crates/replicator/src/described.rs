//! The source's definition of a table, held against the catalogue's description.

use crate::definition::TableDefinition;
use crate::error::{CopyStage, Error, FaultContext, Result};
use crate::pair::Replicator;
use handoff_connect::{SessionProfile, quote_my};
use handoff_schema::TableSchema;

impl Replicator {
    /// Reads the source's definition and sees to it that it is the one the catalogue described.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Changed`] if it is not: values would be read, here or in hop 2, as what
    /// they were before.
    pub(crate) fn definition(&self, table: &TableSchema) -> Result<TableDefinition> {
        let at = FaultContext { table: &table.name, stage: CopyStage::Describe, rows: 0 };
        let mut conn = self.source.get(SessionProfile::RawRead).map_err(|fault| at.error(fault))?;
        let shown = conn
            .query_first::<(Vec<u8>, Vec<u8>), _>(format!(
                "SHOW CREATE TABLE {}",
                quote_my(table.name.as_str())
            ))
            .map_err(|error| self.failed(&conn, at, &error))?;
        let (_, statement) = shown.unwrap_or_default();
        let definition = TableDefinition::parse(&text(&statement))
            .map_err(|problem| Error::Definition { table: table.name.clone(), problem })?;
        // A definition spells types and defaults in ways of its own, so the catalogue is asked again.
        let names = table.columns.iter().map(|column| column.name.as_str());
        if definition.columns().eq(names)
            && table.is_unchanged(&mut conn).map_err(|fault| self.told(at, fault))?
        {
            Ok(definition)
        } else {
            Err(Error::Changed { table: table.name.clone() })
        }
    }
}

/// Reads a definition. Only the DEFAULT of a binary column is not UTF-8, and that is left out.
fn text(statement: &[u8]) -> String {
    let mut text = String::with_capacity(statement.len());
    for chunk in statement.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
