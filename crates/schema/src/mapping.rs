//! The mapping of a table to PostgreSQL.

mod mapped_column;
pub(crate) mod names;
mod nulls;
mod overrides;
mod types;

pub use mapped_column::MappedColumn;
pub use names::{pg_table_name, short_name};
pub use types::default_type;

use crate::error::{Result, SchemaError};
use crate::limits::{MAX_COLUMNS, MAX_KEY_COLUMNS};
use crate::table::TableSchema;
use handoff_model::TableName;
use handoff_model::own::is_own_table;
use handoff_settings::{TableSettings, ValuePolicies};

/// The mapping of a table to PostgreSQL. Its columns are in the order of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMapping {
    /// The source table.
    pub table: TableName,
    /// The PostgreSQL table's name, without the schema.
    pub pg_table: String,
    /// The columns.
    pub columns: Vec<MappedColumn>,
    /// The key, as indexes into `columns`; empty if there is none.
    pub key: Vec<usize>,
    /// Departures of the PostgreSQL table from the source, one sentence each: names that had to
    /// change, columns that may be NULL because of a policy.
    pub notes: Vec<String>,
}

impl TableMapping {
    /// Maps a table by the table of the documentation ([`default_type`]) and the overrides of its
    /// settings.
    ///
    /// Text columns get no COLLATE clause. A key that ignores case in MySQL is unique byte for byte
    /// as well, and every collation a PostgreSQL database can have by default compares bytes for
    /// equality, so no two keys become one.
    ///
    /// A key of texts may hold a value that is too long for a btree (about 2,700 bytes): only the
    /// server can tell, when the key is added.
    ///
    /// # Errors
    ///
    /// Returns an error if an override does not fit, if the table or its key has too many columns
    /// for PostgreSQL, or if its name is one that Handoff uses itself.
    pub fn new(
        schema: &TableSchema,
        settings: &TableSettings,
        values: &ValuePolicies,
    ) -> Result<TableMapping> {
        let table = &schema.name;
        let key = schema.key().unwrap_or_default();
        check_limits(schema, key.len())?;
        let types = overrides::types(schema, &key, settings)?;
        let mut notes = Vec::new();
        let case = settings.name_case;
        let pg_table = names::table(table, case, &mut notes);
        let pg_names = names::columns(&schema.columns, case, &mut notes);
        if let Some(name) = names::twice(&pg_names) {
            return Err(SchemaError::NamesClash { table: table.clone(), name: name.to_owned() });
        }
        let mut columns: Vec<MappedColumn> = schema
            .columns
            .iter()
            .zip(types)
            .zip(pg_names)
            .enumerate()
            .map(|(index, ((column, pg), pg_name))| MappedColumn {
                source: column.clone(),
                pg,
                pg_name,
                nullable: column.nullable,
                key: key.contains(&index),
            })
            .collect();
        nulls::widen(&mut columns, values, &mut notes);
        Ok(TableMapping { table: table.clone(), pg_table, columns, key, notes })
    }

    /// Returns the same table with no columns but those of its key.
    #[must_use]
    pub fn of_key(&self) -> TableMapping {
        let mut kept = self.key.clone();
        kept.sort_unstable();
        let place = |index: &usize| kept.iter().position(|other| other == index);
        TableMapping {
            table: self.table.clone(),
            pg_table: self.pg_table.clone(),
            columns: kept.iter().map(|&index| self.columns[index].clone()).collect(),
            key: self.key.iter().filter_map(place).collect(),
            notes: Vec::new(),
        }
    }

    /// Returns a mapping of the same rows in which no two values become one: what is not of the key and
    /// might be changed by a policy or by `jsonb` is taken as its bytes, or as the server prints it. It
    /// is for comparing two MySQL databases, and of no table in PostgreSQL.
    #[must_use]
    pub fn exact(&self) -> TableMapping {
        TableMapping {
            columns: self.columns.iter().map(MappedColumn::exact).collect(),
            ..self.clone()
        }
    }

    /// Returns the names of the key's columns in PostgreSQL, unquoted.
    pub fn pg_key_names(&self) -> Vec<&str> {
        self.key.iter().map(|&index| self.columns[index].pg_name.as_str()).collect()
    }
}

fn check_limits(schema: &TableSchema, key_columns: usize) -> Result<()> {
    let table = &schema.name;
    let columns = schema.columns.len();
    if is_own_table(schema.name.as_str()) {
        return Err(SchemaError::ReservedName { table: table.clone() });
    }
    if columns > MAX_COLUMNS {
        return Err(SchemaError::TooManyColumns { table: table.clone(), columns });
    }
    if key_columns > MAX_KEY_COLUMNS {
        return Err(SchemaError::KeyTooWide { table: table.clone(), columns: key_columns });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
