//! Recording tables that are gone from the source.

use crate::error::{Result, TrackingError};
use crate::layout::{COPIES, LOADS, TableLayout};
use crate::structure::SchemaChange;
use crate::tracker::Tracker;
use handoff_connect::{Fault, SessionProfile, Side};
use handoff_model::TableName;
use postgres::Transaction;
use postgres::types::Type;

impl Tracker {
    /// Records that these tables, and no others, are gone from the source: from now on, if it was not known.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the target fails.
    pub fn record_gone(&self, tables: &[TableName]) -> Result<()> {
        self.demand_write()?;
        let failed = TrackingError::server("update", LOADS.name);
        let names: Vec<&str> = tables.iter().map(TableName::as_str).collect();
        let sql = format!(
            "UPDATE {} SET gone_at = CASE WHEN gone_at IS NULL THEN clock_timestamp() END \
             WHERE (table_name = ANY ($1)) = (gone_at IS NULL)",
            self.in_target(&LOADS)
        );
        let mut conn = self.shared.target.get().map_err(&failed)?;
        let done = conn.execute_typed(&sql, &[(&names, Type::TEXT_ARRAY)]);
        done.map(drop).map_err(|error| failed(conn.fault(&error)))
    }

    /// Records in the transaction that drops a table of the target that it was dropped, with this statement. Nothing
    /// else stays known of it there.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if another run has taken over, or the server refuses.
    pub fn record_dropped(
        &self,
        tx: &mut Transaction<'_>,
        table: &TableName,
        statement: &str,
    ) -> Result<(), Fault> {
        let (class, column, views) = ("table_dropped", "", &[][..]);
        let change = SchemaChange { class, column, statement, views, rows_filled: false };
        self.record_changes(tx, table, &[change])?;
        let here: &[&TableLayout] = if self.has_replica() { &[&LOADS] } else { &[&LOADS, &COPIES] };
        for layout in here {
            let sql = format!("DELETE FROM {} WHERE table_name = $1", self.in_target(layout));
            let done = tx.execute_typed(&sql, &[(&table.as_str(), Type::TEXT)]);
            done.map_err(|error| Fault::pg(Side::Target, &error))?;
        }
        Ok(())
    }

    /// Forgets the copy of a table that the replica no longer has.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the replica fails.
    pub fn forget_copy(&self, table: &TableName) -> Result<()> {
        self.demand_write()?;
        let Some(replica) = self.replica() else { return Ok(()) };
        let failed = TrackingError::server("update", COPIES.name);
        let mut conn = replica.get(SessionProfile::Write).map_err(&failed)?;
        let sql = format!("DELETE FROM {} WHERE table_name = ?", self.in_replica(replica, &COPIES));
        let done = conn.exec_drop(sql, (table.as_str(),));
        done.map_err(|error| failed(conn.fault(&error)))
    }
}
