//! The roles of the servers, the movers and the records in a table's way, as the interpreter sees them.
//!
//! [`RunTools`](super::tools::RunTools) plays all of them in a run; in tests without servers doubles do.

use super::difference::TableDifference;
use super::evidence::Checksums;
use super::probe::Probe;
use super::steps::Between;
use crate::error::TableError;
use crate::report::StructureReport;
use handoff_connect::{Fault, PublishedRows, Side};
use handoff_loader::{LoadMode, LoadOutcome};
use handoff_model::{
    CopyId, RowFilter, TableName, TablePhase, TableSum, Watermark, WatermarkWindow,
};
use handoff_plan::{TablePlan, WatermarkColumn};
use handoff_replicator::CopyOutcome;
use handoff_rows::KeyList;
use handoff_schema::TargetTable;
use handoff_structure::StructurePlan;
use handoff_tracking::{AttemptStatus, PublishedMove};
use jiff::Timestamp;
use std::path::Path;

/// The part of a table that a comparison reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ComparedPart {
    /// Every column.
    Rows,
    /// The columns of the key.
    Keys,
}

/// The questions that the steps of a table ask.
pub(crate) trait TableQuestions: Sync {
    /// Asks the source, in one statement, for the clock, the watermarks and the number of rows.
    fn probe(&self, plan: &TablePlan, filter: &RowFilter) -> Result<Probe, TableError>;

    /// Asks the source behind which value the next slice of at most `rows` rows of a window begins; [`None`] if
    /// the rest is one slice.
    fn slice_end(
        &self,
        plan: &TablePlan,
        column: &WatermarkColumn,
        window: &WatermarkWindow,
        rows: u64,
    ) -> Result<Option<Watermark>, TableError>;

    /// Counts the rows of a filter in source or replica.
    fn count(&self, side: Side, plan: &TablePlan, filter: &RowFilter) -> Result<u64, TableError>;

    /// Counts the rows of the database that hop 2 reads.
    fn count_read(&self, plan: &TablePlan) -> Result<u64, TableError>;

    /// Sums the rows of the database that hop 2 reads, in their canonical form.
    fn sum_read(&self, plan: &TablePlan) -> Result<TableSum, TableError>;

    /// Returns true if no database has a row of the table.
    fn is_empty(&self, plan: &TablePlan) -> Result<bool, TableError>;

    /// Sums the bytes of all rows of source and replica.
    fn checksums(&self, plan: &TablePlan) -> Result<Checksums, TableError>;

    /// Compares a table across databases.
    fn compare(
        &self,
        plan: &TablePlan,
        between: Between,
        part: ComparedPart,
    ) -> Result<TableDifference, TableError>;

    /// Asks a server for a connection, and returns the fault of one that cannot be reached.
    fn unreachable(&self, side: Side) -> Option<Fault>;
}

/// The rows that hop 1 publishes at once.
#[derive(Clone, Copy)]
pub(crate) enum CopiedPart<'a> {
    /// Those of a filter.
    Rows(&'a RowFilter),
    /// Those of a filter, and those of keys beside it.
    RowsAndKeys(&'a RowFilter, &'a KeyList),
    /// Those of keys alone.
    Keys(&'a KeyList),
}

/// One publication of hop 1.
pub(crate) struct CopyOrder<'a> {
    pub(crate) plan: &'a TablePlan,
    pub(crate) id: CopyId,
    /// True if the replica's table is sure to be as the plan knows it.
    pub(crate) is_first: bool,
    pub(crate) part: CopiedPart<'a>,
    /// True if the rows are summed in their canonical form.
    pub(crate) sums: bool,
    pub(crate) record: PublishedMove<'a>,
    /// The time from which the rows were looked for, if it was before the copy began.
    pub(crate) since: Option<Timestamp>,
}

/// The rows that hop 2 publishes at once.
#[derive(Clone, Copy)]
pub(crate) enum LoadedPart<'a> {
    /// Those of a filter.
    Rows(&'a RowFilter),
    /// Those of a filter, and those of keys beside it.
    RowsAndKeys(&'a RowFilter, &'a KeyList),
    /// Those of keys alone.
    Keys(&'a KeyList),
    /// Those of a file that an earlier load kept.
    File(&'a Path),
}

/// One publication of hop 2.
pub(crate) struct LoadOrder<'a> {
    pub(crate) plan: &'a TablePlan,
    pub(crate) copy_id: Option<CopyId>,
    pub(crate) part: LoadedPart<'a>,
    pub(crate) mode: LoadMode,
    pub(crate) record: PublishedMove<'a>,
    /// The time from which the rows were looked for, if it was before the load began.
    pub(crate) since: Option<Timestamp>,
}

/// The movers. They publish and record at once, after the check of the publication.
pub(crate) trait TableMovers: Sync {
    /// Publishes a copy in the replica.
    fn copy(
        &self,
        order: &CopyOrder<'_>,
        check: &dyn PublicationCheck,
    ) -> Result<CopyOutcome, TableError>;

    /// Publishes a load in the target.
    fn load(
        &self,
        order: &LoadOrder<'_>,
        check: &dyn PublicationCheck,
    ) -> Result<LoadOutcome, TableError>;

    /// Makes the changes of a table's structure in the target that come before its rows, and returns the table as it is
    /// then.
    fn change(&self, plan: &TablePlan, changes: &StructurePlan) -> Result<TargetTable, TableError>;

    /// Takes the changes that were made of a table's structure.
    fn take_changes(&self, table: &TableName) -> Vec<StructureReport>;
}

/// The rows of a table as the transaction sees them that publishes them.
pub(crate) trait PlacedRows {
    /// Counts them.
    fn count(&mut self) -> Result<u64, TableError>;

    /// Sums them in their canonical form, in the target.
    fn sum(&mut self) -> Result<TableSum, TableError>;
}

/// The check before a publication, once its rows are in place.
pub(crate) trait PublicationCheck: Sync {
    /// Decides whether `published` may be published.
    ///
    /// # Errors
    ///
    /// Returns the error that the table fails with if not; the mover leaves everything as it was.
    fn check(&self, published: &PublishedRows, rows: &mut dyn PlacedRows)
    -> Result<(), TableError>;
}

/// The check of a publication that a comparison follows.
pub(crate) struct NoCheck;

impl PublicationCheck for NoCheck {
    fn check(&self, _: &PublishedRows, _: &mut dyn PlacedRows) -> Result<(), TableError> {
        Ok(())
    }
}

/// The records of a run: its lock and its failures.
pub(crate) trait RunRecords: Sync {
    /// Makes sure that the lock of the run is held, where its servers were not heard of for long.
    fn demand_lock(&self) -> Result<(), Fault>;

    /// Asks the servers for the lock of the run, after a fault that may have cost it.
    fn check_lock(&self) -> Result<(), Fault>;

    /// Records that a table failed or was stopped.
    fn failed(
        &self,
        table: &TableName,
        phase: TablePhase,
        status: AttemptStatus,
        text: &str,
    ) -> Result<(), handoff_tracking::TrackingError>;
}
