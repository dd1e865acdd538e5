//! Summing what was written, as the lines that were sent.

use super::Fill;
use crate::line::write_line;
use crate::{Error, Result, Stage};
use handoff_connect::{MyConn, Profile};
use handoff_model::{RowFilter, TableName, TableSum};
use handoff_rows::{Locking, ReadSpec, Reader, RowSink};
use mysql::Value;
use xxhash_rust::xxh3::xxh3_128;

impl Fill<'_> {
    /// Sums the rows that the replica's table holds now, inside the transaction if there is one.
    ///
    /// Unlike `CHECKSUM TABLE` of the source this says nothing of rows that changed there since.
    pub(super) fn read_back(&self, writer: &mut MyConn) -> Result<TableSum> {
        let table = &self.job.table.name;
        let mut written = self.job.table.clone();
        written.name = TableName::new(self.into).expect("our own names are short");
        let select = self.select();
        let reader = Reader::new(ReadSpec {
            table: &written,
            select: &select,
            filter: &RowFilter::All,
            locking: Locking::Free,
            cancel: &self.replicator.cancel,
        });
        let failed =
            |fault| Error::Table { table: table.clone(), stage: Stage::ReadBack, rows: 0, fault };
        let mut sums = Sums { fill: self, line: Vec::new(), sum: TableSum::default() };
        writer.set_profile(Profile::RawRead).map_err(failed)?;
        reader.read(writer, &mut sums).map_err(|error| self.explain(error))?;
        writer.set_profile(Profile::Write).map_err(failed)?;
        Ok(sums.sum)
    }
}

struct Sums<'a> {
    fill: &'a Fill<'a>,
    line: Vec<u8>,
    sum: TableSum,
}

impl RowSink for Sums<'_> {
    type Error = Error;

    fn row(&mut self, row: &[Value]) -> Result<()> {
        self.line.clear();
        write_line(self.fill.columns, row, &mut self.line);
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
