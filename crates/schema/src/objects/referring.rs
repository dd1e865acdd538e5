//! Foreign keys, and MySQL's CHECKs.

use crate::catalogue::ask_texts;
use crate::error::Result;
use crate::objects::constraints::{SourceCheck, SourceForeignKey};
use handoff_connect::{MyConn, ServerFlavor, quote_my_text};
use handoff_model::TableName;
use std::collections::BTreeMap;

/// The objects that the catalogue of tables does not describe: foreign keys, and the CHECKs of MySQL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferringObjects {
    /// The foreign keys, by table.
    pub foreign_keys: BTreeMap<TableName, Vec<SourceForeignKey>>,
    /// The CHECKs of MySQL, by table.
    pub checks: BTreeMap<TableName, Vec<SourceCheck>>,
}

impl ReferringObjects {
    /// Reads the foreign keys of `database`, and from MySQL its CHECKs, in a statement each.
    ///
    /// # Errors
    ///
    /// Returns [`SchemaError::Catalogue`](crate::SchemaError::Catalogue) if the server refuses.
    pub fn read(conn: &mut MyConn, database: &str) -> Result<ReferringObjects> {
        let mut found = ReferringObjects::default();
        for row in ask_texts(conn, &foreign_keys(database))? {
            found.add_column(&row);
        }
        let version = conn.pool().version();
        let has_checks = version.flavor == ServerFlavor::MySql && version.number >= (8, 0, 16);
        if has_checks {
            for row in ask_texts(conn, &checks(database))? {
                found.add_check(&row);
            }
        }
        Ok(found)
    }

    /// Adds a column of a foreign key; the columns of one key come one after the other.
    fn add_column(&mut self, row: &[String]) {
        let [table, name, column, schema, other, referred, on_delete, on_update] = row else {
            return;
        };
        let Ok(table) = TableName::new(table) else { return };
        let keys = self.foreign_keys.entry(table).or_default();
        if keys.last().is_none_or(|key| key.name != *name) {
            keys.push(SourceForeignKey {
                name: name.clone(),
                columns: Vec::new(),
                schema: schema.clone(),
                table: other.clone(),
                referred: Vec::new(),
                on_delete: on_delete.clone(),
                on_update: on_update.clone(),
            });
        }
        if let Some(key) = keys.last_mut() {
            key.columns.push(column.clone());
            key.referred.push(referred.clone());
        }
    }

    fn add_check(&mut self, row: &[String]) {
        let [table, name, clause, enforced] = row else { return };
        let Ok(table) = TableName::new(table) else { return };
        let check =
            SourceCheck { name: name.clone(), clause: clause.clone(), enforced: enforced == "YES" };
        self.checks.entry(table).or_default().push(check);
    }
}

fn foreign_keys(database: &str) -> String {
    let database = quote_my_text(database);
    format!(
        "SELECT c.TABLE_NAME, c.CONSTRAINT_NAME, c.COLUMN_NAME, c.REFERENCED_TABLE_SCHEMA, \
         c.REFERENCED_TABLE_NAME, c.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE \
         FROM information_schema.KEY_COLUMN_USAGE c \
         JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA \
             AND r.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND r.TABLE_NAME = c.TABLE_NAME \
         WHERE c.CONSTRAINT_SCHEMA = {database} AND r.CONSTRAINT_SCHEMA = {database} \
             AND c.REFERENCED_TABLE_NAME IS NOT NULL \
         ORDER BY c.TABLE_NAME, c.CONSTRAINT_NAME, c.ORDINAL_POSITION"
    )
}

fn checks(database: &str) -> String {
    let database = quote_my_text(database);
    format!(
        "SELECT t.TABLE_NAME, t.CONSTRAINT_NAME, c.CHECK_CLAUSE, t.ENFORCED \
         FROM information_schema.TABLE_CONSTRAINTS t \
         JOIN information_schema.CHECK_CONSTRAINTS c ON c.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA \
             AND c.CONSTRAINT_NAME = t.CONSTRAINT_NAME \
         WHERE t.TABLE_SCHEMA = {database} AND t.CONSTRAINT_TYPE = 'CHECK' \
         ORDER BY t.TABLE_NAME, t.CONSTRAINT_NAME"
    )
}
