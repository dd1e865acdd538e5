//! The tables of the database that is read first, and those of them that are meant.

use crate::error::{SessionError, SessionResult};
use crate::session::Session;
use handoff_connect::{MyPool, SessionProfile, Side};
use handoff_model::TableName;
use handoff_schema::SourceCatalogue;
use handoff_settings::{TableFilter, closest};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The tables of the database that is read first, and those of them that are meant.
pub struct TableScope {
    /// The time before the catalogue was read: its facts are no older.
    pub looked_at: Timestamp,
    /// The catalogue of the database that is read first.
    pub catalogue: SourceCatalogue,
    /// The tables that are meant.
    pub wanted: BTreeSet<TableName>,
}

impl TableScope {
    /// Says by name which tables are not carried for what their engine is.
    pub fn without_rows(&self) -> impl Iterator<Item = String> {
        let tables = self.catalogue.not_carried.iter().filter(|other| other.is_table());
        tables.map(|table| format!("`{}` is a {}, which is not moved", table.name, table.kind))
    }
}

impl Session<'_> {
    /// Reads the catalogue of the database that is read first, and takes the tables of `named` from it: all that the
    /// settings include if there are none.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the catalogue cannot be read, a table is not there or excluded, or none is left.
    pub fn scope(&self, named: &[TableName]) -> SessionResult<TableScope> {
        let looked_at = Timestamp::now();
        let catalogue = read_catalogue(self.origin()?)?;
        let filter = self.table_filter()?;
        let wanted = if named.is_empty() {
            included(&catalogue, &filter)?
        } else {
            let side = if self.servers.source.is_some() { Side::Source } else { Side::Replica };
            present(&catalogue, &filter, named, side)?
        };
        Ok(TableScope { looked_at, catalogue, wanted })
    }

    /// Returns the tables that the settings take.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Globs`] if a glob is none.
    pub fn table_filter(&self) -> SessionResult<TableFilter> {
        TableFilter::new(&self.settings.run).map_err(SessionError::Globs)
    }
}

/// Reads the catalogue of a MySQL database.
///
/// # Errors
///
/// Returns a [`SessionError`] if it cannot be read.
pub fn read_catalogue(pool: &MyPool) -> SessionResult<SourceCatalogue> {
    let mut conn = pool.get(SessionProfile::Read).map_err(SessionError::Connect)?;
    SourceCatalogue::read(&mut conn, pool.database()).map_err(SessionError::Catalogue)
}

/// Returns the tables that the settings include.
fn included(
    catalogue: &SourceCatalogue,
    filter: &TableFilter,
) -> SessionResult<BTreeSet<TableName>> {
    let taken = catalogue.tables.keys().filter(|name| filter.takes(name));
    let taken: BTreeSet<TableName> = taken.cloned().collect();
    match taken.is_empty() {
        true => Err(SessionError::NoTables { found: catalogue.tables.len() }),
        false => Ok(taken),
    }
}

/// Returns the tables that were named, if all are there and none is excluded.
fn present(
    catalogue: &SourceCatalogue,
    filter: &TableFilter,
    named: &[TableName],
    database: Side,
) -> SessionResult<BTreeSet<TableName>> {
    let named: BTreeSet<TableName> = named.iter().cloned().collect();
    let missing = named.iter().filter(|name| !catalogue.tables.contains_key(*name));
    let missing: Vec<TableName> = missing.cloned().collect();
    if let Some(first) = missing.first() {
        let all = catalogue.tables.keys().map(TableName::as_str);
        let near = closest(first.as_str(), all).and_then(|near| TableName::new(near).ok());
        return Err(SessionError::UnknownTables { database, tables: missing, near });
    }
    let excluded: Vec<TableName> =
        named.iter().filter(|name| !filter.takes(name)).cloned().collect();
    if excluded.is_empty() { Ok(named) } else { Err(SessionError::Excluded { tables: excluded }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_schema::{NotCopied, TableSchema};
    use handoff_settings::Settings;

    fn catalogue(names: &[&str]) -> SourceCatalogue {
        let tables = names.iter();
        let tables = tables.map(|name| (table(name), Ok(TableSchema::empty(name)))).collect();
        SourceCatalogue { tables, ..SourceCatalogue::empty() }
    }

    fn table(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    fn filter(exclude: &[&str]) -> TableFilter {
        let mut settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        settings.run.exclude = exclude.iter().map(|&glob| glob.to_owned()).collect();
        TableFilter::new(&settings.run).unwrap()
    }

    fn asked(named: &[&str], side: Side) -> SessionResult<BTreeSet<TableName>> {
        let named: Vec<TableName> = named.iter().map(|name| table(name)).collect();
        present(&catalogue(&["patient", "tmp_1"]), &filter(&["tmp_*"]), &named, side)
    }

    #[test]
    fn without_names_all_tables_are_meant_that_the_settings_take() {
        let taken = included(&catalogue(&["patient", "tmp_1"]), &filter(&["tmp_*"])).unwrap();
        assert_eq!(taken, [table("patient")].into());
    }

    #[test]
    fn a_database_without_tables_is_told_from_settings_that_take_none() {
        let none = included(&catalogue(&[]), &filter(&[])).unwrap_err();
        assert_eq!(
            none.to_string(),
            "there is nothing to move: the database has no table that this account can see; is it the right one?"
        );
        let left_out = included(&catalogue(&["a", "b"]), &filter(&["*"])).unwrap_err();
        assert_eq!(
            left_out.to_string(),
            "there is nothing to move: include and exclude of [run] in the settings leave out all 2 tables"
        );
    }

    #[test]
    fn tables_that_are_named_twice_are_meant_once() {
        assert_eq!(
            asked(&["patient", "patient"], Side::Source).unwrap(),
            [table("patient")].into()
        );
    }

    #[test]
    fn names_that_are_not_there_are_all_named_with_one_that_is_near() {
        let error = asked(&["patien", "claim"], Side::Source).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the source has no table `claim` and `patien`; names are case-sensitive"
        );
        let error = asked(&["patien"], Side::Replica).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the replica has no table `patien`; names are case-sensitive; did you mean `patient`?"
        );
        assert!(error.is_usage());
    }

    #[test]
    fn a_table_that_is_named_and_excluded_is_refused() {
        let error = asked(&["patient", "tmp_1"], Side::Source).unwrap_err();
        assert_eq!(
            error.to_string(),
            "include and exclude of [run] in the settings leave out `tmp_1`"
        );
    }

    #[test]
    fn tables_whose_engine_keeps_no_rows_are_told() {
        let mut catalogue = catalogue(&["patient"]);
        for (name, kind) in [("v", "VIEW"), ("f", "table of the engine FEDERATED")] {
            catalogue.not_carried.push(NotCopied { name: name.to_owned(), kind: kind.to_owned() });
        }
        let looked_at = Timestamp::UNIX_EPOCH;
        let scope = TableScope { looked_at, catalogue, wanted: BTreeSet::new() };
        let told: Vec<String> = scope.without_rows().collect();
        assert_eq!(told, ["`f` is a table of the engine FEDERATED, which is not moved"]);
    }
}
