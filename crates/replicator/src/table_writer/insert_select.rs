//! `INSERT … SELECT` within one server.

use crate::copied_column::name_list;
use crate::error::{CopyStage, Result};
use crate::row_sum::sum_of;
use crate::table_writer::outcome::WriteOutcome;
use crate::table_writer::writer::TableWriter;
use handoff_connect::{MyConn, quote_my};
use handoff_model::TableSum;
use handoff_rows::where_clause;
use mysql::{Params, Value};

impl TableWriter<'_> {
    /// Has the server copy the rows from one snapshot. At READ COMMITTED, to which the session is
    /// set, it locks none of the rows it reads.
    ///
    /// [`None`] if it warned and the rows are not those that the source has now: it may have changed
    /// some, or somebody has in the source. The table is empty again then, and rows that we send
    /// ourselves can be compared with those that were sent.
    pub(super) fn insert_select(&self, writer: &mut MyConn) -> Result<Option<WriteOutcome>> {
        let replicator = self.copy.replicator;
        let names = name_list(self.columns);
        let into = quote_my(self.into);
        let (clause, params) = where_clause(self.copy.job.filter, self.copy.job.table)?;
        let rows = self.run_here(
            writer,
            &format!(
                "INSERT INTO {into} ({names}) SELECT {names} FROM {}.{}{clause}",
                quote_my(replicator.source.database()),
                quote_my(self.copy.job.table.name.as_str()),
            ),
            params,
        )?;
        let checked = writer.warnings() > 0;
        if checked && self.read_back(writer)? != self.source_sum()? {
            self.run_here(writer, &format!("DELETE FROM {into}"), Vec::new())?;
            return Ok(None);
        }
        let (strategy, sum, lines) = ("insert_select", None, None);
        Ok(Some(WriteOutcome { rows, bytes: 0, strategy, checked, sum, lines }))
    }

    /// Returns the number of rows concerned.
    fn run_here(&self, writer: &mut MyConn, statement: &str, params: Vec<Value>) -> Result<u64> {
        let guard = self.copy.replicator.replica.cancel_guard(writer, &self.copy.replicator.cancel);
        let done = match params.is_empty() {
            true => writer.query_drop(statement),
            false => writer.exec_drop(statement, Params::Positional(params)),
        };
        drop(guard);
        done.map_err(|error| self.failed(writer.fault(&error), 0))?;
        Ok(writer.affected_rows())
    }

    fn source_sum(&self) -> Result<TableSum> {
        let mut source = self.copy.source(CopyStage::Compare)?;
        let select = self.select();
        sum_of(&mut source, &self.reader(&select, self.copy.job.filter), self.columns)
            .map_err(|error| self.explain(error))
    }
}
