//! The catalogue of a whole database.

use crate::{Result, TableSchema};
use handoff_connect::MyConn;
use handoff_model::TableName;
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
    /// What else is there.
    pub not_carried: Vec<NotCarried>,
}

impl Catalogue {
    /// Reads the catalogue of `database` in a handful of queries, however many tables there are.
    /// Tables of our own (`__handoff_…`, `etl_copy_status`) are left out.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Catalogue`](crate::Error::Catalogue) if the server refuses.
    pub fn read(_conn: &mut MyConn, _database: &str) -> Result<Catalogue> {
        todo!()
    }
}
