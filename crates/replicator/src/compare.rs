//! Comparing a table of both sides.

use crate::carried::carried;
use crate::error::At;
use crate::row_sum::{locking, row_sum};
use crate::{Error, Replicator, Result, Stage};
use handoff_connect::{Fault, MyConn, MyPool, Profile, quote_my};
use handoff_model::TableName;
use handoff_rows::Locking;
use handoff_schema::Catalogue;
use mysql::prelude::Queryable;
use xxhash_rust::xxh3::xxh3_64;

/// The sums of a table's rows on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksums {
    /// The source's sum.
    pub source: Option<u64>,
    /// The replica's sum.
    pub replica: Option<u64>,
    /// What the sums are of: `CHECKSUM TABLE`, which the servers compute, or `row hashes` of the
    /// rows as we read them, where theirs are missing or of more than the rows.
    pub by: &'static str,
}

/// The number of rows on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Rows in the source, current ones only.
    pub source: u64,
    /// Rows in the replica.
    pub replica: u64,
}

impl Replicator {
    /// Sums the rows of a table on both sides, one after the other: the sums of a table that is
    /// being written to differ. Both are there.
    ///
    /// The server sums the history of a system versioned table too, which the replica does not
    /// carry, and some engines have no sum: then the rows are read and summed here.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Table`] or [`Error::Rows`] if a server fails or the table is missing on a
    /// side, and [`Error::Changed`] if it is altered meanwhile.
    pub fn checksums(&self, table: &TableName) -> Result<Checksums> {
        let source = self.sum(&self.source, Profile::RawRead, table)?;
        let replica = self.sum(&self.replica, Profile::Write, table)?;
        if source.is_none() || replica.is_none() || source != replica && self.is_versioned(table)? {
            return self.row_sums(table);
        }
        Ok(Checksums { source, replica, by: "CHECKSUM TABLE" })
    }

    fn row_sums(&self, table: &TableName) -> Result<Checksums> {
        let failed = |fault| at(table).error(fault);
        let mut source = self.source.get(Profile::RawRead).map_err(failed)?;
        let changed = || Error::Changed { table: table.clone() };
        let described = match Catalogue::read(&mut source, self.source.database()) {
            Ok(mut catalogue) => catalogue.tables.remove(table),
            Err(handoff_schema::Error::Catalogue(fault)) => return Err(failed(fault)),
            Err(_) => None,
        };
        let described = described.and_then(std::result::Result::ok).ok_or_else(changed)?;
        drop(source);
        let definition = self.definition(&described)?;
        let columns = carried(&described, &definition, self.source.version().flavor);
        let sum = |pool: &MyPool, locking| -> Result<Option<u64>> {
            let mut conn = pool.get(Profile::RawRead).map_err(failed)?;
            let sum = row_sum(&mut conn, &described, &columns, locking, &self.cancel)?;
            Ok(Some(xxh3_64(sum.to_string().as_bytes())))
        };
        Ok(Checksums {
            source: sum(&self.source, locking(&described))?,
            replica: sum(&self.replica, Locking::Free)?,
            by: "row hashes",
        })
    }

    /// Counts the rows of a table on both sides.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Table`] if a server fails.
    pub fn counts(&self, table: &TableName) -> Result<Counts> {
        let ask = format!("SELECT COUNT(*) FROM {}", quote_my(table.as_str()));
        let count = |pool: &MyPool, profile| -> Result<u64> {
            let mut conn = pool.get(profile).map_err(|fault| at(table).error(fault))?;
            let guard = pool.cancel_guard(&conn, &self.cancel);
            let counted = conn.query_first::<u64, _>(ask.as_str());
            drop(guard);
            let counted = counted.map_err(|error| self.failed(&conn, at(table), &error))?;
            Ok(counted.unwrap_or_default())
        };
        let source = count(&self.source, Profile::RawRead)?;
        let replica = count(&self.replica, Profile::Write)?;
        Ok(Counts { source, replica })
    }

    fn sum(&self, pool: &MyPool, profile: Profile, table: &TableName) -> Result<Option<u64>> {
        let mut conn = pool.get(profile).map_err(|fault| at(table).error(fault))?;
        let guard = pool.cancel_guard(&conn, &self.cancel);
        let ask = format!("CHECKSUM TABLE {} EXTENDED", quote_my(table.as_str()));
        let summed = conn.query_first::<(Vec<u8>, Option<u64>), _>(ask);
        drop(guard);
        let summed = summed.map_err(|error| self.failed(&conn, at(table), &error))?;
        Ok(summed.and_then(|(_, sum)| sum))
    }

    fn is_versioned(&self, table: &TableName) -> Result<bool> {
        let failed = |fault| at(table).error(fault);
        let mut conn = self.source.get(Profile::RawRead).map_err(failed)?;
        let kind = conn
            .exec_first::<Vec<u8>, _, _>(
                "SELECT TABLE_TYPE FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
                (table.as_str(),),
            )
            .map_err(|error| failed(conn.fault(&error)))?;
        Ok(kind.is_some_and(|kind| kind == b"SYSTEM VERSIONED"))
    }

    /// Reduces a driver's error at a step of a table; one that came because the run was asked to
    /// stop is no fault.
    pub(crate) fn failed(&self, conn: &MyConn, at: At<'_>, error: &mysql::Error) -> Error {
        self.told(at, conn.fault(error))
    }

    /// Names the step at which a fault came, unless it came because the run was asked to stop.
    pub(crate) fn told(&self, at: At<'_>, fault: Fault) -> Error {
        if fault.is_cancelled() && self.cancel.is_cancelled() {
            return Error::Cancelled { table: at.table.clone() };
        }
        at.error(fault)
    }
}

fn at(table: &TableName) -> At<'_> {
    At { table, stage: Stage::Compare, rows: 0 }
}
