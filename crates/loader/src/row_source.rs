//! The source of a strategy's rows.

use crate::error::{Error, Result};
use crate::key_text::key_text;
use handoff_connect::{Fault, MyConn, MyPool, SessionProfile, ValueRef};
use handoff_model::{CancelToken, KeyValue, RowFilter, RowThrottle, WaitClock};
use handoff_rows::{
    Encoder, KeyList, Locking, ReadChunk, ReadSpec, RowReader, RowSink, TupleBuffer,
};
use handoff_schema::{TableMapping, TableSchema};
use handoff_settings::ValuePolicies;

/// The rows that a strategy moves.
#[derive(Clone, Copy)]
pub struct RowSource<'a> {
    /// The server they are read from.
    pub pool: &'a MyPool,
    /// The table as that server has it.
    pub table: &'a TableSchema,
    /// The table's form in the target.
    pub mapping: &'a TableMapping,
    /// The rows to read.
    pub filter: &'a RowFilter,
    /// The effect of reading on writers of the table.
    pub locking: Locking,
    /// The policies for values that PostgreSQL cannot hold.
    pub values: &'a ValuePolicies,
    /// The request to stop.
    pub cancel: &'a CancelToken,
    /// The most bytes that one row may have.
    pub largest_row: usize,
    /// The memory that gathered rows may take, in bytes.
    pub memory_bytes: usize,
    /// The bound on the rows that are read in a second.
    pub throttle: Option<&'a RowThrottle>,
    /// The keys of the rows, where those are given instead of a filter.
    pub keys: Option<&'a KeyList>,
    /// The clock of reading, encoding and writing.
    pub clock: &'a WaitClock,
}

impl RowSource<'_> {
    /// Returns an empty buffer for encoded rows. A strategy that reads in several threads takes one
    /// for each.
    pub fn tuples(&self) -> TupleBuffer {
        TupleBuffer::new(Encoder::new(self.mapping, self.values))
    }

    /// Encodes one row into `tuples`.
    ///
    /// # Errors
    ///
    /// Returns an error if a value cannot be moved or the row is too large.
    pub fn push(&self, tuples: &mut TupleBuffer, row: &[ValueRef<'_>]) -> Result<()> {
        let start = tuples.bytes().len();
        tuples.push(row)?;
        let tuple = &tuples.bytes()[start..];
        if tuple.len() <= self.largest_row {
            return Ok(());
        }
        Err(Error::RowTooLarge {
            table: self.mapping.table.clone(),
            key: key_text(self.mapping, tuple),
            bytes: tuple.len(),
            limit: self.largest_row,
        })
    }

    /// Reads the rows of `filter`, or those of [`RowSource::keys`] if there are any, into `sink`, over a
    /// connection of its own.
    ///
    /// `select` is the sink's [`TupleBuffer::select_list`].
    ///
    /// # Errors
    ///
    /// Returns an error if the server fails, the run is cancelled, the table was altered, or the
    /// sink fails.
    pub fn read<S: RowSink<Error = Error>>(
        &self,
        filter: &RowFilter,
        select: &[String],
        sink: &mut S,
    ) -> Result<u64> {
        let mut conn = self.connect()?;
        let rows = match self.keys {
            None => self.reader(filter, select).read(&mut conn, sink)?,
            Some(keys) => self.read_keys(keys, &mut conn, select, sink)?,
        };
        // A replica's table is our own; the source's may be altered between two of our statements.
        let is_ours = self.locking == Locking::Free;
        if is_ours
            || self.table.is_unchanged(&mut conn).map_err(|fault| self.failed(rows, fault))?
        {
            return Ok(rows);
        }
        Err(Error::Changed { table: self.table.name.clone() })
    }

    fn read_keys<S: RowSink<Error = Error>>(
        &self,
        keys: &KeyList,
        conn: &mut MyConn,
        select: &[String],
        sink: &mut S,
    ) -> Result<u64> {
        let mut rows = 0;
        keys.batches(|batch| {
            if let Some(filter) = batch.filter() {
                rows += self.reader(&filter, select).read(conn, sink)?;
            }
            Ok::<_, Error>(())
        })?;
        Ok(rows)
    }

    /// Reads at most `rows` rows of [`RowSource::filter`] behind the key `after`, in the order of the
    /// key, over a connection of its own. For a table of our own ([`Locking::Free`]).
    ///
    /// # Errors
    ///
    /// Returns an error as [`RowSource::read`] does, and for a table without a key.
    pub fn read_chunk<S: RowSink<Error = Error>>(
        &self,
        after: Option<&[KeyValue]>,
        rows: u64,
        select: &[String],
        sink: &mut S,
    ) -> Result<ReadChunk> {
        let mut conn = self.connect()?;
        self.reader(self.filter, select).read_chunk(&mut conn, sink, after, rows)
    }

    /// Returns about `size` keys of the table, taken at random and in their order.
    ///
    /// # Errors
    ///
    /// Returns an error if the server fails or the table has no key.
    pub fn sample_keys(&self, size: u32) -> Result<Vec<Vec<KeyValue>>> {
        let mut conn = self.connect()?;
        Ok(self.reader(&RowFilter::All, &[]).sample_keys(&mut conn, size)?)
    }

    fn connect(&self) -> Result<MyConn> {
        self.pool.get(SessionProfile::Read).map_err(|fault| self.failed(0, fault))
    }

    fn failed(&self, rows: u64, fault: Fault) -> Error {
        handoff_rows::Error::Read { table: self.table.name.clone(), rows, fault }.into()
    }

    fn reader<'s>(&'s self, filter: &'s RowFilter, select: &'s [String]) -> RowReader<'s> {
        let RowSource { table, locking, cancel, .. } = *self;
        let spec = ReadSpec { table, select, filter, locking, cancel };
        // A buffer that grows may have twice the room that it needs.
        RowReader::new(spec).room(self.memory_bytes / 2).throttle(self.throttle).clock(self.clock)
    }
}
