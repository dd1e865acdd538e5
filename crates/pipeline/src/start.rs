//! The first steps of every run, from the first connection to the plan.
//!
//! Each step may be made again from its beginning: existing things stay as they are, interrupted work is
//! mended, and a lock that an earlier attempt left with a lost connection is known as our own. So a fault that
//! may pass by itself costs a new attempt at all of them, as it does a table.

use crate::builder::Pipeline;
use crate::error::{Error, Result};
use crate::options::RunOptions;
use crate::planning::Planned;
use crate::recover::Recovery;
use crate::run_base::RunBase;
use handoff_connect::{Fault, RetryNotice, RetryPolicy, TransientError, retry};
use handoff_model::{RunEvent, RunId, chain};
use handoff_plan::Plan;
use handoff_replicator::Replicator;
use handoff_session::{Access, Servers};
use handoff_tracking::{LockRefused, LockTerms, RunLock, Tracker};
use std::error::Error as _;
use std::sync::Arc;

/// A run that has its servers, its lock and its plan, and has moved nothing yet.
pub(crate) struct StartedRun<'s> {
    pub(crate) base: RunBase<'s>,
    pub(crate) replicator: Option<Replicator>,
    pub(crate) tracker: Tracker,
    pub(crate) lock: RunLock,
    pub(crate) planned: Planned,
}

impl Pipeline {
    /// Makes everything ready that a run needs, again after a transient fault.
    pub(crate) fn start(&self, run: RunId, options: &RunOptions) -> Result<StartedRun<'_>> {
        self.patiently(|| self.try_start(run, options))
    }

    /// Does the first steps of a command, again after a transient fault, and tells the observer.
    pub(crate) fn patiently<T>(&self, mut begin: impl FnMut() -> Result<T>) -> Result<T> {
        let tell = |again: RetryNotice<'_, Error>| {
            let (seconds, why) = (again.wait.as_secs_f64(), chain(again.error));
            self.notice(format!("the start failed and is tried again in {seconds:.1} s: {why}"));
        };
        retry(&self.retries(), &self.cancel, tell, &mut begin)
    }

    /// Returns the policy by which a failed step is tried again.
    pub(crate) fn retries(&self) -> RetryPolicy {
        RetryPolicy { attempts: self.settings.run.max_retries + 1, ..RetryPolicy::default() }
    }

    fn try_start(&self, run: RunId, options: &RunOptions) -> Result<StartedRun<'_>> {
        let mut base = self.survey(run, Access::Write, options)?;
        let replicator = self.replicator(&base.session.servers)?;
        let tracker = base.session.open_tracker(run)?;
        let lock = self.lock(&tracker, options)?;
        if options.wait.waits() {
            // The run that was waited for may have changed what there is.
            base.scope = base.session.scope(&options.tables)?;
        }
        self.cancel.check()?;
        base.session.let_readers_see_tracking()?;
        for ended in base.session.end_orphans(&tracker)? {
            self.notice(ended);
        }
        let planned = self.make_plan(&base, &tracker, options, Recovery::Make)?;
        base.ownership.record(&planned.judged, &tracker)?;
        if options.adopt {
            adopt(&planned.plan, &tracker)?;
        }
        self.cancel.check()?;
        Ok(StartedRun { base, replicator, tracker, lock, planned })
    }

    fn replicator(&self, servers: &Servers) -> Result<Option<Replicator>> {
        let (Some(source), Some(replica)) = (&servers.source, &servers.replica) else {
            return Ok(None);
        };
        let (cancel, observer) = (self.cancel.clone(), Arc::clone(&self.observer));
        Replicator::new(source.clone(), replica.clone(), cancel, observer)
            .map(|replicator| Some(replicator.memory(self.memory_of_a_table())))
            .map_err(Error::Pair)
    }

    fn lock(&self, tracker: &Tracker, options: &RunOptions) -> Result<RunLock> {
        let terms = LockTerms {
            wait: options.wait.with(&self.cancel),
            silence: self.settings.run.lock_silence,
            tell: &|refused| self.notice(format!("waiting: {refused}")),
        };
        tracker.lock_by(&terms).map_err(Error::locked)
    }

    pub(crate) fn notice(&self, text: String) {
        self.observer.event(&RunEvent::Notice { table: None, text });
    }
}

/// Records the tables that are taken over, so that they count as ours.
fn adopt(plan: &Plan, tracker: &Tracker) -> Result<()> {
    for table in &plan.tables {
        tracker.adopt(&table.name, table.replica.is_some(), table.target.is_some())?;
    }
    Ok(())
}

impl TransientError for Error {
    /// Returns true if a server's fault that may pass by itself is behind it.
    fn is_transient(&self) -> bool {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(fault) = error.downcast_ref::<Fault>() {
                return fault.is_transient();
            }
            cause = error.source();
        }
        false
    }
}

impl Error {
    /// Says why the lock of a run cannot be had.
    pub(crate) fn locked(refused: LockRefused) -> Error {
        match refused {
            LockRefused::Cancelled(cancelled) => Error::Cancelled(cancelled),
            refused if refused.is_strangers() => Error::LockTaken(refused),
            refused @ LockRefused::Held { .. } => Error::Locked(refused),
            refused => Error::Lock(refused),
        }
    }
}
