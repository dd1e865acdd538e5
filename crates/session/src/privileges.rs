//! Tables that the source's account may not read in full.
//!
//! `information_schema` hides a table from an account without any privilege on it, and every
//! column that it may not read of one: what is hidden would be left out, or cut, without a word.

use crate::error::{SessionError, SessionResult};
use crate::scope::TableScope;
use crate::session::Session;
use handoff_connect::{Fault, MyConn, SessionProfile, paste_my, quote_my, quote_my_account};
use handoff_model::TableName;
use handoff_schema::SourceCatalogue;
use handoff_settings::TableFilter;
use handoff_tracking::TrackedTable;
use std::collections::{BTreeMap, BTreeSet};

/// The right of an account to read a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableAccess {
    /// Every column.
    Full,
    /// Not every column, or the table may not even be there.
    Denied,
    /// There is no such table.
    Gone,
}

/// Asks whether the account may read every column of a table. Nothing is run.
///
/// # Errors
///
/// Returns the [`Fault`] of a server that fails.
pub fn table_access(conn: &mut MyConn, table: &TableName) -> Result<TableAccess, Fault> {
    match conn.prepare(format!("SELECT * FROM {}", quote_my(table.as_str()))) {
        Ok(_) => Ok(TableAccess::Full),
        Err(mysql::Error::MySqlError(error)) => Ok(match error.code {
            1142 | 1143 => TableAccess::Denied,
            1146 => TableAccess::Gone,
            // Whatever else is wrong with the table is somebody else's to say.
            _ => TableAccess::Full,
        }),
        Err(error) => Err(conn.fault(&error)),
    }
}

/// The tables that are hidden from a run.
#[derive(Debug, Default)]
pub struct HiddenTables {
    /// Tables that may not be read in full, and the statement that lets the account do so.
    pub denied: BTreeMap<TableName, String>,
    /// Tables that were carried once and are not in the source any more.
    pub gone: Vec<TableName>,
}

impl HiddenTables {
    /// Looks for tables of `wanted` that are shown in part, and of `expected` that are not shown.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Server`] if the server fails.
    pub fn look(
        conn: &mut MyConn,
        catalogue: &SourceCatalogue,
        wanted: &BTreeSet<TableName>,
        expected: &BTreeSet<TableName>,
    ) -> SessionResult<HiddenTables> {
        let failed = SessionError::server("look for tables that the account may not read");
        let mut suspects: BTreeSet<&TableName> = expected
            .iter()
            .chain(wanted.iter().filter(|table| catalogue.tables[*table].is_err()))
            .collect();
        let in_part = granted_by_column(conn).map_err(&failed)?;
        suspects.extend(wanted.iter().filter(|table| in_part.contains(table.as_str())));
        let mut hidden = HiddenTables::default();
        for table in suspects {
            match table_access(conn, table).map_err(&failed)? {
                TableAccess::Full => {}
                TableAccess::Gone => hidden.gone.push(table.clone()),
                TableAccess::Denied => {
                    hidden.denied.insert(table.clone(), grant(conn, table).map_err(&failed)?);
                }
            }
        }
        Ok(hidden)
    }
}

impl Session<'_> {
    /// Looks for tables of `scope` and of `expected` that the source's account may not see in full. Nothing is hidden
    /// where the source is not read.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the source fails.
    pub fn hidden_tables(
        &self,
        scope: &TableScope,
        expected: &BTreeSet<TableName>,
    ) -> SessionResult<HiddenTables> {
        let Some(source) = &self.servers.source else { return Ok(HiddenTables::default()) };
        let mut conn = source.get(SessionProfile::Read).map_err(SessionError::Connect)?;
        HiddenTables::look(&mut conn, &scope.catalogue, &scope.wanted, expected)
    }

    /// Returns the tables that would be meant, did the source show them: they were carried once, and
    /// are where they `arrived` still. None where tables are named.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Globs`] if a glob of the settings is none.
    pub fn expected_tables(
        &self,
        catalogue: &SourceCatalogue,
        named: &[TableName],
        states: &BTreeMap<TableName, TrackedTable>,
        arrived: impl Fn(&TableName) -> bool,
    ) -> SessionResult<BTreeSet<TableName>> {
        if !named.is_empty() {
            return Ok(BTreeSet::new());
        }
        Ok(missed_tables(catalogue, &self.table_filter()?, states, arrived))
    }
}

/// Returns the tables that were carried once, that the settings take, and that are something else in the source now,
/// with its kind.
pub fn turned_tables(
    catalogue: &SourceCatalogue,
    filter: &TableFilter,
    states: &BTreeMap<TableName, TrackedTable>,
    arrived: impl Fn(&TableName) -> bool,
) -> Vec<(TableName, String)> {
    let carried = states
        .iter()
        .filter(|(name, tracked)| tracked.was_loaded() && filter.takes(name) && arrived(name));
    let turned = carried.filter_map(|(name, _)| {
        let now =
            catalogue.not_carried_as(name).filter(|_| !catalogue.tables.contains_key(name))?;
        Some((name.clone(), now.kind.clone()))
    });
    turned.collect()
}

