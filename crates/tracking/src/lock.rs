//! One run at a time.

use crate::history::Whereabouts;
use crate::{Error, Tracker};
use handoff_connect::{Fault, HeldLock, LockHolder, Side};
use handoff_model::own::{replica_lock, target_lock};
use handoff_model::{Cancel, Cancelled, RunId, chain};
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often a lock that another run holds is asked for.
const POLL: Duration = Duration::from_millis(500);

/// What to do while another run holds the lock.
#[derive(Debug, Clone)]
pub enum Wait {
    /// Give up at once.
    No,
    /// Wait until it comes free, or this is cancelled.
    Until(Cancel),
}

/// Why the run lock could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockRefused {
    /// Another run has it.
    #[error("another run holds the lock on the {side}: {holder}")]
    Held {
        /// Where.
        side: Side,
        /// Who.
        holder: Box<Holder>,
    },
    /// Somebody stopped the waiting.
    #[error("stopped while waiting for the lock")]
    Cancelled(#[from] Cancelled),
    /// A server failed.
    #[error("cannot take the run lock on the {side}")]
    Server {
        /// Which.
        side: Side,
        /// What it said.
        #[source]
        fault: Fault,
    },
    /// The run's line could not be written.
    #[error("cannot record the run")]
    Record(#[source] Error),
}

/// The run that holds a lock, as far as the servers and tables tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The run.
    pub run: Option<RunId>,
    /// The machine it runs on.
    pub host: Option<String>,
    /// Its process on that machine.
    pub process: Option<String>,
    /// When it began.
    pub since: Option<jiff::Timestamp>,
    /// The session that holds the lock.
    pub session: Option<LockHolder>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.run {
            Some(run) => write!(f, "run {run}")?,
            None => f.write_str("a run that cannot be named")?,
        }
        if let Some(host) = &self.host {
            write!(f, " on {host}")?;
        }
        if let Some(process) = &self.process {
            write!(f, " (process {process})")?;
        }
        if let Some(since) = self.since {
            write!(f, ", since {}", since.strftime("%Y-%m-%d %H:%M:%S UTC"))?;
        }
        if let Some(session) = &self.session {
            write!(f, ", {session}")?;
        }
        Ok(())
    }
}

/// The lock of a run on each side, held until this is dropped or the process ends.
#[must_use = "the lock is given back when this is dropped"]
pub struct RunLock {
    tracker: Tracker,
    /// In the order in which they were taken.
    held: Mutex<Vec<HeldLock>>,
}

impl fmt::Debug for RunLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunLock").field(&self.tracker.run()).finish()
    }
}

impl RunLock {
    /// Asks the servers whether the lock is still ours: it is lost with its session, such as when
    /// a server was started anew.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if it is lost, or a server cannot be asked.
    pub fn check(&self) -> Result<(), Fault> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter_mut().try_for_each(HeldLock::check)
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        if let Err(error) = self.tracker.finish(crate::Status::Failed) {
            log::warn!("the end of the run could not be recorded: {}", chain(&error));
        }
        self.tracker.shared.locked.store(false, Ordering::SeqCst);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // The first is the one that tells others who holds it, so it goes last.
        while held.pop().is_some() {}
    }
}

impl Tracker {
    /// Takes the lock of the pipeline on each side: `handoff:<database>:<schema>` in the target,
    /// `handoff:<database>` in the replica. Writes the line of the run in `etl_runs`.
    ///
    /// # Errors
    ///
    /// Returns [`LockRefused`] with the holder if another run has it and `wait` is [`Wait::No`],
    /// if the waiting was stopped, or if a server failed.
    pub fn lock(&self, wait: Wait) -> Result<RunLock, LockRefused> {
        self.demand_write().map_err(LockRefused::Record)?;
        let cancel = match wait {
            Wait::No => return self.try_lock(),
            Wait::Until(cancel) => cancel,
        };
        loop {
            match self.try_lock() {
                Err(refused @ LockRefused::Held { .. }) => {
                    log::info!("waiting: {refused}");
                    cancel.sleep(POLL)?;
                }
                done => return done,
            }
        }
    }

