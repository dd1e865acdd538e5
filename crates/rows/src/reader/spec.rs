//! The rows to read, and who receives them.

use crate::error::{Error, Result};
use handoff_connect::{Fault, ValueRef};
use handoff_model::{CancelToken, Cancelled, RowFilter};
use handoff_schema::TableSchema;

/// The effect of a running read on writers of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// Nothing: InnoDB. One statement in a consistent snapshot.
    Snapshot,
    /// Locks them out until the last row is fetched: MyISAM, Aria and others. The table is read in
    /// key ranges of at most 200 ms, each drained before anything is written anywhere; a table
    /// without a key in one statement.
    Ranges,
    /// Locks nobody that matters: a replica table of our own in state `success`. One statement,
    /// whatever the engine.
    Free,
}

/// The rows and expressions to read.
pub struct ReadSpec<'a> {
    /// The table.
    pub table: &'a TableSchema,
    /// The expressions to select, quoted.
    pub select: &'a [String],
    /// The rows.
    pub filter: &'a RowFilter,
    /// The effect of a running read on writers.
    pub locking: Locking,
    /// The request to stop.
    pub cancel: &'a CancelToken,
}

/// Receives the rows of a read.
///
/// # Contract
///
/// * [`RowSink::row`] only appends to a buffer in memory; it never waits for a server.
/// * [`RowSink::flush`] may write the gathered rows. It is called when [`RowSink::buffered`] has
///   grown to [`RowSink::threshold`], but in [`Locking::Ranges`] only between two ranges; and once
///   at the end.
pub trait RowSink {
    /// The error of the sink's own writing.
    type Error: From<Error>;

    /// Takes one row: the selected expressions, then nothing else.
    ///
    /// # Errors
    ///
    /// Returns an error if the row cannot be encoded.
    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<(), Self::Error>;

    /// Returns the number of bytes gathered and not yet written.
    fn buffered(&self) -> usize;

    /// Returns the number of gathered bytes at which a flush is due.
    fn threshold(&self) -> usize {
        256 * 1024
    }

    /// Writes the gathered rows.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    fn flush(&mut self) -> Result<(), Self::Error>;
}

/// Makes the error of a read; one that comes of the request to stop says so.
pub(super) fn read_error(spec: &ReadSpec<'_>, rows: u64, fault: Fault) -> Error {
    if spec.cancel.is_cancelled() {
        return Cancelled.into();
    }
    Error::Read { table: spec.table.name.clone(), rows, fault }
}
