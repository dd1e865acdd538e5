//! Tables that are gone from the source.

use crate::table::RunTools;
use handoff_connect::{Fault, SessionProfile, Side, quote_my};
use handoff_model::{TableName, chain};
use handoff_schema::{ddl, pg_table_name};
use handoff_session::gone_note;
use handoff_settings::{DroppedTables, NameCase, TargetSettings};
use handoff_structure::{StructureError, drop_table};

impl RunTools {
    /// Records that tables are gone from the source, and drops them where the settings ask for it. Returns a sentence
    /// on each.
    pub(crate) fn settle_gone(&self, gone: &[TableName], settings: &TargetSettings) -> Vec<String> {
        let mut notes = Vec::new();
        if let Err(error) = self.tracker.record_gone(gone) {
            notes.push(chain(&error));
        }
        notes.extend(gone.iter().map(|table| match settings.dropped_tables {
            DroppedTables::Keep => gone_note(table),
            DroppedTables::Drop => match self.drop_gone(table, settings.name_case) {
                Ok(()) => format!(
                    "`{table}` is gone from the source, and was dropped in the target (dropped_tables = \"drop\")"
                ),
                Err(error) => format!("`{table}` is gone from the source, and stays: {}", chain(&error)),
            },
        }));
        notes
    }

    /// Drops a table in the replica and then in the target, each with its records. The next run goes on where this one
    /// ends.
    fn drop_gone(&self, table: &TableName, case: NameCase) -> Result<(), StructureError> {
        let target = ddl::qualified(&self.schema, &pg_table_name(table, case));
        let failed = |fault| StructureError::Server { target: target.clone(), fault };
        self.drop_copy(table).map_err(failed)?;
        let mut conn = self.servers.target.get().map_err(failed)?;
        let patience = self.alter_patience();
        drop_table(&mut conn, &target, patience, &self.cancel, &|tx, sql| {
            self.tracker.record_dropped(tx, table, sql)
        })
    }

    fn drop_copy(&self, table: &TableName) -> Result<(), Fault> {
        let Some(replica) = &self.servers.replica else { return Ok(()) };
        let mut conn = replica.get(SessionProfile::Write)?;
        let drop = format!("DROP TABLE IF EXISTS {}", quote_my(table.as_str()));
        conn.query_drop(drop).map_err(|error| conn.fault(&error))?;
        let forgotten = self.tracker.forget_copy(table);
        forgotten.map_err(|error| Fault::new(Side::Replica, chain(&error)))
    }
}
