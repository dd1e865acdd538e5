//! The facts that the objects are decided from.

use handoff_model::TableName;
use handoff_schema::{ReferringObjects, TableMapping, TableObjects, TableSchema, short_name};
use handoff_settings::{NameCase, ObjectSettings};
use std::collections::BTreeMap;

/// One table with all that its objects are decided from.
#[derive(Debug, Clone)]
pub struct DescribedTable<'a> {
    /// The table in the source.
    pub schema: &'a TableSchema,
    /// Its mapping.
    pub mapping: TableMapping,
    /// Its objects there.
    pub objects: &'a TableObjects,
    /// The objects that it is to get.
    pub settings: ObjectSettings,
}

/// The tables of a database, and where they go.
#[derive(Debug, Clone)]
pub struct ObjectInputs<'a> {
    /// The schema of the target.
    pub schema: &'a str,
    /// The database of the source.
    pub database: &'a str,
    /// The case of names in the target.
    pub name_case: NameCase,
    /// The tables by name.
    pub tables: BTreeMap<TableName, DescribedTable<'a>>,
    /// Foreign keys, and the CHECKs of MySQL.
    pub referring: &'a ReferringObjects,
}

impl ObjectInputs<'_> {
    /// Returns a name as it is in the target.
    pub(crate) fn name(&self, name: &str) -> String {
        short_name(&self.name_case.apply(name))
    }
}
