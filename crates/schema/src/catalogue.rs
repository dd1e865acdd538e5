//! The catalogue of a whole database.

mod assemble;
mod facts;
mod json;
mod omitted;

use crate::{Omission, Result, TableSchema};
use facts::Facts;
use handoff_connect::MyConn;
use handoff_model::{TableName, own};
use std::collections::BTreeMap;

/// Something in the database that is no table, such as a view or a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCarried {
    /// Its name.
    pub name: String,
    /// What it is, as the server spells it: `VIEW`, `SEQUENCE`, …
    pub kind: String,
}

/// Every table of one database.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The tables; one that cannot be described is an error of its own, and the others go on.
    pub tables: BTreeMap<TableName, Result<TableSchema>>,
    /// When the table was made that is the oldest, as the server prints it.
    pub oldest_table: Option<String>,
    /// What else is there.
    pub not_carried: Vec<NotCarried>,
    /// The parts of the tables, and the things that are none, which the target does not get.
    pub omissions: Vec<Omission>,
}

impl Catalogue {
    /// Describes a database without tables.
    pub fn empty() -> Catalogue {
        Catalogue {
            tables: BTreeMap::new(),
            oldest_table: None,
            not_carried: Vec::new(),
            omissions: Vec::new(),
        }
    }

    /// Reads the catalogue of `database` in four statements (three from MySQL), however many tables
    /// there are. Tables of our own (`__handoff_…`, `etl_copy_status`) are left out; in a source they are
    /// among the omissions.
    ///
    /// A table that is altered meanwhile is an error of its own.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Catalogue`](crate::Error::Catalogue) if the server refuses.
    pub fn read(conn: &mut MyConn, database: &str) -> Result<Catalogue> {
        Ok(assemble::catalogue(Facts::read(conn, database)?))
    }
}

/// Returns true for tables that Handoff itself makes in a MySQL database.
fn is_own(name: &str) -> bool {
    name.starts_with(own::PREFIX) || name == own::COPY_STATUS
}
