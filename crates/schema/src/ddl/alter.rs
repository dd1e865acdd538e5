//! The statement that makes a table of the target take the rows of a mapping.

use super::compare::{PgColumn, SurplusColumns};
use crate::mapping::{MappedColumn, TableMapping};
use crate::target::TargetTable;
use handoff_connect::quote_pg;

/// Spells the one statement that gives the table `target`, which is quoted, the columns of `mapping`; [`None`] where
/// its key is another one, since rows that are there may not have it.
///
/// A column that the source does not have is dropped where it is refused, and otherwise made such that no value need be
/// named for it.
pub fn alter(
    mapping: &TableMapping,
    target: &str,
    there: &TargetTable,
    surplus: SurplusColumns,
) -> Option<String> {
    let mut wanted: Vec<&str> = mapping.pg_key_names();
    let mut found: Vec<&str> = there.key.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    found.sort_unstable();
    if wanted != found {
        return None;
    }
    let mut actions = Vec::new();
    for column in &mapping.columns {
        match there.columns.iter().find(|found| found.name == column.pg_name) {
            Some(found) => actions.extend(changes(column, found)),
            // Rows that are there lack its values until they are loaded again.
            None => {
                let name = quote_pg(column.pg_name.as_str());
                actions.push(format!("ADD COLUMN {name} {}", column.pg));
            }
        }
    }
    for column in there.columns.iter().filter(|column| !has_column(mapping, &column.name)) {
        let name = quote_pg(column.name.as_str());
        match surplus {
            SurplusColumns::Refused => actions.push(format!("DROP COLUMN {name}")),
            SurplusColumns::Tolerated if column.is_optional() => {}
            SurplusColumns::Tolerated => actions.push(format!("ALTER COLUMN {name} DROP NOT NULL")),
        }
    }
    Some(format!("ALTER TABLE {target} {}", actions.join(", ")))
}

fn has_column(mapping: &TableMapping, name: &str) -> bool {
    mapping.columns.iter().any(|column| column.pg_name == name)
}

fn changes(wanted: &MappedColumn, found: &PgColumn) -> Vec<String> {
    let (name, kind) = (quote_pg(found.name.as_str()), wanted.pg.to_string());
    let mut actions = Vec::new();
    if found.generated {
        actions.push(format!("ALTER COLUMN {name} DROP EXPRESSION IF EXISTS"));
        actions.push(format!("ALTER COLUMN {name} DROP IDENTITY IF EXISTS"));
    }
    if found.not_null && wanted.nullable {
        actions.push(format!("ALTER COLUMN {name} DROP NOT NULL"));
    }
    if found.type_name != kind {
        actions.push(format!("ALTER COLUMN {name} TYPE {kind} USING {name}::text::{kind}"));
    }
    actions
}
