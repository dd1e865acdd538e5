//! The databases in which a table is compared, once it is known to be of one structure in all of them.

use handoff_connect::{MyPool, PgPool, Side};
use handoff_model::RowThrottle;
use handoff_rows::Locking;
use handoff_schema::{TableMapping, TableSchema, TargetMisfit, TargetTable};
use handoff_verify::ComparedTable;

/// A table in each of the databases to compare; [`None`] for one that is left out. A table is [`None`]
/// where the database has none of that name.
pub(crate) struct ComparedTables<'a> {
    /// The table as the first of them has it.
    pub(crate) origin: &'a TableSchema,
    pub(crate) source: Option<(&'a MyPool, Option<&'a RowThrottle>)>,
    pub(crate) replica: Option<(&'a MyPool, Option<&'a TableSchema>)>,
    /// With the schema that it is in.
    pub(crate) target: Option<(&'a PgPool, &'a str, Option<&'a TargetTable>)>,
}

/// A database with another table than the first.
pub(crate) enum StructureMismatch {
    /// It has no such table.
    Absent(Side),
    /// Its structure in the replica is another.
    Structure(String),
    /// The target's cannot be read as it is.
    Unfit(Box<TargetMisfit>),
}

impl<'a> ComparedTables<'a> {
    /// Returns the tables, in the order of the way.
    pub(crate) fn checked(
        self,
        mapping: &TableMapping,
    ) -> Result<Vec<ComparedTable<'a>>, StructureMismatch> {
        let mut tables = Vec::with_capacity(3);
        // Found first: a full copy mends the replica, and fails while the target does not fit.
        if let Some((_, schema, Some(there))) = self.target
            && let Some(misfit) = TargetMisfit::find_to_read(mapping, schema, there)
        {
            return Err(StructureMismatch::Unfit(Box::new(misfit)));
        }
        if let Some((pool, throttle)) = self.source {
            let is_safe = self.origin.engine.is_transactional();
            let locking = if is_safe { Locking::Snapshot } else { Locking::Ranges };
            tables.push(ComparedTable::My { pool, table: self.origin, locking, throttle });
        }
        if let Some((pool, there)) = self.replica {
            let table = there.ok_or(StructureMismatch::Absent(Side::Replica))?;
            if let Some(what) = other_structure(self.origin, table) {
                return Err(StructureMismatch::Structure(what));
            }
            tables.push(ComparedTable::My { pool, table, locking: Locking::Free, throttle: None });
        }
        if let Some((pool, schema, there)) = self.target {
            there.ok_or(StructureMismatch::Absent(Side::Target))?;
            tables.push(ComparedTable::Pg { pool, schema });
        }
        Ok(tables)
    }
}

/// Returns the difference between two MySQL tables, as far as it decides which rows are read, and with which values.
fn other_structure(one: &TableSchema, other: &TableSchema) -> Option<String> {
    for (index, column) in one.columns.iter().enumerate() {
        let name = &column.name;
        let Some(there) = other.columns.get(index).filter(|there| there.name == *name) else {
            return Some(format!("the column `{name}` is missing or in another place"));
        };
        if (&there.kind, &there.charset) != (&column.kind, &column.charset) {
            let (there, here) = (&there.column_type, &column.column_type);
            return Some(format!("the column `{name}` is {there}, not {here}"));
        }
    }
    if let Some(more) = other.columns.get(one.columns.len()) {
        return Some(format!("the column `{}` is not in the source", more.name));
    }
    // Rows are named and looked up by it.
    let (there, here) = (key_columns(other), key_columns(one));
    (there != here).then(|| format!("the key is {there}, not {here}"))
}

fn key_columns(table: &TableSchema) -> String {
    let Some(key) = table.key() else { return "none".to_owned() };
    let names = key.iter().map(|&index| format!("`{}`", table.columns[index].name));
    format!("({})", names.collect::<Vec<_>>().join(", "))
}