    /// Makes sure that no run is in progress, without taking the lock: for work that only reads.
    ///
    /// # Errors
    ///
    /// Returns [`LockRefused`] with the holder if a run has the lock of either side, or if a server
    /// failed.
    pub fn demand_idle(&self) -> Result<(), LockRefused> {
        let failed = |side| move |fault| LockRefused::Server { side, fault };
        let target = self.shared.target.lock_holder(&self.target_lock());
        if target.map_err(failed(Side::Target))?.is_some() {
            return Err(self.held_by(Side::Target));
        }
        let Some(replica) = self.replica() else { return Ok(()) };
        let holder = replica.lock_holder(&replica_lock(replica.database()));
        match holder.map_err(failed(Side::Replica))? {
            Some(_) => Err(self.held_by(Side::Replica)),
            None => Ok(()),
        }
    }

    /// Takes both locks or none: whoever waits holds nothing.
    fn try_lock(&self) -> Result<RunLock, LockRefused> {
        let failed = |side| move |fault| LockRefused::Server { side, fault };
        let target = self.shared.target.hold_lock(&self.target_lock());
        let mut held = Vec::new();
        match target.map_err(failed(Side::Target))? {
            Some(lock) => held.push(lock),
            None => return Err(self.held_by(Side::Target)),
        }
        if let Some(replica) = self.replica() {
            let lock = replica.hold_lock(&replica_lock(replica.database()));
            match lock.map_err(failed(Side::Replica))? {
                Some(lock) => held.push(lock),
                None => return Err(self.held_by(Side::Replica)),
            }
        }
        self.begin_run().map_err(LockRefused::Record)?;
        self.shared.locked.store(true, Ordering::SeqCst);
        Ok(RunLock { tracker: self.clone(), held: Mutex::new(held) })
    }

    /// Returns the run that is in progress, if one is.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if a server fails.
    pub fn in_progress(&self) -> Result<Option<Holder>, Fault> {
        for side in [Side::Target, Side::Replica] {
            let holder = self.holder(side)?;
            if holder.session.is_some() {
                return Ok(Some(holder));
            }
        }
        Ok(None)
    }

    fn target_lock(&self) -> String {
        target_lock(self.shared.target.database(), &self.shared.schema)
    }

    fn held_by(&self, side: Side) -> LockRefused {
        // The refusal stands whether or not the holder can be named.
        let holder = self.holder(side).unwrap_or_else(|fault| {
            log::debug!("cannot tell who holds the lock: {fault}");
            Holder::default()
        });
        LockRefused::Held { side, holder: Box::new(holder) }
    }

    /// Returns who holds the lock; without a session nobody does.
    fn holder(&self, side: Side) -> Result<Holder, Fault> {
        let session = match (side, self.replica()) {
            (Side::Replica, Some(replica)) => {
                replica.lock_holder(&replica_lock(replica.database()))?
            }
            _ => self.shared.target.lock_holder(&self.target_lock())?,
        };
        let Some(session) = session else { return Ok(Holder::default()) };
        let run = match session.run() {
            Some(run) => Some(run),
            None if side == Side::Replica => self.run_of_session(session.connection)?,
            None => None,
        };
        let Whereabouts { host, process, started_at } = match run {
            Some(run) => self.whereabouts(run)?,
            None => Whereabouts::default(),
        };
        Ok(Holder { run, host, process, since: started_at, session: Some(session) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_who_holds_the_lock() {
        let run = RunId::new();
        let session = LockHolder {
            connection: 12,
            account: Some("etl".into()),
            program: None,
            since: Some(Duration::from_secs(42)),
        };
        let holder = Holder {
            run: Some(run),
            host: Some("clinic".into()),
            process: Some("4242".into()),
            since: "2026-01-31T23:00:00Z".parse().ok(),
            session: Some(session),
        };
        let refused = LockRefused::Held { side: Side::Replica, holder: Box::new(holder) };
        let expected = format!(
            "another run holds the lock on the replica: run {run} on clinic (process 4242), since \
             2026-01-31 23:00:00 UTC, connection 12 of etl, for 42 s"
        );
        assert_eq!(refused.to_string(), expected);
        assert_eq!(
            LockRefused::Held { side: Side::Target, holder: Box::default() }.to_string(),
            "another run holds the lock on the target: a run that cannot be named"
        );
    }
}
