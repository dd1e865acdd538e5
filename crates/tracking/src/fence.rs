//! Making sure that nobody else works on what a run works on.

use crate::keeper::{LockGivers, LockKeeper};
use crate::layout::COPIES;
use crate::status::AttemptStatus;
use crate::tracker::Tracker;
use handoff_connect::{Fault, HeldLock, LockHolder, SessionProfile, Side};
use handoff_model::RunId;
use handoff_model::own::{replica_lock, target_lock};
use postgres::types::Type;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a session of this run whose connection was lost with the lock may take to end.
const OWN_PATIENCE: Duration = Duration::from_secs(10);
/// The pause between two looks for such a session.
const OWN_POLL: Duration = Duration::from_millis(50);

impl LockGivers for Tracker {
    /// A session of this very run that has the lock was left by a connection that was lost, and is ended.
    fn take_lock(&self, side: Side, silence: Duration) -> Result<Option<HeldLock>, Fault> {
        let end = Instant::now() + OWN_PATIENCE;
        loop {
            if let Some(held) = self.try_hold(side, silence)? {
                return Ok(Some(held));
            }
            let holder = self.lock_session(side)?;
            let others = match &holder {
                Some(holder) => !self.is_own_session(side, holder)?,
                None => false,
            };
            if others || Instant::now() >= end {
                return Ok(None);
            }
            if let Some(holder) = holder {
                self.end_session(side, holder.connection)?;
            }
            thread::sleep(OWN_POLL);
        }
    }

    /// A run ends the lines of those that it takes for dead before it touches a table.
    fn is_alone_since(&self, side: Side, others: &BTreeSet<RunId>) -> Result<bool, Fault> {
        if side == Side::Replica {
            return Ok(self.other_runs(side)?.is_subset(others));
        }
        let mut conn = self.shared.target.get()?;
        let asked =
            conn.query_typed_one(&self.own_status(), &[(&self.run().to_string(), Type::TEXT)]);
        let row = asked.map_err(|error| conn.fault(&error))?;
        let status: Option<String> = row.try_get(0).map_err(|error| conn.fault(&error))?;
        Ok(status.as_deref() == Some(AttemptStatus::Running.name()))
    }
}

impl Tracker {
    fn try_hold(&self, side: Side, silence: Duration) -> Result<Option<HeldLock>, Fault> {
        match self.replica().filter(|_| side == Side::Replica) {
            Some(replica) => replica.hold_lock_within(&replica_lock(replica.database()), silence),
            None => self.shared.target.hold_lock_within(&self.target_lock(), silence),
        }
    }

    /// Returns the session that holds the lock of one side.
    pub(crate) fn lock_session(&self, side: Side) -> Result<Option<LockHolder>, Fault> {
        match self.replica().filter(|_| side == Side::Replica) {
            Some(replica) => replica.lock_holder(&replica_lock(replica.database())),
            None => self.shared.target.lock_holder(&self.target_lock()),
        }
    }

    fn target_lock(&self) -> String {
        target_lock(self.shared.target.database(), &self.shared.schema)
    }

    fn is_own_session(&self, side: Side, holder: &LockHolder) -> Result<bool, Fault> {
        match self.replica().filter(|_| side == Side::Replica) {
            Some(replica) => Ok(replica.orphans(self.run())?.contains(&holder.connection)),
            None => Ok(holder.run() == Some(self.run())),
        }
    }

    fn end_session(&self, side: Side, connection: u32) -> Result<(), Fault> {
        match self.replica().filter(|_| side == Side::Replica) {
            Some(replica) => replica.end_sessions(&[connection]),
            None => self.shared.target.end_sessions(&[connection]),
        }
    }

    /// Returns the other runs that a side knows. In the target the lines of all runs are no help, since a run that
    /// takes over ends ours, and that tells more.
    pub(crate) fn other_runs(&self, side: Side) -> Result<BTreeSet<RunId>, Fault> {
        let Some(replica) = self.replica().filter(|_| side == Side::Replica) else {
            return Ok(BTreeSet::new());
        };
        let mut conn = replica.get(SessionProfile::Read)?;
        let table = self.in_replica(replica, &COPIES);
        let query = format!("SELECT DISTINCT run_id FROM {table}");
        let texts: Vec<Option<String>> = conn.query(query).map_err(|error| conn.fault(&error))?;
        let runs = texts.iter().flatten().filter_map(|run| RunId::parse(run));
        Ok(runs.filter(|&run| run != self.run()).collect())
    }

    /// Makes sure, in the transaction that publishes, that no other run has taken over. One that is about to waits
    /// for the transaction, since it ends the line that is locked here.
    pub(crate) fn demand_ours(&self, tx: &mut postgres::Transaction<'_>) -> Result<(), Fault> {
        let Some(keeper) = self.keeper() else { return Ok(()) };
        let sql = format!("{} FOR SHARE", self.own_line());
        let asked = tx.query_typed(&sql, &[(&self.run().to_string(), Type::TEXT)]);
        let rows = asked.map_err(|error| Fault::pg(Side::Target, &error))?;
        match rows.first().map(|row| row.try_get::<_, String>(0)) {
            Some(Ok(status)) if status == AttemptStatus::Running.name() => Ok(()),
            // Somebody has deleted the line; the lock is there still.
            None => keeper.check_side(Side::Target),
            _ => {
                keeper.lose();
                let text =
                    "another run has taken over from this one, which had lost its lock: run again";
                Err(Fault::new(Side::Target, text))
            }
        }
    }

    /// Makes sure that the lock of a side is ours, by asking its server.
    pub(crate) fn demand_side(&self, side: Side) -> Result<(), Fault> {
        self.keeper().map_or(Ok(()), |keeper| keeper.check_side(side))
    }

    /// Makes sure that the locks are ours, as far as that is not known from a moment ago.
    pub(crate) fn demand_locks(&self) -> Result<(), Fault> {
        self.keeper().map_or(Ok(()), |keeper| keeper.demand())
    }

    /// Returns who keeps the locks of this run, once it has any.
    fn keeper(&self) -> Option<Arc<LockKeeper>> {
        self.shared.keeper.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    fn own_line(&self) -> String {
        format!("SELECT status FROM {} WHERE run_id = $1::uuid AND table_name = ''", self.runs())
    }

    fn own_status(&self) -> String {
        format!("SELECT ({})", self.own_line())
    }
}
