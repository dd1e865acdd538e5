//! Comparing a table of both sides.

use crate::error::At;
use crate::{Error, Replicator, Result, Stage};
use handoff_connect::{MyConn, MyPool, Profile, quote_my};
use handoff_model::TableName;
use mysql::prelude::Queryable;

/// What `CHECKSUM TABLE … EXTENDED` answers on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksums {
    /// The source's sum; [`None`] where there is none that means anything.
    pub source: Option<u64>,
    /// The replica's sum.
    pub replica: Option<u64>,
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
    /// Sums the rows of a table on both sides.
    ///
    /// The server sums the history of a system versioned table too, which the replica does not
    /// carry: such a table has no sums.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Table`] if a server fails.
    pub fn checksums(&self, table: &TableName) -> Result<Checksums> {
        let source = self.sum(&self.source, Profile::RawRead, table, table.as_str())?;
        let replica = self.sum(&self.replica, Profile::Write, table, table.as_str())?;
        if source != replica && self.is_versioned(table)? {
            return Ok(Checksums { source: None, replica: None });
        }
        Ok(Checksums { source, replica })
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

    pub(crate) fn sum(
        &self,
        pool: &MyPool,
        profile: Profile,
        table: &TableName,
        name: &str,
    ) -> Result<Option<u64>> {
        let mut conn = pool.get(profile).map_err(|fault| at(table).error(fault))?;
        let guard = pool.cancel_guard(&conn, &self.cancel);
        let ask = format!("CHECKSUM TABLE {} EXTENDED", quote_my(name));
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
        let fault = conn.fault(error);
        if fault.is_cancelled() && self.cancel.is_cancelled() {
            return Error::Cancelled { table: at.table.clone() };
        }
        at.error(fault)
    }
}

fn at(table: &TableName) -> At<'_> {
    At { table, stage: Stage::Compare, rows: 0 }
}
