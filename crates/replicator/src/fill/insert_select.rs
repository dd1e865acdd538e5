//! `INSERT … SELECT` within one server.

use super::{Fill, Filled};
use crate::Result;
use handoff_connect::{MyConn, Profile, quote_my};
use mysql::prelude::Queryable;

impl Fill<'_> {
    /// Has the server copy the rows from one snapshot. At READ COMMITTED, to which the session is
    /// set, it locks none of the rows it reads.
    pub(super) fn insert_select(&self, writer: &mut MyConn) -> Result<Filled> {
        let replicator = self.replicator;
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let names = names.join(", ");
        let statement = format!(
            "INSERT INTO {} ({names}) SELECT {names} FROM {}.{}",
            quote_my(self.into),
            quote_my(replicator.source.database()),
            quote_my(self.job.table.name.as_str()),
        );
        let guard = replicator.replica.cancel_guard(writer, &replicator.cancel);
        let done = writer.query_drop(statement);
        drop(guard);
        done.map_err(|error| self.failed(writer.fault(&error), 0))?;
        let (rows, warnings) = (writer.affected_rows(), u64::from(writer.warnings()));
        let checked = warnings > 0;
        if checked && !self.sums_are_equal()? {
            return Err(self.values_changed(warnings));
        }
        Ok(Filled { rows, bytes: 0, strategy: "insert_select", checked })
    }

    fn sums_are_equal(&self) -> Result<bool> {
        let (replicator, table) = (self.replicator, &self.job.table.name);
        let source = replicator.sum(&replicator.source, Profile::RawRead, table, table.as_str())?;
        let written = replicator.sum(&replicator.replica, Profile::Write, table, self.into)?;
        Ok(source == written)
    }
}
