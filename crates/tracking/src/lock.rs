//! One run at a time.

use crate::error::TrackingError;
use crate::history::Whereabouts;
use crate::keeper::{KeeperThreads, KeptLock, LockGivers, LockKeeper};
use crate::tracker::Tracker;
use handoff_connect::{Fault, LOCK_SILENCE, LockHolder, Side};
use handoff_model::{CancelToken, Cancelled, RunId, chain};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

/// The pause between two tries for a lock that another run holds.
const POLL: Duration = Duration::from_millis(500);
/// The pause between two messages that a lock is waited for.
const TELL: Duration = Duration::from_secs(60);

/// The behaviour while another run holds the lock.
#[derive(Debug, Clone)]
pub enum LockWait {
    /// Give up at once.
    No,
    /// Wait until it comes free, or this is cancelled.
    Until(CancelToken),
    /// Wait in the same way, and give up after some time.
    AtMost {
        /// The token that ends the waiting.
        cancel: CancelToken,
        /// The longest wait.
        time: Duration,
    },
}

/// The terms on which the lock of a run is taken and kept.
pub struct LockTerms<'a> {
    /// The behaviour while another run holds the lock.
    pub wait: LockWait,
    /// The longest that a server may hear nothing of the run before it gives the lock to another.
    pub silence: Duration,
    /// Is told when the waiting begins, and every minute of it.
    pub tell: &'a dyn Fn(&LockRefused),
}

impl From<LockWait> for LockTerms<'_> {
    /// The usual bound, and nobody who is told.
    fn from(wait: LockWait) -> Self {
        LockTerms { wait, silence: LOCK_SILENCE, tell: &|_| {} }
    }
}

/// The reason that the run lock could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockRefused {
    /// Another session has it, most often another run's.
    #[error("{}: {holder}", held(*.side, .holder))]
    Held {
        /// The side of the lock.
        side: Side,
        /// The holder.
        holder: Box<LockingRun>,
    },
    /// Somebody stopped the waiting.
    #[error("stopped while waiting for the lock")]
    Cancelled(#[from] Cancelled),
    /// A server failed.
    #[error("cannot take the run lock on the {side}")]
    Server {
        /// The side of the server.
        side: Side,
        /// The server's error.
        #[source]
        fault: Fault,
    },
    /// The run's line could not be written.
    #[error("cannot record the run")]
    Record(#[source] TrackingError),
    /// The threads that keep the lock could not be started.
    #[error("cannot start the threads that keep the run lock")]
    Threads(#[source] io::Error),
}

impl LockRefused {
    /// Returns true if a session that is no run has the lock.
    pub fn is_strangers(&self) -> bool {
        self.remedy().is_some()
    }

    /// Returns the statement that ends the session which has the lock, if that is no run's.
    pub fn remedy(&self) -> Option<&str> {
        match self {
            LockRefused::Held { holder, .. } => holder.remedy.as_deref(),
            _ => None,
        }
    }
}

fn held(side: Side, holder: &LockingRun) -> String {
    if holder.is_stranger() {
        return format!("the lock that every run takes on the {side} is held by");
    }
    format!("another run holds the lock on the {side}")
}

/// The run that holds a lock, as far as the servers and tables tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockingRun {
    /// The run.
    pub run: Option<RunId>,
    /// The machine it runs on.
    pub host: Option<String>,
    /// Its process on that machine.
    pub process: Option<String>,
    /// The start of the run.
    pub since: Option<jiff::Timestamp>,
    /// The session that holds the lock.
    pub session: Option<LockHolder>,
    /// The statement that ends the session, if that is no run's.
    pub remedy: Option<String>,
}

impl LockingRun {
    /// Returns true if the session that holds the lock is no run of Handoff.
    pub fn is_stranger(&self) -> bool {
        self.remedy.is_some()
    }
}

impl fmt::Display for LockingRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(remedy), Some(session)) = (&self.remedy, &self.session) {
            return write!(f, "{session}, which is not a run of yours: `{remedy}` ends it");
        }
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
    keeper: Arc<LockKeeper>,
    beating: Option<KeeperThreads>,
}

