//! Summing the rows that were written, as the lines that were sent.

use crate::error::{CopyStage, Result};
use crate::row_sum::row_sum;
use crate::table_writer::writer::TableWriter;
use handoff_connect::{MyConn, SessionProfile};
use handoff_model::{TableName, TableSum};
use handoff_rows::Locking;

impl TableWriter<'_> {
    /// Sums the rows that the replica's table holds now, inside the transaction if there is one.
    ///
    /// Unlike `CHECKSUM TABLE` of the source this says nothing of rows that changed there since.
    pub(crate) fn read_back(&self, writer: &mut MyConn) -> Result<TableSum> {
        let mut written = self.copy.job.table.clone();
        written.name = TableName::new(self.into).expect("our own names are short");
        let at = self.copy.at(CopyStage::ReadBack, 0);
        writer.set_profile(SessionProfile::RawRead).map_err(|fault| at.error(fault))?;
        let cancel = &self.copy.replicator.cancel;
        let sum = row_sum(writer, &written, self.columns, Locking::Free, cancel)
            .map_err(|error| self.explain(error))?;
        writer.set_profile(SessionProfile::Write).map_err(|fault| at.error(fault))?;
        Ok(sum)
    }
}
