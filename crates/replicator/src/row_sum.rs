//! Summing rows as the lines in which they are sent.

use crate::copied_column::CopiedColumn;
use crate::error::{Error, Result};
use crate::line::write_line;
use handoff_connect::{MyConn, ValueRef};
use handoff_model::{CancelToken, RowFilter, TableSum};
use handoff_rows::{Locking, ReadSpec, RowReader, RowSink};
use handoff_schema::TableSchema;
use xxhash_rust::xxh3::xxh3_128;

/// Returns the expressions to read.
pub(crate) fn select(columns: &[CopiedColumn]) -> Vec<String> {
    columns.iter().map(|column| column.select.clone()).collect()
}

/// Returns the locking with which a table of the source is read.
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
    columns: &[CopiedColumn],
    locking: Locking,
    cancel: &CancelToken,
) -> Result<TableSum> {
    let (select, filter) = (&select(columns), &RowFilter::All);
    let reader = RowReader::new(ReadSpec { table, select, filter, locking, cancel });
    sum_of(conn, &reader, columns)
}

/// Sums the rows that `reader` reads on a connection set up for raw reading.
///
/// # Errors
///
/// Returns an error if the server fails or the run is cancelled.
pub(crate) fn sum_of(
    conn: &mut MyConn,
    reader: &RowReader<'_>,
    columns: &[CopiedColumn],
) -> Result<TableSum> {
    let mut sums = RowSummer { columns, line: Vec::new(), sum: TableSum::default() };
    reader.read(conn, &mut sums)?;
    Ok(sums.sum)
}

struct RowSummer<'a> {
    columns: &'a [CopiedColumn],
    line: Vec<u8>,
    sum: TableSum,
}

impl RowSink for RowSummer<'_> {
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