/// Returns the tables that were carried once, that the settings take, and that a catalogue does not show.
fn missed_tables(
    catalogue: &SourceCatalogue,
    filter: &TableFilter,
    states: &BTreeMap<TableName, TrackedTable>,
    arrived: impl Fn(&TableName) -> bool,
) -> BTreeSet<TableName> {
    let missed = states.iter().filter(|(name, tracked)| {
        tracked.was_loaded() && is_absent(catalogue, name) && filter.takes(name) && arrived(name)
    });
    missed.map(|(name, _)| name.clone()).collect()
}

/// Returns true if a catalogue shows nothing of this name.
fn is_absent(catalogue: &SourceCatalogue, name: &TableName) -> bool {
    !catalogue.tables.contains_key(name) && catalogue.not_carried_as(name).is_none()
}

/// Says that a table is gone from the source, and what stays of it.
pub fn gone_note(table: &TableName) -> String {
    format!(
        "`{table}` is gone from the source: its last rows stay in the target; once that is as it \
         should be, drop it there or name it in `exclude`"
    )
}

/// Returns the tables of which the account has rights on single columns.
fn granted_by_column(conn: &mut MyConn) -> Result<BTreeSet<String>, Fault> {
    let ask = "SELECT DISTINCT TABLE_NAME FROM information_schema.COLUMN_PRIVILEGES \
         WHERE TABLE_SCHEMA = DATABASE() AND PRIVILEGE_TYPE = 'SELECT'";
    let tables: Vec<String> = conn.query(ask).map_err(|error| conn.fault(&error))?;
    Ok(tables.into_iter().collect())
}

fn grant(conn: &mut MyConn, table: &TableName) -> Result<String, Fault> {
    let account = conn
        .query_first::<String, _>("SELECT CURRENT_USER()")
        .map_err(|error| conn.fault(&error))?
        .unwrap_or_default();
    let (database, table) = (quote_my(conn.pool().database()), quote_my(table.as_str()));
    let grant = format!("GRANT SELECT ON {database}.{table} TO {}", quote_my_account(&account));
    Ok(paste_my(&grant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_plan::testing;
    use handoff_schema::{NotCopied, TableSchema};
    use handoff_settings::Settings;

    fn table(name: &str) -> TableName {
        TableName::new(name).unwrap()
    }

    /// Returns whether `t`, which was carried once, is missed in a catalogue.
    fn is_missed(catalogue: &SourceCatalogue, exclude: &str, arrived: bool) -> bool {
        let mut settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        settings.run.exclude = vec![exclude.to_owned()];
        let filter = TableFilter::new(&settings.run).unwrap();
        let states = [(table("t"), testing::tracked())].into();
        !missed_tables(catalogue, &filter, &states, |_| arrived).is_empty()
    }

    #[test]
    fn a_table_that_was_carried_and_is_not_shown_is_missed() {
        assert!(is_missed(&SourceCatalogue::empty(), "u", true));
    }

    #[test]
    fn a_table_that_is_excluded_or_did_not_stay_is_missed_by_nobody() {
        assert!(!is_missed(&SourceCatalogue::empty(), "t", true));
        assert!(!is_missed(&SourceCatalogue::empty(), "u", false));
    }

    #[test]
    fn a_table_that_is_shown_is_not_missed_whatever_it_became() {
        let mut shown = SourceCatalogue::empty();
        shown.tables.insert(table("t"), Ok(TableSchema::empty("t")));
        assert!(!is_missed(&shown, "u", true));
        let mut view = SourceCatalogue::empty();
        view.not_carried.push(NotCopied { name: "t".to_owned(), kind: "VIEW".to_owned() });
        assert!(!is_missed(&view, "u", true));
    }

    #[test]
    fn a_table_that_became_a_view_is_told_with_its_kind() {
        let settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        let filter = TableFilter::new(&settings.run).unwrap();
        let states = [(table("t"), testing::tracked())].into();
        let mut view = SourceCatalogue::empty();
        view.not_carried.push(NotCopied { name: "t".to_owned(), kind: "VIEW".to_owned() });
        let turned = turned_tables(&view, &filter, &states, |_| true);
        assert_eq!(turned, [(table("t"), "VIEW".to_owned())]);
        assert!(turned_tables(&view, &filter, &states, |_| false).is_empty());
        assert!(turned_tables(&SourceCatalogue::empty(), &filter, &states, |_| true).is_empty());
    }

    #[test]
    fn a_table_that_never_arrived_is_not_missed() {
        let settings = Settings::new("mysql://a@b/c", None, "postgres://a@b/c").unwrap();
        let filter = TableFilter::new(&settings.run).unwrap();
        let states = [(table("t"), TrackedTable::default())].into();
        let missed = missed_tables(&SourceCatalogue::empty(), &filter, &states, |_| true);
        assert_eq!(missed, BTreeSet::new());
    }

    #[test]
    fn a_table_that_is_gone_is_told_with_the_ways_on() {
        let told = gone_note(&table("t"));
        assert!(told.starts_with("`t` is gone from the source: its last rows stay"), "{told}");
        assert!(told.ends_with("drop it there or name it in `exclude`"), "{told}");
    }
}
