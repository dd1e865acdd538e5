//! Moving rows of one table into an empty one.

mod insert_batch;
mod insert_select;
mod line_buffer;
mod load_data;
mod local_file;
mod outcome;
mod read_back;
mod writer;

pub(crate) use outcome::WriteOutcome;
pub(crate) use writer::TableWriter;

use crate::error::Result;
use handoff_connect::MyConn;
use handoff_rows::Locking;
use outcome::SentRows;

impl TableWriter<'_> {
    /// Moves the rows of the filter by the first strategy that the pair allows, and compares the rows that arrived with
    /// those that were sent: their number always, the rows themselves if the replica warned.
    pub(crate) fn run(&self, writer: &mut MyConn) -> Result<WriteOutcome> {
        if let Some(filled) = self.within_one_server(writer)? {
            return Ok(filled);
        }
        let (strategy, sent) = self.through_us(writer)?;
        if sent.arrived != sent.sum.rows {
            return Err(self.rows_lost(sent.sum.rows, sent.arrived));
        }
        let checked = sent.warnings > 0;
        if checked && self.read_back(writer)? != self.there + sent.sum {
            return Err(self.values_changed(sent.warnings));
        }
        let SentRows { sum: lines, canonical: sum, bytes, .. } = sent;
        Ok(WriteOutcome { rows: lines.rows, bytes, strategy, checked, sum, lines: Some(lines) })
    }

    /// Has the server move the rows itself, where that locks nobody out.
    fn within_one_server(&self, writer: &mut MyConn) -> Result<Option<WriteOutcome>> {
        let fits = self.keys.is_none()
            && self.copy.replicator.is_one_server()
            && self.copy.replicator.throttle.is_none()
            && self.locking() == Locking::Snapshot;
        if !fits {
            return Ok(None);
        }
        match self.insert_select(writer) {
            Err(error) if error.is_denied() => {
                self.copy.replicator.forget_one_server();
                Ok(None)
            }
            done => done,
        }
    }

    fn through_us(&self, writer: &mut MyConn) -> Result<(&'static str, SentRows)> {
        if self.copy.replicator.takes_local() {
            match self.load_data(writer) {
                Err(error) if error.is_local_refused() => self.copy.replicator.forget_local(),
                done => return done.map(|sent| ("load_data_local", sent)),
            }
        }
        self.prepared_inserts(writer).map(|sent| ("prepared_inserts", sent))
    }
}
