//! Sessions that dead runs left running.

use crate::error::{Result, TrackingError};
use crate::layout::COPIES;
use crate::tracker::Tracker;
use handoff_connect::{Fault, SessionProfile};
use handoff_model::RunId;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The longest that an ended session may take to go: an ALTER TABLE has to undo its work.
const PATIENCE: Duration = Duration::from_secs(120);

impl Tracker {
    /// Ends the sessions of dead runs of this pipeline on replica and target, and returns a
    /// sentence for each run and side that had any.
    ///
    /// While we hold the lock no other run of this pipeline lives, so every run that the tables
    /// call `running` is dead. Runs of other pipelines on the same servers are not touched.
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the run lock is not held, a server fails or refuses, or a session
    /// does not go.
    pub fn end_orphans(&self) -> Result<Vec<String>> {
        let mut ended = Vec::new();
        let dead = self.dead_runs()?;
        for &run in &dead {
            let failed = |fault| TrackingError::Orphan { run, fault };
            if let Some(replica) = self.replica() {
                let sessions = replica.end_orphans(run, PATIENCE).map_err(failed)?;
                ended.extend(sentence(run, sessions, "replica"));
            }
            let sessions = self.shared.target.end_orphans(run, PATIENCE).map_err(failed)?;
            ended.extend(sentence(run, sessions, "target"));
        }
        if !dead.is_empty() {
            self.bury(&dead)?;
        }
        Ok(ended)
    }

    /// Returns the dead runs of this pipeline that nobody cleared up after yet. The source's
    /// sessions of such a run are the caller's to end, before [`Tracker::end_orphans`].
    ///
    /// # Errors
    ///
    /// Returns a [`TrackingError`] if the run lock is not held or a server fails.
    pub fn dead_runs(&self) -> Result<Vec<RunId>> {
        if !self.shared.locked.load(Ordering::SeqCst) {
            return Err(TrackingError::NotLocked("end the sessions of dead runs"));
        }
        let unfinished = self.unfinished().map_err(TrackingError::server("read", "etl_runs"))?;
        let mut dead: BTreeSet<RunId> = unfinished.into_iter().collect();
        // A replica may feed more than one target; the other's runs are known only here.
        let copying = self.copying_runs().map_err(TrackingError::server("read", COPIES.name))?;
        dead.extend(copying.into_iter().filter(|&run| run != self.run()));
        Ok(dead.into_iter().collect())
    }

    /// Returns the run that a session in the replica belongs to, where its server can't tell.
    pub(crate) fn run_of_session(&self, connection: u32) -> Result<Option<RunId>, Fault> {
        let Some(replica) = self.replica() else { return Ok(None) };
        let known: BTreeSet<RunId> =
            self.unfinished()?.into_iter().chain(self.copying_runs()?).collect();
        for run in known {
            if replica.orphans(run)?.contains(&connection) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// Returns the runs that began a copy and did not record its end.
    fn copying_runs(&self) -> Result<Vec<RunId>, Fault> {
        let Some(replica) = self.replica() else { return Ok(Vec::new()) };
        let mut conn = replica.get(SessionProfile::Read)?;
        let table = self.in_replica(replica, &COPIES);
        let query = format!("SELECT DISTINCT run_id FROM {table} WHERE status = 'running'");
        let runs: Vec<String> = conn.query(query).map_err(|error| conn.fault(&error))?;
        Ok(runs.iter().filter_map(|run| RunId::parse(run)).collect())
    }
}

fn sentence(run: RunId, sessions: usize, side: &str) -> Option<String> {
    let ended = match sessions {
        0 => return None,
        1 => "1 session".to_owned(),
        more => format!("{more} sessions"),
    };
    Some(format!("ended {ended} of the dead run {run} on the {side}"))
}
