//! The source of a strategy's rows.

use crate::error::{Error, Result};
use crate::key_text::key_text;
use crate::strategy::LoadedRows;
use handoff_connect::{MyConn, MyPool, Profile, ValueRef};
use handoff_model::{Cancel, KeyValue, RowFilter, TableSum, Throttle, WaitClock};
use handoff_rows::{
    Encoder, KeyList, Locking, ReadChunk, ReadSpec, RowReader, RowSink, TupleBuffer,
};
use handoff_schema::{Mapping, TableSchema};
use handoff_settings::Values;

/// The rows that a strategy moves.
#[derive(Clone, Copy)]
pub struct RowSource<'a> {
    /// The server they are read from.
    pub pool: &'a MyPool,
    /// The table as that server has it.
    pub table: &'a TableSchema,
    /// The table's form in the target.
    pub mapping: &'a Mapping,
    /// The rows to read.
    pub filter: &'a RowFilter,
    /// The effect of reading on writers of the table.
    pub locking: Locking,
    /// The policies for values that PostgreSQL cannot hold.
    pub values: &'a Values,
    /// The request to stop.
    pub cancel: &'a Cancel,
    /// The most bytes that one row may have.
    pub largest_row: usize,
    /// The memory that gathered rows may take, in bytes.
    pub memory_bytes: usize,
    /// The bound on the rows that are read in a second.
    pub throttle: Option<&'a Throttle>,
    /// The keys of the rows, where those are given instead of a filter.
    pub keys: Option<&'a KeyList>,
    /// The clock of reading, encoding and writing.
    pub clock: &'a WaitClock,
}

impl RowSource<'_> {
    /// Returns an empty batch of encoded rows. A strategy that reads in several threads takes one
    /// for each.
    pub fn tuples(&self) -> TupleBatch<'_> {
        TupleBatch {
            buffer: TupleBuffer::new(Encoder::new(self.mapping, self.values)),
            mapping: self.mapping,
            largest: self.largest_row,
            cleared: 0,
        }
    }

    /// Reads the rows of `filter`, or those of [`RowSource::keys`] if there are any, into `sink`, over a
    /// connection of its own.
    ///
    /// `select` is what the sink's [`TupleBatch::select_list`] returned.
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
        let failed = |rows| {
            let table = self.table.name.clone();
            move |fault| handoff_rows::Error::Read { table, rows, fault }
        };
        let mut conn = self.connect()?;
        let rows = match self.keys {
            None => self.reader(filter, select).read(&mut conn, sink)?,
            Some(keys) => self.read_keys(keys, &mut conn, select, sink)?,
        };
        // A replica's table is our own; the source's may be altered between two of our statements.
        let is_ours = self.locking == Locking::Free;
        if is_ours || self.table.is_unchanged(&mut conn).map_err(failed(rows))? {
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
        let failed = |fault| {
            let table = self.table.name.clone();
            handoff_rows::Error::Read { table, rows: 0, fault }
        };
        Ok(self.pool.get(Profile::Read).map_err(failed)?)
    }

    fn reader<'s>(&'s self, filter: &'s RowFilter, select: &'s [String]) -> RowReader<'s> {
        let RowSource { table, locking, cancel, .. } = *self;
        let spec = ReadSpec { table, select, filter, locking, cancel };
        // A buffer that grows may have twice the room that it needs.
        let reader = RowReader::new(spec).room(self.memory_bytes / 2);
        reader.throttle(self.throttle).clock(self.clock)
    }
}

/// Rows in their canonical form, gathered to be written, with their sum.
pub struct TupleBatch<'a> {
    buffer: TupleBuffer,
    mapping: &'a Mapping,
    largest: usize,
    /// Rows of earlier batches.
    cleared: u64,
}

impl TupleBatch<'_> {
    /// Returns the expressions to select.
    pub fn select_list(&self) -> Vec<String> {
        self.buffer.select_list().to_vec()
    }

    /// Encodes one row.
    ///
    /// # Errors
    ///
    /// Returns an error if a value cannot be carried or the row is too large.
    pub fn push(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        let start = self.buffer.bytes().len();
        self.buffer.push(row)?;
        let tuple = &self.buffer.bytes()[start..];
        if tuple.len() <= self.largest {
            return Ok(());
        }
        Err(Error::RowTooLarge {
            table: self.mapping.table.clone(),
            key: key_text(self.mapping, tuple),
            bytes: tuple.len(),
            limit: self.largest,
        })
    }

    /// Returns the tuples gathered since the last [`TupleBatch::clear`], one behind the other.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }

    /// Returns how many tuples are gathered.
    pub fn pending(&self) -> u64 {
        self.buffer.sum().rows - self.cleared
    }

    /// Empties the batch, once it is written.
    pub fn clear(&mut self) {
        self.cleared = self.buffer.sum().rows;
        self.buffer.clear();
    }

    /// Returns the sum of all rows so far.
    pub fn sum(&self) -> TableSum {
        self.buffer.sum()
    }

    /// Returns the rows moved so far.
    pub fn moved(&self) -> LoadedRows {
        let sum = self.sum();
        let (bytes, audit) = (self.buffer.total_bytes(), self.buffer.audit().clone());
        LoadedRows { rows: sum.rows, bytes, sum, audit, notes: Vec::new() }
    }

    /// Returns the rows moved, once everything is written.
    pub fn into_moved(self) -> LoadedRows {
        self.moved()
    }
}
