//! Comparing a table of both sides.

use crate::copied_column::{CopiedColumn, copied_columns};
use crate::error::{CopyStage, Error, FaultContext, Result};
use crate::labels;
use crate::pair::Replicator;
use crate::row_sum::{locking, row_sum};
use handoff_connect::{Fault, MyConn, MyPool, SessionProfile, quote_my};
use handoff_model::{TableName, TableSum};
use handoff_rows::Locking;
use handoff_schema::TableSchema;
use std::panic::resume_unwind;
use std::thread;

/// The sums of a table's rows on both sides, each row as its bytes in the server: no policy and no
/// type of the target makes two rows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SideSums {
    /// The source's sum, of its current rows.
    pub source: TableSum,
    /// The replica's sum.
    pub replica: TableSum,
}

/// The number of rows on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows in the source, current ones only.
    pub source: u64,
    /// Rows in the replica.
    pub replica: u64,
}

impl Replicator {
    /// Reads the rows of a table on both sides, at the same time, and sums them: the sums of a table
    /// that is being written to differ. The source is read as a copy reads it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Table`] or [`Error::Rows`] if a server fails or the table is missing on a
    /// side, and [`Error::Changed`] if it is not as `table` describes it.
    pub fn row_sums(&self, table: &TableSchema) -> Result<SideSums> {
        let columns = &copied_columns(table, self.source.version().flavor, |_| false);
        let (source, replica) = thread::scope(|scope| {
            let replica =
                scope.spawn(|| self.row_sum_of(&self.replica, table, columns, Locking::Free));
            let source = self.row_sum_of(&self.source, table, columns, locking(table));
            (source, replica.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let sums = SideSums { source: source?, replica: replica? };
        self.check_labels_of(table, columns)?;
        // Rows that were read as something else may have the same sum.
        self.definition(table)?;
        Ok(sums)
    }

    fn row_sum_of(
        &self,
        pool: &MyPool,
        table: &TableSchema,
        columns: &[CopiedColumn],
        locking: Locking,
    ) -> Result<TableSum> {
        let mut conn = connect(pool, SessionProfile::RawRead, &table.name)?;
        row_sum(&mut conn, table, columns, locking, &self.cancel)
    }

    /// Compares labels that a definition may not tell, since values of such columns are summed by
    /// their numbers.
    fn check_labels_of(&self, table: &TableSchema, columns: &[CopiedColumn]) -> Result<()> {
        let doubtful = labels::doubtful(table, columns);
        if doubtful.is_empty() {
            return Ok(());
        }
        let mut source = connect(&self.source, SessionProfile::RawRead, &table.name)?;
        let mut replica = connect(&self.replica, SessionProfile::RawRead, &table.name)?;
        labels::check(table, &doubtful, &mut source, &mut replica, table.name.as_str())
    }

    /// Counts the rows of a table on both sides.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Table`] if a server fails.
    pub fn counts(&self, table: &TableName) -> Result<RowCounts> {
        let source = self.count(&self.source, SessionProfile::RawRead, table)?;
        let replica = self.count(&self.replica, SessionProfile::Write, table)?;
        Ok(RowCounts { source, replica })
    }

    fn count(&self, pool: &MyPool, profile: SessionProfile, table: &TableName) -> Result<u64> {
        let mut conn = connect(pool, profile, table)?;
        let guard = pool.cancel_guard(&conn, &self.cancel);
        let sql = format!("SELECT COUNT(*) FROM {}", quote_my(table.as_str()));
        let counted = conn.query_first::<u64, _>(sql);
        drop(guard);
        let rows = counted.map_err(|error| self.failed(&conn, at(table), &error))?;
        Ok(rows.unwrap_or_default())
    }

    /// Reduces a driver's error at a step of a table; one that came because the run was asked to
    /// stop is no fault.
    pub(crate) fn failed(
        &self,
        conn: &MyConn,
        at: FaultContext<'_>,
        error: &mysql::Error,
    ) -> Error {
        self.told(at, conn.fault(error))
    }

    /// Names the stage at which a fault came, unless it came because the run was asked to stop.
    pub(crate) fn told(&self, at: FaultContext<'_>, fault: Fault) -> Error {
        if fault.is_cancelled() && self.cancel.is_cancelled() {
            return Error::Cancelled { table: at.table.clone() };
        }
        at.error(fault)
    }
}

fn connect(pool: &MyPool, profile: SessionProfile, table: &TableName) -> Result<MyConn> {
    pool.get(profile).map_err(|fault| at(table).error(fault))
}

fn at(table: &TableName) -> FaultContext<'_> {
    FaultContext { table, stage: CopyStage::Compare, rows: 0 }
}