impl fmt::Debug for RunLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunLock").field(&self.tracker.run()).finish()
    }
}

impl RunLock {
    /// Asks the servers whether the lock is still ours. It is lost with its session, such as when a server was
    /// started anew, and then taken again, unless another run was there in between.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] that is transient if a server may be asked again later, and lasting if the lock is
    /// lost for good.
    pub fn check(&self) -> Result<(), Fault> {
        self.keeper.check()
    }

    /// Does what [`RunLock::check`] does, but only where the servers were not heard of for so long that the lock
    /// may be lost.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] as [`RunLock::check`] does.
    pub fn demand(&self) -> Result<(), Fault> {
        self.keeper.demand()
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        self.beating = None;
        // Of a run that another has taken over from nothing is written any more.
        if !self.keeper.is_lost()
            && let Err(error) = self.tracker.finish(crate::status::AttemptStatus::Failed)
        {
            log::warn!("the end of the run could not be recorded: {}", chain(&error));
        }
        self.tracker.shared.locked.store(false, Ordering::SeqCst);
        self.keeper.give_back();
    }
}

impl Tracker {
    /// Takes the lock of the pipeline on each side, as [`Tracker::lock_by`] does, on the usual terms.
    ///
    /// # Errors
    ///
    /// Returns [`LockRefused`] as that does.
    pub fn lock(&self, wait: LockWait) -> Result<RunLock, LockRefused> {
        self.lock_by(&LockTerms::from(wait))
    }

    /// Takes the lock of the pipeline on each side: `handoff:<database>:<schema>` in the target,
    /// `handoff:<database>` in the replica. Writes the line of the run in `etl_runs`.
    ///
    /// # Errors
    ///
    /// Returns [`LockRefused`] with the holder if another session has it and is not waited for, or for longer than
    /// allowed; if the waiting was stopped; or if a server failed.
    pub fn lock_by(&self, terms: &LockTerms<'_>) -> Result<RunLock, LockRefused> {
        self.demand_write().map_err(LockRefused::Record)?;
        let (cancel, longest) = match &terms.wait {
            LockWait::No => return self.try_lock(terms.silence),
            LockWait::Until(cancel) => (cancel, None),
            LockWait::AtMost { cancel, time } => (cancel, Some(*time)),
        };
        let began = Instant::now();
        let mut told: Option<Instant> = None;
        loop {
            let refused = match self.try_lock(terms.silence) {
                Err(refused @ LockRefused::Held { .. }) => refused,
                done => return done,
            };
            if longest.is_some_and(|longest| began.elapsed() >= longest) {
                return Err(refused);
            }
            if told.is_none_or(|told| told.elapsed() >= TELL) {
                (terms.tell)(&refused);
                told = Some(Instant::now());
            }
            cancel.sleep(POLL)?;
        }
    }

