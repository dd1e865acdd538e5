//! Tables that the source's account may not read in full.
//!
//! `information_schema` hides a table from an account without any privilege on it, and every
//! column that it may not read of one: what is hidden would be left out, or cut, without a word.

use crate::{Error, Result};
use handoff_connect::{Fault, MyConn, paste_my, quote_my, quote_my_account};
use handoff_model::TableName;
use handoff_schema::SourceCatalogue;
use mysql::prelude::Queryable;
use std::collections::{BTreeMap, BTreeSet};

/// Whether an account may read a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every column.
    Full,
    /// Not every column, or the table may not even be there.
    Denied,
    /// There is no such table.
    Gone,
}

/// Asks whether the account may read every column of a table. Nothing is run.
pub(crate) fn access(conn: &mut MyConn, table: &TableName) -> Result<Access, Fault> {
    match conn.prep(format!("SELECT * FROM {}", quote_my(table.as_str()))) {
        Ok(_) => Ok(Access::Full),
        Err(mysql::Error::MySqlError(error)) => Ok(match error.code {
            1142 | 1143 => Access::Denied,
            1146 => Access::Gone,
            // Whatever else is wrong with the table is somebody else's to say.
            _ => Access::Full,
        }),
        Err(error) => Err(conn.fault(&error)),
    }
}

/// What is hidden from a run.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    /// Tables that may not be read in full, and the statement that lets the account do so.
    pub(crate) denied: BTreeMap<TableName, String>,
    /// Tables that were carried once and are not in the source any more.
    pub(crate) gone: Vec<TableName>,
}

impl Hidden {
    /// Looks for tables of `wanted` that are shown in part, and of `expected` that are not shown.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Server`] if the server fails.
    pub(crate) fn look(
        conn: &mut MyConn,
        catalogue: &SourceCatalogue,
        wanted: &BTreeSet<TableName>,
        expected: &BTreeSet<TableName>,
    ) -> Result<Hidden> {
        let failed = Error::server("look for tables that the account may not read");
        let mut suspects: BTreeSet<&TableName> = expected
            .iter()
            .chain(wanted.iter().filter(|table| catalogue.tables[*table].is_err()))
            .collect();
        let in_part = granted_by_column(conn).map_err(&failed)?;
        suspects.extend(wanted.iter().filter(|table| in_part.contains(table.as_str())));
        let mut hidden = Hidden::default();
        for table in suspects {
            match access(conn, table).map_err(&failed)? {
                Access::Full => {}
                Access::Gone => hidden.gone.push(table.clone()),
                Access::Denied => {
                    hidden.denied.insert(table.clone(), grant(conn, table).map_err(&failed)?);
                }
            }
        }
        Ok(hidden)
    }
}

/// Returns the tables of which the account has rights on single columns.
fn granted_by_column(conn: &mut MyConn) -> Result<BTreeSet<String>, Fault> {
    let ask = "SELECT DISTINCT TABLE_NAME FROM information_schema.COLUMN_PRIVILEGES \
         WHERE TABLE_SCHEMA = DATABASE() AND PRIVILEGE_TYPE = 'SELECT'";
    let tables: Vec<String> = conn.gather(ask).map_err(|error| conn.fault(&error))?;
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
