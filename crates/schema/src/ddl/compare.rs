//! The comparison of a mapping with a table of the target.

use crate::mapping::{MappedColumn, TableMapping};
use std::collections::HashSet;

/// One column of a table in PostgreSQL, as its catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgColumn {
    /// Its name.
    pub name: String,
    /// Its type by `format_type(atttypid, atttypmod)`.
    pub type_name: String,
    /// True if the column is NOT NULL.
    pub not_null: bool,
    /// True if the column takes no value on insert: `GENERATED ALWAYS`.
    pub generated: bool,
    /// True if a new row that names no value gets one: by a default or an identity.
    pub has_default: bool,
    /// True if an index, a constraint other than the key, rights of its own or anything else but a view belongs to it.
    pub is_bound: bool,
    /// True if a view uses it.
    pub is_viewed: bool,
}

impl PgColumn {
    /// Returns true if rows can be written that name no value for it.
    pub fn is_optional(&self) -> bool {
        !self.not_null || self.has_default || self.generated
    }
}

/// The treatment of columns that the source does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurplusColumns {
    /// One that rows need no value for is no difference.
    Tolerated,
    /// Each is a difference.
    Refused,
}

impl SurplusColumns {
    /// Returns what is to be said of a column that the source does not have.
    fn difference(self, column: &PgColumn) -> Option<String> {
        let name = &column.name;
        match self {
            SurplusColumns::Refused => Some(format!("the column \"{name}\" is not in the source")),
            SurplusColumns::Tolerated if column.is_optional() => None,
            SurplusColumns::Tolerated => Some(format!(
                "the column \"{name}\" is not in the source, is NOT NULL and has no default"
            )),
        }
    }
}

/// Lists how a table in the target differs from what `mapping` wants, one sentence each; empty if
/// rows of the mapping can be written to it.
///
/// The order of columns, and of columns in the key, makes no difference, nor does a column that may
/// be NULL in the target and never is.
pub fn differences(
    mapping: &TableMapping,
    columns: &[PgColumn],
    key: &[String],
    surplus: SurplusColumns,
) -> Vec<String> {
    let mut found = Vec::new();
    for wanted in &mapping.columns {
        match columns.iter().find(|column| column.name == wanted.pg_name) {
            Some(column) => found.extend(column_differences(wanted, column)),
            None => found.push(format!("the column \"{}\" is missing", wanted.pg_name)),
        }
    }
    let known: HashSet<&str> = mapping.columns.iter().map(|c| c.pg_name.as_str()).collect();
    let unknown = columns.iter().filter(|column| !known.contains(column.name.as_str()));
    found.extend(unknown.filter_map(|column| surplus.difference(column)));
    found.extend(key_difference(&mapping.pg_key_names(), key));
    found
}

fn column_differences(wanted: &MappedColumn, column: &PgColumn) -> Vec<String> {
    let name = &wanted.pg_name;
    let mut found = Vec::new();
    let type_name = wanted.pg.to_string();
    if column.type_name != type_name {
        found.push(format!("the column \"{name}\" is {}, not {type_name}", column.type_name));
    }
    if column.generated {
        found.push(format!("the column \"{name}\" is generated and takes no value"));
    }
    if column.not_null && wanted.nullable {
        found.push(format!("the column \"{name}\" is NOT NULL, but loaded values may be NULL"));
    }
    found
}

fn key_difference(wanted: &[&str], key: &[String]) -> Option<String> {
    let one: HashSet<&str> = wanted.iter().copied().collect();
    let other: HashSet<&str> = key.iter().map(String::as_str).collect();
    if one == other {
        return None;
    }
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    Some(format!("the primary key is {}, not {}", quoted_list(&key), quoted_list(wanted)))
}

fn quoted_list(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        names => format!("\"{}\"", names.join("\", \"")),
    }
}
