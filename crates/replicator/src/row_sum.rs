//! Summing rows as the lines in which they are sent.

use crate::carried::Carried;
use crate::line::write_line;
use crate::{Error, Result};
use handoff_connect::MyConn;
use handoff_connect::ValueRef;
use handoff_model::{Cancel, RowFilter, TableSum};
use handoff_rows::{Locking, ReadSpec, Reader, RowSink};
use handoff_schema::TableSchema;
use xxhash_rust::xxh3::xxh3_128;

/// Returns the expressions to read.
pub(crate) fn select(columns: &[Carried]) -> Vec<String> {
    columns.iter().map(|column| column.select.clone()).collect()
}

/// Returns how to read a table of the source.
pub(crate) fn locking(table: &TableSchema) -> Locking {
    if table.engine.is_transactional() { Locking::Snapshot } else { Locking::Ranges }
}

/// Reads every row of a table on a connection set up for raw reading, and sums them.
///
/// # Errors
///
/// Returns an error if the server fails or the run is cancelled.
pub(crate) fn row_sum(
    conn: &mut MyConn,
    table: &TableSchema,
    columns: &[Carried],
    locking: Locking,
    cancel: &Cancel,
) -> Result<TableSum> {
    let select = select(columns);
    let filter = &RowFilter::All;
    let reader = Reader::new(ReadSpec { table, select: &select, filter, locking, cancel });
    sum_of(conn, &reader, columns)
}

/// Sums what `reader` reads on a connection set up for raw reading.
///
/// # Errors
///
/// Returns an error if the server fails or the run is cancelled.
pub(crate) fn sum_of(
    conn: &mut MyConn,
    reader: &Reader<'_>,
    columns: &[Carried],
) -> Result<TableSum> {
    let mut sums = Sums { columns, line: Vec::new(), sum: TableSum::default() };
    reader.read(conn, &mut sums)?;
    Ok(sums.sum)
}

struct Sums<'a> {
    columns: &'a [Carried],
    line: Vec<u8>,
    sum: TableSum,
}

impl RowSink for Sums<'_> {
    type Error = Error;

    fn row(&mut self, row: &[ValueRef<'_>]) -> Result<()> {
        self.line.clear();
        write_line(self.columns, row, &mut self.line);
        self.sum.add_row(xxh3_128(&self.line));
        Ok(())
    }

    fn buffered(&self) -> usize {
        0
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
