//! The tables of a whole database, described.

use crate::catalogue::not_copied::NotCopied;
use crate::error::Result;
use crate::objects::TableObjects;
use crate::omission::OmittedPart;
use crate::table::TableSchema;
use handoff_model::TableName;
use std::collections::BTreeMap;

/// Every table of one database.
#[derive(Debug, Clone)]
pub struct SourceCatalogue {
    /// The tables; one that cannot be described is an error of its own, and the others go on.
    pub tables: BTreeMap<TableName, Result<TableSchema>>,
    /// The creation time of the oldest table, as the server prints it.
    pub oldest_table: Option<String>,
    /// Relations that are not copied.
    pub not_carried: Vec<NotCopied>,
    /// The parts of the tables, and the things that are none, which the target does not get.
    pub omissions: Vec<OmittedPart>,
    /// The objects around the columns of each table that can be described.
    pub objects: BTreeMap<TableName, TableObjects>,
    /// True if the server takes two names that differ only in case for one
    /// (`lower_case_table_names`).
    pub folds_case: bool,
}

impl SourceCatalogue {
    /// Describes a database without tables.
    pub fn empty() -> SourceCatalogue {
        SourceCatalogue {
            tables: BTreeMap::new(),
            oldest_table: None,
            not_carried: Vec::new(),
            omissions: Vec::new(),
            objects: BTreeMap::new(),
            folds_case: false,
        }
    }

    /// Returns the catalogue of a replica with its tables under the names that they have elsewhere: a
    /// server that folds case keeps another spelling of them.
    #[must_use]
    pub fn under_names<'a>(
        mut self,
        names: impl Iterator<Item = &'a TableName>,
    ) -> SourceCatalogue {
        if !self.folds_case {
            return self;
        }
        let named = names.map(|name| (folded(name.as_str()), name));
        let named: BTreeMap<String, &TableName> = named.collect();
        let mut renamed = BTreeMap::new();
        for (found, table) in self.tables {
            let name = named.get(&folded(found.as_str())).map_or(found, |name| (*name).clone());
            let schema = table.map(|table| TableSchema { name: name.clone(), ..table });
            renamed.insert(name, schema);
        }
        self.tables = renamed;
        self
    }

    /// Returns another of the tables that `wanted` has which is this one to the server.
    pub fn same_name<'a>(
        &self,
        table: &TableName,
        mut wanted: impl Iterator<Item = &'a TableName>,
    ) -> Option<&'a TableName> {
        let same = folded(table.as_str());
        wanted.find(|other| self.folds_case && *other != table && folded(other.as_str()) == same)
    }

    /// Returns what has the name of a table and is none whose rows are carried.
    pub fn not_carried_as(&self, table: &TableName) -> Option<&NotCopied> {
        self.not_carried.iter().find(|other| match self.folds_case {
            true => folded(&other.name) == folded(table.as_str()),
            false => other.name == table.as_str(),
        })
    }
}

/// Returns the name as a server that folds case takes it.
pub(super) fn folded(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(folds_case: bool, names: &[&str]) -> SourceCatalogue {
        let tables = names.iter().map(|name| TableSchema::empty(name));
        let tables = tables.map(|table| (table.name.clone(), Ok(table))).collect();
        SourceCatalogue { tables, folds_case, ..SourceCatalogue::empty() }
    }

    #[test]
    fn tables_of_a_server_that_folds_case_are_found_under_their_own_names() {
        let source = catalogue(false, &["Patient", "other"]);
        let names = |folds_case| -> Vec<String> {
            let replica = catalogue(folds_case, &["patient", "other", "mine"]);
            let tables = replica.under_names(source.tables.keys()).tables.into_iter();
            tables.map(|(key, table)| format!("{key}={}", table.unwrap().name)).collect()
        };
        assert_eq!(names(true), ["Patient=Patient", "mine=mine", "other=other"]);
        assert_eq!(names(false), ["mine=mine", "other=other", "patient=patient"]);
    }

    #[test]
    fn names_that_differ_in_case_are_one_where_case_is_folded() {
        let source = catalogue(false, &["Patient", "patient", "other"]);
        let same = |folds_case, name: &str| {
            let replica = catalogue(folds_case, &[]);
            let name = TableName::new(name).unwrap();
            replica.same_name(&name, source.tables.keys()).map(ToString::to_string)
        };
        assert_eq!(same(true, "patient").as_deref(), Some("Patient"));
        assert_eq!(same(true, "other"), None);
        assert_eq!(same(false, "patient"), None);
    }

    #[test]
    fn a_view_is_found_under_the_name_of_a_table() {
        let view = NotCopied { name: "Seen".to_owned(), kind: "VIEW".to_owned() };
        let found = |folds_case, name: &str| {
            let not_carried = vec![view.clone()];
            let there = SourceCatalogue { not_carried, folds_case, ..SourceCatalogue::empty() };
            there.not_carried_as(&TableName::new(name).unwrap()).is_some()
        };
        assert!(found(false, "Seen") && found(true, "seen") && !found(false, "seen"));
    }
}
