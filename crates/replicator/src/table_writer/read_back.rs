//! Summing the rows that were written, as the lines that were sent.

use super::TableWriter;
use crate::error::{CopyStage, Error, Result};
use crate::row_sum::row_sum;
use handoff_connect::{MyConn, Profile};
use handoff_model::{TableName, TableSum};
use handoff_rows::Locking;

impl TableWriter<'_> {
    /// Sums the rows that the replica's table holds now, inside the transaction if there is one.
    ///
    /// Unlike `CHECKSUM TABLE` of the source this says nothing of rows that changed there since.
    pub(crate) fn read_back(&self, writer: &mut MyConn) -> Result<TableSum> {
        let table = &self.job.table.name;
        let mut written = self.job.table.clone();
        written.name = TableName::new(self.into).expect("our own names are short");
        let failed = |fault| Error::Table {
            table: table.clone(),
            stage: CopyStage::ReadBack,
            rows: 0,
            fault,
        };
        writer.set_profile(Profile::RawRead).map_err(failed)?;
        let cancel = &self.replicator.cancel;
        let sum = row_sum(writer, &written, self.columns, Locking::Free, cancel)
            .map_err(|error| self.explain(error))?;
        writer.set_profile(Profile::Write).map_err(failed)?;
        Ok(sum)
    }
}
