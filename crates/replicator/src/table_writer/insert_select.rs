//! `INSERT … SELECT` within one server.

use super::{TableWriter, WriteOutcome};
use crate::error::Result;
use crate::row_sum::sum_of;
use handoff_connect::{MyConn, Profile, quote_my};
use handoff_model::TableSum;
use handoff_rows::where_clause;
use mysql::prelude::Queryable;
use mysql::{Params, Value};

impl TableWriter<'_> {
    /// Has the server copy the rows from one snapshot. At READ COMMITTED, to which the session is
    /// set, it locks none of the rows it reads.
    ///
    /// [`None`] if it warned and the rows are not those that the source has now: it may have changed
    /// some, or somebody has in the source. The table is empty again then, and rows that we send
    /// ourselves can be compared with what was sent.
    pub(super) fn insert_select(&self, writer: &mut MyConn) -> Result<Option<WriteOutcome>> {
        let replicator = self.replicator;
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let names = names.join(", ");
        let into = quote_my(self.into);
        let (clause, params) = where_clause(self.job.filter, self.job.table)?;
        let rows = self.run_here(
            writer,
            &format!(
                "INSERT INTO {into} ({names}) SELECT {names} FROM {}.{}{clause}",
                quote_my(replicator.source.database()),
                quote_my(self.job.table.name.as_str()),
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
        let guard = self.replicator.replica.cancel_guard(writer, &self.replicator.cancel);
        let done = match params.is_empty() {
            true => writer.query_drop(statement),
            false => writer.exec_drop(statement, Params::Positional(params)),
        };
        drop(guard);
        done.map_err(|error| self.failed(writer.fault(&error), 0))?;
        Ok(writer.affected_rows())
    }

    fn source_sum(&self) -> Result<TableSum> {
        let at = self.at(crate::CopyStage::Compare, 0);
        let source = self.replicator.source.get(Profile::RawRead);
        let mut source = source.map_err(|fault| at.error(fault))?;
        let select = self.select();
        sum_of(&mut source, &self.reader(&select, self.job.filter), self.columns)
            .map_err(|error| self.explain(error))
    }
}