    /// Makes sure that no run is in progress, without taking the lock: for work that only reads.
    ///
    /// # Errors
    ///
    /// Returns [`LockRefused`] with the holder if a run has the lock of either side, or if a server
    /// failed.
    pub fn demand_idle(&self) -> Result<(), LockRefused> {
        for side in self.locked_sides() {
            let refusal = self.refusal(side);
            if let Some(refused) = refusal.map_err(|fault| LockRefused::Server { side, fault })? {
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Returns why a run could not have the lock of a side now, if it could not.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if the server cannot be asked.
    pub fn refusal(&self, side: Side) -> Result<Option<LockRefused>, Fault> {
        Ok(self.lock_session(side)?.map(|_| self.held_by(side)))
    }

    /// The sides that have a lock, in the order in which the locks are taken.
    fn locked_sides(&self) -> impl Iterator<Item = Side> {
        let replica = self.replica().map(|_| Side::Replica);
        [Some(Side::Target), replica].into_iter().flatten()
    }

    /// Takes both locks or none: whoever waits holds nothing.
    fn try_lock(&self, silence: Duration) -> Result<RunLock, LockRefused> {
        let mut locks = Vec::new();
        for side in self.locked_sides() {
            let failed = |fault| LockRefused::Server { side, fault };
            let Some(held) = self.take_lock(side, silence).map_err(failed)? else {
                return Err(self.held_by(side));
            };
            let others = self.other_runs(side).map_err(failed)?;
            locks.push(KeptLock::new(side, held, others));
        }
        self.begin_run().map_err(LockRefused::Record)?;
        let keeper = Arc::new(LockKeeper::new(self.clone(), silence, locks));
        let beating = keeper.start().map_err(LockRefused::Threads)?;
        self.shared.locked.store(true, Ordering::SeqCst);
        let mut known = self.shared.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::downgrade(&keeper);
        Ok(RunLock { tracker: self.clone(), keeper, beating: Some(beating) })
    }

    /// Returns the run that is in progress, if one is.
    ///
    /// # Errors
    ///
    /// Returns a [`Fault`] if a server fails.
    pub fn in_progress(&self) -> Result<Option<LockingRun>, Fault> {
        for side in [Side::Target, Side::Replica] {
            let holder = self.holder(side)?;
            if holder.session.is_some() {
                return Ok(Some(holder));
            }
        }
        Ok(None)
    }

    fn held_by(&self, side: Side) -> LockRefused {
        // The refusal stands whether or not the holder can be named.
        let holder = self.certain_holder(side).unwrap_or_else(|fault| {
            log::debug!("cannot tell who holds the lock: {fault}");
            LockingRun::default()
        });
        LockRefused::Held { side, holder: Box::new(holder) }
    }

    /// Returns who holds the lock. A run that has just taken it may still look like a stranger, so such a one is
    /// looked at twice.
    fn certain_holder(&self, side: Side) -> Result<LockingRun, Fault> {
        let holder = self.holder(side)?;
        if !holder.is_stranger() {
            return Ok(holder);
        }
        thread::sleep(POLL);
        self.holder(side)
    }

    /// Returns who holds the lock; without a session nobody does.
    fn holder(&self, side: Side) -> Result<LockingRun, Fault> {
        let Some(session) = self.lock_session(side)? else { return Ok(LockingRun::default()) };
        let run = match session.run() {
            Some(run) => Some(run),
            None if side == Side::Replica => self.run_of_session(session.connection)?,
            None => None,
        };
        let Whereabouts { host, process, started_at } = match run {
            Some(run) => self.whereabouts(run)?,
            None => Whereabouts::default(),
        };
        // Anybody can call a session by the name of a run; a run that goes on has a line.
        let is_run = session.is_marked || started_at.is_some();
        let remedy = (!is_run).then(|| ending(side, session.connection));
        Ok(LockingRun {
            run: run.filter(|_| is_run),
            host,
            process,
            since: started_at,
            session: Some(session),
            remedy,
        })
    }
}

/// Returns the statement that ends a session.
fn ending(side: Side, connection: u32) -> String {
    match side {
        Side::Target => format!("SELECT pg_terminate_backend({connection})"),
        Side::Source | Side::Replica => format!("KILL {connection}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> LockHolder {
        LockHolder {
            connection: 12,
            account: Some("etl".into()),
            program: None,
            since: Some(Duration::from_secs(42)),
            silent: None,
            is_marked: true,
        }
    }

    #[test]
    fn a_strangers_session_is_named_with_the_statement_that_ends_it() {
        let stranger = LockHolder { is_marked: false, ..session() };
        let holder = LockingRun {
            session: Some(stranger),
            remedy: Some(ending(Side::Target, 12)),
            ..LockingRun::default()
        };
        let refused = LockRefused::Held { side: Side::Target, holder: Box::new(holder) };
        assert!(refused.is_strangers());
        assert_eq!(
            refused.to_string(),
            "the lock that every run takes on the target is held by: connection 12 of etl, for 42 s, which \
             is not a run of yours: `SELECT pg_terminate_backend(12)` ends it"
        );
        assert_eq!(ending(Side::Replica, 7), "KILL 7");
    }

    #[test]
    fn a_refusal_says_who_holds_the_lock() {
        let run = RunId::new();
        let session = session();
        let holder = LockingRun {
            run: Some(run),
            host: Some("clinic".into()),
            process: Some("4242".into()),
            since: "2026-01-31T23:00:00Z".parse().ok(),
            session: Some(session),
            remedy: None,
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
