//! Streaming reads.

use crate::Result;
use handoff_connect::MyConn;
use handoff_model::{Cancel, RowFilter};
use handoff_schema::TableSchema;
use mysql::Value;

/// What a running read does to writers of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locking {
    /// Nothing: InnoDB. One statement in a consistent snapshot.
    Snapshot,
    /// Locks them out until the last row is fetched: MyISAM, Aria and others. The table is read in
    /// key ranges of at most 200 ms, each drained before anything is written anywhere.
    Ranges,
    /// Locks nobody that matters: a replica table of our own in state `success`. One statement,
    /// whatever the engine.
    Free,
}

/// What to read.
pub struct ReadSpec<'a> {
    /// The table.
    pub table: &'a TableSchema,
    /// The expressions to select, quoted.
    pub select: &'a [String],
    /// The rows.
    pub filter: &'a RowFilter,
    /// What a running read does to writers.
    pub locking: Locking,
    /// The request to stop.
    pub cancel: &'a Cancel,
}

/// Receives the rows of a read.
///
/// # Contract
///
/// * [`RowSink::row`] only appends to a buffer in memory; it never waits for a server.
/// * [`RowSink::flush`] may write what was gathered. It is called when [`RowSink::buffered`] has
///   grown to [`RowSink::threshold`], but in [`Locking::Ranges`] only between two ranges; and once
///   at the end.
pub trait RowSink {
    /// The error of the sink's own writing.
    type Error: From<crate::Error>;

    /// Takes one row: the selected expressions, then nothing else.
    ///
    /// # Errors
    ///
    /// Returns an error if the row cannot be encoded.
    fn row(&mut self, row: &[Value]) -> Result<(), Self::Error>;

    /// Returns the number of bytes gathered and not yet written.
    fn buffered(&self) -> usize;

    /// Returns the number of gathered bytes at which a flush is due.
    fn threshold(&self) -> usize {
        256 * 1024
    }

    /// Writes what was gathered.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    fn flush(&mut self) -> Result<(), Self::Error>;
}

/// Reads one table.
pub struct Reader<'a> {
    spec: ReadSpec<'a>,
}

impl<'a> Reader<'a> {
    /// Prepares a read.
    pub fn new(spec: ReadSpec<'a>) -> Reader<'a> {
        Reader { spec }
    }

    /// Reads every selected row into `sink` and returns their number.
    ///
    /// # Errors
    ///
    /// Returns an error if the server fails, the run is cancelled or the sink fails. A statement
    /// whose rows were not all fetched is killed before this returns, never read to its end.
    pub fn read<S: RowSink>(&self, _conn: &mut MyConn, _sink: &mut S) -> Result<u64, S::Error> {
        let _ = &self.spec;
        todo!()
    }
}
