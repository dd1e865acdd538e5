//! Recording changes of a table's structure.

use crate::layout::{CHANGES, LOADS};
use crate::tracker::Tracker;
use handoff_connect::{Fault, Side};
use handoff_model::TableName;
use postgres::Transaction;
use postgres::types::{ToSql, Type};

/// The structure that is recorded of a load whose table was changed since: that of no table, so that everything is loaded
/// again.
const ALTERED: &str = "altered";

/// A change of a table's structure, as it is recorded.
#[derive(Debug, Clone, Copy)]
pub struct SchemaChange<'a> {
    /// Its kind.
    pub class: &'a str,
    /// The column.
    pub column: &'a str,
    /// The statements, in their order.
    pub statement: &'a str,
    /// The views that were taken down for it and put up again.
    pub views: &'a [String],
    /// True if the rows that are there are loaded again for it, in this run.
    pub rows_filled: bool,
}

impl Tracker {
    /// Records changes of a table's structure in the transaction that makes them, and that its rows are to be loaded again
    /// where one of the changes asks for it: a run that ends before that leaves it to the next one.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if another run has taken over, or the server refuses.
    pub fn record_changes(
        &self,
        tx: &mut Transaction<'_>,
        table: &TableName,
        changes: &[SchemaChange<'_>],
    ) -> Result<(), Fault> {
        self.demand_ours(tx)?;
        for change in changes {
            self.record_change(tx, table, change)?;
        }
        if !changes.iter().any(|change| change.rows_filled) {
            return Ok(());
        }
        let sql =
            format!("UPDATE {} SET fingerprint = $1 WHERE table_name = $2", self.in_target(&LOADS));
        let name = table.as_str();
        let done = tx.execute_typed(&sql, &[(&ALTERED, Type::TEXT), (&name, Type::TEXT)]);
        done.map(drop).map_err(|error| Fault::pg(Side::Target, &error))
    }

    fn record_change(
        &self,
        tx: &mut Transaction<'_>,
        table: &TableName,
        change: &SchemaChange<'_>,
    ) -> Result<(), Fault> {
        let own = self.in_target(&CHANGES);
        let sql = format!(
            "INSERT INTO {own} (run_id, table_name, change_no, class, column_name, statement, views, rows_filled, changed_at) \
             SELECT $1::text::uuid, $2, coalesce(max(change_no), 0) + 1, $3, $4, $5, to_jsonb($6::text[]), $7, \
                 clock_timestamp() \
             FROM {own} WHERE run_id = $1::text::uuid AND table_name = $2"
        );
        let (run, name) = (self.run().to_string(), table.as_str());
        let params: [(&(dyn ToSql + Sync), Type); 7] = [
            (&run, Type::TEXT),
            (&name, Type::TEXT),
            (&change.class, Type::TEXT),
            (&change.column, Type::TEXT),
            (&change.statement, Type::TEXT),
            (&change.views, Type::TEXT_ARRAY),
            (&change.rows_filled, Type::BOOL),
        ];
        let done = tx.execute_typed(&sql, &params);
        done.map(drop).map_err(|error| Fault::pg(Side::Target, &error))
    }
}
