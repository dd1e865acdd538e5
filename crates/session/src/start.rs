//! The steps on the servers between the first connection and the plan.

use crate::error::{SessionError, SessionResult};
use crate::session::{Access, Session};
use handoff_connect::grant_select;
use handoff_model::RunId;
use handoff_settings::TargetSettings;
use handoff_tracking::Tracker;
use std::time::Duration;

/// The longest time that an interrupted run's sessions in the source may take to end.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(30);

impl Session<'_> {
    /// Opens the tracking tables for `run`. They and the schema of the target are made where they are missing; a
    /// session that only looks makes nothing, and refuses where a run would be refused.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if a server refuses.
    pub fn open_tracker(&self, run: RunId) -> SessionResult<Tracker> {
        let TargetSettings { schema, grant_select_to, .. } = &self.settings.target;
        let target = &self.servers.target;
        let refused = SessionError::server("make the schema of the target");
        if self.access == Access::Look {
            target.foresee_schema(schema, grant_select_to).map_err(refused)?;
            return self.read_tracker();
        }
        target.ensure_schema(schema, grant_select_to).map_err(refused)?;
        Ok(Tracker::open(run, self.servers.replica.clone(), target.clone(), schema)?)
    }

    /// Lets the roles that read our tables read how fresh they are, too.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the target refuses.
    pub fn let_readers_see_tracking(&self) -> SessionResult<()> {
        let TargetSettings { schema, grant_select_to, .. } = &self.settings.target;
        if grant_select_to.is_empty() {
            return Ok(());
        }
        let refused =
            SessionError::server("let the roles of grant_select_to read the tracking tables");
        let grants = ["etl_load_status", "etl_runs"]
            .map(|table| grant_select(schema, table, grant_select_to).unwrap_or_default());
        let mut conn = self.servers.target.get().map_err(&refused)?;
        conn.batch_execute(&grants.join("; ")).map_err(|error| refused(conn.fault(&error)))
    }

    /// Ends what interrupted runs left running, on every side, before a table is touched. Returns a sentence for
    /// each thing that was ended.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if a server refuses.
    pub fn end_orphans(&self, tracker: &Tracker) -> SessionResult<Vec<String>> {
        if let Some(source) = &self.servers.source {
            for dead in tracker.dead_runs()? {
                let ended = source.end_orphans(dead, ORPHAN_PATIENCE);
                ended.map_err(SessionError::server("end the sessions of an interrupted run"))?;
            }
        }
        Ok(tracker.end_orphans()?)
    }
}
